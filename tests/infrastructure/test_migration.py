"""Migrations: to the expected revision, again without effect, all or nothing."""

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from eventsourcing.persistence import ProgrammingError

from domain.errors import StoreUnavailable
from infrastructure import migration
from infrastructure.database import Store, open_store
from infrastructure.migration import FOLDER, migrate
from infrastructure.revision import REVISION
from tests.contracts.sample import stored
from tests.fakes import FakeClock


def test_the_expected_revision_is_the_last_one() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION


def test_migrating_again_changes_nothing(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1, 2))
    migrate(store.url)
    again = open_store(store.url, clock=clock)
    assert again.recorder.head() == 1
    again.close()


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'store'}"
    with monkeypatch.context() as patched:
        patched.setattr(migration, "_upgrade", _upgrade_and_fail(migration._upgrade))
        with pytest.raises(ProgrammingError):
            migrate(url)
    with sqlite3.connect(tmp_path / "store" / "store.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    migrate(url)
    open_store(url, clock=FakeClock()).close()


def _upgrade_and_fail(upgrade: object) -> object:
    def run(connection: object) -> None:
        upgrade(connection)  # type: ignore[operator]
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")  # type: ignore[attr-defined]

    return run


def test_the_embedded_store_keeps_what_it_commits(sqlite_store: Store) -> None:
    fetch = sqlite_store.database.fetch
    assert fetch("PRAGMA journal_mode") == [("wal",)]
    assert fetch("PRAGMA synchronous") == [(2,)]
    assert fetch("PRAGMA recursive_triggers") == [(1,)]
    assert fetch("PRAGMA secure_delete") == [(1,)]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable) as refused:
        migrate(f"sqlite:///{tmp_path / 'file'}")
    assert refused.value.facts["reason"] == "unreachable"


def test_only_its_owner_can_read_the_embedded_store(tmp_path: Path, clock: FakeClock) -> None:
    url = f"sqlite:///{tmp_path / 'store'}"
    migrate(url)
    store = open_store(url, clock=clock)
    store.recorder.insert_events(stored("a", 1))
    files = list((tmp_path / "store").iterdir())
    assert {file.name for file in files} >= {"store.db", "store.db-wal"}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    store.close()
