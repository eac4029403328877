"""Replay: every event of a stream in order, with both times, who did it, and the state it led to.

`at` asks what had happened by then, `as_recorded_at` what was known by then. The difference between
the two times is told with each event: back-dating shows. Events are applied in the order of the log,
those told late as well, so that a state is what the log knew of that moment.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

import msgspec
from eventsourcing.persistence import StoredEvent

from application.jurisdiction import region_of
from application.office import Office
from application.readings import note_sealed_reading, region_asked, sealed_draw
from application.slots import ErasedSlot, erased_slots
from application.unfolding import Change, Unfolding
from application.workflow import Call
from domain.aggregate import Aggregate, DomainEvent
from domain.assignment import Assignment
from domain.errors import NotFound
from domain.inspection import Inspection

LATE_AFTER: Final = timedelta(hours=24)
"""How much later than it happened an event may be recorded before it is flagged as late."""

PAGE: Final = 500


class Kept(Protocol):
    """An event as it is stored. `at` is when it was recorded, as the entry writes it."""

    @property
    def idx(self) -> int: ...
    @property
    def stream(self) -> str: ...
    @property
    def ver(self) -> int: ...
    @property
    def topic(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def state(self) -> bytes: ...


class History(Protocol):
    """Stored events with the times at which they were recorded."""

    def versions(self, stream: str, *, after: int = 0, limit: int = PAGE) -> Sequence[Kept]:
        """A page of one stream, by version, after version `after`."""
        ...

    def among(self, positions: Sequence[int]) -> Sequence[Kept]:
        """The events at some hundred positions of the log, by `idx`."""
        ...


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """As of when: what happened later (`at`) or was recorded later (`as_recorded_at`) is left out."""

    at: datetime | None = None
    as_recorded_at: datetime | None = None

    def holds(self, event: DomainEvent, recorded_at: datetime) -> bool:
        """Whether the event had happened and had been recorded by then."""
        happened = self.at is None or event.occurred_at <= self.at
        return happened and (self.as_recorded_at is None or recorded_at <= self.as_recorded_at)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event as replay tells it.

    `delay` is how much later than it happened it was recorded, `causation_id` the command or event that
    led to it, `changes` what it changed in the state where that was asked for. `sealed`: the draw is not
    opened, and facts that would tell its result are left out.
    """

    idx: int
    stream: str
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
    changes: tuple[Change, ...] = ()
    sealed: bool = False


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's events up to a moment and the state they led to; empty if it had not begun by then.

    `erased` are people whom it refers to and whose data was erased, whatever the moment.
    """

    stream: str
    kind: str
    events: tuple[Told, ...]
    state: dict[str, Any]
    erased: tuple[ErasedSlot, ...] = ()


def replay(
    office: Office,
    call: Call,
    stream: str,
    *,
    history: History,
    home: str,
    at: datetime | None = None,
    as_recorded_at: datetime | None = None,
    reason: str = "",
) -> Story:
    """The story of any stream; `NotFound` if it has no event by then.

    `at` leaves out what happened later, `as_recorded_at` what was recorded later; both may be given.
    Whoever asks needs the permission in the stream's region, or in `home`, the installation's, where it
    has none. What a sealed draw decided needs a `reason`, and the reading is recorded first.
    """
    call.require("stream.replay", None)
    require_region(office, call, stream, home)
    if draw := sealed_draw(office, stream):
        note_sealed_reading(office, call, [draw], reason=reason)
    unfolding, moment = Unfolding(), Moment(at=at, as_recorded_at=as_recorded_at)
    told = tuple(
        tell(kept, event, unfolding.observe(event)) for kept, event in unfold(office, history, stream, moment)
    )
    if not told:
        raise NotFound(kind="stream", id=stream)
    kind = told[0].topic.split(".", 1)[0]
    erased = erased_slots(office, ([stream], *(one.facts for one in told)))
    return Story(stream=stream, kind=kind, events=told, state=unfolding.state, erased=erased)


def require_region(office: Office, call: Call, stream: str, home: str) -> None:
    """Refuse who may not replay streams of this one's region; `NotFound` if there is no such stream."""
    aggregate = office.workflow.load(Aggregate, stream)
    if isinstance(aggregate, Assignment | Inspection):
        call.require("stream.replay", region_asked(office, aggregate))
    else:
        call.require("stream.replay", region_of(aggregate, home))


def unfold(
    office: Office, history: History, stream: str, moment: Moment, *, last: int | None = None
) -> Iterator[tuple[Kept, DomainEvent]]:
    """The events of a stream that hold as of the moment, up to version `last`, a page in memory."""
    after = 0
    while page := history.versions(stream, after=after, limit=PAGE):
        for kept in page:
            if last is not None and kept.ver > last:
                return
            event = decode(office, kept)
            if moment.holds(event, recorded_at(kept)):
                yield kept, event
        after = page[-1].ver


def tell(kept: Kept, event: DomainEvent, changes: tuple[Change, ...] = ()) -> Told:
    """An event as replay tells it."""
    recorded = recorded_at(kept)
    delay = max(recorded - event.occurred_at, timedelta(0))
    return Told(
        idx=kept.idx,
        stream=event.originator_id,
        version=event.originator_version,
        topic=event.TOPIC,
        occurred_at=event.occurred_at,
        recorded_at=recorded,
        by=event.by,
        on_behalf_of=event.on_behalf_of,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        facts=facts_of(event),
        delay=delay,
        late=delay > LATE_AFTER,
        changes=changes,
    )


def decode(office: Office, kept: Kept) -> DomainEvent:
    """The event that is stored so."""
    stored = StoredEvent(kept.stream, kept.ver, kept.topic, kept.state)
    return cast(DomainEvent, office.workflow.mapper.to_domain_event(stored))


def recorded_at(kept: Kept) -> datetime:
    """When it was recorded, UTC."""
    return datetime.fromisoformat(kept.at)


def facts_of(event: DomainEvent) -> dict[str, Any]:
    """What the event says beyond the facts that every event has, as plain JSON values."""
    base = {*DomainEvent.__struct_fields__, "originator_topic"}
    names = [name for name in event.__struct_fields__ if name not in base]
    return {name: msgspec.to_builtins(getattr(event, name)) for name in names}
