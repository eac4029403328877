"""A backup holds everything, on both engines, and gives it back byte for byte on either."""

from pathlib import Path

import pytest

from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import Sample, opened, restore
from tests.infrastructure.ledger_samples import files_below

NAMES = ("backup", "backup.tar", "backup.tar.gz")


@pytest.mark.parametrize("name", NAMES)
def test_everything_comes_back_byte_for_byte_on_either_engine(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock, name: str
) -> None:
    made = sample.backup(tmp_path / name)
    restored = restore(tmp_path / name, empty_url, folder, clock, keep_tokens=True)
    assert restored.manifest == made.manifest
    with opened(empty_url, folder, clock) as copy:
        assert copy.rows() == sample.rows()
    assert files_below(folder / "blobs") == files_below(sample.places.blobs)
    assert files_below(folder / "calendar") == files_below(sample.places.calendar)
    shown = files_below(folder / "ledger")
    shown.pop("restored.unverified")
    assert shown == files_below(sample.places.ledger)
