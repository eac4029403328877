"""The published ledger as files: tiles, entry bundles and the checkpoint, which any web server can serve.

Layout of C2SP tlog-tiles: `checkpoint`, `tile/<L>/<N>`, `tile/entries/<N>`, partial ones with `.p/<W>`;
`vkey`, `trust-policy` and `checkpoints/` beside them; `abandoned/<size>/` is what two people gave up.
"""

import fcntl
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from domain.errors import NotFound, ReceiptAhead, SizesOutOfOrder
from domain.ledger.merkle import consistency_proof, root_at
from domain.ledger.note import Note
from domain.ledger.proof import make_receipt
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, TileReader
from infrastructure.files import PUBLIC, disk_errors, make_folder, part_file, sync_folder, write_file
from infrastructure.kept_checkpoints import CHECKPOINTS, KeptCheckpoints, size_of

CHECKPOINT: Final = "checkpoint"
VKEY: Final = "vkey"
POLICY: Final = "trust-policy"
TILES: Final = "tile"
ABANDONED: Final = "abandoned"
UNVERIFIED: Final = "restored.unverified"
"""Stands in the folder from a restore until it is verified: nothing is signed meanwhile."""

_LOCK: Final = ".publisher"


class Consistency(NamedTuple):
    """A proof of consistency with the roots that it leads from and to."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    proof: tuple[bytes, ...]


class Published:
    """Reads a published ledger; needs no key and checks no signature. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept = KeptCheckpoints(folder)
        self._lock = Lock()
        self._nodes: dict[int, TileReader] = {}

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

    def trust_policy(self) -> bytes | None:
        """The trust policy as it was published last, or None before the first publication."""
        with disk_errors():
            try:
                return (self.folder / POLICY).read_bytes()
            except FileNotFoundError:
                return None

    def receipt(self, idx: int) -> bytes:
        """The proof (C2SP tlog-proof) that the event at `idx` is in the log.

        Under the newest checkpoint that the quorum has cosigned, if it covers the event; else the newest.
        `ReceiptAhead` for an event that no checkpoint covers yet, `NotFound` for no position.
        """
        if idx < 0:
            raise NotFound(kind="receipt", id=str(idx))
        note = self.kept.witnessed()
        if note is None or size_of(note) <= idx:
            note = self.checkpoint()
        size = 0 if note is None else size_of(note)
        if note is None or idx >= size:
            raise ReceiptAhead(idx=idx, size=size)
        with disk_errors(), self._lock:
            return make_receipt(idx, size, note, self._tree(size)).encode()

    def receipts_under(self, note: bytes, positions: Sequence[int]) -> list[bytes]:
        """The proofs of several events under one published checkpoint, which covers them all."""
        size = size_of(note)
        with disk_errors(), self._lock:
            node = self._tree(size)
            return [make_receipt(idx, size, note, node).encode() for idx in positions]

    def consistency(self, old: int, new: int) -> Consistency:
        """The proof that the tree of size `new` begins with that of size `old`.

        `SizesOutOfOrder`, and `ReceiptAhead` where no checkpoint reaches so far yet.
        """
        if not 0 <= old <= new:
            raise SizesOutOfOrder(old=old, new=new)
        note = self.checkpoint()
        size = 0 if note is None else size_of(note)
        if new > size:
            raise ReceiptAhead(idx=new - 1, size=size)
        with disk_errors(), self._lock:
            node = self._tree(size)
            proof = consistency_proof(old, new, node)
            return Consistency(old, root_at(old, node), new, root_at(new, node), tuple(proof))

    def _tree(self, size: int) -> TileReader:
        # The newest and the newest witnessed are asked for again and again: the last two used are kept.
        node = self._nodes.pop(size, None) or TileReader(self.read, size)
        self._nodes[size] = node
        if len(self._nodes) > 2:
            del self._nodes[next(iter(self._nodes))]
        return node


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

    def entries_beyond(self, size: int) -> int:
        """How many entries the bundles here are seen to hold where that is more than `size`, else 0."""
        index, width = divmod(size, WIDTH)
        full = self.folder / Tile(ENTRIES, index).path()
        partials = full.with_name(f"{full.name}.p")
        names = [one.name for one in partials.iterdir()] if partials.is_dir() else []
        found = WIDTH if full.exists() else max((int(one) for one in names if one.isdecimal()), default=0)
        return index * WIDTH + found if found > width else 0

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

    def show_signatures(self, note: bytes) -> None:
        """Let the checkpoint that is shown have these signatures too, if it is the same one."""
        with disk_errors(), self.alone():
            shown = self.checkpoint()
            if shown is not None and shown != note and Note.parse(shown).text == Note.parse(note).text:
                write_file(self.folder / CHECKPOINT, note, mode=PUBLIC)

    def show_trust(self, vkey: str, policy: bytes) -> None:
        """Let verifier key and trust policy stand beside the checkpoint, to compare with another source."""
        for name, content in ((VKEY, f"{vkey}\n".encode()), (POLICY, policy)):
            place = self.folder / name
            if not place.is_file() or place.read_bytes() != content:
                write_file(place, content, mode=PUBLIC)

    def abandon(self, note: bytes, *, stay: Collection[int]) -> None:
        """Move what was published up to a checkpoint that is given up to a place of its own, for auditors.

        Kept checkpoints of the sizes to `stay` are the store's as well. Killed on the way, it is called
        again: the checkpoint is removed last.
        """
        place = self.folder / ABANDONED / str(size_of(note))
        make_folder(place)
        write_file(place / CHECKPOINT, note, mode=PUBLIC)
        self.kept.set_aside(place / CHECKPOINTS, stay=stay)
        if (self.folder / TILES).exists():
            (self.folder / TILES).replace(place / TILES)
        sync_folder(place)
        (self.folder / CHECKPOINT).unlink()
        sync_folder(self.folder)
        self._unflushed.clear()
        self._outgrown.clear()
        self._nodes.clear()
