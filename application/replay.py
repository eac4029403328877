"""Replay: every event of a stream in order, with both times, who did it, and the state it led to.

`at` asks what had happened by then, `as_recorded_at` what was known by then. The difference between
the two times is told with each event: back-dating shows.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import msgspec

from application.office import Office
from application.readings import note_sealed_reading, sealed_draw
from application.workflow import Call
from domain.aggregate import Aggregate, CreatedEvent, DomainEvent
from domain.errors import NotFound
from domain.events import AGGREGATES

LATE_AFTER: Final = timedelta(hours=24)
"""How much later than it happened an event may be recorded before it is flagged as late."""


class Moment(Protocol):
    """Where and when a version of a stream was recorded."""

    @property
    def ver(self) -> int: ...

    @property
    def idx(self) -> int: ...

    @property
    def at(self) -> datetime: ...


class Moments(Protocol):
    """Recorded times of a stream's versions."""

    def recorded(self, stream: str) -> Sequence[Moment]:
        """One moment per version, in order."""
        ...


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event as replay tells it. `delay` is how much later than it happened it was recorded."""

    idx: int
    version: int
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    on_behalf_of: str | None
    correlation_id: str
    causation_id: str
    facts: dict[str, Any]
    delay: timedelta
    late: bool


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's events up to a moment and the state they led to."""

    stream: str
    kind: str
    events: tuple[Told, ...]
    state: dict[str, Any]


def replay(
    office: Office,
    call: Call,
    stream: str,
    *,
    moments: Moments,
    at: datetime | None = None,
    as_recorded_at: datetime | None = None,
    reason: str = "",
) -> Story:
    """The story of any stream; `NotFound` if it has no event by then.

    `at` leaves out what happened later, `as_recorded_at` what was recorded later; both may be given.
    What a sealed draw decided needs a `reason`, and the reading is recorded first.
    """
    call.require("stream.replay", None)
    if draw := sealed_draw(office, stream):
        note_sealed_reading(office, call, [draw], reason=reason)
    known = {moment.ver: moment for moment in moments.recorded(stream)}
    events = [
        event
        for event in office.workflow.events.get(stream)
        if isinstance(event, DomainEvent)
        and _within(event, known[event.originator_version], at, as_recorded_at)
    ]
    if not events or not isinstance(events[0], CreatedEvent):
        raise NotFound(kind="stream", id=stream)
    told = tuple(_tell(event, known[event.originator_version]) for event in events)
    aggregate = _state_of(events)
    return Story(stream=stream, kind=aggregate.TOPIC, events=told, state=_plain_state(aggregate))


def _within(event: DomainEvent, moment: Moment, at: datetime | None, as_recorded_at: datetime | None) -> bool:
    happened = at is None or event.occurred_at <= at
    return happened and (as_recorded_at is None or moment.at <= as_recorded_at)


def _tell(event: DomainEvent, moment: Moment) -> Told:
    delay = max(moment.at - event.occurred_at, timedelta(0))
    return Told(
        idx=moment.idx,
        version=event.originator_version,
        topic=event.TOPIC,
        occurred_at=event.occurred_at,
        recorded_at=moment.at,
        by=event.by,
        on_behalf_of=event.on_behalf_of,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        facts=facts_of(event),
        delay=delay,
        late=delay > LATE_AFTER,
    )


def facts_of(event: DomainEvent) -> dict[str, Any]:
    """What the event says beyond the facts that every event has, as plain JSON values."""
    base = {*DomainEvent.__struct_fields__, "originator_topic"}
    names = [name for name in event.__struct_fields__ if name not in base]
    return {name: msgspec.to_builtins(getattr(event, name)) for name in names}


def _state_of(events: Sequence[DomainEvent]) -> Aggregate:
    """Evolve by the chosen events; versions may have gaps when `at` leaves out a late-told event."""
    aggregate: Any = None
    for number, event in enumerate(events, start=1):
        aggregate = msgspec.structs.replace(event, originator_version=number).mutate(aggregate)
    if not isinstance(aggregate, AGGREGATES):
        raise NotFound(kind="stream", id=events[0].originator_id)
    return aggregate


def _plain_state(aggregate: Aggregate) -> dict[str, Any]:
    shown = {name: value for name, value in vars(aggregate).items() if not name.startswith("_")}
    return {name: plain(value) for name, value in sorted(shown.items())}


def plain(value: Any) -> Any:
    """A value of an aggregate's state as JSON: sets sorted, keys as text."""
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, dict):
        return {_key(key): plain(one) for key, one in value.items()}
    return msgspec.to_builtins(value)


def _key(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
