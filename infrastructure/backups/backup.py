"""Making a backup while the service runs, so that its parts fit each other.

The published ledger first, as far as its checkpoint says; then the store in one snapshot, which has all that
was published; then the blobs, which are written before the events that name them. The ledger's signing key is
never read.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.ledger.checkpoint import Checkpoint
from domain.ledger.entry import format_at
from domain.ledger.errors import LedgerError
from domain.ledger.note import Note
from domain.ledger.tiles import read_tile, tiles_written
from infrastructure.backups.manifest import (
    BLOBS,
    CALENDAR,
    FORMAT,
    LEDGER,
    RULEBOOKS,
    BackupWrong,
    Manifest,
    check_path,
)
from infrastructure.backups.snapshot import Previous, Progress, Snapshot
from infrastructure.backups.source import digest_of, open_backup
from infrastructure.backups.target import Target, archive_target, folder_target
from infrastructure.blobs import FolderBlobs
from infrastructure.collection import collection_paused
from infrastructure.database import Store
from infrastructure.files import disk_errors
from infrastructure.ledger_files import CHECKPOINT, UNVERIFIED, Published
from infrastructure.revision import REVISION

ARCHIVES: Final = (".tar", ".tar.gz")
TILES: Final = "tile"


@dataclass(frozen=True)
class Places:
    """Where an installation keeps its files."""

    ledger: Path
    blobs: Path
    calendar: Path
    rulebooks: Path


@dataclass(frozen=True)
class Log:
    """Which log it is, as the settings name it."""

    origin: str
    region: str


@dataclass(frozen=True)
class Made:
    """A finished backup: what it says of itself, and the paths that were taken from the one before."""

    place: Path
    manifest: Manifest
    linked: frozenset[str]


@dataclass
class _Writing:
    """One backup being made."""

    target: Target
    previous: Previous | None
    linked: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def make_backup(
    store: Store,
    places: Places,
    log: Log,
    place: Path,
    now: datetime,
    *,
    after: Path | None = None,
    progress: Progress | None = None,
) -> Made:
    """Back an installation up into the new folder `place`, or archive if it ends with .tar or .tar.gz.

    `after` is an earlier backup of the same log, in a folder: what never changes is taken from there, as a
    link to the same file. Raises FileExistsError, `StoreUnavailable` (disk-full …; nothing is left then) and
    `BackupWrong` for an `after` that cannot be used.
    """
    previous = _open_previous(after, log) if after else None
    is_archive = place.name.endswith(ARCHIVES)
    with ExitStack() as stack:
        stack.enter_context(collection_paused())
        target: Target = stack.enter_context(archive_target(place) if is_archive else folder_target(place))
        writing = _Writing(target, previous)
        with disk_errors():
            manifest = _write(writing, store, places, log, now, progress)
            target.finish(manifest)
    return Made(place, manifest, frozenset(writing.linked))


def _open_previous(folder: Path, log: Log) -> Previous:
    with open_backup(folder) as source:
        if source.manifest.origin != log.origin or not folder.is_dir():
            raise BackupWrong(file=str(folder), reason="origin", found=source.manifest.origin)
        return Previous(folder, source.manifest)


def _write(
    writing: _Writing, store: Store, places: Places, log: Log, now: datetime, progress: Progress | None
) -> Manifest:
    target = writing.target
    published = _copy_ledger(writing, Published(places.ledger))
    with store.database.snapshot() as session:
        snapshot = Snapshot(session, target, progress, writing.previous)
        tables = snapshot.write()
    writing.linked.update(snapshot.linked)
    blobs = _copy_blobs(writing, FolderBlobs(places.blobs), places.blobs)
    _copy_folder(target, CALENDAR, places.calendar)
    _copy_folder(target, RULEBOOKS, places.rulebooks)
    return Manifest(
        format=FORMAT,
        made_at=format_at(now),
        origin=log.origin,
        region=log.region,
        revision=REVISION,
        size=snapshot.tree.size,
        root=snapshot.tree.root().hex(),
        published=published,
        tables=tables,
        blobs=blobs,
        files=target.files,
        bytes=target.bytes,
        sums=target.sums(),
        lost=tuple(writing.lost),
        damaged=tuple(writing.damaged),
    )


def _copy_ledger(writing: _Writing, published: Published) -> int:
    """The published ledger as its checkpoint has it, whatever is published meanwhile; that one's size."""
    note = published.checkpoint()
    size = 0
    if note is not None:
        try:
            size = Checkpoint.parse(Note.parse(note).text).size
        except LedgerError:
            writing.lost.append(f"{LEDGER}/{CHECKPOINT}")
    _copy_tiles(writing, published, size)
    for file in _files(published.folder):
        path = file.relative_to(published.folder).as_posix()
        if path not in (CHECKPOINT, UNVERIFIED) and not path.startswith(f"{TILES}/"):
            _copy_if_there(writing.target, f"{LEDGER}/{path}", file)
    if note is not None:
        writing.target.add(f"{LEDGER}/{CHECKPOINT}", note)
    return size


def _copy_tiles(writing: _Writing, published: Published, size: int) -> None:
    for tile in tiles_written(0, size):
        path = f"{LEDGER}/{tile.path()}"
        try:
            content = read_tile(published.read, tile, size)
        except (FileNotFoundError, LedgerError):
            # The store has the entries: the publisher makes the tile again.
            writing.lost.append(path)
            continue
        if not _taken_as_is(writing, path, content):
            writing.target.add(path, content)


def _copy_blobs(writing: _Writing, blobs: FolderBlobs, folder: Path) -> int:
    """All blobs; how many. A damaged one is left out and named, unless the previous backup has it."""
    count = 0
    for digest in blobs.digests():
        name = f"{digest[:2]}/{digest[2:4]}/{digest}"
        path, file = f"{BLOBS}/{name}", folder / name
        try:
            size = file.stat().st_size
            kept = _taken(writing, path, digest, size) or _copied(writing.target, path, digest, file)
        except FileNotFoundError:
            continue  # erased while we came to it
        count += kept
        if not kept:
            writing.damaged.append(digest)
    return count


def _taken(writing: _Writing, path: str, digest: str, size: int) -> bool:
    previous = writing.previous
    if previous is None or not writing.target.link(path, previous.folder / path, digest, size):
        return False
    writing.linked.add(path)
    return True


def _taken_as_is(writing: _Writing, path: str, content: bytes) -> bool:
    """Take the previous backup's file if it has exactly this content."""
    previous = writing.previous
    if previous is None or not previous.has(path, content):
        return False
    return _taken(writing, path, sha256(content).hexdigest(), len(content))


def _copied(target: Target, path: str, digest: str, file: Path) -> bool:
    with file.open("rb") as stream:
        if digest_of(stream) != digest:
            return False
        stream.seek(0)
        return target.copy(path, stream, os.fstat(stream.fileno()).st_size) == digest


def _copy_folder(target: Target, name: str, folder: Path) -> None:
    """The files of a folder of the administrator's own; not what lies below it."""
    for file in _files(folder):
        if file.parent == folder:
            _copy_if_there(target, f"{name}/{file.name}", file)


def _copy_if_there(target: Target, path: str, file: Path) -> None:
    try:
        check_path(path)
        content = file.read_bytes()
    except (BackupWrong, FileNotFoundError):
        # Not ours to keep, such as an editor's leftovers; or gone while we came to it.
        return
    target.add(path, content)


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder but hidden ones, in order; nothing where there is no folder."""
    for outer, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        yield from (Path(outer) / name for name in _shown(names))


def _shown(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith("."))
