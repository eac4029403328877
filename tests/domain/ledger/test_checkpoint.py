from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.errors import CheckpointMalformed, LedgerError, OriginDiffers
from domain.ledger.merkle import EMPTY_ROOT
from domain.ledger.note import SigningKey, sign_note

KEY = SigningKey("sunlot.example/140100", bytes(range(32)))
CHECKPOINT = Checkpoint(KEY.name, 7, bytes(32))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_signed_checkpoint_opens_as_it_was(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(KEY.name, size, root)
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), [KEY.verifier]) == checkpoint


def test_extension_lines_are_kept() -> None:
    checkpoint = Checkpoint(KEY.name, 0, EMPTY_ROOT, ("later use",))
    assert open_checkpoint(sign_checkpoint(checkpoint, KEY), [KEY.verifier]) == checkpoint


def test_after_a_rotation_both_keys_open_their_checkpoints() -> None:
    new = SigningKey(KEY.name, b"n" * 32)
    keys = [new.verifier, KEY.verifier]
    assert open_checkpoint(NOTE, keys) == CHECKPOINT
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, new), keys) == CHECKPOINT


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(NOTE) * 8 - 1))
def test_a_flipped_bit_is_refused(bit: int) -> None:
    changed = bytearray(NOTE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        open_checkpoint(bytes(changed), [KEY.verifier])


@pytest.mark.parametrize(
    "lines",
    [
        [KEY.name, "7"],
        [KEY.name, "7", "", "x"],
        [KEY.name, "07", b64encode(bytes(32)).decode()],
        [KEY.name, "-7", b64encode(bytes(32)).decode()],
        [KEY.name, "٧", b64encode(bytes(32)).decode()],
        [KEY.name, str(2**63), b64encode(bytes(32)).decode()],
        [KEY.name, "7", b64encode(bytes(31)).decode()],
        [KEY.name, "7", b64encode(bytes(32)).decode().rstrip("=")],
        [KEY.name, "7", b64encode(bytes(32)).decode().replace("AAA=", "AAB=")],
        [KEY.name, "7", b64encode(bytes([255] * 32)).decode().replace("/", "_")],
        [KEY.name, "7", b64encode(bytes(32)).decode() + " "],
    ],
)
def test_a_signed_text_that_is_not_a_checkpoint_is_refused(lines: list[str]) -> None:
    note = sign_note("".join(f"{line}\n" for line in lines), KEY).encode()
    with pytest.raises(CheckpointMalformed):
        open_checkpoint(note, [KEY.verifier])


def test_a_key_signs_and_opens_its_own_log_only() -> None:
    foreign = Checkpoint("sunlot.example/140200", 7, bytes(32))
    with pytest.raises(OriginDiffers):
        sign_checkpoint(foreign, KEY)
    with pytest.raises(OriginDiffers):
        open_checkpoint(sign_note(foreign.text(), KEY).encode(), [KEY.verifier])


@pytest.mark.parametrize(
    "checkpoint", [Checkpoint(KEY.name, -1, bytes(32)), Checkpoint(KEY.name, 1, b"short")]
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_signed(checkpoint: Checkpoint) -> None:
    with pytest.raises(CheckpointMalformed):
        sign_checkpoint(checkpoint, KEY)
