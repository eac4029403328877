"""verify.py alone in a folder: no library, no service, the same verdicts."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from api import ed25519
from infrastructure.standalone import standalone_verifier
from tests.domain.drawing.cheats import SAMPLES, Cheat
from tests.domain.drawing.forging import Forgery
from tests.domain.verifying.story import Story


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("alone") / "verify.py"
    file.write_bytes(standalone_verifier())
    return file


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def run(script: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    """Isolated: neither site packages nor the working folder can be imported from."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *words, "--json"],
        capture_output=True,
        text=True,
        cwd=script.parent,
        timeout=120,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_a_proved_bundle_is_verified_without_any_library(script: Path, tmp_path: Path) -> None:
    story = Story()
    folder = write(tmp_path / "bundle", story.files)
    policy = tmp_path / "policy"
    policy.write_bytes(story.policy.encode())
    code, verdict, errors = run(script, str(folder), "--trust-policy", str(policy))
    assert (code, errors) == (0, "")
    assert verdict["checked"][-1] == "sealed-before-chance: discipline"


def test_a_forged_signature_is_found_without_any_library(script: Path, tmp_path: Path) -> None:
    story, other = Story(), Story()
    other.key = type(other.key)(other.origin, b"x" * 32)
    other.publish()
    folder = write(tmp_path / "bundle", other.files)
    code, verdict, _ = run(script, str(folder), "--vkey", story.key.verifier.encode())
    assert code == 1
    assert verdict["broken"]["rule"] == "not-signed"


@pytest.mark.parametrize(("cheat", "line", "rule"), SAMPLES[:3])
def test_a_cheat_is_found_by_the_one_file(
    script: Path, tmp_path: Path, cheat: Cheat, line: int, rule: str
) -> None:
    forgery = Forgery("weighted")
    cheat(forgery)
    code, verdict, _ = run(script, str(write(tmp_path / "bundle", forgery.files)))
    assert code == 1
    assert (verdict["broken"]["line"], verdict["broken"]["rule"]) == (line, rule)


def test_what_cannot_be_read_is_no_finding(script: Path, tmp_path: Path) -> None:
    code, _, errors = run(script, str(tmp_path / "nothing"))
    assert code == 2
    assert "nothing" in errors


keys = st.binary(min_size=32, max_size=32).map(Ed25519PrivateKey.from_private_bytes)


@settings(max_examples=40, deadline=None)
@given(keys, st.binary(max_size=200), st.integers(0, 64 * 8 + 32 * 8 - 1))
def test_signatures_verify_as_with_the_library(key: Ed25519PrivateKey, data: bytes, bit: int) -> None:
    public, signature = key.public_key().public_bytes_raw(), key.sign(data)
    assert verifies(public, signature, data)
    changed = bytearray(public + signature)
    changed[bit // 8] ^= 1 << bit % 8
    other, forged = bytes(changed[:32]), bytes(changed[32:])
    assert verifies(other, forged, data) == verifies_with_library(other, forged, data)


def verifies(key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except ed25519.InvalidSignature:
        return False
    return True


def verifies_with_library(key: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_scalar_beyond_the_order_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"data")
    scalar = int.from_bytes(signature[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not verifies(public, signature[:32] + scalar.to_bytes(32, "little"), b"data")


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(65), b"\xff" * 64])
def test_what_is_no_signature(signature: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert not verifies(key, signature, b"data")
