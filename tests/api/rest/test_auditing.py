"""Verify anything over HTTP, and take the ledger along."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from api.offline import check_folder, policy_in
from api.rest import auditing
from tests.api.rest.service import Person, Service
from tests.office import SHANXI

REASON = {"reason": "年度审计"}


@pytest.fixture
def published(service: Service) -> Service:
    service.hire("auditor")
    service.system.publisher.publish_once()
    return service


def look_up(person: Person, what: object) -> Any:
    answer = person.page("/ledger/lookup", params={"what": str(what)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def unpacked(content: bytes, folder: Path) -> Path:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")
    (made,) = folder.iterdir()
    return made


def test_a_receipt_a_hash_and_a_position_are_looked_up_by_anybody(published: Service) -> None:
    nobody = published.nobody
    found = look_up(nobody, 2)
    assert (found["kind"], found["proved"], found["entry"]["idx"]) == ("entry", True, 2)
    assert nobody.page("/ledger/entries/2").json() == found
    receipt = nobody.page("/ledger/receipts/2").text
    assert look_up(nobody, receipt)["proved"]
    assert look_up(nobody, found["entry"]["leaf"])["kind"] == "leaf"
    assert look_up(nobody, found["entry"]["state"])["entry"] == found["entry"]
    assert look_up(nobody, found["checkpoint"]["root"])["kind"] == "root"


def test_what_proves_nothing_is_told_so(published: Service) -> None:
    nobody = published.nobody
    receipt = nobody.page("/ledger/receipts/2").text
    told = look_up(nobody, receipt.replace("index 2\n", "index 1\n"))
    assert (told["kind"], told["proved"]) == ("receipt", False)
    assert look_up(nobody, "nonsense")["proved"] is False
    assert look_up(nobody, "9" * 5000)["proved"] is False
    assert nobody.page("/ledger/lookup", params={"what": "ab" * 32}).status_code == 404
    assert nobody.page("/ledger/lookup", params={"what": "99999"}).status_code == 409
    assert nobody.page("/ledger/entries/99999").status_code == 409


def test_the_public_export_verifies_and_holds_no_state(published: Service, tmp_path: Path) -> None:
    answer = published.nobody.page("/ledger/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/gzip")
    out = unpacked(answer.content, tmp_path / "out")
    report = check_folder(out, policy_in(out))
    assert (report.sound, report.size, report.unchecked[0]) == (True, report.covered, "states")
    assert not (out / "states").exists()


def test_few_public_exports_are_sent_at_a_time_and_each_gives_its_place_back(published: Service) -> None:
    taken = [auditing._SENDING.acquire(blocking=False) for _ in range(auditing.AT_ONCE)]
    assert all(taken)
    refused = published.nobody.page("/ledger/export")
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/ledger-exports-busy")
    for _ in taken:
        auditing._SENDING.release()
    for _ in range(auditing.AT_ONCE + 1):
        assert published.nobody.page("/ledger/export").status_code == 200


def test_states_are_sent_to_the_entitled_and_the_reading_is_recorded_first(
    published: Service, tmp_path: Path
) -> None:
    auditor = published.hire("auditor", login="inspectorate", region=SHANXI)
    assert published.officer.post("/ledger/exports", REASON).status_code == 403
    assert published.hire("discipline").post("/ledger/exports", REASON).status_code == 403
    assert auditor.post("/ledger/exports", {"reason": " "}).status_code == 422
    head = published.system.store.recorder.head()
    answer = auditor.post("/ledger/exports", REASON)
    assert answer.status_code == 200, answer.text
    assert published.system.store.recorder.head() == (head or 0) + 1
    row = next(published.system.store.recorder.rows((head or 0) + 1, 1))
    assert (row.topic, b'"kind":"states"' in row.state) == ("access.recorded.v1", True)
    out = unpacked(answer.content, tmp_path / "out")
    report = check_folder(out, policy_in(out))
    assert (report.sound, report.unchecked) == (True, ("personal-data", "projections", "frames"))
