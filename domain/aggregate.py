"""The base of every aggregate and every event.

Decide, then record, then evolve: a command method checks rules and calls `record`; the method
decorated with `@event` only assigns, because it runs again on every replay. It must not fail where an
earlier event is missing: a replay as of a moment leaves out what is said to have happened later.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Self, cast

import msgspec
from eventsourcing.domain import BaseAggregate, CanInitAggregate, CanMutateAggregate

from domain.act import Act


class Claim(msgspec.Struct, frozen=True, gc=False):
    """A name that one stream holds in the whole log: `(kind, key)` is unique while it is held.

    Claims are made and released by events, so they can be rebuilt from the log.
    """

    kind: str
    key: str
    released: bool = False


class DomainEvent(msgspec.Struct, CanMutateAggregate[str], frozen=True, kw_only=True):
    """What happened to one aggregate, for ever. `timestamp` is when the command was taken."""

    TOPIC: ClassVar[str]

    originator_id: str
    originator_version: int
    timestamp: datetime
    by: str
    occurred_at: datetime
    on_behalf_of: str | None
    correlation_id: str
    causation_id: str

    def _as_dict(self) -> dict[str, Any]:
        return msgspec.structs.asdict(self)

    def claims(self) -> Iterable[Claim]:
        """The names this event takes or gives back. Pure: depends on the event alone."""
        return ()


class CreatedEvent(DomainEvent, CanInitAggregate[str], frozen=True, kw_only=True):
    """The first event of a stream; `originator_topic` is the aggregate's topic."""

    originator_topic: str


class Aggregate(BaseAggregate[str]):
    """A consistency boundary with one stream of events."""

    TOPIC: ClassVar[str] = "aggregate"

    class Event(DomainEvent, frozen=True, kw_only=True):
        """The base of an aggregate's events."""

        TOPIC = "aggregate.event"

    @classmethod
    def begin(cls, created: type[CreatedEvent], id: str, act: Act, **facts: Any) -> Self:
        """Start a stream with its first event."""
        # What the library's `_create` does, without looking for an id or the topics each time:
        # a registry of 100,000 is begun in one go.
        first = created(
            originator_topic=cls.TOPIC, originator_id=id, originator_version=1, **act.stamp(), **facts
        )
        aggregate = cast(Self, first.mutate(None))
        aggregate.pending_events.append(first)
        return aggregate

    def record(self, event_class: type[DomainEvent], act: Act, **facts: Any) -> None:
        """Append an event to the stream and evolve by it."""
        self.trigger_event(event_class, **act.stamp(), **facts)
