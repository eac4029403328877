"""The story is told once on each engine; every test gets a copy of its own to spoil."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from application.ports import Append
from application.workflow import claims_of
from domain.act import Act
from domain.aggregate import Aggregate, DomainEvent
from domain.ledger.finding import Finding, Findings
from infrastructure.blobs import FolderBlobs
from infrastructure.chance import SystemChance
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.replay_check.check import check_replay
from tests.conftest import ENGINES
from tests.engines import PostgresServer, sqlite_url
from tests.fakes import FakeClock
from tests.infrastructure.replay_check.story import Told, tell
from tests.ledger import ORIGIN

AFTERWARDS = datetime(2024, 6, 1, tzinfo=UTC)
ACT = Act(by="account-x", at=AFTERWARDS, occurred_at=AFTERWARDS)
END = 2**53
"""A position behind every log."""


@dataclass(frozen=True)
class Original:
    """The store as the story left it, closed: its engine, its folder, its database on PostgreSQL."""

    engine: str
    folder: Path
    database: str
    told: Told


@dataclass(frozen=True)
class Case:
    """A store to be spoilt and checked."""

    store: Store
    blobs: FolderBlobs
    folder: Path
    told: Told

    @property
    def mapper(self) -> EventMapper:
        """Reads and writes events."""
        return EventMapper(SystemChance())

    def check(self) -> Findings:
        """The whole check."""
        return check_replay(self.store, self.mapper, self.blobs, log=ORIGIN)

    def findings(self) -> Sequence[Finding]:
        """What the whole check finds."""
        return self.check().kept

    def only(self) -> Finding:
        """The one thing that it finds."""
        [finding] = self.findings()
        return finding

    def append(self, aggregate: Aggregate) -> int:
        """Save what an aggregate decided, as the service does; the position of its last event."""
        events = [cast(DomainEvent, event) for event in aggregate.collect_events()]
        stored = [self.mapper.to_stored_event(event) for event in events]
        return self.store.recorder.insert_events(stored, append=Append(claims=claims_of(events)))[-1] - 1

    def idx(self, topic: str, stream: str = "") -> int:
        """The position of the first event of a topic (of that stream)."""
        rows = self.store.recorder.rows()
        return next(row.idx for row in rows if row.topic == topic and stream in ("", row.stream))


@pytest.fixture(scope="session", params=ENGINES)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    """The story, told on each engine."""
    folder, clock = tmp_path_factory.mktemp("story"), FakeClock()
    if request.param == "sqlite":
        with sqlite_url(folder / "store") as url:
            yield Original("sqlite", folder, "", _told(url, clock, folder))
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = server.fresh()
    yield Original("postgresql", folder, database, _told(server.url(database), clock, folder))
    server.drop(database)


def _told(url: str, clock: FakeClock, folder: Path) -> Told:
    store = open_store(url, clock=clock)
    try:
        return tell(store, clock, folder)
    finally:
        store.close()


@pytest.fixture
def case(original: Original, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    """A copy of the story's store."""
    shutil.copytree(original.folder / "blobs", tmp_path / "blobs")
    if original.engine == "sqlite":
        shutil.copytree(original.folder / "store", tmp_path / "store")
        yield from _opened(f"sqlite:///{tmp_path / 'store'}", tmp_path, original.told)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    copy = f"{original.database}_copy"
    server.run(f"CREATE DATABASE {copy} TEMPLATE {original.database}")
    yield from _opened(server.url(copy), tmp_path, original.told)
    server.drop(copy)


def _opened(url: str, folder: Path, told: Told) -> Iterator[Case]:
    store = open_store(url, clock=FakeClock(AFTERWARDS))
    try:
        yield Case(store, FolderBlobs(folder / "blobs"), folder, told)
    finally:
        store.close()
