"""C2SP tlog-tiles: the log as static files of 256 hashes, or 256 entries, each.

`tile/<L>/<N>[.p/<W>]` holds hashes of level 8·L; `tile/entries/<N>[.p/<W>]` the entries under the tile of
level 0. Full ones never change. Openers take such a path and give the file's bytes, or raise
FileNotFoundError.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Self

from domain.ledger.entry import SIZE_LIMIT
from domain.ledger.errors import BundleMalformed, EntryTooLarge, TileMalformed
from domain.ledger.merkle import HASH_SIZE, Frontier, leaf_hash, pair, perfect_root

WIDTH = 256
HEIGHT = 8
ENTRIES = -1
"""The level of an entry bundle, which stands beside the hash tiles."""

Opener = Callable[[str], bytes]

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The name of a tile: its level (ENTRIES for a bundle), its index within the level, and how much of
    it is filled.
    """

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """Where it is published, relative to the log's prefix."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_index_path(self.index)}{partial}"

    @classmethod
    def parse(cls, path: str) -> Self:
        """Read a path in its one valid form. Raises TileMalformed."""
        match = _PATH.fullmatch(path)
        if not match:
            raise TileMalformed(path=path)
        level = ENTRIES if match["level"] == "entries" else int(match["level"])
        tile = cls(level, int(match["index"].replace("x", "").replace("/", "")), int(match["width"] or WIDTH))
        if tile.path() != path or tile.width > WIDTH:
            raise TileMalformed(path=path)
        return tile


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes (or entries) the tile has in a log of `size`: 0 … 256."""
    return max(0, min(WIDTH, _count(level, size) - index * WIDTH))


def tiles_written(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a log has to publish as it grows from `old` to `new` entries: bundles first, then
    level by level.

    All must stand before the checkpoint of `new` does. Full tiles among them are written once and never
    again.
    """
    level = ENTRIES
    while _count(level, new):
        before, after = _count(level, old), _count(level, new)
        if before != after:
            for index in range(before // WIDTH, -(-after // WIDTH)):
                yield Tile(level, index, tile_width(level, index, new))
        level += 1


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes, big-endian. Raises EntryTooLarge."""
    parts: list[bytes] = []
    for entry in entries:
        size = len(entry)
        if size > SIZE_LIMIT:
            raise EntryTooLarge(size=size, limit=SIZE_LIMIT)
        parts += (size.to_bytes(2, "big"), entry)
    return b"".join(parts)


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle. Raises BundleMalformed if it is cut short or bytes are left over."""
    entries, start = list[bytes](), 0
    for _ in range(width):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        if start + 2 > len(data) or end > len(data):
            raise BundleMalformed(reason="cut short", entry=len(entries))
        entries.append(data[start + 2 : end])
        start = end
    if start != len(data):
        raise BundleMalformed(reason="trailing bytes", bytes=len(data) - start)
    return entries


def parse_tile(data: bytes, width: int) -> list[bytes]:
    """The `width` hashes of a tile. Raises TileMalformed for any other length."""
    if len(data) != width * HASH_SIZE:
        raise TileMalformed(length=len(data), width=width)
    return [data[start : start + HASH_SIZE] for start in range(0, len(data), HASH_SIZE)]


def read_tile(read: Opener, tile: Tile, size: int) -> bytes:
    """The bytes of a tile of the log of `size`, taken from the full tile where the partial one has been
    removed.
    """
    width = tile_width(tile.level, tile.index, size)
    try:
        return read(Tile(tile.level, tile.index, width).path())
    except FileNotFoundError:
        if width == WIDTH:
            raise
    full = read(Tile(tile.level, tile.index).path())
    if tile.level == ENTRIES:
        return encode_bundle(parse_bundle(full, WIDTH)[:width])
    return full[: width * HASH_SIZE]


class TileReader:
    """Nodes of a published tree: a merkle.NodeReader over the tiles of a log of `size`.

    Holds at most 64 tiles. Does not verify what it reads: a wrong hash gives a proof that does not verify.
    """

    KEPT = 64

    def __init__(self, read: Opener, size: int) -> None:
        self._read, self._size = read, size
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash of the complete node. Raises TileMalformed, FileNotFoundError."""
        tile, height = divmod(level, HEIGHT)
        number, offset = divmod(index, WIDTH >> height)
        return self._tile(tile, number)[height][offset]

    def _tile(self, level: int, index: int) -> list[list[bytes]]:
        rows = self._rows.get((level, index))
        if rows is None:
            tile = Tile(level, index, tile_width(level, index, self._size))
            rows = _rows(parse_tile(read_tile(self._read, tile, self._size), tile.width))
            if len(self._rows) >= self.KEPT:
                del self._rows[next(iter(self._rows))]
            self._rows[level, index] = rows
        return rows


class TileWriter:
    """The files that a growing log publishes, made from its entries. Holds only the rightmost, partial tiles.

    Take `extend`'s full tiles as they come and `partials` at the end, write them, then sign `root()` at
    `size`.
    """

    def __init__(self) -> None:
        self._start = self.size = 0
        self._entries: list[bytes] = []
        self._hashes: list[list[bytes]] = []

    @classmethod
    def resume(cls, size: int, read: Opener) -> Self:
        """Go on where a published log of `size` stands. Compare `root()` with its checkpoint before going on.

        Raises FileNotFoundError, TileMalformed, BundleMalformed.
        """
        writer = cls()
        writer._start = writer.size = size
        level = ENTRIES
        while _count(level, size):
            index, width = divmod(_count(level, size), WIDTH)
            data = read_tile(read, Tile(level, index, width), size) if width else b""
            if level == ENTRIES:
                writer._entries = parse_bundle(data, width)
            else:
                writer._hashes.append(parse_tile(data, width))
            level += 1
        return writer

    @property
    def room(self) -> int:
        """How many entries go into the present bundle until it is full."""
        return WIDTH - self.size % WIDTH

    def extend(self, entries: Iterable[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """Add entries; gives each tile that they fill, with its bytes. Raises EntryTooLarge."""
        following = iter(entries)
        while block := list(islice(following, self.room)):
            yield from self.add(block, [leaf_hash(entry) for entry in block])

    def add(self, entries: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[tuple[Tile, bytes]]:
        """`extend` for no more entries than there is `room` for, whose leaf hashes are known."""
        self.size += len(entries)
        self._entries += entries
        if len(self._entries) == WIDTH:
            yield Tile(ENTRIES, self.size // WIDTH - 1), encode_bundle(self._entries)
            self._entries = []
        yield from self._append(leaves, 0)

    def rows(self) -> list[bytes]:
        """The hashes of the partial tiles, by level, for `of_rows`; only where a bundle has just ended."""
        if self._entries:
            raise BundleMalformed(reason="cut short", entry=len(self._entries))
        return [b"".join(row) for row in self._hashes]

    @classmethod
    def of_rows(cls, size: int, rows: Sequence[bytes]) -> Self:
        """The writer of a tree of `size` from what `rows` gave, as if it had written all the tiles.

        Raises TileMalformed where the hashes are not as many as the size asks for.
        """
        writer = cls()
        writer.size = size
        writer._hashes = [parse_tile(row, _count(level, size) % WIDTH) for level, row in enumerate(rows)]
        if size % WIDTH or _count(len(rows), size) or (rows and not _count(len(rows) - 1, size)):
            raise TileMalformed(length=len(rows), width=size)
        return writer

    def _append(self, nodes: Sequence[bytes], level: int) -> Iterator[tuple[Tile, bytes]]:
        if level == len(self._hashes):
            self._hashes.append([])
        row = self._hashes[level]
        row += nodes
        if len(row) == WIDTH:
            self._hashes[level] = []
            yield Tile(level, _count(level, self.size) // WIDTH - 1), b"".join(row)
            yield from self._append([perfect_root(row)], level + 1)

    def partials(self) -> Iterator[tuple[Tile, bytes]]:
        """The partial tiles of the log as it now stands that have grown since it was begun or resumed."""
        for tile in tiles_written(self._start, self.size):
            if tile.width == WIDTH:
                continue
            if tile.level == ENTRIES:
                yield tile, encode_bundle(self._entries)
            else:
                yield tile, b"".join(self._hashes[tile.level])

    def root(self) -> bytes:
        """The root of all entries so far."""
        return self.frontier().root()

    def frontier(self) -> Frontier:
        """The tree as it stands, for who goes on hashing without tiles."""
        return Frontier.of_peaks(self.size, [peak for row in reversed(self._hashes) for peak in _peaks(row)])


def _peaks(row: Sequence[bytes]) -> Iterator[bytes]:
    """The roots of the largest complete subtrees over a partial tile's hashes, left to right."""
    start = 0
    for height in reversed(range(HEIGHT)):
        if len(row) >> height & 1:
            yield perfect_root(row[start : start + (1 << height)])
            start += 1 << height


def _rows(hashes: list[bytes]) -> list[list[bytes]]:
    """A tile's hashes and the levels of the tree between them and the tile above."""
    rows = [hashes]
    for _ in range(HEIGHT - 1):
        rows.append(pair(rows[-1]))
    return rows


def _count(level: int, size: int) -> int:
    """How many hashes (or entries) a log of `size` has in tiles of this level."""
    return size >> HEIGHT * max(level, 0)


def _index_path(index: int) -> str:
    path = f"{index % 1000:03d}"
    while index := index // 1000:
        path = f"x{index % 1000:03d}/{path}"
    return path
