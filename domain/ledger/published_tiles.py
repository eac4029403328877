"""The published files, held against the entries they were made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.ledger.finding import LIMIT, Finding, Findings
from domain.ledger.merkle import HASH_SIZE
from domain.ledger.tiles import ENTRIES, HEIGHT, WIDTH, Opener, Tile, TileWriter, parse_bundle


class TileCheck:
    """Compares the published files of a log of `size` with a tree that grows to that size and beyond.

    Gives `findings`: `tile.missing` and `tile.differs` with the first position at which the file is wrong.
    A partial file that the full one has replaced is read from that. Whoever lets the tree grow must stop at
    `size`. Bundles are left out where `bundles` is false: for who reads the entries from them.
    """

    def __init__(self, size: int, read: Opener, *, limit: int = LIMIT, bundles: bool = True) -> None:
        self.size = size
        self._bundles = bundles
        self.findings = Findings(limit)
        self._read = read

    def follow(self, tree: TileWriter, filled: Iterable[tuple[Tile, bytes]]) -> None:
        """Compare the tiles that the tree's last growth filled."""
        if tree.size <= self.size:
            self.findings.add(self._compare(filled))
        if tree.size == self.size:
            self.findings.add(self._compare(tree.partials()))

    def end(self, tree: TileWriter) -> None:
        """Compare what is left of a tree that does not grow any more."""
        if tree.size < self.size:
            self.findings.add(self._compare(tree.partials()))

    def _compare(self, tiles: Iterable[tuple[Tile, bytes]]) -> Iterator[Finding]:
        for tile, expected in tiles:
            if tile.level == ENTRIES and not self._bundles:
                continue
            path, start = tile.path(), tile.index << HEIGHT * (max(tile.level, 0) + 1)
            published = self._published(tile, len(expected))
            if published is None:
                yield Finding("tile.missing", start, {"path": path})
            elif published != expected:
                offset = _first_difference(tile, published, expected) << HEIGHT * max(tile.level, 0)
                yield Finding("tile.differs", start + offset, {"path": path})

    def _published(self, tile: Tile, size: int) -> bytes | None:
        """The file, or as many bytes of the full tile that has replaced it: the log may be going on."""
        try:
            return self._read(tile.path())
        except FileNotFoundError:
            pass
        try:
            return self._read(Tile(tile.level, tile.index).path())[:size] if tile.width < WIDTH else None
        except FileNotFoundError:
            return None


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
