"""Putting a backup into an empty installation, all of it or nothing.

The first thing written is a mark in the ledger's folder: nothing is signed while it stands, and while it says
`loading` the restore was cut off, and what it left may be cleared. The store comes by one transaction, which
is committed last.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy import func, inspect, select

from application.ports import Clock
from domain.errors import Conflict
from domain.ledger.entry import Entry
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.backups.backup import Log, Places
from infrastructure.backups.erasing import Erased, erase_again
from infrastructure.backups.manifest import MANIFEST, BackupWrong, Manifest
from infrastructure.backups.source import Progress, Source
from infrastructure.backups.tables import TABLES
from infrastructure.backups.unpacking import Unpacking
from infrastructure.blobs import FolderBlobs
from infrastructure.collection import collection_paused
from infrastructure.database import Store, open_store
from infrastructure.files import PUBLIC, disk_errors, make_folder, write_file
from infrastructure.ledger_files import UNVERIFIED
from infrastructure.migration import migrate
from infrastructure.revision import REVISION
from infrastructure.views import VIEWS_FILE, Views
from projections.projection import POSITIONS


class RestoreRefused(Conflict):
    """There is something where a backup is to be restored; facts: `found`, what there is."""

    code = "restore-not-empty"


class Mark(msgspec.Struct, frozen=True):
    """What stands in `restored.unverified`: which backup it is, and whether all of it is there."""

    backup: str
    made_at: str
    state: Literal["loading", "loaded"]


@dataclass(frozen=True)
class Restored:
    """What was restored, and what was erased again because it was erased after the backup."""

    manifest: Manifest
    erased: Erased
    tokens_kept: bool


def restore_backup(
    source: Source,
    url: str,
    places: Places,
    log: Log,
    clock: Clock,
    *,
    keep_tokens: bool = False,
    erasures: Sequence[Entry] = (),
    progress: Progress | None = None,
) -> Restored:
    """Restore into the installation at `url` and `places`, which must be empty; it is unverified then.

    Bearer tokens come revoked unless `keep_tokens`. `erasures` are entries of later erasures, done again
    before anybody can read the data. Raises `BackupWrong`, `RestoreRefused`, `StoreUnavailable`; all is as it
    was then.
    """
    _check_fits(source.manifest, log)
    _clear_cut_off(url, places, clock)
    with _opened(url, clock) as (store, undoing), disk_errors():
        _require_empty(store, places)
        written = _undo(undoing, places)
        _mark(places.ledger, source, "loading")
        erased = _load(source, store, places, written, keep_tokens, erasures, progress)
        # Committed: from here on it is there, whatever happens, and what is left to do may be done later.
        undoing.pop_all()
        _mark(places.ledger, source, "loaded")
        if erased.persons:
            store.database.scrub()
    return Restored(source.manifest, erased, keep_tokens)


def read_mark(ledger: Path) -> Mark | None:
    """The mark of a restore that is not verified, if there is one."""
    try:
        return msgspec.json.decode((ledger / UNVERIFIED).read_bytes(), type=Mark)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError:
        return Mark(backup="", made_at="", state="loaded")


def _check_fits(manifest: Manifest, log: Log) -> None:
    if manifest.origin != log.origin:
        raise BackupWrong(file=MANIFEST, reason="origin", found=manifest.origin, expected=log.origin)
    if manifest.revision != REVISION:
        raise BackupWrong(file=MANIFEST, reason="revision", found=manifest.revision, expected=REVISION)


def _load(
    source: Source,
    store: Store,
    places: Places,
    written: list[Path],
    keep_tokens: bool,
    erasures: Iterable[Entry],
    progress: Progress | None,
) -> Erased:
    with collection_paused(), store.database.exclusively() as session:
        Unpacking(source, session, places, written, keep_tokens=keep_tokens).run(progress)
        return erase_again(session, FolderBlobs(places.blobs), erasures)


@contextmanager
def _opened(url: str, clock: Clock) -> Iterator[tuple[Store, ExitStack]]:
    """The store, and what is to be undone if it fails. An embedded store that is not there is made."""
    with ExitStack() as undoing:
        if is_sqlite(url) and not store_file(url).exists():
            undoing.callback(_remove_store, store_file(url))
            migrate(url)
        with closing(open_store(url, clock=clock)) as store:
            yield store, undoing


def _require_empty(store: Store, places: Places) -> None:
    with store.database.snapshot() as session:
        found = [name for name, table in TABLES.items() if not table.is_empty(session)]
    found += (str(folder) for folder in (places.ledger, places.blobs) if _has_files(folder))
    if _views_moved(store.url):
        found.append(VIEWS_FILE if is_sqlite(store.url) else POSITIONS.table.name)
    if found:
        raise RestoreRefused(found=found)


def _views_moved(url: str) -> bool:
    """Whether there are read models of another log's events."""
    if is_sqlite(url) and not (store_file(url).parent / VIEWS_FILE).exists():
        return False
    views = Views(url)
    try:
        with views.reading() as connection:
            if not inspect(connection).has_table(POSITIONS.table.name):
                return False
            highest = connection.execute(select(func.max(POSITIONS.table.c.position))).scalar()
    finally:
        views.close()
    return highest is not None and highest >= 0


def _clear_cut_off(url: str, places: Places, clock: Clock) -> None:
    """Remove what a restore left that was killed before its store was committed."""
    mark = read_mark(places.ledger)
    if mark is None or mark.state != "loading":
        return
    if not is_sqlite(url) or store_file(url).exists():
        store = open_store(url, clock=clock)
        try:
            if store.recorder.head() is not None:
                return
        finally:
            store.close()
    _empty(places.blobs)
    _empty(places.ledger)


def _undo(undoing: ExitStack, places: Places) -> list[Path]:
    """Let what is written from now on go again after a failure; the list is for files in the administrator's
    folders.
    """
    written: list[Path] = []
    # The mark goes last: without it, what is left would belong to nobody.
    undoing.callback(_empty, places.ledger)
    undoing.callback(_empty, places.blobs)
    undoing.callback(_remove, written)
    return written


def _mark(ledger: Path, source: Source, state: Literal["loading", "loaded"]) -> None:
    make_folder(ledger)
    mark = Mark(backup=source.fingerprint, made_at=source.manifest.made_at, state=state)
    write_file(ledger / UNVERIFIED, msgspec.json.encode(mark) + b"\n", mode=PUBLIC)


def _remove_store(file: Path) -> None:
    _remove(file.with_name(name) for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"))


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)


def _empty(folder: Path) -> None:
    """Remove all that is in a folder, the mark of a cut-off restore last."""
    if not folder.is_dir():
        return
    for one in sorted(folder.iterdir(), key=lambda one: one.name == UNVERIFIED):
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def _has_files(folder: Path) -> bool:
    return any(not one.is_dir() for one in folder.rglob("*"))
