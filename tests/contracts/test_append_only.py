"""Nobody changes what was appended: not by SQL, not by REPLACE, not by the service's role."""

# ruff: noqa: S608  (tampering is the point)

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from application.ports import Answer, Append, CredentialWrite, Erasure, RetryKey, TokenWrite, VaultWrite
from infrastructure.addresses import store_file
from infrastructure.database import Store, open_store
from infrastructure.event_store.claims import rebuild_claims
from infrastructure.event_store.mapper import EventMapper
from infrastructure.migration import migrate
from tests.contracts.sample import claiming, giving_back, stored, taking
from tests.engines import PostgresServer
from tests.fakes import BEGINNING, FakeClock, SeededChance

ROLE = "sunlot_service"
INSERT = "INSERT INTO events (idx, stream, ver, topic, state, at, entry, leaf) "
TAMPERINGS = (
    "UPDATE events SET state = ''",
    "UPDATE events SET topic = 't' WHERE idx = 0",
    "DELETE FROM events",
    "DELETE FROM events WHERE idx = 1",
)


@pytest.fixture
def outsider(sqlite_store: Store) -> Iterator[sqlite3.Connection]:
    """A plain connection to the embedded store, without any of our settings."""
    sqlite_store.recorder.insert_events(stored("a", 1, 2))
    connection = sqlite3.connect(store_file(sqlite_store.url), isolation_level=None)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        *TAMPERINGS,
        "INSERT OR REPLACE INTO events SELECT idx, stream, ver, 'forged', state, at, entry, leaf FROM events",
        INSERT + "SELECT idx + 9, stream, ver + 2, topic, state, at, entry, leaf FROM events WHERE idx = 1",
        INSERT + "SELECT idx + 1, stream, ver + 2, topic, state, at, entry, leaf FROM events WHERE idx = 1",
        "REPLACE INTO events SELECT 2, stream, 1, 'forged', state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'a b', 1, topic, state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'é', 1, topic, state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'b', 1, 'a\"b', state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'b', 1, 'a\\b', state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'b', 1, topic, state, at, zeroblob(65536), leaf FROM events WHERE idx = 0",
    ],
)
def test_sqlite_refuses(outsider: sqlite3.Connection, sqlite_store: Store, statement: str) -> None:
    before = list(sqlite_store.recorder.rows())
    with pytest.raises(sqlite3.IntegrityError):
        outsider.execute(statement)
    assert list(sqlite_store.recorder.rows()) == before


def test_sqlite_takes_what_is_next_in_line(outsider: sqlite3.Connection) -> None:
    outsider.execute(
        INSERT + "SELECT 2, ']^!~#[', 1, topic, state, at, entry, leaf FROM events WHERE idx = 0"
    )
    assert outsider.execute("SELECT count(*) FROM events").fetchone() == (3,)


@pytest.mark.parametrize(
    "statement",
    [
        *TAMPERINGS,
        "TRUNCATE events",
        INSERT + "SELECT 2, 'a b', 1, topic, state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'é', 1, topic, state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'b', 1, 'a\"b', state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT + "SELECT 2, 'b', 1, E'a\\\\b', state, at, entry, leaf FROM events WHERE idx = 0",
        INSERT
        + "SELECT 2, 'b', 1, topic, state, at, repeat('x', 65536)::bytea, leaf FROM events WHERE idx = 0",
    ],
)
def test_postgresql_refuses_even_its_owner(postgres_store: Store, statement: str) -> None:
    postgres_store.recorder.insert_events(stored("a", 1, 2))
    before = list(postgres_store.recorder.rows())
    with psycopg.connect(postgres_store.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        with pytest.raises((psycopg.errors.RestrictViolation, psycopg.errors.CheckViolation)):
            connection.execute(statement.encode())
    assert list(postgres_store.recorder.rows()) == before


@pytest.fixture
def service(postgres_server: PostgresServer, postgres_store: Store, clock: FakeClock) -> Iterator[Store]:
    """A store opened by the service's role on a schema that its owner migrated."""
    name = urlsplit(postgres_store.url).path.removeprefix("/")
    postgres_server.run(f"CREATE ROLE {ROLE} LOGIN")
    migrate(postgres_store.url, service_role=ROLE)
    store = open_store(postgres_server.url(name, user=ROLE), clock=clock)
    yield store
    store.close()
    postgres_server.run(f"DROP OWNED BY {ROLE}")
    with psycopg.connect(postgres_store.url, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {ROLE}".encode())
    postgres_server.run(f"DROP ROLE {ROLE}")


@pytest.mark.parametrize(
    "statement",
    [
        *TAMPERINGS,
        "TRUNCATE events",
        "DROP TABLE events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DELETE FROM answers",
        "UPDATE answers SET answer = ''",
        "DELETE FROM vault",
        "DELETE FROM latch",
        "UPDATE alembic_version SET version_num = 'x'",
        "ALTER TABLE vault DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION sunlot_lock() RETURNS void LANGUAGE sql AS ''",
    ],
)
def test_the_service_s_role_may_not(service: Store, statement: str) -> None:
    with (
        psycopg.connect(service.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_the_service_s_role_may_do_its_work(service: Store) -> None:
    append = claiming(
        taking("a", "1", "2"),
        retry=RetryKey("account-1", "k", "r"),
        answer=Answer(id="a", version=1, position=-1),
        vault=[VaultWrite(person="p", value={"name": "x"}, salt="00")],
        credentials=[CredentialWrite(account="account-1", login="l", password_hash="h")],
        tokens=[TokenWrite(token="t", account="account-1", digest="d", expires_at=BEGINNING)],
    )
    assert service.recorder.insert_events(stored("a", 1, 2), append=append) == [1, 2]
    assert service.recorder.insert_events(stored("a", 3), append=claiming(giving_back("a", "1"))) == [3]
    service.credentials.failed("account-1", locked_until=BEGINNING)
    service.recorder.insert_events(
        stored("b"), append=Append(vault=[VaultWrite(person="p", value={}, salt="0")])
    )
    erasures = [Erasure(person="p", account="account-1")]
    service.recorder.insert_events(stored("c"), append=Append(erasures=erasures))
    assert service.vault.read(["p"]) == {}
    assert service.credentials.by_login("l") is None
    assert service.ledger_latch.swap(None, 1, b"n")
    assert service.ledger_latch.swap(1, 2, b"m")
    service.check()


def test_the_service_s_role_may_rebuild_claims(service: Store) -> None:
    assert rebuild_claims(service.database, EventMapper(SeededChance())) == 0


def test_a_store_in_a_folder_is_store_db(tmp_path: Path) -> None:
    assert store_file(f"sqlite:///{tmp_path}") == tmp_path / "store.db"
    assert store_file("sqlite:///var/data") == Path("var/data/store.db")
    assert store_file("sqlite:////srv/x%20y.db") == Path("/srv/x y.db")
    for wrong in ("sqlite://", "sqlite:///", "postgresql:///x"):
        with pytest.raises(ValueError, match="not the URL"):
            store_file(wrong)
