"""The ledger's key: made once, for its owner only, and never repeated in an error."""

import base64
from pathlib import Path

import pytest

from domain.errors import KeyUnusable
from domain.ledger.note import SigningKey, VerifierKey
from infrastructure.signing import keygen, ledger_key

ORIGIN = "sunlot.example/140100"


def reason(refusal: pytest.ExceptionInfo[KeyUnusable]) -> str:
    return str(refusal.value.facts["reason"])


def test_a_new_key_is_private_and_signs_for_its_verifier_key(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "ledger.key"
    vkey = VerifierKey.parse(keygen(file, ORIGIN))
    key = ledger_key(file=file, secret=None, origin=ORIGIN)
    assert key.verifier == vkey
    assert vkey.name == ORIGIN
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_two_keys_differ(tmp_path: Path) -> None:
    assert keygen(tmp_path / "a", ORIGIN) != keygen(tmp_path / "b", ORIGIN)


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    file = tmp_path / "ledger.key"
    keygen(file, ORIGIN)
    before = file.read_bytes()
    with pytest.raises(KeyUnusable) as refusal:
        keygen(file, ORIGIN)
    assert reason(refusal) == "exists"
    assert file.read_bytes() == before


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_a_log_needs_a_name_that_a_key_can_have(tmp_path: Path, origin: str) -> None:
    with pytest.raises(KeyUnusable) as refusal:
        keygen(tmp_path / "ledger.key", origin)
    assert reason(refusal) == "origin-impossible"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o610])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "ledger.key"
    keygen(file, ORIGIN)
    file.chmod(mode)
    with pytest.raises(KeyUnusable) as refusal:
        ledger_key(file=file, secret=None, origin=ORIGIN)
    assert reason(refusal) == "exposed"


def test_the_environments_secret_comes_before_the_file(tmp_path: Path) -> None:
    key = SigningKey(ORIGIN, b"s" * 32)
    found = ledger_key(file=tmp_path / "absent", secret=key.encode() + "\n", origin=ORIGIN)
    assert found == key


@pytest.mark.parametrize("file", [None, Path("/nowhere/ledger.key")])
def test_no_key_is_said(file: Path | None) -> None:
    with pytest.raises(KeyUnusable) as refusal:
        ledger_key(file=file, secret=None, origin=ORIGIN)
    assert reason(refusal) == "missing"


def test_a_key_of_another_log_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ledger.key"
    keygen(file, "sunlot.example/140200")
    with pytest.raises(KeyUnusable) as refusal:
        ledger_key(file=file, secret=None, origin=ORIGIN)
    assert reason(refusal) == "other-origin"


def test_an_error_never_repeats_the_secret() -> None:
    seed = b"a very secret seed of 32 bytes!!"
    line = SigningKey(ORIGIN, seed).encode()
    spoilt = line[:-3] + "A" + line[-2:]
    with pytest.raises(KeyUnusable) as refusal:
        ledger_key(file=None, secret=spoilt, origin=ORIGIN)
    told = f"{refusal.value!r} {refusal.value.__cause__!r} {refusal.value.facts}"
    assert reason(refusal) == "malformed"
    assert base64.b64encode(seed).decode()[:12] not in told
    assert line[-20:-4] not in told
