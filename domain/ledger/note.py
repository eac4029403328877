"""C2SP signed-note: a text, an empty line, and a line `— <key name> <base64 of key id ‖ signature>` for each
signature. Ed25519 (type 0x01) is what we sign and check.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.ledger.errors import KeyMalformed, KeyUnknown, NoteMalformed, SignatureInvalid, SignatureMissing

ED25519 = b"\x01"
ID_SIZE = 4
NOTE_LIMIT = 1_000_000
SIGNATURE_LIMIT = 100
PRIVATE = "PRIVATE+KEY"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_ID = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name, as a `vkey` line says it: `<name>+<key id>+<base64 of 0x01 ‖ public
    key>`.
    """

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The first four bytes of H(name ‖ "\\n" ‖ 0x01 ‖ public key)."""
        return key_id(self.name, ED25519, self.public)

    def encode(self) -> str:
        """The `vkey` line, without a line end."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a `vkey` line. Raises KeyMalformed, also where the id does not belong to name and key."""
        name, claimed, public = split_key(line, ED25519)
        key = cls(name, public)
        if key.id.hex() != claimed:
            raise KeyMalformed(reason="key id", name=name)
        return key

    def verify(self, signature: bytes, text: bytes) -> None:
        """Return if the signature (without key id) is this key's over the text; else raise
        SignatureInvalid.
        """
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid(name=self.name, key=self.id.hex()) from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name. `seed` is the 32 random bytes of RFC 8032; it never shows in a repr or
    an error.
    """

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_key_name(self.name) or len(self.seed) != 32:
            raise KeyMalformed(reason="name or seed", name=self.name)

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self._private().public_key().public_bytes_raw())

    def encode(self) -> str:
        """The secret line `PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 ‖ seed>`, as Go's `note` package
        writes it.
        """
        return f"{PRIVATE}+{self.name}+{self.verifier.id.hex()}+{encode_base64(ED25519 + self.seed)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a secret line. Raises KeyMalformed, without repeating the secret."""
        name, claimed, seed = split_secret(line, ED25519)
        key = cls(name, seed)
        if key.verifier.id.hex() != claimed:
            raise KeyMalformed(reason="key id", name=name)
        return key

    def sign(self, text: bytes) -> Signature:
        """Sign a note's text."""
        return Signature(self.name, self.verifier.id, self._private().sign(text))

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line of a note: who claims to have signed, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def encode(self) -> str:
        """The line, without its line end."""
        return f"— {self.name} {encode_base64(self.key_id + self.signature)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed text. Nothing in `text` may be believed before `verify` has returned."""

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(f"{line.encode()}\n" for line in self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note strictly, without verifying it. Raises NoteMalformed."""
        text, separator, lines = _note_text(data).rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise NoteMalformed(reason="no signatures")
        signatures = tuple(parse_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > SIGNATURE_LIMIT:
            raise NoteMalformed(reason="too many signatures")
        return cls(text + "\n", signatures)

    def verify(self, keys: Sequence[VerifierKey]) -> tuple[VerifierKey, ...]:
        """The trusted keys that signed, at least one.

        Lines of keys that are not in `keys` are ignored, as the standard asks (witnesses, other
        algorithms, a key that replaces ours). Raises SignatureInvalid if a trusted key's line does not
        verify; if no trusted key signed, KeyUnknown where a line uses a trusted name all the same, else
        SignatureMissing.
        """
        trusted = {(key.name, key.id): key for key in keys}
        lines = [line for line in self.signatures if (line.name, line.key_id) in trusted]
        for line in lines:
            trusted[line.name, line.key_id].verify(line.signature, self.text.encode())
        if not lines:
            raise self._refusal({key.name for key in keys})
        return tuple(dict.fromkeys(trusted[line.name, line.key_id] for line in lines))

    def _refusal(self, names: set[str]) -> KeyUnknown | SignatureMissing:
        for line in self.signatures:
            if line.name in names:
                return KeyUnknown(name=line.name, key=line.key_id.hex())
        return SignatureMissing(names=", ".join(sorted(names)))


def sign_note(text: str, key: SigningKey) -> Note:
    """A note of this text under one key. Raises NoteMalformed for a text that a note cannot hold."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteMalformed(reason="text")
    return Note(text, (key.sign(text.encode()),))


def is_key_name(name: str) -> bool:
    """Whether a key may have this name: not empty, no spaces, no plus, no control characters."""
    return bool(name) and "+" not in name and not any(char.isspace() or char < " " for char in name)


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding (RFC 4648 section 4)."""
    return b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Read standard base64 in its one canonical form. Raises ValueError for any other, set bits in the
    padding too.
    """
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("not base64") from error
    if encode_base64(data) != text:
        raise ValueError("not canonical base64")
    return data


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """The first four bytes of H(name ‖ "\\n" ‖ kind ‖ public key); `kind` is the signature type's byte."""
    return sha256(name.encode() + b"\n" + kind + public).digest()[:ID_SIZE]


def split_secret(line: str, kind: bytes) -> tuple[str, str, bytes]:
    """Name, claimed key id and seed of a secret line. Raises KeyMalformed, without repeating the secret."""
    if not line.startswith(PRIVATE + "+"):
        raise KeyMalformed(reason="not a signing key")
    return split_key(line.removeprefix(PRIVATE + "+"), kind)


def split_key(line: str, kind: bytes) -> tuple[str, str, bytes]:
    """Name, claimed key id and 32 key bytes of a key line of this signature type; the id is not compared.

    Raises KeyMalformed. No value goes into the error: it may be a secret.
    """
    name, _, rest = line.partition("+")
    claimed, _, material = rest.partition("+")
    if not is_key_name(name) or not _ID.fullmatch(claimed):
        raise KeyMalformed(reason="name or key id")
    try:
        data = decode_base64(material)
    except ValueError:
        raise KeyMalformed(reason="base64", name=name) from None
    if len(data) != 33 or data[:1] != kind:
        raise KeyMalformed(reason="another type of key", name=name)
    return name, claimed, data[1:]


def _note_text(data: bytes) -> str:
    if len(data) > NOTE_LIMIT:
        raise NoteMalformed(reason="too large", size=len(data))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoteMalformed(reason="not UTF-8") from error
    if _CONTROL.search(text):
        raise NoteMalformed(reason="control character")
    return text


def parse_signature(line: str) -> Signature:
    """Read one signature line, without its line end. Raises NoteMalformed."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or not is_key_name(name):
        raise NoteMalformed(reason="signature line")
    try:
        data = decode_base64(encoded)
    except ValueError as error:
        raise NoteMalformed(reason=str(error), name=name) from error
    if len(data) <= ID_SIZE:
        raise NoteMalformed(reason="signature too short", name=name)
    return Signature(name, data[:ID_SIZE], data[ID_SIZE:])
