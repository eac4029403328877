"""Which files of an exported folder a check compares with something: whatever else lies there is told."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.ledger.errors import TileMalformed
from domain.ledger.folder import CHECKPOINT, STATES
from domain.ledger.published_trust import POLICY, VKEY
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, tile_width

STAMP: Final = ".tsr"
KEPT: Final = "checkpoints"
ABANDONED: Final = "abandoned"
_KNOWN: Final = frozenset((CHECKPOINT, VKEY, POLICY, "tsa.pem", "VERIFY.md", "verify.go"))


def unread_files(folder: Path, size: int) -> Iterator[str]:
    """The paths of files that say nothing about a log of `size`; those that only help are left out."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = (Path(place) / name).relative_to(folder)
            if not _is_read(folder, path, size):
                yield path.as_posix()


def is_kept(file: Path) -> bool:
    """Whether a file beside kept checkpoints is one of them."""
    return file.is_file() and not file.name.startswith(".") and file.suffix != STAMP


def _is_read(folder: Path, path: Path, size: int) -> bool:
    match path.parts:
        case ("tile", *_):
            return _is_tile(folder, path.as_posix(), size)
        case (name, *rest) if name == STATES:
            return _is_states("/".join(rest), size)
        case (name, _) if name == KEPT:
            return _is_note_or_stamp(folder / path)
        case (name, _, kept, _) if (name, kept) == (ABANDONED, KEPT):
            return _is_note_or_stamp(folder / path)
        case (name, _, inner, *_) if name == ABANDONED:
            return inner in (CHECKPOINT, "tile")
    return path.as_posix() in _KNOWN


def _is_tile(folder: Path, path: str, size: int) -> bool:
    try:
        tile = Tile.parse(path)
    except TileMalformed:
        return False
    width = tile_width(tile.level, tile.index, size)
    if tile.width != WIDTH or not width:
        return tile.width == width
    return width == WIDTH or not (folder / Tile(tile.level, tile.index, width).path()).is_file()


def _is_states(name: str, size: int) -> bool:
    try:
        tile = Tile.parse(f"tile/entries/{name}")
    except TileMalformed:
        return False
    return tile.width == WIDTH and tile_width(ENTRIES, tile.index, size) > 0


def _is_note_or_stamp(file: Path) -> bool:
    return is_kept(file) or (file.suffix == STAMP and is_kept(file.with_suffix("")))
