"""Opening the store that a URL names."""

from dataclasses import dataclass

from eventsourcing.persistence import DatabaseError

from application.ports import Clock
from domain.errors import StoreUnavailable
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.event_store.answers import StoredAnswers
from infrastructure.event_store.claims import StoredClaims
from infrastructure.event_store.credentials import StoredCredentials
from infrastructure.event_store.database import Database
from infrastructure.event_store.latch import Latch
from infrastructure.event_store.postgres import PostgresDatabase
from infrastructure.event_store.postgres_recorder import PostgresRecorder
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.event_store.sqlite import SqliteDatabase
from infrastructure.event_store.sqlite_recorder import SqliteRecorder
from infrastructure.event_store.vault import StoredVault
from infrastructure.revision import MIGRATE, REVISION

__all__ = ["Store", "open_store", "store_file"]


@dataclass(frozen=True, slots=True)
class Store:
    """One installation's store: the log and what is kept beside it, on one database."""

    url: str
    database: Database
    recorder: EventRecorder
    claims: StoredClaims
    answers: StoredAnswers
    credentials: StoredCredentials
    vault: StoredVault
    ledger_latch: Latch

    def check(self) -> None:
        """StoreUnavailable unless the store answers and is at the revision this code expects.

        Reasons: "unreachable" and the engine's others, or "not-migrated" with `found`, `expected` and what
        to `run`.
        """
        found = _revision(self.database)
        if found != REVISION:
            raise StoreUnavailable(reason="not-migrated", found=found, expected=REVISION, run=MIGRATE)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()


def open_store(url: str, *, clock: Clock) -> Store:
    """The store at the URL, checked; `clock` gives its recorded times.

    `sqlite:///folder` or `sqlite:///file.db`, or `postgresql://…` as libpq reads it. Raises StoreUnavailable.
    """
    database: SqliteDatabase | PostgresDatabase
    recorder: EventRecorder
    if is_sqlite(url):
        database = SqliteDatabase(store_file(url))
        recorder = SqliteRecorder(database, clock)
    else:
        database = PostgresDatabase(url)
        recorder = PostgresRecorder(database, clock)
    store = _store(url, database, recorder)
    try:
        store.check()
    except BaseException:
        store.close()
        raise
    return store


def _store(url: str, database: Database, recorder: EventRecorder) -> Store:
    return Store(
        url=url,
        database=database,
        recorder=recorder,
        claims=StoredClaims(database),
        answers=StoredAnswers(database),
        credentials=StoredCredentials(database),
        vault=StoredVault(database),
        ledger_latch=Latch(database),
    )


def _revision(database: Database) -> str:
    try:
        rows = database.fetch("SELECT version_num FROM alembic_version")
    except DatabaseError:
        return ""
    except StoreUnavailable as error:
        if error.facts["reason"] == "not-migrated":
            return ""
        raise
    return rows[0][0] if rows else ""
