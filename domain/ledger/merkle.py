"""The RFC 6962 SHA-256 tree: its root as it grows, proofs out of its nodes, and what a proof proves.

A node is named by (level, index): the root of the complete subtree over the leaves
`index << level … (index + 1) << level`. Level 0 is the leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Self

from domain.ledger.errors import FrontierMalformed, ProofRefused

HASH_SIZE = 32
EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete node (level, index)."""


def leaf_hash(entry: bytes) -> bytes:
    """H(0x00 ‖ entry), RFC 6962 section 2.1."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 ‖ left ‖ right), RFC 6962 section 2.1."""
    return sha256(b"\x01" + left + right).digest()


def pair(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above: every two neighbours hashed. A last one without a neighbour is left out."""
    pairs = zip(hashes[::2], hashes[1::2], strict=False)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = pair(level)
    return level[0]


class Frontier:
    """The roots of the complete subtrees that make up a tree, left to right: all that is needed to let it
    grow.

    O(log n) in memory and in its saved form. Not safe for several threads.
    """

    BLOCK_LEVEL = 8

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self._push(leaf, 0)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes; the same as `append` for each, and faster."""
        block, at = 1 << self.BLOCK_LEVEL, 0
        while at < len(leaves):
            if self.size % block == 0 and len(leaves) - at >= block:
                self._push(perfect_root(leaves[at : at + block]), self.BLOCK_LEVEL)
                at += block
            else:
                self._push(leaves[at], 0)
                at += 1

    def graft(self, root: bytes, level: int) -> None:
        """Add a complete subtree of `1 << level` leaves by its root; the tree must end where one may begin.

        Raises FrontierMalformed.
        """
        if self.size % (1 << level):
            raise FrontierMalformed(size=self.size, level=level)
        self._push(root, level)

    def _push(self, node: bytes, level: int) -> None:
        carry = self.size >> level
        while carry & 1:
            node = node_hash(self._peaks.pop(), node)
            carry >>= 1
        self._peaks.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        """The tree's root as it stands; of nothing, H("")."""
        if not self._peaks:
            return EMPTY_ROOT
        *left, root = self._peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root

    def encode(self) -> bytes:
        """The size as 8 bytes big-endian, then the hashes; `decode` goes on from there."""
        return self.size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """A frontier that `encode` saved. Raises FrontierMalformed where the length does not fit the size."""
        size, hashes = int.from_bytes(data[:8], "big"), data[8:]
        if len(data) < 8 or len(hashes) % HASH_SIZE:
            raise FrontierMalformed(length=len(data))
        starts = range(0, len(hashes), HASH_SIZE)
        return cls.of_peaks(size, [hashes[start : start + HASH_SIZE] for start in starts])

    @classmethod
    def of_peaks(cls, size: int, peaks: Sequence[bytes]) -> Self:
        """The frontier of a tree of `size` whose complete subtrees, left to right, have these roots.

        Raises FrontierMalformed where their number does not fit the size.
        """
        if len(peaks) != size.bit_count():
            raise FrontierMalformed(size=size, hashes=len(peaks))
        frontier = cls()
        frontier.size, frontier._peaks = size, list(peaks)
        return frontier


def root_at(size: int, node: NodeReader) -> bytes:
    """The root of the tree's first `size` leaves."""
    return _range_root(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The hashes from the leaf's sibling up to the root's child (RFC 6962 section 2.1.1).

    Raises ProofRefused if the tree of `size` has no leaf `index`.
    """
    if not 0 <= index < size:
        raise ProofRefused(reason="index outside the tree", index=index, size=size)
    low, high, path = 0, size, list[bytes]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """The hashes that show the tree of size `new` to begin with the tree of size `old` (RFC 6962 section
    2.1.2).

    Empty for `old` = 0 and `old` = `new`. Raises ProofRefused if `old` is the larger.
    """
    if not 0 <= old <= new:
        raise ProofRefused(reason="sizes out of order", old=old, new=new)
    low, high, path = 0, new, list[bytes]()
    while 0 < old < high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_range_root(middle, high, node))
            high = middle
        else:
            path.append(_range_root(low, middle, node))
            low = middle
    if low:
        path.append(_range_root(low, high, node))
    return path[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Return if `proof` shows the leaf hash at `index` in the tree (size, root); else raise ProofRefused.

    RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofRefused(reason="index outside the tree", index=index, size=size)
    position, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefused(reason="too many hashes", index=index, size=size)
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            position, last = _ascend_from_right(position, last)
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofRefused(reason="too few hashes", index=index, size=size)
    if computed != root:
        raise ProofRefused(reason="another root", index=index, size=size)


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return if `proof` shows that the tree (new, new_root) begins with (old, old_root); else raise
    ProofRefused.

    RFC 9162 section 2.1.4.2; from the empty tree and to the same tree the proof is empty.
    """
    if not 0 <= old <= new:
        raise ProofRefused(reason="sizes out of order", old=old, new=new)
    if old in (0, new):
        if proof or old_root != (new_root if old == new else EMPTY_ROOT):
            raise ProofRefused(reason="another root" if not proof else "too many hashes", old=old, new=new)
        return
    if _roots_of_consistency(old, old_root, new, proof) != (old_root, new_root):
        raise ProofRefused(reason="another root", old=old, new=new)


def _roots_of_consistency(old: int, old_root: bytes, new: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofRefused(reason="too few hashes", old=old, new=new)
    shift = _trailing_ones(old - 1)
    position, last = (old - 1) >> shift, (new - 1) >> shift
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofRefused(reason="too many hashes", old=old, new=new)
        if position & 1 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            position, last = _ascend_from_right(position, last)
        else:
            after = node_hash(after, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise ProofRefused(reason="too few hashes", old=old, new=new)
    return before, after


def _ascend_from_right(position: int, last: int) -> tuple[int, int]:
    """Skip the levels at which a node on the right edge has no sibling."""
    while position and not position & 1:
        position, last = position >> 1, last >> 1
    return position, last


def _trailing_ones(number: int) -> int:
    return (~number & (number + 1)).bit_length() - 1


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(low: int, high: int, node: NodeReader) -> bytes:
    """The root over the leaves low … high; `low` is where a split of RFC 6962 put it."""
    count = high - low
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(count)
    return node_hash(_range_root(low, middle, node), _range_root(middle, high, node))
