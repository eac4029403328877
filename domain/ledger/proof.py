"""C2SP tlog-proof v1: a receipt, one file that proves one entry to whoever holds the log's key.

c2sp.org/tlog-proof@v1
index 2
<base64 of a hash, a line each, from the leaf's sibling to the root's child>

<signed checkpoint>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, parse_decimal
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.errors import CheckpointMalformed, ReceiptDiffers, ReceiptMalformed
from domain.ledger.merkle import HASH_SIZE, NodeReader, inclusion_proof, leaf_hash, verify_inclusion
from domain.ledger.note import NOTE_LIMIT, VerifierKey, decode_base64, encode_base64

HEADER = "c2sp.org/tlog-proof@v1"
PATH_LIMIT = 63
POSITION_LIMIT = 19
"""How many digits a position may have that somebody wrote down."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The path from the entry at `index` to the root that `checkpoint` (the signed note's bytes) holds.

    `extra` is carried along and proves nothing.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The `.tlog-proof` file."""
        extra = [f"extra {encode_base64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(encode_base64, self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a `.tlog-proof` file strictly, without verifying it. Raises ReceiptMalformed naming the
        line.
        """
        head, separator, checkpoint = data.partition(b"\n\n")
        if not separator or not checkpoint or len(data) > NOTE_LIMIT:
            raise ReceiptMalformed(line="checkpoint")
        header, *lines = _ascii_lines(head)
        if header != HEADER:
            raise ReceiptMalformed(line="header")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = _parse_extra(lines.pop(0))
        if not lines or len(lines) > PATH_LIMIT + 1:
            raise ReceiptMalformed(line="index")
        return cls(_parse_index(lines[0]), tuple(map(_parse_hash, lines[1:])), checkpoint, extra)

    def verify(self, entry: bytes, keys: Sequence[VerifierKey]) -> tuple[Entry, Checkpoint]:
        """The entry and the checkpoint that it is proved to be in.

        Raises what `open_checkpoint`, `parse_entry` and `verify_inclusion` raise, and ReceiptDiffers
        where the entry says another position than the receipt.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        parsed = parse_entry(entry)
        if parsed.idx != self.index:
            raise ReceiptDiffers(receipt=self.index, entry=parsed.idx)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), self.path, checkpoint.root)
        return parsed, checkpoint


def make_receipt(index: int, size: int, checkpoint: bytes, node: NodeReader) -> Receipt:
    """A receipt for the entry at `index` under the signed checkpoint of `size`; `node` reads a tree at
    least as large.

    Raises ProofRefused if the checkpoint does not reach the entry.
    """
    return Receipt(index, tuple(inclusion_proof(index, size, node)), checkpoint)


def digest_of(text: str) -> bytes | None:
    """The hash that somebody wrote down, in hex or base64; None for a text that is none."""
    if len(text) == 2 * HASH_SIZE and text.isalnum() and text.isascii():
        try:
            return bytes.fromhex(text)
        except ValueError:
            return None
    try:
        digest = decode_base64(text)
    except ValueError:
        return None
    return digest if len(digest) == HASH_SIZE else None


def position_of(text: str) -> int | None:
    """The position that somebody wrote down, in ASCII digits; None for a text that is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= POSITION_LIMIT else None


def _ascii_lines(head: bytes) -> list[str]:
    try:
        return head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ReceiptMalformed(line="bytes") from error


def _parse_extra(line: str) -> bytes:
    extra = _parse_base64(line.removeprefix("extra "), "extra")
    if not extra:
        raise ReceiptMalformed(line="extra")
    return extra


def _parse_index(line: str) -> int:
    if not line.startswith("index "):
        raise ReceiptMalformed(line="index")
    try:
        return parse_decimal(line.removeprefix("index "))
    except CheckpointMalformed as error:
        raise ReceiptMalformed(line="index") from error


def _parse_hash(line: str) -> bytes:
    digest = _parse_base64(line, "hash")
    if len(digest) != HASH_SIZE:
        raise ReceiptMalformed(line="hash")
    return digest


def _parse_base64(text: str, line: str) -> bytes:
    try:
        return decode_base64(text)
    except ValueError as error:
        raise ReceiptMalformed(line=line) from error
