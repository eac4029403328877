"""What the store's parts need of an engine, and a pool of its connections."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Any, Generic, Protocol, TypeVar

from domain.errors import StoreUnavailable

Rows = list[tuple[Any, ...]]


class Session(Protocol):
    """Statements of one transaction. Parameters stand as `?` on every engine."""

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query."""
        ...

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it changed."""
        ...

    def change_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        ...


class Database(Protocol):
    """One engine's connections. Every method raises StoreUnavailable when the engine does not answer."""

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query, as one reading."""
        ...

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement in a transaction of its own; how many rows it changed."""
        ...

    def exclusively(self) -> AbstractContextManager[Session]:
        """A transaction during which nobody appends; committed at the end, undone by an exception."""
        ...

    def snapshot(self) -> AbstractContextManager[Session]:
        """Readings that all see the store as it was at the first; nobody waits for it."""
        ...

    def scrub(self) -> None:
        """Let what was deleted or overwritten leave the engine's files, as far as the service may do it."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


C = TypeVar("C")


class Pool(Generic[C]):
    """Connections kept for the next user, the latest first; at most `size` are out at once.

    `connect` makes one, `sound` says whether an idle one still lives, `end` closes one.
    """

    def __init__(
        self,
        connect: Callable[[], C],
        *,
        sound: Callable[[C], bool],
        end: Callable[[C], None],
        size: int,
        patience: float,
    ) -> None:
        self._connect, self._sound, self._end = connect, sound, end
        self._idle: LifoQueue[C] = LifoQueue()
        self._places = BoundedSemaphore(size)
        self._patience = patience
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[C]:
        """A connection for one use. StoreUnavailable if none becomes free in time."""
        if self._closed:
            raise StoreUnavailable(reason="closed")
        if not self._places.acquire(timeout=self._patience):
            raise StoreUnavailable(reason="busy")
        try:
            connection = self._next()
            try:
                yield connection
            finally:
                self._put_back(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        self._closed = True
        while (connection := self._pop()) is not None:
            self._end(connection)

    def _next(self) -> C:
        while (connection := self._pop()) is not None:
            if self._sound(connection):
                return connection
            self._end(connection)
        return self._connect()

    def _pop(self) -> C | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None

    def _put_back(self, connection: C) -> None:
        if self._closed:
            self._end(connection)
        else:
            self._idle.put(connection)
