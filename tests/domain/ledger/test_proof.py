from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.errors import (
    EntryMalformed,
    KeyUnknown,
    LedgerError,
    ProofRefused,
    ReceiptDiffers,
    ReceiptMalformed,
)
from domain.ledger.note import SigningKey
from domain.ledger.proof import Receipt
from tests.domain.ledger.vectors import ORIGIN, load

VECTOR = load("n7")
ENTRIES = VECTOR.entries()
DATA = VECTOR.read("one.tlog-proof")
RECEIPT = Receipt.parse(DATA)
KEYS = [VECTOR.key().verifier]


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Receipt,
        index=st.integers(0, 2**63 - 1),
        path=st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
        checkpoint=st.binary(min_size=1),
        extra=st.binary(),
    )
)
def test_a_receipt_reads_back(receipt: Receipt) -> None:
    assert Receipt.parse(receipt.encode()) == receipt


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(DATA) * 8 - 1))
def test_a_flipped_bit_is_refused(bit: int) -> None:
    changed = bytearray(DATA)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LedgerError):
        Receipt.parse(bytes(changed)).verify(ENTRIES[RECEIPT.index], KEYS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, len(ENTRIES[RECEIPT.index]) * 8 - 1))
def test_a_flipped_bit_of_the_entry_is_refused(bit: int) -> None:
    changed = bytearray(ENTRIES[RECEIPT.index])
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises((EntryMalformed, ReceiptDiffers, ProofRefused)):
        RECEIPT.verify(bytes(changed), KEYS)


def test_a_receipt_proves_its_own_entry_only() -> None:
    with pytest.raises(ReceiptDiffers):
        RECEIPT.verify(ENTRIES[RECEIPT.index + 1], KEYS)
    with pytest.raises(ProofRefused):
        replace(RECEIPT, index=RECEIPT.index + 1).verify(ENTRIES[RECEIPT.index + 1], KEYS)


def test_a_receipt_under_another_key_of_the_same_name_is_refused() -> None:
    with pytest.raises(KeyUnknown):
        RECEIPT.verify(ENTRIES[RECEIPT.index], [SigningKey(ORIGIN, b"o" * 32).verifier])


def test_extra_data_is_carried_and_proves_nothing() -> None:
    carried = Receipt.parse(replace(RECEIPT, extra="晴".encode()).encode())
    assert carried.extra == "晴".encode()
    assert carried.verify(ENTRIES[RECEIPT.index], KEYS) == RECEIPT.verify(ENTRIES[RECEIPT.index], KEYS)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"@v1", b"@v2", "header"),
        (b"index 2", b"index 02", "index"),
        (b"index 2", b"index  2", "index"),
        (b"index 2", b"index -2", "index"),
        (b"index 2\n", b"", "index"),
        (b"index 2", b"index 9223372036854775808", "index"),
        (b"index", b"extra \nindex", "extra"),
        (b"index", b"extra AB==\nindex", "extra"),
        (b"index", b"extra AA==\nextra AA==\nindex", "index"),
        (b"ZZA=", b"ZZB=", "hash"),
        (b"ZZA=", b"ZZA= ", "hash"),
        (b"ZZA=", b"ZZA=\r", "hash"),
        (b"PfXl5RA7", b"", "hash"),
        (b"\n\n", b"\n", "hash"),
        (b"index", b"\xff", "bytes"),
        (b"index 2\n", b"index 2\n" + b"A" * 43 + b"=\n" + (b"A" * 43 + b"=\n") * 63, "index"),
    ],
)
def test_any_other_way_of_writing_a_receipt_is_refused(old: bytes, new: bytes, line: str) -> None:
    assert old in DATA
    with pytest.raises(ReceiptMalformed) as refusal:
        Receipt.parse(DATA.replace(old, new, 1))
    assert refusal.value.params["line"] == line


@pytest.mark.parametrize(
    "data", [b"", DATA.partition(b"\n\n")[0], DATA.partition(b"\n\n")[0] + b"\n\n", DATA + b" " * 1_000_000]
)
def test_a_receipt_without_its_checkpoint_or_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(ReceiptMalformed):
        Receipt.parse(data)


@pytest.mark.parametrize("tail", [b"\n", b"trailing", b"trailing\n", b"\xff"])
def test_bytes_after_the_checkpoint_are_refused(tail: bytes) -> None:
    with pytest.raises(LedgerError):
        Receipt.parse(DATA + tail).verify(ENTRIES[RECEIPT.index], KEYS)
