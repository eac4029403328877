"""Big trees for tests: every complete node hashed once."""

from __future__ import annotations

from collections.abc import Sequence

from domain.ledger.merkle import pair


class Nodes:
    """A merkle.NodeReader over these leaf hashes, which answers for every smaller size as well."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.rows = [list(leaves)]
        while len(self.rows[-1]) > 1:
            self.rows.append(pair(self.rows[-1]))

    def __call__(self, level: int, index: int) -> bytes:
        return self.rows[level][index]
