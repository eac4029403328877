"""Paths in the Merkle tree over the lines of a frame: that a line is in it, without showing the others.

The tree is that of RFC 6962, as `canonical.merkle_root` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf_of(line: bytes) -> bytes:
    """The hash of a line without its newline."""
    return sha256(b"\x00" + line).digest()


def level_above(nodes: Sequence[bytes]) -> list[bytes]:
    """Every two neighbours hashed; a last one without a neighbour is carried up."""
    pairs = zip(nodes[::2], nodes[1::2], strict=False)
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return above + list(nodes[-1:]) if len(nodes) % 2 else above


def path_up(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings from the node at `index` to the root over these nodes."""
    path: list[bytes] = []
    while len(nodes) > 1:
        if (sibling := index ^ 1) < len(nodes):
            path.append(nodes[sibling])
        nodes, index = level_above(nodes), index >> 1
    return path


def root_over(nodes: Sequence[bytes]) -> bytes:
    """The root over nodes of one level; of none, `H("")`."""
    while len(nodes) > 1:
        nodes = level_above(nodes)
    return nodes[0] if nodes else sha256(b"").digest()


def root_by(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root to which a leaf's path leads (RFC 9162, 2.1.3.2); None for a path of another length."""
    if not 0 <= index < size:
        return None
    place, last, node = index, size - 1, leaf
    for sibling in path:
        if not last:
            return None
        if place & 1 or place == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        place, last = place >> 1, last >> 1
    return None if last else node
