"""C2SP tlog-cosignature: a witness says that at this time this checkpoint was the largest it had seen of the
log, and that it goes on from all it had seen before. Ed25519, signature type 0x04.

The line stands among the checkpoint's signatures; its bytes are a POSIX time in 8 bytes, big-endian, and the
signature over `cosignature/v1`, `time <seconds>` and the checkpoint's text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.ledger.errors import KeyMalformed, SignatureInvalid
from domain.ledger.note import (
    PRIVATE,
    Note,
    Signature,
    encode_base64,
    is_key_name,
    key_id,
    split_key,
    split_secret,
)

COSIGNATURE = b"\x04"
TIME_LIMIT = 2**63 - 1
_TIME_SIZE = 8
_SIZE = _TIME_SIZE + 64


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's public key with its name, as a `vkey` line of type 0x04 says it."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of H(name ‖ "\\n" ‖ 0x04 ‖ public key)."""
        return key_id(self.name, COSIGNATURE, self.public)

    def encode(self) -> str:
        """The `vkey` line, without a line end."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(COSIGNATURE + self.public)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a `vkey` line. Raises KeyMalformed, also for a key of another type than a witness's."""
        name, claimed, public = split_key(line, COSIGNATURE)
        key = cls(name, public)
        if key.id.hex() != claimed:
            raise KeyMalformed(reason="key id", name=name)
        return key

    def verify(self, signature: bytes, text: str) -> int:
        """When the witness cosigned this checkpoint's text, in seconds since 1970; `signature` is without
        the key id. Raises SignatureInvalid.
        """
        at = int.from_bytes(signature[:_TIME_SIZE], "big")
        try:
            if len(signature) != _SIZE or at > TIME_LIMIT:
                raise ValueError("not a timestamped signature")
            Ed25519PublicKey.from_public_bytes(self.public).verify(
                signature[_TIME_SIZE:], cosigned_message(text, at)
            )
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid(name=self.name, key=self.id.hex()) from error
        return at


@dataclass(frozen=True, slots=True)
class WitnessSigningKey:
    """A witness's private key with its name. `seed` is the 32 random bytes of RFC 8032; it never shows in a
    repr or an error.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.seed) != 32:
            raise KeyMalformed(reason="name or seed", name=self.name)

    @property
    def verifier(self) -> WitnessKey:
        """The public half."""
        return WitnessKey(self.name, self._private().public_key().public_bytes_raw())

    def encode(self) -> str:
        """The secret line `PRIVATE+KEY+<name>+<key id>+<base64 of 0x04 ‖ seed>`."""
        return f"{PRIVATE}+{self.name}+{self.verifier.id.hex()}+{encode_base64(COSIGNATURE + self.seed)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a secret line. Raises KeyMalformed, without repeating the secret."""
        name, claimed, seed = split_secret(line, COSIGNATURE)
        key = cls(name, seed)
        if key.verifier.id.hex() != claimed:
            raise KeyMalformed(reason="key id", name=name)
        return key

    def cosign(self, text: str, at: int) -> Signature:
        """The signature line for a checkpoint's text at this time (seconds since 1970).

        Whether the checkpoint goes on from the last one is the caller's to make sure. Raises ValueError for
        a time outside 0 … 2⁶³ − 1.
        """
        if not 0 <= at <= TIME_LIMIT:
            raise ValueError(f"no POSIX time: {at}")
        signed = at.to_bytes(_TIME_SIZE, "big") + self._private().sign(cosigned_message(text, at))
        return Signature(self.name, self.verifier.id, signed)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Who cosigned a checkpoint, and when in seconds since 1970."""

    witness: WitnessKey
    at: int


def cosigned_message(text: str, at: int) -> bytes:
    """What a witness signs of a checkpoint whose note has this text."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def read_cosignatures(note: Note, witnesses: Sequence[WitnessKey]) -> tuple[Cosigned, ...]:
    """The cosignatures of trusted witnesses on a checkpoint, each witness at its earliest time.

    Lines of others are ignored, as the standard asks. Raises SignatureInvalid if a trusted witness's line
    does not verify.
    """
    trusted = {(key.name, key.id): key for key in witnesses}
    earliest: dict[WitnessKey, int] = {}
    for line in note.signatures:
        key = trusted.get((line.name, line.key_id))
        if key is not None:
            at = key.verify(line.signature, note.text)
            earliest[key] = min(at, earliest.get(key, at))
    return tuple(Cosigned(key, at) for key, at in earliest.items())


def add_signatures(note: bytes, lines: Sequence[Signature]) -> bytes:
    """The note with further signature lines behind those it has. None is lost, and none is added of a key
    that has signed already, so that a witness asked again and again does not fill the note.

    Verifies nothing. Raises NoteMalformed, also where the lines are more than a note may have.
    """
    opened = Note.parse(note)
    merged, signed = list(opened.signatures), {(line.name, line.key_id) for line in opened.signatures}
    for line in lines:
        if (line.name, line.key_id) not in signed:
            signed.add((line.name, line.key_id))
            merged.append(line)
    data = Note(opened.text, tuple(merged)).encode()
    Note.parse(data)
    return data
