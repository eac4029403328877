"""The database of the read models: `views.db` beside an embedded store, or the store's own on PostgreSQL.

What stands in it can be made again from the log, so a commit need not reach the disk before it counts;
rows and positions are written together, and a power cut loses both or neither.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.pool import QueuePool

from domain.errors import StoreUnavailable
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.event_store.postgres import is_sound, patient
from infrastructure.files import make_private
from projections.projection import Projection

VIEWS_FILE: Final = "views.db"
PATIENCE: Final = 30.0
CONNECTIONS: Final = 16
MORE_CONNECTIONS: Final = 48
SWAP_LOCK: Final = "500ms"

_SQLITE_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "busy",
    sqlite3.SQLITE_LOCKED: "busy",
    sqlite3.SQLITE_FULL: "disk-full",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_IOERR: "io-error",
}


class Views:
    """Connections to the read models. Every method raises `StoreUnavailable` when they do not answer."""

    def __init__(self, url: str) -> None:
        self.embedded = is_sqlite(url)
        self._engine = _sqlite(store_file(url).parent / VIEWS_FILE) if self.embedded else _postgres(url)
        self._reader = self._engine.execution_options(**_reading(self.embedded))
        self._writer = self._engine.execution_options(writing=True)

    @contextmanager
    def reading(self, *projections: Projection) -> Iterator[Connection]:
        """One snapshot for any number of queries.

        Name the read models whose tables and positions must agree with one another: a rebuild that
        swaps them in the meantime then waits for the reader.
        """
        with _errors(), self._reader.begin() as connection:
            tables = [table for projection in projections for table in projection.tables]
            if tables and not self.embedded:
                # Before any query, so that the snapshot is taken with the locks held.
                connection.exec_driver_sql(f"LOCK TABLE {_names(tables)} IN ACCESS SHARE MODE")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end and undone by an exception."""
        with _errors(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def changing(self, *replaced: Projection) -> Iterator[Connection]:
        """A transaction that may make, rename and drop tables; one at a time, with `replaced` to itself.

        Readers are not made to wait for long: `StoreUnavailable` ("busy") if one of them takes too long.
        """
        with self.writing() as connection:
            if not self.embedded:
                connection.exec_driver_sql(
                    "SELECT pg_advisory_xact_lock(hashtext('sunlot views'), hashtext(current_schema()))"
                )
                tables = [table for projection in replaced for table in projection.tables]
                if tables:
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout TO '{SWAP_LOCK}'")
                    connection.exec_driver_sql(f"LOCK TABLE {_names(tables)} IN ACCESS EXCLUSIVE MODE")
            yield connection

    def close(self) -> None:
        """Close all idle connections."""
        self._engine.dispose()


def _names(tables: list[Table]) -> str:
    return ", ".join(f'"{table.name}"' for table in tables)


def _reading(embedded: bool) -> dict[str, Any]:
    return {} if embedded else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def _sqlite(file: Path) -> Engine:
    file.parent.mkdir(parents=True, exist_ok=True)
    make_private(file)
    engine = _engine("sqlite://", lambda: _open_sqlite(file))
    event.listen(engine, "begin", _begin)
    return engine


def _open_sqlite(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-32768", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _begin(connection: Connection) -> None:
    # A writer that began as a reader could find the snapshot stale at its first write, and fail.
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _postgres(url: str) -> Engine:
    engine = _engine("postgresql+psycopg://", lambda: _open_postgres(url))
    event.listen(engine, "checkout", _refuse_ended)
    return engine


def _open_postgres(url: str) -> "psycopg.Connection[Any]":
    # Never prepared: a plan kept from before a swap would belong to a dropped table.
    connection = psycopg.connect(patient(url), prepare_threshold=None, autocommit=True)
    connection.execute("SET synchronous_commit TO off")
    connection.set_autocommit(False)
    return connection


def _refuse_ended(connection: "psycopg.Connection[Any]", *_: object) -> None:
    # Asking the server each time whether it is there costs as much as the reading itself.
    if not is_sound(connection):
        raise InvalidatePoolError("the connection ended while nobody used it")


def _engine(dialect: str, creator: Callable[[], Any]) -> Engine:
    return create_engine(
        dialect,
        creator=creator,
        poolclass=QueuePool,
        pool_size=CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        use_insertmanyvalues=False,
    )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise StoreUnavailable(reason=reason, cause=str(error.orig)) from error


def _reason(error: DBAPIError) -> str | None:
    cause = error.orig
    if isinstance(cause, sqlite3.OperationalError):
        return _SQLITE_REASONS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        return "busy"
    if isinstance(cause, psycopg.errors.DiskFull):
        return "disk-full"
    return "unreachable" if isinstance(cause, psycopg.OperationalError) else None
