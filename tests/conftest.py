"""Fixtures that everybody shares: a store on each engine, the clock behind it, an agency over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.database import Store, open_store
from tests.engines import PostgresMissing, PostgresServer, postgres_url, running_postgres, sqlite_url
from tests.fakes import FakeClock
from tests.office import Agency, open_agency

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this test process; tests that need it skip where there is none."""
    try:
        serving = running_postgres(fsync="off", full_page_writes="off", autovacuum="off")
        with serving as server:
            yield server
    except PostgresMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=ENGINES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh migrated store, once for each engine."""
    if request.param == "sqlite":
        with sqlite_url(tmp_path / "store") as url:
            yield url
    else:
        with postgres_url(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the stores."""
    return FakeClock()


@pytest.fixture
def store(store_url: str, clock: FakeClock) -> Iterator[Store]:
    """A fresh store, once for each engine."""
    yield from _opened(store_url, clock)


@pytest.fixture
def sqlite_store(tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    """A fresh store on SQLite."""
    with sqlite_url(tmp_path / "store") as url:
        yield from _opened(url, clock)


@pytest.fixture
def postgres_store(postgres_server: PostgresServer, clock: FakeClock) -> Iterator[Store]:
    """A fresh store on PostgreSQL."""
    with postgres_url(postgres_server) as url:
        yield from _opened(url, clock)


@pytest.fixture
def agency(store: Store, clock: FakeClock, tmp_path: Path) -> Agency:
    """An agency with people in every role, once for each engine."""
    return open_agency(store, clock, tmp_path)


@pytest.fixture
def sqlite_agency(sqlite_store: Store, clock: FakeClock, tmp_path: Path) -> Agency:
    """An agency on SQLite."""
    return open_agency(sqlite_store, clock, tmp_path)


def _opened(url: str, clock: FakeClock) -> Iterator[Store]:
    store = open_store(url, clock=clock)
    try:
        yield store
    finally:
        store.close()
