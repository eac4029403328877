"""Restoring: only what the backup says, only where there is nothing, all of it or nothing."""

import errno
import os
import signal
from pathlib import Path

import pytest

from domain.errors import StoreUnavailable
from infrastructure.backups import restore as restoring
from infrastructure.backups.restore import RestoreRefused, read_mark
from infrastructure.migration import migrate
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import Sample, opened, restore
from tests.infrastructure.backups.test_making import PATIENCE, append_streams, process, until
from tests.infrastructure.backups.test_refusing import nothing_at
from tests.infrastructure.backups.test_settling import settle
from tests.infrastructure.ledger_samples import files_below


def test_what_is_there_already_is_named_and_kept(
    sample: Sample, tmp_path: Path, clock: FakeClock, store_url: str
) -> None:
    sample.backup(tmp_path / "backup")
    before, files = sample.rows(), files_below(tmp_path / "original")
    with pytest.raises(RestoreRefused) as refusal:
        restore(tmp_path / "backup", store_url, tmp_path / "original", clock)
    assert {"events", "vault", "tokens", str(sample.places.ledger), str(sample.places.blobs)} <= set(
        refusal.value.facts["found"]
    )
    assert (sample.rows(), files_below(tmp_path / "original")) == (before, files)


@pytest.mark.parametrize("file", ["ledger/checkpoint", "blobs/aa/bb/cc"])
def test_files_alone_are_enough_to_refuse(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock, file: str
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_bytes(b"x")
    with pytest.raises(RestoreRefused) as refusal:
        restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert refusal.value.facts["found"] == [str(folder / file.partition("/")[0])]
    assert set(files_below(folder)) == {file}


def test_a_store_that_was_migrated_and_the_administrators_files_are_no_hindrance(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    migrate(sqlite_empty)
    (folder / "calendar").mkdir()
    (folder / "calendar" / "2031.toml").write_text("newer")
    restore(tmp_path / "backup", sqlite_empty, folder, clock, keep_tokens=True)
    with opened(sqlite_empty, folder, clock) as copy:
        assert copy.rows() == sqlite_sample.rows()
    assert (folder / "calendar" / "2031.toml").read_text() == "newer"


def test_tokens_are_revoked_unless_they_are_to_be_kept(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.backup(tmp_path / "backup")
    assert not restore(tmp_path / "backup", empty_url, folder, clock).tokens_kept
    with opened(empty_url, folder, clock) as copy:
        for number in range(3):
            token = copy.store.credentials.token(f"{number:064x}")
            assert token is not None
            assert token.revoked


@pytest.mark.parametrize("writes", [0, 5, 12, 18])
def test_a_full_disk_leaves_nothing(
    sample: Sample,
    tmp_path: Path,
    folder: Path,
    empty_url: str,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    writes: int,
) -> None:
    sample.backup(tmp_path / "backup")
    left = [writes]

    def fsync(handle: int) -> None:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(StoreUnavailable) as refusal:
            restore(tmp_path / "backup", empty_url, folder, clock)
    assert refusal.value.facts["reason"] == "disk-full"
    assert nothing_at(empty_url, folder, clock)
    restore(tmp_path / "backup", empty_url, folder, clock)


RESTORER = """
import sys
from pathlib import Path
from infrastructure.backups.source import open_backup
from infrastructure.clock import SystemClock
from infrastructure.backups.restore import restore_backup
from tests.infrastructure.backups.samples import LOG, places
print("begun", flush=True)
with open_backup(Path(sys.argv[1])) as source:
    restore_backup(source, sys.argv[2], places(Path(sys.argv[3])), LOG, SystemClock(), keep_tokens=True)
"""


def test_a_restore_killed_half_way_is_cleared_by_the_next(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    append_streams(sample, 30_000)
    sample.backup(tmp_path / "backup")
    with process(RESTORER, tmp_path / "backup", empty_url, folder) as running:
        until(lambda: (folder / "ledger" / "checkpoint").exists())
        running.send_signal(signal.SIGKILL)
        running.wait(PATIENCE)
    mark = read_mark(folder / "ledger")
    assert mark is not None
    assert mark.state == "loading"
    restore(tmp_path / "backup", empty_url, folder, clock, keep_tokens=True)
    with opened(empty_url, folder, clock) as copy:
        assert copy.rows() == sample.rows()
    mark = read_mark(folder / "ledger")
    assert mark is not None
    assert mark.state == "loaded"


def test_a_restore_cut_off_after_its_commit_is_there_and_only_waits_to_be_verified(
    sample: Sample,
    tmp_path: Path,
    folder: Path,
    empty_url: str,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample.backup(tmp_path / "backup")
    mark = restoring._mark

    def marked(ledger: Path, source: object, state: str) -> None:
        if state == "loaded":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        mark(ledger, source, state)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(restoring, "_mark", marked)
        with pytest.raises(StoreUnavailable):
            restore(tmp_path / "backup", empty_url, folder, clock)
    with pytest.raises(RestoreRefused):
        restore(tmp_path / "backup", empty_url, folder, clock)
    with opened(empty_url, folder, clock) as copy:
        assert copy.rows()["events"] == sample.rows()["events"]
    assert files_below(folder / "blobs") == files_below(sample.places.blobs)
    assert settle(empty_url, folder, clock).signs
