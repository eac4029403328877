"""Over HTTP: a person is erased by two people, and no answer and no byte of the store names him any more."""

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any, Final

import pytest
from openpyxl import load_workbook

from infrastructure.database import store_file
from infrastructure.ledger_check import verify_store
from tests.api.rest.service import Person, Service
from tests.api.rest.story import Story, done
from tests.api.rest.test_transcript import refused
from tests.application.intake_files import Cells, book, officer, site
from tests.office import PASSWORD, SHANXI, TAIYUAN

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAME: Final = "欧阳擦除"
PHONE: Final = "19812345678"
NUMBER: Final = "140100-7788"
WORDS: Final = (NAME, PHONE, NUMBER)
REASON: Final = {"reason": "退休", "source": "人事处", "effective_from": "2024-01-01"}
ASKING: Final = {"ground": "unlawful-processing", "reason": "误录"}


def take_in(who: Person, kind: str, *rows: Cells) -> str:
    """Import a table; the import's id."""
    file = {"file": (f"{kind}.xlsx", book(kind, rows), XLSX)}
    return str(done(who.post(f"/imports/{kind}", files=file, data={"region": TAIYUAN}))["id"])


def named(who: Person) -> tuple[str, str, str]:
    """An inspector who came by a file: the import, the inspector and the reference of his person."""
    intake = take_in(who, "inspectors", officer(77, name=NAME, phone=PHONE, certificate_no=NUMBER))
    (row,) = who.get("/inspectors").json()["items"]
    return intake, row["id"], row["person"]


def removed(service: Service) -> tuple[str, str, str]:
    """The same, after he left."""
    intake, id, person = named(service.officer)
    path = f"/inspectors/{id}"
    assert NAME in service.officer.post(f"{path}/readings", {"reason": "核对"}).text
    done(service.officer.post(f"{path}/removal", REASON, match=service.officer.etag(path)))
    return intake, id, person


def erase(service: Service, person: str) -> None:
    """Ask as the city officer, approve as the leader."""
    path = f"/persons/{person}"
    asked = service.officer.post(f"{path}/erasure", ASKING)
    done(asked)
    done(service.leader.post(f"{path}/erasure/approval", match=asked.headers["etag"]))


def test_after_the_erasure_every_list_shows_the_empty_slot(service: Service) -> None:
    intake, id, person = removed(service)
    officer_, auditor = service.officer, service.auditor
    digest = officer_.get(f"/imports/{intake}").json()["original"]
    before = officer_.get(f"/inspectors/{id}")
    erase(service, person)
    shown = officer_.send(
        "GET", f"/inspectors/{id}", headers={"If-None-Match": before.headers["etag"]}
    ).json()
    slot = {"erased": True, "erased_on": "2024-04-01", "erased_ground": "unlawful-processing"}
    assert slot.items() <= shown.items()
    assert slot.items() <= officer_.get("/inspectors", status="removed").json()["items"][0].items()
    read = officer_.post(f"/inspectors/{id}/readings", {"reason": "核对"}).json()
    assert read == {"person": person, "value": {}, **slot}
    assert slot.items() <= officer_.get(f"/imports/{intake}").json().items()
    standing = officer_.get(f"/persons/{person}").json()
    assert (standing["erased"], standing["entry"]["status"]) == (True, "erased")
    gone = refused(officer_.get(f"/blobs/{digest}", of=intake, reason="核对"), 410, "blob-erased")
    assert gone["facts"] == {
        "digest": digest,
        "erased_on": "2024-04-01",
        "ground": "unlawful-processing",
    }
    assert "2024-04-01" in gone["detail"]
    log = auditor.get("/accesses", subject=person).json()["items"]
    assert [one["erased"] for one in log] == [[person], [person]]
    for stream in (id, person):
        story = auditor.get(f"/streams/{stream}").json()
        assert story["erased"] == [
            {"person": person, "erased_on": "2024-04-01", "ground": "unlawful-processing"}
        ]
    told = [one["topic"] for one in auditor.get(f"/timeline/{id}").json()["items"]]
    assert told[-2:] == ["person.erasure-asked.v1", "person.erased.v1"]


def test_no_answer_and_no_byte_of_the_store_names_him(service: Service) -> None:
    intake, id, person = removed(service)
    take_in(service.officer, "sites", site(1))
    assert len(list(addresses(service, (id, person, intake)))) > 60
    assert named_in(service, (id, person, intake))
    assert list(kept(service))
    erase(service, person)
    assert named_in(service, (id, person, intake)) == []
    service.system.publisher.publish_once()
    folder = service.system.settings.ledger_dir
    assert verify_store(service.system.store, folder, [service.system.publisher.vkey]).sound
    assert list(kept(service)) == []


def named_in(service: Service, ids: tuple[str, ...]) -> list[str]:
    """The addresses whose answer names him, of all that can be read with these ids."""
    readers = (service.officer, service.leader, service.auditor, service.administrator)
    found = set()
    for path in addresses(service, ids):
        for who in readers:
            answer = who.page(path)
            assert answer.status_code < 500, (path, answer.text)
            if any(word in answer.text for word in WORDS):
                found.add(path)
    for path, body in ((f"/inspectors/{ids[0]}/readings", {"reason": "核对"}),):
        answer = service.officer.post(path, body)
        assert answer.status_code == 200
        found |= {path} if any(word in answer.text for word in WORDS) else set()
    return sorted(found)


def addresses(service: Service, ids: tuple[str, ...]) -> Iterator[str]:
    """Every address that is read, with each of the ids where it takes one."""
    paths = service.nobody.page("/openapi.json").json()["paths"]
    for path in (one for one, methods in paths.items() if "get" in methods and "feed" not in one):
        holes = [part for part in path.split("/") if part.startswith("{")]
        if not holes:
            yield path
        elif len(holes) == 1:
            yield from (path.replace(holes[0], id) for id in ids)


def kept(service: Service) -> Iterator[str]:
    """Where a word is found in the tables, in the store's files and in the kept ones."""
    url, data = service.system.store.url, service.system.settings.data_dir
    if url.startswith("sqlite"):
        folder = store_file(url).parent
        for file in (one for one in (*folder.rglob("*"), *data.rglob("*")) if one.is_file()):
            content = file.read_bytes()
            yield from (f"{file.name}: {word}" for word in WORDS if word.encode() in content)
    else:
        sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        for (table,) in service.system.store.database.fetch(sql):
            text = str(service.system.store.database.fetch(f'SELECT * FROM "{table}"'))  # noqa: S608
            yield from (f"{table}: {word}" for word in WORDS if word in text)


def test_who_may_ask_and_who_may_decide(small: Service) -> None:
    _, _, person = removed(small)
    path = f"/persons/{person}"
    for who in (small.leader, small.elsewhere, small.auditor):
        refused(who.post(f"{path}/erasure", ASKING), 403, "permission-missing")
    asked = small.officer.post(f"{path}/erasure", ASKING, key="once")
    again = small.officer.post(f"{path}/erasure", ASKING, key="once")
    assert (asked.status_code, again.json()) == (201, asked.json())
    assert asked.headers["location"] == f"/api/v1{path}"
    tag = asked.headers["etag"]
    refused(small.officer.post(f"{path}/erasure/approval", match=tag), 403, "permission-missing")
    refused(small.leader.post(f"{path}/erasure/approval"), 428, "precondition-missing")
    refused(small.leader.post(f"{path}/erasure/approval", match='"v9"'), 412, "stale")
    waiting = small.leader.get("/persons", status="asked").json()["items"]
    assert [one["entry"]["person"] for one in waiting] == [person]
    done(small.leader.post(f"{path}/erasure/refusal", {"reason": "先核对"}, match=tag))
    refused(
        small.leader.post(f"{path}/erasure/approval", match=small.leader.etag(path)), 409, "erasure-not-asked"
    )
    refused(small.elsewhere.get(path), 403, "permission-missing")


def test_what_is_still_needed_is_refused_with_what_to_do(small: Service) -> None:
    _, id, person = named(small.officer)
    size = small.size()
    told = refused(small.officer.post(f"/persons/{person}/erasure", ASKING), 409, "person-still-listed")
    assert told["facts"] == {"kind": "inspector", "holder": id}
    assert "第四十七条" in told["source"]
    wrong = small.officer.post(f"/persons/{person}/erasure", {**ASKING, "ground": "tidy"})
    refused(wrong, 422, "erasure-ground-wrong")
    refused(small.officer.get("/persons/person-" + "0" * 32), 404, "not-found")
    assert small.size() == size


def test_whose_time_is_over_is_listed_by_day_and_region(small: Service) -> None:
    _, _, person = removed(small)

    def due(who: Person, **asked: Any) -> list[str]:
        items = who.get("/persons/retention", **asked).json()["items"]
        return [one["entry"]["person"] for one in items]

    assert due(small.officer) == []
    assert due(small.officer, due_by="2029-03-31") == []
    assert due(small.officer, due_by="2029-04-01") == [person]
    assert due(small.officer, due_by="2029-04-01", kind="site") == []
    assert due(small.elsewhere, due_by="2029-04-01") == []
    assert due(small.auditor, due_by="2029-04-01", region="140200") == []
    assert small.officer.get(f"/persons/{person}").json()["retain_until"] == "2029-04-01"
    refused(small.reporting.get("/persons/retention"), 403, "permission-missing")
    erase(small, person)
    assert due(small.officer, due_by="2029-04-01") == []


def test_a_file_that_was_erased_is_not_taken_in_again(small: Service) -> None:
    rows = [officer(77, name=NAME, phone=PHONE, certificate_no=NUMBER)]
    file = {"file": ("t.xlsx", book("inspectors", rows), XLSX)}
    done(small.officer.post("/imports/inspectors", files=file, data={"region": TAIYUAN}))
    (row,) = small.officer.get("/inspectors").json()["items"]
    path = f"/inspectors/{row['id']}"
    done(small.officer.post(f"{path}/removal", REASON, match=small.officer.etag(path)))
    erase(small, row["person"])
    size = small.size()
    again = small.officer.post("/imports/inspectors", files=file, data={"region": TAIYUAN})
    refused(again, 410, "blob-erased")
    assert small.size() == size


def test_the_report_of_readings_by_time_region_and_as_a_table(small: Service) -> None:
    _, id, person = removed(small)
    small.clock.advance(seconds=3600)
    small.officer.post(f"/inspectors/{id}/readings", {"reason": "=复核"})
    at = small.clock.now() - timedelta(minutes=30)

    def reasons(**asked: Any) -> list[str]:
        return [one["reason"] for one in small.auditor.get("/accesses", **asked).json()["items"]]

    assert reasons() == ["=复核", "核对"]
    assert reasons(since=at.isoformat()) == ["=复核"]
    assert reasons(until=at.isoformat()) == ["核对"]
    assert reasons(region=TAIYUAN, by=small.officer.account) == ["=复核", "核对"]
    assert reasons(region="140200") == []
    datong = small.hire("discipline", login="datong", region="140200")
    assert datong.get("/accesses").json()["items"] == []
    book_ = small.auditor.get("/accesses/table", subject=person)
    assert book_.headers["content-type"] == XLSX
    rows = list(load_workbook(BytesIO(book_.content)).worksheets[0].values)
    assert rows[0][0] == "位置"
    assert [(row[3], row[6], row[7]) for row in rows[1:]] == [
        (small.officer.account, person, "=复核"),
        (small.officer.account, person, "核对"),
    ]
    text = small.auditor.get("/accesses/table", format="csv").content.decode("utf-8-sig")
    assert text.splitlines()[1].endswith("'=复核")
    for who in (small.officer, small.leader, small.administrator):
        refused(who.get("/accesses/table"), 403, "permission-missing")


def test_an_account_and_a_contact_show_the_empty_slot(small: Service) -> None:
    officer_, admin = small.officer, small.administrator
    opened = admin.post("/accounts", {"login": "leaver", "password": PASSWORD, "name": NAME})
    path = f"/accounts/{done(opened)['id']}"
    done(admin.post(f"{path}/closing", {"reason": "离职"}, match=opened.headers["etag"]))
    take_in(officer_, "sites", site(1, contact=NAME, phone=PHONE))
    (place,) = officer_.get("/sites").json()["items"]
    head = small.hire("leader", login="head", region=SHANXI)
    for person, who in ((place["person"], officer_), (admin.get(path).json()["person"], admin)):
        asked = who.post(f"/persons/{person}/erasure", ASKING)
        done(asked)
        done(head.post(f"/persons/{person}/erasure/approval", match=asked.headers["etag"]))
    slot = {"erased": True, "erased_on": "2024-04-01", "erased_ground": "unlawful-processing"}
    assert slot.items() <= officer_.get(f"/sites/{place['id']}").json().items()
    assert slot.items() <= admin.get(path).json().items()
    read = officer_.post(f"/sites/{place['id']}/readings", {"reason": "联系"}).json()
    assert slot.items() <= read.items()
    assert read["value"] == {}


@pytest.mark.parametrize("digest", ["0" * 64])
def test_a_file_that_was_never_kept_is_only_not_found(small: Service, digest: str) -> None:
    intake = take_in(small.officer, "sites", site(1))
    refused(small.officer.get(f"/blobs/{digest}", of=intake, reason="x"), 404, "not-found")


def test_who_is_needed_in_an_open_matter_stays_and_no_team_is_told(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    path = f"/inspectors/{next(iter(story.inspectors))}"
    person = small.officer.get(path).json()["person"]
    done(small.officer.post(f"{path}/removal", REASON, match=small.officer.etag(path)))
    told = refused(small.officer.post(f"/persons/{person}/erasure", ASKING), 409, "person-needed")
    assert told["facts"]["matters"] == [draw]
