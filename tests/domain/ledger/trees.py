"""Big trees for tests: every complete node hashed once, every published file by its definition."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ledger.merkle import leaf_hash, pair
from domain.ledger.tiles import ENTRIES, Tile


class Nodes:
    """A merkle.NodeReader over these leaf hashes, which answers for every smaller size as well."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.rows = [list(leaves)]
        while len(self.rows[-1]) > 1:
            self.rows.append(pair(self.rows[-1]))

    def __call__(self, level: int, index: int) -> bytes:
        return self.rows[level][index]


class Log(Nodes):
    """A log of these entries, published at every one of its sizes at once."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        super().__init__([leaf_hash(entry) for entry in entries])
        self.entries = entries

    def read(self, path: str) -> bytes:
        """A tile or bundle in the standard's own words: hash i of tile N at level L is the root over the
        leaves from (256·N + i)·256ᴸ on; an entry stands behind its length in two bytes.
        """
        tile = Tile.parse(path)
        start, end = tile.index * 256, tile.index * 256 + tile.width
        if tile.level == ENTRIES:
            return b"".join(len(entry).to_bytes(2, "big") + entry for entry in self.entries[start:end])
        return b"".join(self.rows[8 * tile.level][start:end])
