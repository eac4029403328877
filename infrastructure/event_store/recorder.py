"""Reading the log: what is the same on every engine."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from threading import Thread
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    ListenNotifySubscription,
    Notification,
    ProgrammingError,
    StoredEvent,
    Subscription,
)

from application.ports import Append, Log
from domain.ledger.entry import format_at, parse_at
from infrastructure.event_store.database import Database, Rows

PAGE = 2000
POLL_SECONDS = 0.1
_ROW = "idx, stream, ver, topic, at, state, entry, leaf"


class Row(NamedTuple):
    """An event as it lies in the store, with its entry. `at` is written as in the entry."""

    idx: int
    stream: str
    ver: int
    topic: str
    at: str
    state: bytes
    entry: bytes
    leaf: bytes


class Moment(NamedTuple):
    """When and where one version of a stream was recorded; `at` is UTC."""

    ver: int
    idx: int
    at: datetime


class EventRecorder(Log):
    """The log of one installation. `idx` counts from 0 without gaps; a notification's id is `idx + 1`.

    Versions of a stream count from 1 without gaps. Long readings go page by page along an index: memory
    stays flat and no transaction stays open.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @abstractmethod
    def append(self, stored_events: Sequence[StoredEvent], append: Append | None) -> int:
        """Write the events and all that goes with them at once; the position of the first event."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int]:
        """Append the events and what `append=Append(…)` carries; their notification ids.

        Raises, with nothing written: the library's IntegrityError (a version that exists, or a gap),
        AnswerKept, ClockBehind, RegistryMoved, ClaimTaken, EventRefused, StoreUnavailable. A claim is taken
        from whoever does not hold it yet and given back by whoever holds it; anything else is ClaimTaken
        with the present holder ("" for none). A unique key of the vault in use is ClaimTaken of kind "vault"
        with an empty key (it is personal data) and the person as holder; a login name in use is one of kind
        "login". StoreUnavailable with the reason "outcome-unknown" means that the append may have happened:
        only the retry key tells.
        """
        append: Append | None = kwargs.pop("append", None)
        if kwargs.pop("tracking", None) is not None or kwargs:
            raise ProgrammingError("the log keeps events and an Append, nothing else")
        if not stored_events and append is None:
            return []
        first = self.append(stored_events, append)
        return list(range(first + 1, first + 1 + len(stored_events)))

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Events of one stream, by version."""
        where, params = _all_of(("stream = ?", originator_id), ("ver > ?", gt), ("ver <= ?", lte))
        order = "DESC" if desc else "ASC"
        sql = f"SELECT stream, ver, topic, state FROM events WHERE {where} ORDER BY ver {order}"  # noqa: S608
        if limit is not None:
            sql, params = f"{sql} LIMIT ?", [*params, limit]
        return [StoredEvent(*row) for row in self.database.fetch(sql, params)]

    def select_streams(self, streams: Sequence[str]) -> Sequence[StoredEvent]:
        """All events of some hundred streams, stream by stream, each by version."""
        if not streams:
            return []
        marks = ", ".join("?" * len(streams))
        sql = f"SELECT stream, ver, topic, state FROM events WHERE stream IN ({marks}) ORDER BY stream, ver"  # noqa: S608
        return [StoredEvent(*row) for row in self.database.fetch(sql, streams)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events of the log, by notification id; `stop` is inclusive."""
        first = 0 if start is None else start - 1 if inclusive_of_start else start
        where, params = _all_of(("idx >= ?", first), ("idx < ?", stop))
        if topics:
            where, params = f"{where} AND topic IN ({', '.join('?' * len(topics))})", [*params, *topics]
        columns = "stream, ver, topic, state, idx + 1"
        sql = f"SELECT {columns} FROM events WHERE {where} ORDER BY idx LIMIT ?"  # noqa: S608
        return [Notification(*row) for row in self.database.fetch(sql, [*params, limit])]

    def max_notification_id(self) -> int | None:
        """The last notification id, or None in an empty log."""
        head = self.head()
        return None if head is None else head + 1

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Notifications after `gt` as they come, looked for every tenth of a second."""
        return PollingSubscription(recorder=self, gt=gt, topics=topics)

    def head(self) -> int | None:
        """The last `idx`, or None in an empty log."""
        head: int | None = self.database.fetch("SELECT max(idx) FROM events")[0][0]
        return head

    def rows(self, start: int = 0, limit: int | None = None) -> Iterator[Row]:
        """The log from `idx` `start` on, whole rows."""
        stop = None if limit is None else start + limit
        return (Row(*row) for row in self._by_idx(_ROW, start, stop))

    def leaves(self, start: int = 0, limit: int | None = None) -> Iterator[tuple[int, bytes]]:
        """(idx, leaf hash) from `idx` `start` on."""
        stop = None if limit is None else start + limit
        return ((idx, leaf) for idx, leaf in self._by_idx("idx, leaf", start, stop))

    def audit_rows(self, stop: int | None = None, *, start: int = 0) -> Iterator[tuple[Any, ...]]:
        """(idx, entry, state, stream, topic, ver, at, leaf) from `idx` `start` on, below `stop`: a row's all.

        The first pass of the ledger's verifier.
        """
        return self._by_idx("idx, entry, state, stream, topic, ver, at, leaf", start, stop)

    def by_stream(
        self, stop: int | None = None, *, after: tuple[str, int] = ("", 0)
    ) -> Iterator[tuple[Any, ...]]:
        """(idx, entry, stream, ver) below `idx` `stop`, ordered by the stream's bytes, then version; those
        behind the stream and version `after`.

        The second pass of the ledger's verifier.
        """
        sql = (
            "SELECT idx, entry, stream, ver FROM events WHERE (stream, ver) > (?, ?) AND idx < ? "
            "ORDER BY stream, ver LIMIT ?"
        )
        return chain.from_iterable(self._pages(sql, after, slice(2, 4), self._stop(stop)))

    def events_by_stream(self, stop: int | None = None) -> Iterator[tuple[Any, ...]]:
        """(idx, stream, ver, topic, state) below `idx` `stop`, by the stream's bytes, then version."""
        sql = (
            "SELECT idx, stream, ver, topic, state FROM events WHERE (stream, ver) > (?, ?) AND idx < ? "
            "ORDER BY stream, ver LIMIT ?"
        )
        return chain.from_iterable(self._pages(sql, ("", 0), slice(1, 3), self._stop(stop)))

    def of_topics(self, topics: Sequence[str], *, after: int = -1, stop: int | None = None) -> Iterator[Row]:
        """Whole rows of some topics behind `idx` `after` and below `stop`, in their order."""
        marks = ", ".join("?" * len(topics))
        sql = (
            f"SELECT {_ROW} FROM events WHERE topic IN ({marks}) AND idx > ? AND idx < ? ORDER BY idx LIMIT ?"  # noqa: S608
        )
        last, end, full = after, self._stop(stop), True
        while full and (page := self.database.fetch(sql, (*topics, last, end, PAGE))):
            yield from (Row(*row) for row in page)
            last, full = page[-1][0], len(page) == PAGE

    def of_kind(self, kind: str, stop: int) -> Iterator[tuple[Any, ...]]:
        """(idx, stream, ver, topic, state) below `idx` `stop` of the streams of a kind, such as `site`, by
        the stream's bytes, then version.
        """
        sql = (
            "SELECT idx, stream, ver, topic, state FROM events WHERE (stream, ver) > (?, ?) AND stream < ? "
            "AND idx < ? ORDER BY stream, ver LIMIT ?"
        )
        last, full = (f"{kind}-", 0), True
        while full and (page := self.database.fetch(sql, (*last, f"{kind}.", stop, PAGE))):
            yield from page
            last, full = page[-1][1:3], len(page) == PAGE

    def locate(self, stream: str, ver: int) -> int | None:
        """The `idx` of a stream's version, or None."""
        rows = self.database.fetch("SELECT idx FROM events WHERE stream = ? AND ver = ?", (stream, ver))
        return rows[0][0] if rows else None

    def recorded(self, stream: str) -> list[Moment]:
        """When each version of the stream was recorded, by version."""
        sql = "SELECT ver, idx, at FROM events WHERE stream = ? ORDER BY ver"
        return [Moment(ver, idx, parse_at(at)) for ver, idx, at in self.database.fetch(sql, (stream,))]

    def versions(self, stream: str, *, after: int = 0, limit: int = PAGE) -> list[Row]:
        """Whole rows of one stream by version, after version `after`, a page of them."""
        sql = f"SELECT {_ROW} FROM events WHERE stream = ? AND ver > ? ORDER BY ver LIMIT ?"  # noqa: S608
        return [Row(*row) for row in self.database.fetch(sql, (stream, after, limit))]

    def among(self, positions: Sequence[int]) -> list[Row]:
        """The whole rows at some hundred positions, by `idx`."""
        if not positions:
            return []
        marks = ", ".join("?" * len(positions))
        sql = f"SELECT {_ROW} FROM events WHERE idx IN ({marks}) ORDER BY idx"  # noqa: S608
        return [Row(*row) for row in self.database.fetch(sql, positions)]

    def position_before(self, moment: datetime, *, inclusive: bool = False) -> int | None:
        """The last `idx` recorded before the moment (or at it), None if there is none.

        `at` never falls along `idx`, so halving finds it without an index of its own.
        """
        limit = format_at(moment)
        low, high = 0, self._stop(None)
        while low < high:
            middle = (low + high) // 2
            at = self.database.fetch("SELECT at FROM events WHERE idx = ?", (middle,))[0][0]
            if at < limit or (inclusive and at == limit):
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else None

    def _by_idx(self, columns: str, start: int, stop: int | None) -> Iterator[tuple[Any, ...]]:
        sql = f"SELECT {columns} FROM events WHERE idx > ? AND idx < ? ORDER BY idx LIMIT ?"  # noqa: S608
        return chain.from_iterable(self._pages(sql, (start - 1,), slice(0, 1), self._stop(stop)))

    def _pages(self, sql: str, last: tuple[Any, ...], key: slice, stop: int) -> Iterator[Rows]:
        """Pages of rows after `last`, which stands in the columns `key`, and below the position `stop`."""
        full = True
        while full and (page := self.database.fetch(sql, (*last, stop, PAGE))):
            yield page
            last, full = page[-1][key], len(page) == PAGE

    def _stop(self, stop: int | None) -> int:
        if stop is not None:
            return stop
        head = self.head()
        return 0 if head is None else head + 1


class PollingSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """The library's subscription, woken by time instead of by a notice."""

    def __init__(self, recorder: EventRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._ticking = Thread(target=self._tick, daemon=True)
        self._ticking.start()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        self._ticking.join()

    def _tick(self) -> None:
        while not self._has_been_stopped:
            self._pull_thread.join(POLL_SECONDS)
            self._has_been_notified.set()


def _all_of(*conditions: tuple[str, object | None]) -> tuple[str, list[Any]]:
    present = [(sql, value) for sql, value in conditions if value is not None]
    return " AND ".join(sql for sql, _ in present), [value for _, value in present]
