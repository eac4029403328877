"""A backup that is not what it says is refused, with the file named, and nothing is left of it."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from infrastructure.backups.backup import Log
from infrastructure.backups.manifest import MANIFEST, SUMS, BackupWrong
from infrastructure.backups.restore import restore_backup
from infrastructure.backups.source import check_backup, open_backup
from infrastructure.backups.tables import TABLES
from infrastructure.database import open_store
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import LOG, Sample, places, restore

KINDS = (
    MANIFEST,
    SUMS,
    "ledger/checkpoint",
    "ledger/vkey",
    "ledger/tile/0/000",
    "ledger/tile/entries/001.p/44",
    "calendar/2031.toml",
    *(f"store/{name}/000000000000.ndjson.gz" for name in TABLES),
)


def nothing_at(url: str, folder: Path, clock: FakeClock) -> bool:
    """Whether store and places are as empty as before."""
    if any(file.name != "store.db" for file in folder.rglob("*") if file.is_file()):
        return False
    if url.startswith("sqlite"):
        return not any(folder.glob("store.db*"))
    store = open_store(url, clock=clock)
    try:
        with store.database.snapshot() as session:
            return all(table.is_empty(session) for table in TABLES.values())
    finally:
        store.close()


def flip(file: Path) -> None:
    """Change one byte in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("kind", [*KINDS, "blobs"])
def test_a_byte_changed_anywhere_is_refused_with_the_file_named(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock, kind: str
) -> None:
    backup = tmp_path / "backup"
    sqlite_sample.backup(backup)
    file = (
        next(one for one in (backup / kind).rglob("*") if one.is_file()) if kind == "blobs" else backup / kind
    )
    flip(file)
    with pytest.raises(BackupWrong) as refusal:
        restore(backup, sqlite_empty, folder, clock)
    named = {str(file.relative_to(backup))} | ({MANIFEST, SUMS} if kind in (MANIFEST, SUMS) else set())
    assert refusal.value.facts["file"] in named
    assert not folder.exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_a_byte_changed_in_an_archive_is_refused(
    sqlite_sample: Sample,
    tmp_path: Path,
    folder: Path,
    sqlite_empty: str,
    clock: FakeClock,
    kind: str,
    name: str,
) -> None:
    sqlite_sample.backup(tmp_path / name)
    repacked(tmp_path / name, kind)
    with pytest.raises(BackupWrong):
        restore(tmp_path / name, sqlite_empty, folder, clock)
    assert not folder.exists()


def repacked(archive: Path, changed: str) -> None:
    """The same archive with a byte of one member changed."""
    other = archive.with_name(f"other-{archive.name}")
    mode = "w:gz" if archive.suffix == ".gz" else "w"
    with tarfile.open(archive) as source, tarfile.open(other, mode) as target:  # type: ignore[call-overload]
        for member in source:
            stream = source.extractfile(member)
            assert stream is not None
            content = bytearray(stream.read())
            if member.name == changed:
                content[len(content) // 2] ^= 1
            target.addfile(member, io.BytesIO(content))
    other.replace(archive)


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_an_archive_cut_short_is_refused(
    sqlite_sample: Sample,
    tmp_path: Path,
    folder: Path,
    sqlite_empty: str,
    clock: FakeClock,
    name: str,
    part: float,
) -> None:
    sqlite_sample.backup(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * part)])
    with pytest.raises(BackupWrong):
        restore(tmp_path / name, sqlite_empty, folder, clock)
    assert not folder.exists()


@pytest.mark.parametrize("kind", [SUMS, "ledger/checkpoint", "store/vault/000000000000.ndjson.gz"])
def test_a_missing_file_is_named(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock, kind: str
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    (tmp_path / "backup" / kind).unlink()
    with pytest.raises(BackupWrong) as refusal:
        restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert (refusal.value.facts["file"], refusal.value.facts["reason"]) == (kind, "missing")


def resealed(
    backup: Path, change: Callable[[dict[str, object]], None] | None = None, sums: bytes | None = None
) -> None:
    """The manifest made to fit again, as somebody would who owns the backup."""
    if sums is not None:
        (backup / SUMS).write_bytes(sums)
    manifest = json.loads((backup / MANIFEST).read_bytes())
    manifest["sums"] = sha256((backup / SUMS).read_bytes()).hexdigest()
    if change:
        change(manifest)
    (backup / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "ledger/../../outside",
        "/etc/outside",
        "blobs/aa/bb/outside",
        "store/events/../x",
        "ledger/.hidden",
        "calendar/../x",
        "calendar/a/b",
        "elsewhere/x",
    ],
)
def test_no_path_leads_out_of_the_backup(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock, path: str
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    sums = (tmp_path / "backup" / SUMS).read_bytes() + f"{'0' * 64}  {path}\n".encode()
    resealed(tmp_path / "backup", sums=sums)
    with pytest.raises(BackupWrong) as refusal:
        restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert (refusal.value.facts["file"], refusal.value.facts["reason"]) == (path, "path")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("format", "sunlot-backup/2", "format"),
        ("origin", "sunlot.example/140200", "origin"),
        ("revision", "0000", "revision"),
        ("size", 7, "rows"),
        ("tables", {}, "tables"),
        ("unheard-of", 1, "malformed"),
    ],
)
def test_another_format_log_or_revision_is_refused(
    sqlite_sample: Sample,
    tmp_path: Path,
    folder: Path,
    sqlite_empty: str,
    clock: FakeClock,
    name: str,
    value: object,
    reason: str,
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    resealed(tmp_path / "backup", lambda manifest: manifest.update({name: value}))
    with pytest.raises(BackupWrong) as refusal:
        restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert (refusal.value.facts["file"], refusal.value.facts["reason"]) == (MANIFEST, reason)
    assert not folder.exists()


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("events", b'[323,"a b",1,"t","2024-04-01T01:00:00.000000Z","","","' + b"00" * 32 + b'"]\n'),
        ("events", b'[0,"again",1,"t","2024-04-01T01:00:00.000000Z","","","' + b"00" * 32 + b'"]\n'),
        ("events", b'["no number","s",1,"t","2024-04-01T01:00:00.000000Z","","","00"]\n'),
        ("events", b'[323,"s",1,"t","2024-04-01T01:00:00.000000Z",{"base64":"*"},"","00"]\n'),
        ("vault", b'["person-x","{}",null,null,null,null]\n'),
        ("tokens", b'["t","a","d","2024-04-01T01:00:00.000000Z",7]\n'),
        ("claims", b"no json\n"),
    ],
)
def test_rows_that_the_tables_do_not_take_are_refused_and_nothing_is_left(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock, table: str, line: bytes
) -> None:
    sample.backup(tmp_path / "backup")
    path = f"store/{table}/000000000000.ndjson.gz"
    add_line(tmp_path / "backup", table, path, line)
    with pytest.raises(BackupWrong) as refusal:
        restore(tmp_path / "backup", empty_url, folder, clock)
    assert refusal.value.facts["file"] == path
    assert nothing_at(empty_url, folder, clock)


def add_line(backup: Path, table: str, path: str, line: bytes) -> None:
    """A row more in a chunk, and everything made to fit."""
    file = backup / path
    old = sha256(file.read_bytes()).hexdigest()
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + line))
    new = sha256(file.read_bytes()).hexdigest()

    def change(manifest: dict[str, object]) -> None:
        tables = manifest["tables"]
        assert isinstance(tables, dict)
        kept = tables[table]
        kept["rows"] += 1
        kept["chunks"][0] |= {"rows": kept["rows"], "sha256": new}
        manifest["size"] = tables["events"]["rows"]

    sums = (backup / SUMS).read_bytes().replace(old.encode(), new.encode())
    resealed(backup, change, sums)


def test_the_log_must_be_the_settings_own(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    with open_backup(tmp_path / "backup") as source:
        check_backup(source)
        with pytest.raises(BackupWrong) as refusal:
            restore_backup(source, sqlite_empty, places(folder), Log("sunlot.example/1", LOG.region), clock)
    assert refusal.value.facts["reason"] == "origin"
