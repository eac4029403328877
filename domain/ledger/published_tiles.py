"""The published files, held against the entries they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.ledger.merkle import HASH_SIZE
from domain.ledger.tiles import ENTRIES, HEIGHT, Opener, Tile, TileWriter, parse_bundle
from domain.ledger.verify import Finding


def verify_tiles(entries: Iterable[tuple[int, bytes]], size: int, read: Opener) -> Iterator[Finding]:
    """Compare the published tiles and bundles of a log of `size` with its entries, given as (idx, bytes)
    in order.

    Gives `tile.missing` and `tile.differs` with the first position at which the file is wrong. A partial
    file that the full one has replaced is not asked for. Raises EntryTooLarge, which `verify_log` finds
    before.
    """
    writer = TileWriter()
    within = (entry for idx, entry in entries if idx < size)
    for tiles in (writer.extend(within), writer.partials()):
        for tile, expected in tiles:
            start = tile.index << HEIGHT * (max(tile.level, 0) + 1)
            try:
                published = read(tile.path())
            except FileNotFoundError:
                yield Finding("tile.missing", start, {"path": tile.path()})
                continue
            if published != expected:
                offset = _first_difference(tile, published, expected) << HEIGHT * max(tile.level, 0)
                yield Finding("tile.differs", start + offset, {"path": tile.path()})


def _first_difference(tile: Tile, published: bytes, expected: bytes) -> int:
    """Which hash or entry of the tile is the first that is not as expected; the last where bytes only
    follow it.
    """
    end = 0
    for number, size in enumerate(_sizes(tile, expected)):
        end += size
        if published[:end] != expected[:end]:
            return number
    return tile.width - 1


def _sizes(tile: Tile, expected: bytes) -> list[int]:
    """How many bytes each hash or entry of the tile takes."""
    if tile.level == ENTRIES:
        return [2 + len(entry) for entry in parse_bundle(expected, tile.width)]
    return [HASH_SIZE] * tile.width
