"""Given – when – then for one aggregate.

    given(drafted_plan, with_row, submitted).when(lambda plan: plan.approve(act(LEADER), opinion="…"))
        .then(happened(Plan.Approved, opinion="…"))
        .refused(PlannerApproves)

Every outcome also shows that the stored bytes of the history give the same state back, and that a
refusal recorded nothing and changed nothing.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from domain.aggregate import Aggregate, CreatedEvent, DomainEvent
from domain.errors import DomainError
from infrastructure.event_store.mapper import EventMapper
from tests.fakes import SeededChance

A = TypeVar("A", bound=Aggregate)

STAMPED = frozenset((*DomainEvent.__struct_fields__, *CreatedEvent.__struct_fields__))
"""The fields that every event has: who, when, and its place in the log."""


@dataclass(frozen=True)
class Happened:
    """An expected event: its class and every field of its own."""

    kind: type[DomainEvent]
    facts: dict[str, Any]


def happened(kind: type[DomainEvent], /, **facts: Any) -> Happened:
    """Expect an event of that class with exactly these facts."""
    return Happened(kind, facts)


def told(event: DomainEvent) -> Happened:
    """What an event says beyond who and when."""
    own = [name for name in event.__struct_fields__ if name not in STAMPED]
    return Happened(type(event), {name: getattr(event, name) for name in own})


@dataclass(frozen=True)
class Outcome(Generic[A]):
    """What a decision came to: events and the state after them, or a refusal."""

    events: Sequence[DomainEvent]
    refusal: DomainError | None
    after: A | None

    def then(self, *expected: Happened) -> A:
        """Exactly these events happened; the aggregate as they left it."""
        assert self.refusal is None, f"refused: {self.refusal!r} at {self.refusal.pointer!r}"
        assert [told(event) for event in self.events] == list(expected)
        assert self.after is not None
        return self.after

    def refused(self, error: type[DomainError], pointer: str = "", **facts: Any) -> None:
        """It was refused with exactly this error and these facts, before any event."""
        assert self.refusal is not None, f"not refused: {[told(event) for event in self.events]}"
        assert type(self.refusal) is error
        assert (self.refusal.pointer, self.refusal.facts) == (pointer, facts)


@dataclass(frozen=True)
class Given(Generic[A]):
    """A history that came about by commands."""

    aggregate: A
    history: Sequence[DomainEvent]

    def when(self, decide: Callable[[A], object]) -> Outcome[A]:
        """Let the aggregate decide."""
        before = deepcopy(self.aggregate)
        try:
            decide(self.aggregate)
        except DomainError as refusal:
            assert self.aggregate == before, "a refusal changed the state"
            return Outcome((), refusal, None)
        events = collected(self.aggregate)
        assert replayed([*self.history, *events]) == self.aggregate
        return Outcome(events, None, self.aggregate)


def given(begin: Callable[[], A], *steps: Callable[[A], object]) -> Given[A]:
    """An aggregate that was begun and went through the steps."""
    aggregate = begin()
    for step in steps:
        step(aggregate)
    return Given(aggregate, collected(aggregate))


def when_begun(begin: Callable[[], A]) -> Outcome[A]:
    """Let an aggregate begin, with nothing given."""
    try:
        aggregate = begin()
    except DomainError as refusal:
        return Outcome((), refusal, None)
    events = collected(aggregate)
    assert replayed(events) == aggregate
    return Outcome(events, None, aggregate)


def collected(aggregate: Aggregate) -> list[DomainEvent]:
    """The events that are pending; they are no longer afterwards."""
    return [cast(DomainEvent, event) for event in aggregate.collect_events()]


def replayed(events: Sequence[DomainEvent]) -> Aggregate:
    """The aggregate that the events give after they were stored and read again."""
    mapper = EventMapper(SeededChance())
    aggregate: Aggregate | None = None
    for event in events:
        again = cast(DomainEvent, mapper.to_domain_event(mapper.to_stored_event(event)))
        assert again == event
        aggregate = again.mutate(aggregate)
    assert aggregate is not None
    return aggregate
