"""A database of read models for tests that need no log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.projections.tale import Shelf, Tale


@pytest.fixture
def tale() -> Tale:
    """Nothing was recorded yet."""
    return Tale()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """No read model was folded yet."""
    made = Shelf(tmp_path / "views")
    yield made
    made.views.close()
