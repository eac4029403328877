"""Checkpoints that are kept for good, each with the cosignatures and the time-stamp that it got.

`checkpoints/<size>` is the signed note, `checkpoints/<size>.tsr` the authority's response over its text.
Beside them, hidden, stands a copy of the newest one that the quorum has cosigned.
"""

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from heapq import nlargest
from pathlib import Path
from typing import Final

from domain.errors import LedgerDiverged
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import add_signatures
from domain.ledger.errors import LedgerError
from domain.ledger.note import Note, Signature
from infrastructure.files import PUBLIC, disk_errors, make_folder, sync_folder, write_file

CHECKPOINTS: Final = "checkpoints"
STAMP: Final = ".tsr"
_WITNESSED: Final = ".witnessed"
_LOCK: Final = ".kept"


class KeptCheckpoints:
    """Reads and keeps them in a ledger's folder. Threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def note(self, size: int) -> bytes | None:
        """The kept checkpoint of a size, or None."""
        return self._read(f"{CHECKPOINTS}/{size}")

    def token(self, size: int) -> bytes | None:
        """The time-stamp of the kept checkpoint of a size, or None."""
        return self._read(f"{CHECKPOINTS}/{size}{STAMP}")

    def witnessed(self) -> bytes | None:
        """The newest checkpoint that the quorum has cosigned, or None."""
        return self._read(_WITNESSED)

    def sizes(self, *, below: int | None = None, limit: int | None = None) -> list[int]:
        """The sizes of kept checkpoints, the largest first."""
        with disk_errors():
            try:
                names = os.listdir(self.folder / CHECKPOINTS)
            except FileNotFoundError:
                return []
        found = [int(name) for name in names if name.isdecimal()]
        wanted = found if below is None else [size for size in found if size < below]
        return nlargest(len(wanted) if limit is None else limit, wanted)

    def keep(self, note: bytes, lines: Sequence[Signature] = ()) -> bytes:
        """Keep a checkpoint, or add signatures to it; the note as it stands now.

        Of each key the first line stays; none is lost. `LedgerDiverged` (kept-differs, kept-unreadable) where
        another checkpoint of this size is kept.
        """
        size = size_of(note)
        with disk_errors(), self._alone():
            standing = self.note(size)
            merged = _merged(note if standing is None else standing, note, lines, size)
            if merged != standing:
                make_folder(self.folder / CHECKPOINTS)
                write_file(self.folder / CHECKPOINTS / str(size), merged, mode=PUBLIC)
        return merged

    def keep_token(self, note: bytes, token: bytes) -> None:
        """Keep the time-stamp of a checkpoint, and the checkpoint itself; the first stays."""
        self.keep(note)
        with disk_errors(), self._alone():
            place = self.folder / CHECKPOINTS / f"{size_of(note)}{STAMP}"
            if not place.exists():
                write_file(place, token, mode=PUBLIC)

    def show_witnessed(self, note: bytes) -> None:
        """Let a checkpoint be the newest that the quorum has cosigned, unless a larger one is."""
        with disk_errors(), self._alone():
            standing = self.witnessed()
            if standing is None or size_of(standing) <= size_of(note):
                write_file(self.folder / _WITNESSED, note, mode=PUBLIC)

    def set_aside(self, place: Path, *, stay: Collection[int]) -> None:
        """Move all but those of the sizes to `stay` into a folder; to be repeated after a kill."""
        with disk_errors(), self._alone():
            standing = self.witnessed()
            if standing is not None and size_of(standing) not in stay:
                (self.folder / _WITNESSED).unlink()
            make_folder(place)
            for size in self.sizes():
                for name in (f"{size}{STAMP}", str(size)) if size not in stay else ():
                    file = self.folder / CHECKPOINTS / name
                    if file.exists():
                        file.replace(place / name)
            sync_folder(place)

    def take_turn(self, work: str, seconds: float) -> bool:
        """Whether nobody who shares the folder has done the work for so long; if so, it is ours now."""
        marker = self.folder / f".{work}"
        with disk_errors(), self._alone():
            now = time.time()
            if marker.exists() and abs(now - marker.stat().st_mtime) < seconds:
                return False
            marker.touch()
            os.utime(marker, (now, now))
        return True

    def give_back(self, work: str) -> None:
        """Let whoever comes next do the work, however long ago it was done."""
        with disk_errors():
            (self.folder / f".{work}").unlink(missing_ok=True)

    def _read(self, name: str) -> bytes | None:
        with disk_errors():
            try:
                return (self.folder / name).read_bytes()
            except FileNotFoundError:
                return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        make_folder(self.folder)
        with (self.folder / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def size_of(note: bytes) -> int:
    """The size that a note's checkpoint says. Raises NoteMalformed, CheckpointMalformed."""
    return Checkpoint.parse(Note.parse(note).text).size


def _merged(standing: bytes, note: bytes, lines: Sequence[Signature], size: int) -> bytes:
    try:
        kept, given = Note.parse(standing), Note.parse(note)
    except LedgerError as error:
        raise LedgerDiverged(reason="kept-unreadable", size=size, published=size) from error
    if kept.text != given.text:
        raise LedgerDiverged(reason="kept-differs", size=size, published=size)
    # Who asks often for the same checkpoint gets a line each time; a note holds a hundred.
    fresh: dict[tuple[str, bytes], Signature] = {}
    signed = {(one.name, one.key_id) for one in kept.signatures}
    for line in (*given.signatures, *lines):
        if (line.name, line.key_id) not in signed:
            fresh.setdefault((line.name, line.key_id), line)
    return add_signatures(standing, list(fresh.values()))
