"""Whether a beacon's signature is genuine: drand's quicknet, checked offline against its published key.

Scheme `bls-unchained-g1-rfc9380` of drand: a BLS signature on BLS12-381 with 48 bytes in G1, over SHA-256 of
the round as 8 bytes, big-endian, hashed to the curve as RFC 9380 says.
"""

import sys
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

# Importing py_ecc lets all of the process recurse a hundred times as deep: JSON that is nested as deep would
# then overflow the stack and end the service, where Python itself would have refused it.
_DEPTH: Final = sys.getrecursionlimit()
from py_ecc.bls.hash_to_curve import hash_to_G1  # noqa: E402
from py_ecc.bls.point_compression import decompress_G1, decompress_G2  # noqa: E402
from py_ecc.optimized_bls12_381 import (  # noqa: E402
    FQ12,
    G2,
    curve_order,
    final_exponentiate,
    is_inf,
    multiply,
    neg,
    pairing,
)

sys.setrecursionlimit(_DEPTH)

from domain.drawing.source import SIGNATURE_BYTES  # noqa: E402

QUICKNET_KEY: Final = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
"""The group's public key, for ever: the chain's hash is made from it (`domain.drawing.source`)."""

_DOMAIN: Final = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def is_quicknet_signature(round: int, signature: bytes) -> bool:
    """Whether these 48 bytes are quicknet's signature of the round; takes about a third of a second.

    Never raises for what the bytes are: whatever is no point of the right group is no signature.
    """
    if len(signature) != SIGNATURE_BYTES or not 0 < round < 2**64:
        return False
    try:
        point = decompress_G1(int.from_bytes(signature, "big"))  # type: ignore[arg-type]
    except ValueError:
        return False
    if is_inf(point) or not is_inf(multiply(point, curve_order)):
        return False
    message = hash_to_G1(sha256(round.to_bytes(8, "big")).digest(), _DOMAIN, sha256)  # type: ignore[arg-type]
    signed = pairing(G2, point, final_exponentiate=False)
    expected = pairing(neg(_key()), message, final_exponentiate=False)
    return bool(final_exponentiate(signed * expected) == FQ12.one())


@lru_cache(maxsize=1)
def _key() -> Any:
    halves = (int.from_bytes(QUICKNET_KEY[:48], "big"), int.from_bytes(QUICKNET_KEY[48:], "big"))
    return decompress_G2(halves)  # type: ignore[arg-type]
