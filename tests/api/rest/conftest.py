"""A service on each engine, and one on SQLite alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import structlog

from tests.api.rest.service import Service, serving
from tests.engines import sqlite_url
from tests.fakes import FakeClock


@pytest.fixture(autouse=True)
def _silent_logs() -> Iterator[None]:
    """Log lines go nowhere; `structlog.testing.capture_logs` still sees them."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_drop])
    yield
    structlog.reset_defaults()


def _drop(_logger: object, _method: str, _line: object) -> NoReturn:
    raise structlog.DropEvent


@pytest.fixture
def service(store_url: str, tmp_path: Path, clock: FakeClock) -> Iterator[Service]:
    """A founded service, once for each engine."""
    with serving(store_url, tmp_path / "data", clock) as service:
        yield service


@pytest.fixture
def small(tmp_path: Path, clock: FakeClock) -> Iterator[Service]:
    """A founded service on SQLite."""
    with sqlite_url(tmp_path / "store") as url, serving(url, tmp_path / "data", clock) as service:
        yield service
