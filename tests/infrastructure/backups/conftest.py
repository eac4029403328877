"""A filled installation on each engine, and an empty one to restore into on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.database import Store
from tests.conftest import ENGINES
from tests.engines import postgres_url
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import Sample, fill


@pytest.fixture
def sample(store: Store, tmp_path: Path, clock: FakeClock) -> Sample:
    """A filled installation, once for each engine."""
    return fill(store, tmp_path / "original", clock)


@pytest.fixture
def sqlite_sample(sqlite_store: Store, tmp_path: Path, clock: FakeClock) -> Sample:
    """A filled installation on SQLite."""
    return fill(sqlite_store, tmp_path / "original", clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the installation to restore into."""
    return tmp_path / "restored"


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of nothing at all (SQLite), or of an empty migrated schema (PostgreSQL)."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder}"
    else:
        with postgres_url(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
def sqlite_empty(folder: Path) -> str:
    """The URL of nothing at all."""
    return f"sqlite:///{folder}"
