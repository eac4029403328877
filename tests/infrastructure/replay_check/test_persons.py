"""Personal data: finding 11, and its mirror images. No finding ever shows the data."""

import pytest
from eventsourcing.persistence import StoredEvent

from domain.ledger.finding import Finding
from infrastructure.replay_check.beside import check_beside
from infrastructure.replay_check.persons import ERASED
from tests.infrastructure.replay_check.conftest import Case
from tests.infrastructure.replay_check.owner import tamper

EMPTY = (
    "UPDATE vault SET value = NULL, salt = NULL, unique_key = NULL, erased_at = '2024-04-02' WHERE person = ?"
)


@pytest.fixture
def person(case: Case) -> str:
    """The reference of the first officer of the registry."""
    [stored, *_] = case.store.recorder.select_events(case.told.officer)
    return str(getattr(case.mapper.to_domain_event(stored), "person"))  # noqa: B009


def registered(case: Case) -> int:
    return case.idx("inspector.registered.v1", case.told.officer)


def erase(case: Case, person: str) -> int:
    """Append the event of an erasure; its position."""
    [id] = case.store.recorder.insert_events([StoredEvent(person, 1, ERASED, b'{"salt":"00"}')])
    return id - 1


def beside(case: Case) -> list[Finding]:
    return check_beside(case.store, case.mapper, case.blobs, lambda done: None).kept


def test_every_kind_of_reference_is_looked_at(case: Case) -> None:
    tamper(case.store, ("DELETE FROM vault", ()))
    missing = case.findings()
    assert {one.code for one in missing} == {"person.missing"}
    topics = {row.idx: row.topic for row in case.store.recorder.rows()}
    assert {topics[one.idx or 0] for one in missing} == {
        "account.opened.v1",
        "inspector.registered.v1",
        "site.registered.v1",
    }


def test_data_deleted_without_the_event(case: Case, person: str) -> None:
    tamper(case.store, ("DELETE FROM vault WHERE person = ?", (person,)))
    assert case.only() == Finding("person.missing", registered(case), {"person": person})


def test_data_emptied_without_the_event(case: Case, person: str) -> None:
    tamper(case.store, (EMPTY, (person,)))
    assert case.only() == Finding("person.missing", registered(case), {"person": person})


def test_data_erased_with_the_event_is_as_it_should_be(case: Case, person: str) -> None:
    erase(case, person)
    tamper(case.store, (EMPTY, (person,)))
    assert beside(case) == []
    tamper(case.store, ("DELETE FROM vault WHERE person = ?", (person,)))
    assert beside(case) == []


def test_data_that_is_there_in_spite_of_the_event(case: Case, person: str) -> None:
    idx = erase(case, person)
    assert beside(case) == [Finding("person.not-erased", idx, {"person": person})]


def test_a_key_that_is_left_of_erased_data(case: Case, person: str) -> None:
    if case.store.url.startswith("postgresql"):
        tamper(case.store, ("ALTER TABLE vault DROP CONSTRAINT vault_check", ()))
    idx = erase(case, person)
    tamper(case.store, (EMPTY.replace("unique_key = NULL", "unique_key = '1401-0000'"), (person,)))
    assert beside(case) == [Finding("person.not-erased", idx, {"person": person})]


@pytest.mark.parametrize(
    "change",
    [
        'value = \'{"name":"别人"}\'',
        "value = 'no json'",
        "value = '[]'",
        "salt = '00112233445566778899aabbccddeeff'",
        "salt = 'no salt'",
    ],
)
def test_data_that_is_not_what_the_event_committed_to(case: Case, person: str, change: str) -> None:
    tamper(case.store, (f"UPDATE vault SET {change} WHERE person = ?", (person,)))  # noqa: S608
    finding = case.only()
    assert finding == Finding("person.differs", registered(case), {"person": person})


def test_data_of_somebody_whom_nobody_knows(case: Case) -> None:
    row = "person-0", "{}", "00"
    tamper(case.store, ("INSERT INTO vault (person, value, salt) VALUES (?, ?, ?)", row))
    assert case.only() == Finding("person.unknown", None, {"person": "person-0"})
