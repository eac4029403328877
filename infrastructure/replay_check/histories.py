"""Aggregates as they were at a position of the log."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, cast

from eventsourcing.persistence import Mapper, StoredEvent

from domain.aggregate import Aggregate, DomainEvent
from domain.errors import NotFound
from infrastructure.event_store.recorder import EventRecorder, Row

A = TypeVar("A", bound=Aggregate)
V = TypeVar("V")


class Histories:
    """Plays single streams up to a position."""

    def __init__(self, recorder: EventRecorder, mapper: Mapper[str]) -> None:
        self._recorder, self._mapper = recorder, mapper

    def load(self, kind: type[A], stream: str, until: int) -> A:
        """The aggregate after the event at `until`; `NotFound` if it did not exist then."""
        last = deque(self.versions(kind, stream, until), maxlen=1)
        if not last:
            raise NotFound(kind=kind.TOPIC, id=stream)
        return last[0][1]

    def event(self, row: Row) -> DomainEvent:
        """The event of a row."""
        stored = StoredEvent(row.stream, row.ver, row.topic, row.state)
        return cast(DomainEvent, self._mapper.to_domain_event(stored))

    def versions(self, kind: type[A], stream: str, until: int) -> Iterator[tuple[int, A]]:
        """Each event's `idx` up to `until`, with the aggregate after it: look at it before the next one."""
        made: Aggregate | None = None
        moments = self._recorder.recorded(stream)
        for moment, stored in zip(moments, self._recorder.select_events(stream), strict=False):
            if moment.idx > until:
                return
            made = cast(DomainEvent, self._mapper.to_domain_event(stored)).mutate(made)
            if not isinstance(made, kind):
                raise NotFound(kind=kind.TOPIC, id=stream)
            yield moment.idx, made


class Thread(Generic[V]):
    """Follows one thing through its versions, to tell where what is stored of it parts from them.

    Versions are what there was after each event, None for nothing, as before the first.
    """

    def __init__(self, stored: V | None) -> None:
        self._stored = stored
        self._agrees = self._agreed = stored is None
        self.idx: int | None = None
        """If the stored version is among those seen, the first event after the last such; otherwise the
        last event; None if there was none. Has its meaning when the last version differs from the stored
        one."""

    def saw(self, idx: int, version: V | None) -> None:
        """What the event at `idx` made of it."""
        agreed, self._agrees = self._agrees, version == self._stored
        self._agreed = self._agreed or self._agrees
        if agreed or not self._agreed:
            self.idx = idx


def parted(versions: Iterable[tuple[int, V | None]], stored: V | None) -> int | None:
    """The event at which what is stored parts from what the versions came to (`Thread.idx`)."""
    thread = Thread(stored)
    for idx, version in versions:
        thread.saw(idx, version)
    return thread.idx
