"""C2SP tlog-checkpoint: the log's name, size and root, signed by the log.

sunlot.example/140100
7
34KuFvlTex/o1f8kWvL6rzmwyhJdOY3MIxf9Au2rc7E=

— sunlot.example/140100 +xHi8L…
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from domain.ledger.errors import CheckpointMalformed, OriginDiffers
from domain.ledger.merkle import HASH_SIZE
from domain.ledger.note import Note, SigningKey, VerifierKey, decode_base64, encode_base64, sign_note

SIZE_LIMIT = 2**63 - 1
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log commits to: its `size` first entries hash to `root` (32 bytes). The origin is the log's
    name.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The note text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a checkpoint's text strictly. Raises CheckpointMalformed naming the line."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines) or not text.endswith("\n"):
            raise CheckpointMalformed(line="lines")
        origin, size, root, *extensions = lines
        return cls(origin, parse_decimal(size), _parse_root(root), tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The signed note, ready to publish. The signature is deterministic.

    Raises OriginDiffers unless the key's name is the checkpoint's origin, CheckpointMalformed for one
    that could not be read back. Whether the checkpoint extends the last one is the caller's to make sure.
    """
    if key.name != checkpoint.origin:
        raise OriginDiffers(expected=key.name, found=checkpoint.origin)
    if Checkpoint.parse(checkpoint.text()) != checkpoint:
        raise CheckpointMalformed(line="lines")
    return sign_note(checkpoint.text(), key).encode()


def open_checkpoint(note: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Verify a signed checkpoint against the trusted keys (several, after a rotation) and read it.

    Raises what Note.parse and Note.verify raise, CheckpointMalformed, or OriginDiffers where no key that
    signed has the origin for its name.
    """
    return open_signed(note, keys)[0]


def open_signed(note: bytes, keys: Sequence[VerifierKey]) -> tuple[Checkpoint, tuple[VerifierKey, ...]]:
    """`open_checkpoint`, with the trusted keys that signed."""
    opened = Note.parse(note)
    signers = opened.verify(keys)
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin not in {key.name for key in signers}:
        raise OriginDiffers(expected=signers[0].name, found=checkpoint.origin)
    return checkpoint, signers


def parse_decimal(text: str) -> int:
    """A size or index: ASCII decimal without leading zeroes, below 2⁶³. Raises CheckpointMalformed."""
    if not _DECIMAL.fullmatch(text) or int(text) > SIZE_LIMIT:
        raise CheckpointMalformed(line="size")
    return int(text)


def _parse_root(text: str) -> bytes:
    try:
        root = decode_base64(text)
    except ValueError as error:
        raise CheckpointMalformed(line="root") from error
    if len(root) != HASH_SIZE:
        raise CheckpointMalformed(line="root")
    return root
