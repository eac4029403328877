"""The published ledger as files: tiles, entry bundles and the checkpoint, which any web server can serve.

Layout of C2SP tlog-tiles: `checkpoint`, `tile/<L>/<N>`, `tile/entries/<N>`, partial ones with `.p/<W>`;
`vkey` beside them.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from domain.errors import NotFound, ReceiptAhead
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import Note
from domain.ledger.proof import make_receipt
from domain.ledger.tiles import WIDTH, Tile, TileReader
from infrastructure.files import PUBLIC, disk_errors, make_folder, part_file, sync_folder, write_file

CHECKPOINT: Final = "checkpoint"
VKEY: Final = "vkey"
UNVERIFIED: Final = "restored.unverified"
"""Stands in the folder from a restore until it is verified: nothing is signed meanwhile."""

_LOCK: Final = ".publisher"


class Published:
    """Reads a published ledger; needs no key and checks no signature. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = Lock()
        self._nodes: tuple[int, TileReader] = (0, TileReader(self.read, 0))

    def checkpoint(self) -> bytes | None:
        """The signed checkpoint as it stands, or None before the first."""
        with disk_errors():
            try:
                return (self.folder / CHECKPOINT).read_bytes()
            except FileNotFoundError:
                return None

    @property
    def unverified(self) -> bool:
        """Whether the installation was restored from a backup and nobody has verified it since."""
        return (self.folder / UNVERIFIED).exists()

    def read(self, path: str) -> bytes:
        """A tile or bundle by its path; FileNotFoundError. The opener that `domain/ledger` asks for."""
        return (self.folder / path).read_bytes()

    def receipt(self, idx: int) -> bytes:
        """The proof (C2SP tlog-proof) that the event at `idx` is in the log, under the present checkpoint.

        `ReceiptAhead` for an event that the checkpoint does not cover yet, `NotFound` for no position.
        """
        if idx < 0:
            raise NotFound(kind="receipt", id=str(idx))
        note = self.checkpoint()
        size = 0 if note is None else Checkpoint.parse(Note.parse(note).text).size
        if note is None or idx >= size:
            raise ReceiptAhead(idx=idx, size=size)
        with disk_errors(), self._lock:
            if self._nodes[0] != size:
                self._nodes = (size, TileReader(self.read, size))
            return make_receipt(idx, size, note, self._nodes[1]).encode()


class LedgerFolder(Published):
    """Writes a ledger for publishing. `flush` makes what was written safe; only then `show` a checkpoint."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._unflushed: set[Path] = set()
        self._outgrown: set[Path] = set()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process or thread of this machine publishes here, and keep them out."""
        make_folder(self.folder)
        with (self.folder / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write(self, tile: Tile, content: bytes) -> None:
        """Let a tile stand with this content; one that stands so already is left alone."""
        place = self.folder / tile.path()
        if tile.width == WIDTH and (partials := place.with_name(f"{place.name}.p")).is_dir():
            self._outgrown.add(partials)
        if place.is_file() and place.read_bytes() == content:
            return
        make_folder(place.parent)
        with part_file(place.parent, mode=PUBLIC) as part:
            part.stream.write(content)
            part.keep(place, sync_name=False)
        self._unflushed.add(place.parent)

    def flush(self) -> None:
        """Make sure that the names of all tiles written are on the disk; their content is already."""
        for folder in self._unflushed:
            sync_folder(folder)
        self._unflushed.clear()

    def show(self, note: bytes) -> None:
        """Let the checkpoint stand; partial tiles that full ones have replaced are not needed then."""
        write_file(self.folder / CHECKPOINT, note, mode=PUBLIC)
        while self._outgrown:
            shutil.rmtree(self._outgrown.pop())

    def show_vkey(self, vkey: str) -> None:
        """Let the verifier key stand beside the checkpoint, to be compared with what another source says."""
        place, line = self.folder / VKEY, f"{vkey}\n".encode()
        if not place.is_file() or place.read_bytes() != line:
            write_file(place, line, mode=PUBLIC)
