"""Claims made anew from the events are the claims that the appends made."""

from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.workflow import Workflow
from domain.errors import ClaimTaken
from infrastructure.database import Store
from infrastructure.event_store.claims import rebuild_claims
from infrastructure.event_store.mapper import EventMapper
from tests.contracts.sample import ACT, Seal, call
from tests.fakes import SeededChance

STEPS = st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=15)
MAPPER = EventMapper(SeededChance())
CHANCE = SeededChance(1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_rebuilt_claims_are_equal(store: Store, steps: list[tuple[int, bool]]) -> None:
    workflow = Workflow(recorder=store.recorder, mapper=MAPPER, answers=store.answers)
    for number, breaking in steps:
        _step(workflow, store, str(number), breaking)
    held = list(store.claims.keys("seal"))
    store.database.change("UPDATE claims SET stream = ?", ("nobody",))
    store.database.change("INSERT INTO claims (kind, key, stream) VALUES ('x', 'y', 'z')")
    assert rebuild_claims(store.database, MAPPER) == len(held)
    assert list(store.claims.keys("seal")) == held
    assert list(store.claims.keys("x")) == []


def _step(workflow: Workflow, store: Store, number: str, breaking: bool) -> None:
    holder = store.claims.holder("seal", number)
    if breaking and holder is not None:
        workflow.change(call(), Seal, holder, lambda seal: seal.break_it(ACT, "time"))
    elif not breaking:
        expected = nullcontext() if holder is None else pytest.raises(ClaimTaken)
        with expected:
            workflow.commit(call(), Seal.set(ACT, id=CHANCE.id("seal"), number=number))
