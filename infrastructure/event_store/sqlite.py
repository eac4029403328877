"""The embedded engine: one SQLite file, one writer at a time, readers beside it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from eventsourcing.persistence import IntegrityError, ProgrammingError

from domain.errors import StoreUnavailable
from infrastructure.event_store.database import Pool, Rows

PATIENCE = 30.0
SCRUB_PATIENCE = 2.0
READERS = 64

_PRAGMAS = (
    # Imports write thousands of rows of about a kilobyte: a checkpoint each 8 MB, not each 4.
    "wal_autocheckpoint=2000",
    "journal_mode=WAL",
    "synchronous=FULL",
    # What is erased is overwritten with zeros, not merely forgotten.
    "secure_delete=ON",
    "recursive_triggers=ON",
    "foreign_keys=ON",
)

_REASONS = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "disk-full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_PERM: "read-only",
    sqlite3.SQLITE_CORRUPT: "damaged",
    sqlite3.SQLITE_NOTADB: "damaged",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_IOERR: "io-error",
}


class FileConnection(sqlite3.Connection):
    """A connection that knows which file it opened, whatever stands under that name later."""

    opened: tuple[int, int] = (0, 0)


def connect(file: Path) -> FileConnection:
    """A connection that keeps what it commits through a power cut, and lets no REPLACE pass a trigger."""
    connection = sqlite3.connect(
        file, timeout=PATIENCE, isolation_level=None, check_same_thread=False, factory=FileConnection
    )
    try:
        connection.opened = _identity(file)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class SqliteSession:
    """Statements on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query."""
        return self.connection.execute(sql, params).fetchall()

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it changed."""
        return self.connection.execute(sql, params).rowcount

    def change_many(self, sql: str, rows: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self.connection.executemany(sql, rows)


class SqliteDatabase:
    """Connections to one file. Writers of this process queue at a lock, those of others at SQLite's own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = Lock()
        self._pool: Pool[FileConnection] = Pool(
            self._open, sound=self._is_sound, end=FileConnection.close, size=READERS, patience=PATIENCE
        )

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query, as one reading."""
        with _errors(), self._pool.connection() as connection:
            return connection.execute(sql, params).fetchall()

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement in a transaction of its own; how many rows it changed."""
        with self.exclusively() as session:
            return session.change(sql, params)

    @contextmanager
    def exclusively(self) -> Iterator[SqliteSession]:
        """A transaction during which nobody else writes; committed at the end, undone by an exception."""
        with _errors(), self._turn(), self._pool.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteSession(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSession]:
        """Readings that all see the store as it was at the first; nobody waits for it.

        The log of changes beside the file cannot be taken in meanwhile, and grows.
        """
        with _errors(), self._pool.connection() as connection:
            connection.execute("BEGIN")
            try:
                yield SqliteSession(connection)
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def scrub(self) -> None:
        """Empty the write-ahead log, which holds former pages; `StoreUnavailable` while readers hold it."""
        with _errors(), self._turn(), self._pool.connection() as connection:
            # A backup may read for minutes: whoever starts or answers does not wait for that.
            connection.execute(f"PRAGMA busy_timeout={int(SCRUB_PATIENCE * 1000)}")
            try:
                (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout={int(PATIENCE * 1000)}")
        if busy:
            raise StoreUnavailable(reason="busy")

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=PATIENCE):
            raise StoreUnavailable(reason="busy")
        try:
            yield
        finally:
            self._writing.release()

    def _is_sound(self, connection: FileConnection) -> bool:
        # A file that was moved or removed can be written on and on, and nobody will ever read it.
        return connection.opened == _identity(self.file)

    def _open(self) -> FileConnection:
        # sqlite3 would make an empty file where there is none.
        if not self.file.exists():
            raise StoreUnavailable(reason="unreachable", cause=str(self.file))
        return connect(self.file)


def _identity(file: Path) -> tuple[int, int]:
    """Device and number of the file, zeros for none."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise meaning(error) from error


def meaning(error: sqlite3.Error) -> Exception:
    """What an error of SQLite means to the callers of the store."""
    if isinstance(error, sqlite3.IntegrityError):
        return IntegrityError(str(error))
    # Errors of Python's own module, such as a closed connection, have no code.
    reason = _REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if reason is None:
        return ProgrammingError(str(error))
    return StoreUnavailable(reason=reason, cause=str(error))
