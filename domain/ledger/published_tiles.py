"""The published files, held against the entries they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from domain.ledger.errors import LedgerError
from domain.ledger.finding import LIMIT, Finding, Findings
from domain.ledger.merkle import HASH_SIZE
from domain.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Opener, Tile, TileWriter, parse_bundle, parse_tile


class TileCheck:
    """Compares the published files of a log of `size` with a tree that grows to that size and beyond.

    Gives `findings`: `tile.missing` and `tile.differs` with the first position at which the file is wrong.
    A partial file that the full one has replaced is read from that. Whoever lets the tree grow must stop at
    `size`. Bundles are left out where `bundles` is false: for who reads the entries from them, and who says
    with `lose` from where on there is nothing to compare with.
    """

    def __init__(self, size: int, read: Opener, *, limit: int = LIMIT, bundles: bool = True) -> None:
        self.size = size
        self._bundles = bundles
        self.findings = Findings(limit)
        self._read = read
        self._lost = False

    def lose(self) -> None:
        """Entries are missing from here on: what hashes they would give nobody knows."""
        self._lost = True

    def follow(self, tree: TileWriter, filled: Iterable[tuple[Tile, bytes]]) -> None:
        """Compare the tiles that the tree's last growth filled."""
        if self._lost:
            return
        if tree.size <= self.size:
            self.findings.add(self._compare(filled))
        if tree.size == self.size:
            self.findings.add(self._compare(tree.partials()))

    def end(self, tree: TileWriter) -> None:
        """Compare what is left of a tree that does not grow any more."""
        if tree.size < self.size and not self._lost:
            self.findings.add(self._compare(tree.partials()))

    def _compare(self, tiles: Iterable[tuple[Tile, bytes]]) -> Iterator[Finding]:
        for tile, expected in tiles:
            if tile.level == ENTRIES and not self._bundles:
                continue
            path, start = tile.path(), tile.index << HEIGHT * (max(tile.level, 0) + 1)
            published, fits = self._published(tile, len(expected))
            if published is None:
                yield Finding("tile.missing", start, {"path": path})
            elif published != expected or not fits:
                offset = _first_difference(tile, published, expected) << HEIGHT * max(tile.level, 0)
                yield Finding("tile.differs", start + offset, {"path": path})

    def _published(self, tile: Tile, size: int) -> tuple[bytes | None, bool]:
        """The file, or as many bytes of the full tile that has replaced it (the log may be going on), and
        whether that is full indeed.
        """
        with suppress(FileNotFoundError):
            return self._read(tile.path()), True
        try:
            full = self._read(Tile(tile.level, tile.index).path()) if tile.width < WIDTH else None
        except FileNotFoundError:
            full = None
        return (None, True) if full is None else (full[:size], _is_full(tile, full))


def _is_full(tile: Tile, data: bytes) -> bool:
    try:
        parse_bundle(data, WIDTH) if tile.level == ENTRIES else parse_tile(data, WIDTH)
    except LedgerError:
        return False
    return True


def verify_tiles(entries: Iterable[tuple[int, bytes]], size: int, read: Opener) -> Iterator[Finding]:
    """Compare the published tiles and bundles of a log of `size` with its entries, given as (idx, bytes)
    in order, without looking at anything else; what is found, in the order of the tiles.

    Raises EntryTooLarge.
    """
    check, tree = TileCheck(size, read), TileWriter()
    within = (entry for idx, entry in entries if idx < size)
    check.follow(tree, tree.extend(within))
    check.end(tree)
    yield from check.findings.kept


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
