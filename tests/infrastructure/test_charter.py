"""The charter is what the installation's events say, read anew at little cost."""

from typing import Any

import pytest

from application.authorisation import Actor
from application.workflow import Call, Workflow
from domain.installation import Installation
from infrastructure.charter import CharterReader, Resumed
from infrastructure.database import Store
from infrastructure.event_store.mapper import EventMapper
from tests.builders import DISCIPLINE, ORIGIN, VKEYS, act, digest
from tests.fakes import SeededChance
from tests.infrastructure.ledger_samples import append

FIRST, SECOND, _ = VKEYS
ID = "installation-1"


@pytest.fixture
def workflow(store: Store) -> Workflow:
    return Workflow(recorder=store.recorder, mapper=EventMapper(SeededChance()), answers=store.answers)


def save(workflow: Workflow, installation: Installation) -> None:
    workflow.commit(Call(actor=Actor(account="account-1"), act=act()), installation)


def changed(workflow: Workflow, *steps: Any) -> None:
    """Load, take the steps, save."""
    installation = workflow.load(Installation, ID)
    for step in steps:
        step(installation)
    save(workflow, installation)


def test_the_charter_follows_the_log(store: Store, workflow: Workflow) -> None:
    reader = CharterReader(workflow, store.claims)
    assert reader.read() is None
    append(store, 3, streams=99)
    save(workflow, Installation.found(act(), id=ID, origin=ORIGIN, verifier_key=FIRST))
    assert reader.read() == (FIRST, (), ())
    changed(workflow, lambda log: log.ask_key_change(act(), verifier_key=SECOND, reason="例行"))
    assert reader.read() == (FIRST, (), ())
    append(store, 2, streams=99)
    changed(workflow, lambda log: log.change_key(act(DISCIPLINE), verifier_key=SECOND))
    changed(
        workflow,
        lambda log: log.ask_resume(act(), size=9, root=digest(1), reason="恢复"),
        lambda log: log.resume(act(DISCIPLINE), size=9, root=digest(1)),
    )
    charter = reader.read()
    assert charter == (SECOND, (FIRST,), (Resumed(9, digest(1), 9),))
    row = next(store.recorder.rows(9, 1))
    assert row.topic == "installation.resumed.v1"
    assert CharterReader(workflow, store.claims).read() == charter


def test_reading_again_reads_nothing_twice(
    store: Store, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(workflow, Installation.found(act(), id=ID, origin=ORIGIN, verifier_key=FIRST))
    reader = CharterReader(workflow, store.claims)
    first = reader.read()
    asked = list[tuple[Any, ...]]()
    fetch = store.database.fetch

    def counting(sql: str, params: Any = ()) -> Any:
        rows = fetch(sql, params)
        asked.append((sql, len(rows)))
        return rows

    monkeypatch.setattr(store.database, "fetch", counting)
    assert reader.read() == first
    assert [rows for _, rows in asked] == [0]
