"""What is held outside the installation and a restored one is measured by: checkpoints, a copy of the ledger.

Checkpoints count if a trusted key signed them. The entries of a copy count once their tree has the root of
its signed checkpoint: they tell what was recorded after the backup, and whose data was erased since.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from domain.errors import Invalid
from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.errors import LedgerError
from domain.ledger.held import Held
from domain.ledger.note import VerifierKey
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, TileWriter, parse_bundle, read_tile, tile_width
from infrastructure.files import disk_errors
from infrastructure.held_checkpoints import KEPT, brought_checkpoints, published_checkpoints
from infrastructure.ledger_files import CHECKPOINT, LedgerFolder, Published

PERSON_ERASED: Final = "person.erased.v1"
ORIGINAL_ERASED: Final = "intake.original-erased.v1"
_ERASING: Final = frozenset((PERSON_ERASED, ORIGINAL_ERASED))


class HeldWrong(Invalid):
    """What is held outside cannot be believed; facts: `file`, `reason`."""

    code = "held-checkpoint-wrong"


@dataclass(frozen=True)
class Known:
    """A checkpoint that a trusted key signed, as it was found."""

    held: Held
    checkpoint: Checkpoint


@dataclass(frozen=True)
class Tail:
    """What a copy of the ledger says beside a log of `size`: its root at that size (None if it is shorter),
    when the first and the last later event were recorded ("" if there is none), and all erasures.
    """

    size: int
    root: bytes | None
    first_at: str
    last_at: str
    erasures: tuple[Entry, ...]


@dataclass(frozen=True)
class Outside:
    """Everything held outside; `folder` is a copy of the published ledger, if there is one."""

    known: tuple[Known, ...] = ()
    folder: Path | None = None

    @property
    def newest(self) -> Known | None:
        """The checkpoint of the largest log."""
        return max(self.known, key=lambda one: one.checkpoint.size, default=None)

    @property
    def copy(self) -> Known | None:
        """The copy's own checkpoint."""
        return self.known[0] if self.folder is not None else None

    def tail(self, size: int) -> Tail | None:
        """What the copy says beside a log of `size`; None without a copy.

        `HeldWrong` unless the copy's entries make the tree of its checkpoint.
        """
        if self.folder is None or self.copy is None:
            return None
        reading = _Reading(self.folder, self.copy.checkpoint, size)
        try:
            with disk_errors(passing=FileNotFoundError):
                return reading.run()
        except (FileNotFoundError, LedgerError) as error:
            raise HeldWrong(file=str(self.folder), reason=str(error)) from error

    def publish(self, folder: LedgerFolder) -> None:
        """Let the newest checkpoint stand as the published one, with its tiles if they are at hand."""
        if self.newest is None:
            return
        if self.folder is not None and self.newest is self.copy:
            for tile, content in _tiles(self.folder, self.newest.checkpoint.size):
                folder.write(tile, content)
            folder.flush()
        folder.show(self.newest.held.note)


def read_outside(
    origin: str, keys: Sequence[VerifierKey], files: Sequence[Path] = (), folder: Path | None = None
) -> Outside:
    """The checkpoints in files or folders of files, and those of a published ledger's copy.

    `HeldWrong` for one that no trusted key signed, or of another log; OSError.
    """
    held = list(_held_by_copy(folder)) if folder is not None else []
    held += brought_checkpoints(files)
    return Outside(tuple(_known(origin, keys, one) for one in held), folder)


def _held_by_copy(folder: Path) -> Iterator[Held]:
    """The copy's own checkpoint first, then those that it keeps; what was given up is not of this history."""
    yield Held(str(folder / CHECKPOINT), (folder / CHECKPOINT).read_bytes())
    for one in published_checkpoints(folder):
        if one.name.startswith(f"{KEPT}/"):
            yield replace(one, name=str(folder / one.name))


def _known(origin: str, keys: Sequence[VerifierKey], held: Held) -> Known:
    try:
        checkpoint = open_checkpoint(held.note, keys)
    except LedgerError as error:
        raise HeldWrong(file=held.name, reason=str(error)) from error
    if checkpoint.origin != origin:
        raise HeldWrong(file=held.name, reason="origin", found=checkpoint.origin, expected=origin)
    return Known(held, checkpoint)


class _Reading:
    """One pass over a copy's entries."""

    def __init__(self, folder: Path, checkpoint: Checkpoint, size: int) -> None:
        self._folder, self._checkpoint, self._size = folder, checkpoint, size
        self._tree = TileWriter()
        self._erasures: list[Entry] = []
        self._first_at = self._last_at = ""

    def run(self) -> Tail:
        """Read to the end, and believe it only then."""
        cut = min(self._size, self._checkpoint.size)
        entries = self._entries()
        root = self._grow(entries, cut)
        self._grow(entries, self._checkpoint.size)
        if self._tree.root() != self._checkpoint.root:
            raise HeldWrong(file=str(self._folder), reason="root")
        return Tail(
            size=self._checkpoint.size,
            root=root if self._size <= self._checkpoint.size else None,
            first_at=self._first_at,
            last_at=self._last_at,
            erasures=tuple(self._erasures),
        )

    def _grow(self, entries: Iterator[bytes], size: int) -> bytes:
        wanted = (next(entries) for _ in range(size - self._tree.size))
        deque(self._tree.extend(wanted), maxlen=0)  # only the tree is wanted, not its tiles
        return self._tree.root()

    def _entries(self) -> Iterator[bytes]:
        for position, data in enumerate(_bundles(self._folder, self._checkpoint.size)):
            self._look(position, data)
            yield data

    def _look(self, position: int, data: bytes) -> None:
        entry = parse_entry(data)
        if position >= self._size:
            self._first_at = self._first_at or entry.at
            self._last_at = entry.at
        if entry.topic in _ERASING:
            self._erasures.append(entry)


def _bundles(folder: Path, size: int) -> Iterator[bytes]:
    read = Published(folder).read
    for index in range(-(-size // WIDTH)):
        width = tile_width(ENTRIES, index, size)
        yield from parse_bundle(read_tile(read, Tile(ENTRIES, index, width), size), width)


def _tiles(folder: Path, size: int) -> Iterator[tuple[Tile, bytes]]:
    """All tiles of the copy, made anew from its entries."""
    tree = TileWriter()
    yield from tree.extend(_bundles(folder, size))
    yield from tree.partials()
