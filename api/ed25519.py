"""Ed25519 verification (RFC 8032) for who has no `cryptography`: small and slow, and it signs nothing.

Only the verifier that is one file uses it, where that library is missing. It refuses what OpenSSL refuses:
a point or scalar that is not spelled canonically, and a signature whose equation does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha512
from typing import Final, Self

_P: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)

Point = tuple[int, int, int, int]
"""x, y, z, t with x = X/Z, y = Y/Z, t = XY/Z."""


class InvalidSignature(Exception):
    """The signature does not verify."""


@dataclass(frozen=True)
class Ed25519PublicKey:
    """A public key of 32 bytes."""

    raw: bytes

    @classmethod
    def from_public_bytes(cls, data: bytes) -> Self:
        """The key. ValueError unless there are 32 bytes."""
        if len(data) != 32:
            raise ValueError("a public key has 32 bytes")
        return cls(data)

    def verify(self, signature: bytes, data: bytes) -> None:
        """Return if the signature is this key's over the data, else raise InvalidSignature."""
        if not _is_valid(self.raw, signature, data):
            raise InvalidSignature


class Ed25519PrivateKey:
    """There is none here: nothing is signed without the library."""

    @classmethod
    def from_private_bytes(cls, data: bytes) -> Self:
        """NotImplementedError."""
        raise NotImplementedError("signing needs the library cryptography")


def _is_valid(key: bytes, signature: bytes, data: bytes) -> bool:
    if len(signature) != 64:
        return False
    public = _decode(key)
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + key + data).digest(), "little") % _ORDER
    # [S]B − [k]A, spelled, must be R: comparing bytes refuses another spelling of R as well.
    x, y, z, t = public
    found = _add(_multiply(scalar, _BASE), _multiply(challenge, (-x % _P, y, z, -t % _P)))
    return _encode(found) == signature[:32]


def _add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _multiply(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Point | None:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= _P:
        return None
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    return _P - x if x & 1 != sign else x


def _base() -> Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _x_of(y, 0) or 0
    return x, y, 1, x * y % _P


_BASE: Final = _base()
