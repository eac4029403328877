"""The ledger's charter over HTTP: another key, and going on after a divergence, by two people each."""

from pathlib import Path

import pytest

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.note import SigningKey
from infrastructure.signing import ledger_key
from tests.api.rest.service import Person, Service
from tests.api.rest.story import done
from tests.api.rest.test_transcript import refused
from tests.office import SHANXI

CHARTER = "/ledger/charter"
REASON = "例行更换"


@pytest.fixture
def people(service: Service) -> tuple[Person, Person]:
    """The administrator and somebody of the disciplinary office, both of the province."""
    return service.administrator, service.hire("discipline", login="jw", region=SHANXI)


def next_vkey(service: Service) -> str:
    origin = service.system.settings.origin
    return SigningKey(origin, b"the log's next key, for the test").verifier.encode()


def own_key(service: Service) -> SigningKey:
    settings = service.system.settings
    return ledger_key(file=settings.key_file, secret=None, origin=settings.origin)


def test_two_people_change_the_key(service: Service, people: tuple[Person, Person]) -> None:
    first, second = people
    old = first.get(CHARTER).json()["verifier_key"]
    body = {"verifier_key": next_vkey(service), "reason": REASON}
    refused(first.post("/ledger/key-changes", body), 428, "precondition-missing")
    refused(service.officer.post("/ledger/key-changes", body, match='"v1"'), 403, "permission-missing")
    done(first.post("/ledger/key-changes", body, match=first.etag(CHARTER), key="ask"))
    assert first.get(CHARTER).json()["next_key"] == body
    confirmation = {"verifier_key": body["verifier_key"]}
    path = "/ledger/key-changes/confirmation"
    again = first.post(path, confirmation, match=first.etag(CHARTER))
    refused(again, 403, "ledger-second-person-needed")
    other = second.post(path, {"verifier_key": old}, match=first.etag(CHARTER))
    refused(other, 409, "ledger-asking-differs")
    tag = first.etag(CHARTER)
    answer = done(second.post(path, confirmation, match=tag, key="confirm"))
    assert done(second.post(path, confirmation, match=tag, key="confirm")) == answer
    shown = first.get(CHARTER).json()
    assert (shown["verifier_key"], shown["former_keys"]) == (body["verifier_key"], [old])
    assert shown["next_key"] is None


def test_a_change_of_the_key_is_withdrawn(service: Service, people: tuple[Person, Person]) -> None:
    first, second = people
    body = {"verifier_key": next_vkey(service), "reason": REASON}
    done(first.post("/ledger/key-changes", body, match=first.etag(CHARTER)))
    refused(second.post("/ledger/key-changes", body, match=first.etag(CHARTER)), 409, "ledger-asking-open")
    path = "/ledger/key-changes/withdrawal"
    done(second.post(path, {"reason": "不换了"}, match=first.etag(CHARTER)))
    assert first.get(CHARTER).json()["next_key"] is None


def test_a_key_of_another_log_is_refused(service: Service, people: tuple[Person, Person]) -> None:
    first, _ = people
    other = SigningKey("sunlot.example/other", bytes(32)).verifier.encode()
    for key, status in ((other, 422), ("nonsense", 422)):
        body = {"verifier_key": key, "reason": REASON}
        answer = first.post("/ledger/key-changes", body, match=first.etag(CHARTER))
        refused(answer, status, "ledger-key-refused")


def test_what_the_store_continues_is_not_given_up(service: Service, people: tuple[Person, Person]) -> None:
    first, _ = people
    service.system.publisher.publish_once()
    body = {"size": 1, "root": "0" * 64, "reason": "试试"}
    answer = first.post("/ledger/resumptions", body, match=first.etag(CHARTER))
    refused(answer, 409, "ledger-nothing-to-give-up")


def test_two_people_give_up_what_was_published_elsewhere(
    service: Service, people: tuple[Person, Person], tmp_path: Path
) -> None:
    first, second = people
    key = own_key(service)
    note = sign_checkpoint(Checkpoint(key.name, service.size() + 40, bytes(range(32))), key).decode()
    named = {"size": service.size() + 40, "root": bytes(range(32)).hex(), "checkpoint": note}
    wrong = {**named, "root": "0" * 64, "reason": "恢复备份"}
    answer = first.post("/ledger/resumptions", wrong, match=first.etag(CHARTER))
    refused(answer, 409, "ledger-asking-differs")
    foreign = {**named, "checkpoint": note.replace(key.name, "elsewhere"), "reason": "恢复备份"}
    answer = first.post("/ledger/resumptions", foreign, match=first.etag(CHARTER))
    refused(answer, 422, "ledger-checkpoint-not-ours")
    done(first.post("/ledger/resumptions", {**named, "reason": "恢复备份"}, match=first.etag(CHARTER)))
    path = "/ledger/resumptions/confirmation"
    refused(first.post(path, named, match=first.etag(CHARTER)), 403, "ledger-second-person-needed")
    done(second.post(path, named, match=first.etag(CHARTER)))
    (given_up,) = first.get(CHARTER).json()["given_up"]
    assert given_up == {"size": named["size"], "root": named["root"], "reason": "恢复备份"}


def test_giving_up_is_withdrawn(service: Service, people: tuple[Person, Person]) -> None:
    first, second = people
    key = own_key(service)
    note = sign_checkpoint(Checkpoint(key.name, 9000, bytes(32)), key).decode()
    body = {"size": 9000, "root": "0" * 64, "checkpoint": note, "reason": "恢复备份"}
    done(first.post("/ledger/resumptions", body, match=first.etag(CHARTER)))
    path = "/ledger/resumptions/withdrawal"
    done(second.post(path, {"reason": "找到完整备份"}, match=first.etag(CHARTER)))
    assert first.get(CHARTER).json()["to_give_up"] is None
