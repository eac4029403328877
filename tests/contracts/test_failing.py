"""What goes wrong outside us: lost connections, full disks, killed writers, missing databases."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from application.ports import Answer
from application.workflow import Workflow
from domain.errors import StoreUnavailable
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.migration import migrate
from infrastructure.revision import REVISION
from tests.contracts.checks import assert_whole
from tests.contracts.sample import ACT, Seal, call, claiming, stored, taking
from tests.cutter import Cutter
from tests.engines import PostgresServer
from tests.fakes import FakeClock, SeededChance


@contextmanager
def behind_a_cutter(server: PostgresServer, store: Store, clock: FakeClock) -> Iterator[tuple[Cutter, Store]]:
    """The same database, reached through a line that can be cut."""
    cutter = Cutter(server.port)
    name = urlsplit(store.url).path.removeprefix("/")
    through = open_store(f"postgresql://postgres@127.0.0.1:{cutter.port}/{name}?sslmode=disable", clock=clock)
    try:
        yield cutter, through
    finally:
        through.close()
        cutter.close()


def test_a_line_cut_at_commit_leaves_the_outcome_to_the_retry_key(
    postgres_server: PostgresServer, postgres_store: Store, clock: FakeClock
) -> None:
    with behind_a_cutter(postgres_server, postgres_store, clock) as (cutter, through):
        workflow = Workflow(
            recorder=through.recorder, mapper=EventMapper(SeededChance()), answers=through.answers
        )
        cutter.cut = True
        with pytest.raises(StoreUnavailable) as lost:
            workflow.commit(call("key"), Seal.set(ACT, id="seal-1", number="7"))
        assert lost.value.facts["reason"] == "outcome-unknown"
        assert postgres_store.recorder.head() == 0

        def again() -> Answer:
            return workflow.commit(call("key"), Seal.set(ACT, id="seal-2", number="7"))

        answer = workflow.once(call("key"), again)
        assert answer == Answer(id="seal-1", version=1, position=0)
        assert postgres_store.recorder.head() == 0


def test_once_answers_by_itself_when_only_the_answer_was_lost(
    postgres_server: PostgresServer, postgres_store: Store, clock: FakeClock
) -> None:
    with behind_a_cutter(postgres_server, postgres_store, clock) as (cutter, through):
        workflow = Workflow(
            recorder=through.recorder, mapper=EventMapper(SeededChance()), answers=through.answers
        )
        cutter.cut = True
        answer = workflow.once(
            call("key"), lambda: workflow.commit(call("key"), Seal.set(ACT, id="seal-1", number="7"))
        )
        assert answer == Answer(id="seal-1", version=1, position=0)


def test_a_backend_ended_before_commit_writes_nothing(postgres_store: Store) -> None:
    with psycopg.connect(postgres_store.url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER end_it AFTER INSERT ON events FOR EACH ROW "
            "WHEN (NEW.stream = 'doomed') EXECUTE FUNCTION end_it()"
        )
    with pytest.raises(StoreUnavailable) as lost:
        postgres_store.recorder.insert_events(stored("doomed"), append=claiming(taking("doomed", "1")))
    assert lost.value.facts["reason"] == "outcome-unknown"
    assert postgres_store.recorder.head() is None
    assert postgres_store.claims.holder("seal", "1") is None
    assert postgres_store.recorder.insert_events(stored("a")) == [1]


def test_idle_connections_that_died_are_replaced(postgres_store: Store) -> None:
    postgres_store.recorder.insert_events(stored("a", 1))
    with psycopg.connect(postgres_store.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert postgres_store.recorder.insert_events(stored("a", 2)) == [2]


def test_a_writer_that_waits_too_long_is_told_so(postgres_store: Store) -> None:
    postgres_store.recorder.insert_events(stored("a", 1))
    with psycopg.connect(postgres_store.url) as rival:
        rival.execute("SELECT sunlot_lock()")
        with postgres_store.database.session(lost="") as session:  # type: ignore[attr-defined]
            session.connection.execute("SET lock_timeout = '50ms'")
        with pytest.raises(StoreUnavailable) as busy:
            postgres_store.recorder.insert_events(stored("a", 2))
    assert busy.value.facts["reason"] == "busy"
    assert postgres_store.recorder.head() == 0


def test_a_database_that_is_not_there(tmp_path: Path, clock: FakeClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (f"postgresql://nobody@127.0.0.1:{port}/none", f"sqlite:///{tmp_path / 'none'}"):
        with pytest.raises(StoreUnavailable) as missing:
            open_store(url, clock=clock)
        assert missing.value.facts["reason"] == "unreachable"
    assert not (tmp_path / "none").exists()
    with pytest.raises(StoreUnavailable) as missing:
        migrate(f"postgresql://nobody@127.0.0.1:{port}/none")
    assert missing.value.facts["reason"] == "unreachable"


def test_a_database_that_goes_away_is_told_by_the_next_reading(
    postgres_server: PostgresServer, postgres_store: Store, clock: FakeClock
) -> None:
    with behind_a_cutter(postgres_server, postgres_store, clock) as (cutter, through):
        cutter.close()
        with psycopg.connect(postgres_store.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND client_addr IS NOT NULL"
            )
        actions = (through.check, through.recorder.head, lambda: through.recorder.insert_events(stored("a")))
        for action in actions:
            with pytest.raises(StoreUnavailable) as gone:
                action()
            assert gone.value.facts["reason"] == "unreachable"


def test_a_full_disk_is_told_and_writes_nothing(sqlite_store: Store, clock: FakeClock) -> None:
    sqlite_store.recorder.insert_events(stored("a", 1))
    with sqlite_store.database.exclusively() as session:
        pages = session.fetch("PRAGMA page_count")[0][0]
    # The limit belongs to the connection, and the pool hands out the same one again.
    sqlite_store.database.fetch(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable) as full:
        sqlite_store.recorder.insert_events(
            stored("a", 2, state=b"x" * 100_000), append=claiming(taking("a", "1"))
        )
    assert full.value.facts["reason"] == "disk-full"
    assert sqlite_store.recorder.head() == 0
    assert sqlite_store.claims.holder("seal", "1") is None
    sqlite_store.database.fetch("PRAGMA max_page_count = 1000000")
    assert sqlite_store.recorder.insert_events(stored("a", 2)) == [2]


def test_a_file_that_is_no_database(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database, whatever its name says" * 100)
    with pytest.raises(StoreUnavailable) as damaged:
        open_store(f"sqlite:///{tmp_path}", clock=clock)
    assert damaged.value.facts["reason"] == "damaged"


WRITER = """
import sys
from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from tests.contracts.sample import claiming, stored, taking
store = open_store(sys.argv[1], clock=SystemClock())
ver = store.recorder.max_notification_id() or 0
for batch in range(10_000):
    versions = [ver + 1 + 5 * batch + nth for nth in range(5)]
    store.recorder.insert_events(stored("s", *versions), append=claiming(taking("s", *map(str, versions))))
    print(versions[-1], flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_log(sqlite_store: Store) -> None:
    told = 0
    for after in (1, 7, 20):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, sqlite_store.url], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(after):
            told = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read()
        writer.wait()
        writer.stdout.close()
        told = max([told, *map(int, re.findall(r"(\d+)\n", rest))])
        head = sqlite_store.recorder.head()
        assert head is not None
        assert head + 1 >= told
        assert (head + 1) % 5 == 0
        assert len(list(sqlite_store.claims.keys("seal"))) == head + 1
        assert_whole(sqlite_store)


def test_a_store_that_was_not_migrated_says_what_to_run(
    tmp_path: Path, postgres_server: PostgresServer, clock: FakeClock
) -> None:
    (tmp_path / "store.db").touch()
    postgres_server.run("CREATE DATABASE bare")
    try:
        for url in (f"sqlite:///{tmp_path}", postgres_server.url("bare")):
            with pytest.raises(StoreUnavailable) as bare:
                open_store(url, clock=clock)
            facts = {"reason": "not-migrated", "found": "", "expected": REVISION, "run": "sunlot migrate"}
            assert bare.value.facts == facts
    finally:
        postgres_server.drop("bare")


def test_a_store_of_another_revision_is_refused(store: Store, clock: FakeClock) -> None:
    store.database.change("UPDATE alembic_version SET version_num = ?", ("9999",))
    with pytest.raises(StoreUnavailable) as other:
        open_store(store.url, clock=clock)
    assert other.value.facts["found"] == "9999"
    with pytest.raises(StoreUnavailable):
        store.check()


def test_a_closed_store_says_so(store: Store) -> None:
    store.close()
    with pytest.raises(StoreUnavailable) as closed:
        store.recorder.head()
    assert closed.value.facts["reason"] == "closed"
