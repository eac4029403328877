"""Making a backup: beside writers, in small steps, private, and never half."""

import errno
import gzip
import os
import signal
import stat
import subprocess
import sys
import tarfile
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from eventsourcing.persistence import StoredEvent

from domain.errors import StoreUnavailable
from domain.ledger.merkle import Frontier, leaf_hash
from infrastructure.addresses import is_sqlite
from infrastructure.backups import manifest, snapshot
from infrastructure.backups.manifest import MANIFEST, SUMS, BackupWrong, parse_manifest
from infrastructure.backups.source import check_backup, open_backup
from infrastructure.backups.tables import TABLES
from infrastructure.backups.target import folder_target
from infrastructure.database import Store
from infrastructure.ledger_check import verify_store
from infrastructure.signing import keygen
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import Sample, fill, opened, restore
from tests.infrastructure.ledger_samples import KEY, VKEY, append, files_below

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
NAMES = ("backup", "backup.tar", "backup.tar.gz")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Chunks of 32 events instead of 8,192."""
    for module in (manifest, snapshot):
        monkeypatch.setattr(module, "LEVEL", 5)
        monkeypatch.setattr(module, "EVENTS_IN_CHUNK", 32)
    return 32


def test_a_backup_names_every_table_and_column_of_the_store(store: Store) -> None:
    expected = {name: set(table.names) for name, table in TABLES.items()}
    assert _columns(store) == expected


def _columns(store: Store) -> dict[str, set[str]]:
    """Every table of the store itself with its columns; read models and the migrations' own are none."""
    if is_sqlite(store.url):
        sql = (
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
            "WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        )
    else:
        sql = (
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema()"
        )
    found: dict[str, set[str]] = {}
    for table, column in store.database.fetch(sql):
        found.setdefault(table, set()).add(column)
    found.pop("alembic_version")
    return found


def test_the_manifest_tells_the_logs_size_and_root(sample: Sample, tmp_path: Path) -> None:
    made = sample.backup(tmp_path / "backup").manifest
    tree = Frontier()
    tree.extend([leaf_hash(row.entry) for row in sample.store.recorder.rows()])
    assert (made.size, made.root, made.published) == (323, tree.root().hex(), 300)
    assert (made.blobs, made.lost, made.damaged) == (2, (), ())


@pytest.mark.usefixtures("small_chunks")
def test_chunks_make_the_same_root(sample: Sample, tmp_path: Path) -> None:
    made = sample.backup(tmp_path / "backup").manifest
    tree = Frontier()
    tree.extend([leaf_hash(row.entry) for row in sample.store.recorder.rows()])
    assert made.root == tree.root().hex()
    assert [chunk.rows for chunk in made.tables["events"].chunks] == [32] * 10 + [3]


@pytest.mark.parametrize("name", NAMES)
def test_writers_go_on_meanwhile_and_the_parts_fit(
    store: Store, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock, name: str
) -> None:
    sample = fill(store, tmp_path / "original", clock)
    stop, begun = Event(), Event()
    writer = Thread(target=_write_on, args=(sample, stop, begun))
    writer.start()
    try:
        assert begun.wait(PATIENCE)
        sample.backup(tmp_path / name)
    finally:
        stop.set()
        writer.join()
    restore(tmp_path / name, sqlite_empty, folder, clock)
    with opened(sqlite_empty, folder, clock) as copy:
        report = verify_store(copy.store, copy.places.ledger, [VKEY])
        assert report.findings == ()
        for row in copy.store.recorder.rows():
            if row.topic == "sample.shown.v1":
                digest = row.state.decode()
                assert (folder / "blobs" / digest[:2] / digest[2:4] / digest).exists()


def _write_on(sample: Sample, stop: Event, begun: Event) -> None:
    """Files, events that name them, and publications, as fast as they go."""
    number = 0
    while not stop.is_set():
        digest = sample.blob(b"%d" % number)
        sample.record(f"writer-{number}", "sample.shown.v1", state=digest.encode())
        if number % 3 == 0:
            sample.publish()
        number += 1
        begun.set()


def test_only_the_owner_can_read_it(sqlite_sample: Sample, tmp_path: Path) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    sqlite_sample.backup(tmp_path / "backup.tar")
    for one in (tmp_path / "backup", *(tmp_path / "backup").rglob("*"), tmp_path / "backup.tar"):
        assert not one.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO), one
    with tarfile.open(tmp_path / "backup.tar") as archive:
        assert {member.mode for member in archive} == {0o600}


def test_the_signing_key_is_in_no_backup(sqlite_sample: Sample, tmp_path: Path) -> None:
    key = tmp_path / "original" / "ledger.key"
    keygen(key, KEY.name)
    secret = key.read_text().strip()
    sqlite_sample.backup(tmp_path / "backup")
    sqlite_sample.backup(tmp_path / "backup.tar")
    files = files_below(tmp_path / "backup")
    unpacked = [gzip.decompress(files[path]) for path in files if path.endswith(".gz")]
    everything = b"\0".join([*files.values(), *unpacked, (tmp_path / "backup.tar").read_bytes()])
    assert b"sample.noted.v1" in everything
    assert b"PRIVATE" not in everything
    *_, encoded = secret.split("+", 4)
    seed = b64decode(encoded)[1:]
    for trace in (encoded.encode(), seed, seed.hex().encode()):
        assert trace not in everything


def test_nothing_is_written_over(sqlite_sample: Sample, tmp_path: Path) -> None:
    for name in NAMES:
        sqlite_sample.backup(tmp_path / name)
        before = (tmp_path / name).stat().st_mtime_ns
        with pytest.raises(FileExistsError):
            sqlite_sample.backup(tmp_path / name)
        assert (tmp_path / name).stat().st_mtime_ns == before


@pytest.mark.usefixtures("small_chunks")
def test_the_next_backup_takes_what_never_changes(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    first = sample.backup(tmp_path / "first")
    for number in range(40):
        sample.record(f"more-{number}", "sample.more.v1")
    sample.blob(b"one more")
    sample.publish()
    second = sample.backup(tmp_path / "second", after=tmp_path / "first")
    chunks = first.manifest.tables["events"].chunks
    taken = {chunk.path for chunk in chunks if chunk.rows == 32}
    assert taken <= second.linked
    assert {"ledger/tile/0/000", "ledger/tile/entries/000"} <= second.linked
    assert len([path for path in second.linked if path.startswith("blobs/")]) == 2
    for path in second.linked:
        assert (tmp_path / "second" / path).samefile(tmp_path / "first" / path)
    alone = sample.backup(tmp_path / "alone")
    assert files_below(tmp_path / "alone") == files_below(tmp_path / "second")
    assert alone.linked == frozenset()
    restore(tmp_path / "second", empty_url, folder, clock, keep_tokens=True)
    with opened(empty_url, folder, clock) as copy:
        assert copy.rows() == sample.rows()


@pytest.mark.usefixtures("small_chunks")
def test_events_of_another_history_are_not_taken(
    sqlite_sample: Sample, tmp_path: Path, clock: FakeClock
) -> None:
    with sqlite_url(tmp_path / "other") as url, opened(url, tmp_path / "elsewhere", clock) as other:
        append(other.store, 100, streams=3)
        other.backup(tmp_path / "first")
    second = sqlite_sample.backup(tmp_path / "second", after=tmp_path / "first")
    assert not any(path.startswith("store/") for path in second.linked)
    assert second.manifest.root == sqlite_sample.backup(tmp_path / "alone").manifest.root


def test_a_backup_of_another_log_cannot_be_gone_on_from(sqlite_sample: Sample, tmp_path: Path) -> None:
    sqlite_sample.backup(tmp_path / "first")
    place = tmp_path / "first" / MANIFEST
    place.write_bytes(place.read_bytes().replace(b"140100", b"140200"))
    with pytest.raises(BackupWrong):
        sqlite_sample.backup(tmp_path / "second", after=tmp_path / "first")
    assert not (tmp_path / "second").exists()


def test_a_damaged_file_is_left_out_and_named_unless_the_last_backup_has_it(
    sqlite_sample: Sample, tmp_path: Path
) -> None:
    sqlite_sample.backup(tmp_path / "first")
    digest = sqlite_sample.blob(b"a photograph")
    file = sqlite_sample.places.blobs / digest[:2] / digest[2:4] / digest
    file.write_bytes(b"b photograph")
    made = sqlite_sample.backup(tmp_path / "second").manifest
    assert (made.damaged, made.blobs) == ((digest,), 1)
    healed = sqlite_sample.backup(tmp_path / "third", after=tmp_path / "first")
    assert (healed.manifest.damaged, healed.manifest.blobs) == ((), 2)
    with open_backup(tmp_path / "third") as source:
        check_backup(source)


def test_a_lost_tile_is_named_and_the_rest_is_kept(sqlite_sample: Sample, tmp_path: Path) -> None:
    (sqlite_sample.places.ledger / "tile" / "0" / "000").unlink()
    assert sqlite_sample.backup(tmp_path / "backup").manifest.lost == ("ledger/tile/0/000",)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("writes", [0, 3, 7, 12])
def test_a_full_disk_leaves_nothing(
    sqlite_sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, writes: int
) -> None:
    left = [writes]

    def fsync(handle: int) -> None:
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1

    if name != "backup":
        left[0] = 0
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(StoreUnavailable) as refusal:
            sqlite_sample.backup(tmp_path / name)
    assert refusal.value.facts["reason"] == "disk-full"
    assert sorted(tmp_path.iterdir()) == before
    sqlite_sample.backup(tmp_path / name)


MAKER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from infrastructure.backups.backup import make_backup
from tests.infrastructure.backups.samples import LOG, places
store = open_store(sys.argv[1], clock=SystemClock())
print("begun", flush=True)
make_backup(store, places(Path(sys.argv[2])), LOG, Path(sys.argv[3]), datetime.now(UTC))
"""


@contextmanager
def process(program: str, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A program of ours beside us, killed at the end."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline() == "begun\n"
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_killed_backup_has_no_name_and_is_no_hindrance(
    sqlite_sample: Sample, tmp_path: Path, name: str
) -> None:
    append_streams(sqlite_sample, 20_000)
    with process(MAKER, sqlite_sample.store.url, tmp_path / "original", tmp_path / name) as running:
        until(lambda: any(tmp_path.glob(".part-*")))
        running.send_signal(signal.SIGKILL)
        running.wait(PATIENCE)
    assert any(tmp_path.glob(".part-*"))
    assert not (tmp_path / name).exists()
    sqlite_sample.backup(tmp_path / name)
    with open_backup(tmp_path / name) as source:
        check_backup(source)
    assert not (tmp_path / ".part-backup").exists()


def until(found: Callable[[], bool]) -> None:
    """Wait for it."""
    ending = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < ending, "it did not happen in time"


def append_streams(sample: Sample, events: int) -> None:
    """Many events in streams of their own."""
    made = [StoredEvent(f"bulk-{number}", 1, "sample.bulk.v1", b"x" * 200) for number in range(events)]
    sample.store.recorder.insert_events(made)


def test_two_at_once_do_not_mix(sqlite_sample: Sample, tmp_path: Path) -> None:
    with folder_target(tmp_path / "backup"):
        with pytest.raises(StoreUnavailable) as refusal:
            sqlite_sample.backup(tmp_path / "backup")
        assert refusal.value.facts["reason"] == "busy"
    sqlite_sample.backup(tmp_path / "backup")


def test_the_list_of_sums_is_the_usual_one(sqlite_sample: Sample, tmp_path: Path) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", SUMS], cwd=tmp_path / "backup", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    listed = {line.split("  ")[1] for line in (tmp_path / "backup" / SUMS).read_text().splitlines()}
    assert listed == set(files_below(tmp_path / "backup")) - {SUMS, MANIFEST}
    assert parse_manifest((tmp_path / "backup" / MANIFEST).read_bytes()).files == len(listed)
