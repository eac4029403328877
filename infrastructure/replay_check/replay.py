"""Reads the log a batch at a time for those who fold it, and merges what was folded with what is stored."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol, cast

from eventsourcing.persistence import Mapper, StoredEvent

from domain.aggregate import DomainEvent
from domain.errors import EventUnreadable
from infrastructure.collection import collection_paused
from infrastructure.event_store.recorder import EventRecorder, Row
from infrastructure.projection_feed import shown_state
from infrastructure.replay_check.scratch import Scratch
from projections.projection import Recorded

BATCH: Final = 5_000

Step = Callable[[int], None]
"""Told how many events a pass has read so far."""

Values = tuple[Any, ...]


class Seen(NamedTuple):
    """A row of the log with its event; None where nobody asked for it, or where it cannot be read.

    What cannot be read is a finding of the check of streams, not of everybody.
    """

    row: Row
    event: DomainEvent | None

    def recorded(self) -> Recorded | None:
        """The event as read models are given it."""
        if self.event is None:
            return None
        return Recorded(self.row.idx, datetime.fromisoformat(self.row.at), self.event)


class Fold(Protocol):
    """Takes the log's events in their order."""

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        ...


class Replay:
    """One reading of the log from its beginning; it goes as far as it is told.

    `topics` are those whose events are decoded, None for all. With `shown` the events are as read models
    are given them: without zero characters.
    """

    def __init__(
        self,
        recorder: EventRecorder,
        mapper: Mapper[str],
        scratch: Scratch,
        folds: Sequence[Fold],
        *,
        step: Step,
        topics: frozenset[str] | None = None,
        shown: bool = False,
    ) -> None:
        self._recorder, self._mapper, self._scratch, self._folds = recorder, mapper, scratch, folds
        self._step, self._topics, self._shown = step, topics, shown
        self.position = -1

    def to(self, position: int) -> None:
        """Fold everything up to and including the position; nothing if it is there already."""
        while self.position < position:
            self.advance(position)

    def advance(self, position: int) -> None:
        """One batch."""
        last = min(position, self.position + BATCH)
        with collection_paused():
            rows = self._recorder.rows(self.position + 1, last - self.position)
            seen = [Seen(row, self._event(row)) for row in rows]
            with self._scratch.exclusively():
                for fold in self._folds:
                    fold.take(seen)
        self.position = last
        self._step(last + 1)

    def _event(self, row: Row) -> DomainEvent | None:
        if self._topics is not None and row.topic not in self._topics:
            return None
        return decoded(self._mapper, row, shown=self._shown)


def decoded(mapper: Mapper[str], row: Row, *, shown: bool = False) -> DomainEvent | None:
    """The event of a row, or None where it cannot be read."""
    state = shown_state(row.state) if shown else row.state
    try:
        event = mapper.to_domain_event(StoredEvent(row.stream, row.ver, row.topic, state))
    except EventUnreadable:
        return None
    return cast(DomainEvent, event)


def position_at(recorder: EventRecorder) -> int:
    """The last position of the log, -1 for an empty one."""
    head = recorder.head()
    return -1 if head is None else head


class Difference(NamedTuple):
    """A key whose row is not the same on both sides; None where there is no row."""

    key: Values
    stored: Values | None
    rebuilt: Values | None


def differences(
    stored: Iterable[Values], rebuilt: Iterable[Values], width: int, same: int | None = None
) -> Iterator[Difference]:
    """What differs between two readings in the order of their keys, the first `width` columns.

    The first `same` columns are compared (all if None); others are only carried along. Memory does not
    grow with the number of rows.
    """
    for key, left, right in _merged(iter(stored), iter(rebuilt), width):
        if left is None or right is None or left[:same] != right[:same]:
            yield Difference(key, left, right)


def pages(
    read: Callable[[str, Sequence[Any]], list[Values]], sql: str, start: Values, size: int = 2_000
) -> Iterator[Values]:
    """The rows of a query that ends in `… > (start) … ORDER BY … LIMIT ?`; its key are the first columns."""
    last, full = start, True
    while full and (page := read(sql, (*last, size))):
        yield from page
        last, full = page[-1][: len(start)], len(page) == size


def _merged(
    stored: Iterator[Values], rebuilt: Iterator[Values], width: int
) -> Iterator[tuple[Values, Values | None, Values | None]]:
    left, right = next(stored, None), next(rebuilt, None)
    while left is not None or right is not None:
        order = _compare(left, right, width)
        key = (right if left is None or order > 0 else left) or ()
        yield key[:width], left if order <= 0 else None, right if order >= 0 else None
        if order <= 0:
            left = next(stored, None)
        if order >= 0:
            right = next(rebuilt, None)


def _compare(left: Values | None, right: Values | None, width: int) -> int:
    if left is None or right is None:
        return 1 if left is None else -1
    if left[:width] == right[:width]:
        return 0
    ours, theirs = _sortable(left[:width]), _sortable(right[:width])
    return (ours > theirs) - (ours < theirs)


def _sortable(key: Values) -> list[tuple[int, Any]]:
    """A key in the order of SQLite, whose columns may hold whatever an owner of the file put there."""
    return [(_RANKS.get(type(value), 3), value if value is not None else 0) for value in key]


_RANKS: Final[dict[type, int]] = {type(None): 0, bool: 1, int: 1, float: 1, str: 2}
