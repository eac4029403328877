"""The PostgreSQL engine: connections, sessions, and what its errors mean."""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import psycopg
from eventsourcing.persistence import DatabaseError, IntegrityError
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import StoreUnavailable
from infrastructure.event_store.database import Pool, Rows

CONNECTIONS = 16
PATIENCE = 30.0
UNKNOWN: Final = "outcome-unknown"
UNREACHABLE: Final = "unreachable"

# Appending relies on each statement of our function seeing what was committed before it got the lock.
_SETTINGS = (
    "SET default_transaction_isolation = 'read committed'; "
    f"SET lock_timeout = '{int(PATIENCE)}s'; "
    "SET synchronous_commit = on"
)

_REASONS = {
    "25006": "read-only",
    "40001": "busy",
    "40P01": "busy",
    "42883": "not-migrated",
    "42P01": "not-migrated",
    "53100": "disk-full",
    "53200": "out-of-memory",
    "55P03": "busy",
    "57014": "busy",
    "58030": "io-error",
    "XX001": "damaged",
    "XX002": "damaged",
}


def connect(url: str) -> Connection[Any]:
    """A connection in which each statement is a transaction. StoreUnavailable if there is none to be had."""
    try:
        connection: Connection[Any] = psycopg.connect(patient(url), autocommit=True)
        connection.execute(_SETTINGS)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(reason=UNREACHABLE, cause=str(error)) from error
    return connection


@lru_cache(maxsize=16)
def patient(url: str) -> str:
    """The address with a limit to how long a connection may take to come, unless it has its own."""
    return url if "connect_timeout" in conninfo_to_dict(url) else make_conninfo(url, connect_timeout=5)


@lru_cache(maxsize=512)
def placeholders(sql: str) -> str:
    """The statement with psycopg's marks. None of ours holds a question or percent sign of its own."""
    return sql.replace("?", "%s")


class PostgresSession:
    """Statements on one connection. Bytes and numbers travel in binary."""

    def __init__(self, connection: Connection[Any]) -> None:
        self.connection = connection

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query."""
        return self.connection.execute(placeholders(sql), params, binary=True).fetchall()

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it changed."""
        return self.connection.execute(placeholders(sql), params).rowcount

    def change_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters.

        One after the other: psycopg's `executemany` uses pipeline mode, which hangs on large statements.
        """
        for row in rows:
            self.connection.execute(placeholders(sql), row, prepare=True)


class PostgresDatabase:
    """Connections to one database and schema. Nothing is tried twice."""

    def __init__(self, url: str) -> None:
        self._pool: Pool[Connection[Any]] = Pool(
            lambda: connect(url), sound=is_sound, end=Connection.close, size=CONNECTIONS, patience=PATIENCE
        )

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query, as one reading."""
        with self.session(lost=UNREACHABLE) as session:
            return session.fetch(sql, params)

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement in a transaction of its own; how many rows it changed."""
        with self.session(lost=UNKNOWN) as session:
            return session.change(sql, params)

    @contextmanager
    def exclusively(self) -> Iterator[PostgresSession]:
        """A transaction during which nobody appends; committed at the end, undone by an exception."""
        with self.session(lost=UNKNOWN) as session, session.connection.transaction():
            session.fetch("SELECT sunlot_lock()")
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSession]:
        """Readings that all see the store as it was at the first; nobody waits for it."""
        with self.session(lost=UNREACHABLE) as session, session.connection.transaction():
            session.change("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield session

    @contextmanager
    def session(self, *, lost: str) -> Iterator[PostgresSession]:
        """A connection for one use; `lost` is the reason to give when it breaks meanwhile."""
        with self._pool.connection() as connection:
            try:
                yield PostgresSession(connection)
            except psycopg.Error as error:
                raise _meaning(error, connection, lost) from error

    def scrub(self) -> None:
        """Nothing: dead rows go by VACUUM, which the tables' owner or autovacuum runs."""

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def is_sound(connection: Connection[Any]) -> bool:
    """Whether a connection that was idle still lives, without asking the server."""
    # An idle connection has nothing to say; what can be read from it is its end, or a notice of it.
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _meaning(error: psycopg.Error, connection: Connection[Any], lost: str) -> Exception:
    if connection.closed:
        return StoreUnavailable(reason=lost, cause=str(error))
    if isinstance(error, psycopg.IntegrityError):
        return IntegrityError(str(error))
    reason = _REASONS.get(error.sqlstate or "")
    if reason is not None:
        return StoreUnavailable(reason=reason, cause=str(error))
    return DatabaseError(str(error))
