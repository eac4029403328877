"""Evolution never fails, whatever is left out: replay as of a moment leaves out what happened later."""

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.aggregate import Aggregate, CreatedEvent, DomainEvent
from domain.events import AGGREGATES
from tests.examples_of_events import examples

KINDS = sorted(kind.TOPIC for kind in AGGREGATES)
EXAMPLES = examples()


def evolve(events: list[DomainEvent]) -> Aggregate:
    """The aggregate that the events make in that order, numbered anew."""
    made: Any = None
    for number, event in enumerate(events, start=1):
        made = msgspec.structs.replace(event, originator_version=number).mutate(made)
    assert isinstance(made, AGGREGATES)
    return made


def beginning(kind: str) -> tuple[list[DomainEvent], list[DomainEvent]]:
    """With what a kind of stream may begin, and all that may follow."""
    events = [one for topic, one in EXAMPLES.items() if topic.startswith(f"{kind}.")]
    firsts = [one for one in events if isinstance(one, CreatedEvent)]
    return list(firsts), [one for one in events if one not in firsts]


@pytest.mark.parametrize("kind", KINDS)
def test_any_two_events_may_follow_the_first_in_either_order(kind: str) -> None:
    firsts, others = beginning(kind)
    for first, one, other in product(firsts, others, others):
        assert evolve([first, one, other]).version == 3


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_any_events_may_be_missing(data: st.DataObject, kind: str) -> None:
    firsts, others = beginning(kind)
    first = data.draw(st.sampled_from(firsts))
    chosen = data.draw(st.lists(st.sampled_from(others), max_size=12) if others else st.just([]))
    assert evolve([first, *chosen]).version == len(chosen) + 1
