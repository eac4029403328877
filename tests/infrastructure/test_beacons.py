"""Rounds that drand's quicknet has really published, and forgeries of them."""

import subprocess
import sys
from hashlib import sha256

import pytest

from infrastructure.beacons import is_quicknet_signature

PUBLISHED = {
    1: "b55e7cb2d5c613ee0b2e28d6750aabbb78c39dcc96bd9d38c2c2e12198df95571de8e8e402a0cc48871c7089a2b3af4b",
    1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
}
RANDOMNESS_OF_1000 = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
INFINITY = bytes([0xC0]) + bytes(47)


@pytest.mark.parametrize("round", PUBLISHED)
def test_a_published_round_is_genuine(round: int) -> None:
    assert is_quicknet_signature(round, bytes.fromhex(PUBLISHED[round]))


def test_the_value_is_the_hash_of_the_signature() -> None:
    assert sha256(bytes.fromhex(PUBLISHED[1000])).hexdigest() == RANDOMNESS_OF_1000


def test_a_signature_is_of_its_own_round_only() -> None:
    assert not is_quicknet_signature(1001, bytes.fromhex(PUBLISHED[1000]))


@pytest.mark.parametrize("bit", [0, 1, 7, 200, 383])
def test_a_changed_bit_is_a_forgery(bit: int) -> None:
    forged = bytearray(bytes.fromhex(PUBLISHED[1000]))
    forged[bit // 8] ^= 1 << bit % 8
    assert not is_quicknet_signature(1000, bytes(forged))


@pytest.mark.parametrize("signature", [b"", bytes(48), b"\xff" * 48, INFINITY, bytes(47), bytes(96)])
def test_what_is_no_point_of_the_group_is_no_signature(signature: bytes) -> None:
    assert not is_quicknet_signature(1000, signature)


@pytest.mark.parametrize("round", [0, -1, 2**64])
def test_a_round_that_cannot_be_has_no_signature(round: int) -> None:
    assert not is_quicknet_signature(round, bytes.fromhex(PUBLISHED[1000]))


def test_the_library_does_not_let_python_recurse_deeper() -> None:
    """It would: deeply nested JSON then ends the process instead of being refused."""
    program = (
        "import sys, json; before = sys.getrecursionlimit(); import infrastructure.beacons;"
        "assert sys.getrecursionlimit() == before; json.loads('[' * 90000)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RecursionError" in done.stderr
