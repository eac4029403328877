from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.cosignature import (
    COSIGNATURE,
    TIME_LIMIT,
    Cosigned,
    WitnessKey,
    WitnessSigningKey,
    add_signatures,
    cosigned_message,
    read_cosignatures,
)
from domain.ledger.errors import KeyMalformed, LedgerError, NoteMalformed, SignatureInvalid
from domain.ledger.note import ED25519, Note, Signature, SigningKey, VerifierKey, parse_signature

LOG = SigningKey("sunlot.example/140100", bytes(range(32)))
WITNESS = WitnessSigningKey("jiwei.example/w1", b"w" * 32)
OTHER = WitnessSigningKey("press.example/w2", b"p" * 32)
NOTE = sign_checkpoint(Checkpoint(LOG.name, 7, bytes(32)), LOG)
TEXT = Note.parse(NOTE).text
AT = 1_795_480_923
SEEDS = st.binary(min_size=32, max_size=32)
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=40)


def test_the_line_of_the_standards_example_reads_back() -> None:
    """From c2sp.org/tlog-cosignature; its time is the one that the standard spells out."""
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin"
        "1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    signature = parse_signature(line)
    assert (signature.name, signature.key_id.hex()) == ("witness.example.com/w1", "8d66cf3f")
    assert len(signature.signature) == 8 + 64
    assert int.from_bytes(signature.signature[:8], "big") == 1_679_315_147
    assert signature.encode() == line


def test_the_message_is_the_standards_example() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert cosigned_message(text, 1_679_315_147) == (
        b"cosignature/v1\n"
        b"time 1679315147\n"
        b"example.com/behind-the-sofa\n"
        b"20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(0, TIME_LIMIT))
def test_a_cosignature_tells_when_it_was_made(seed: bytes, at: int) -> None:
    key = WitnessSigningKey("w", seed)
    line = parse_signature(key.cosign(TEXT, at).encode())
    assert (line.name, line.key_id) == ("w", key.verifier.id)
    assert key.verifier.verify(line.signature, TEXT) == at


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 72 * 8 - 1))
def test_a_flipped_bit_of_time_or_signature_is_refused(bit: int) -> None:
    changed = bytearray(WITNESS.cosign(TEXT, AT).signature)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(bytes(changed), TEXT)


@pytest.mark.parametrize("text", ["", TEXT[:-1], TEXT + "\n", TEXT.replace("7", "8"), TEXT + "extension\n"])
def test_a_cosignature_of_another_text_is_refused(text: str) -> None:
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(WITNESS.cosign(TEXT, AT).signature, text)


@pytest.mark.parametrize("at", [-1, TIME_LIMIT + 1, 2**64])
def test_no_witness_signs_at_a_time_that_is_none(at: int) -> None:
    with pytest.raises(ValueError, match="no POSIX time"):
        WITNESS.cosign(TEXT, at)


def test_a_time_beyond_the_limit_is_refused_though_it_was_signed() -> None:
    at = TIME_LIMIT + 1
    signed = WITNESS._private().sign(cosigned_message(TEXT, at))
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(at.to_bytes(8, "big") + signed, TEXT)


@pytest.mark.parametrize("length", [0, 7, 8, 64, 71, 73])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    data = (WITNESS.cosign(TEXT, AT).signature + b"\x00")[:length]
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(data, TEXT)


def test_a_logs_signature_is_no_cosignature_and_the_other_way_round() -> None:
    """One key in both roles: what it signed in one cannot be passed off as signed in the other."""
    log, witness = SigningKey(LOG.name, b"s" * 32), WitnessSigningKey(LOG.name, b"s" * 32)
    assert log.verifier.public == witness.verifier.public
    assert log.verifier.id != witness.verifier.id
    plain = log.sign(TEXT.encode()).signature
    with pytest.raises(SignatureInvalid):
        witness.verifier.verify(AT.to_bytes(8, "big") + plain, TEXT)
    with pytest.raises(SignatureInvalid):
        log.verifier.verify(witness.cosign(TEXT, AT).signature[8:], TEXT.encode())


@settings(max_examples=40, deadline=None)
@given(SEEDS, NAMES)
def test_keys_read_back(seed: bytes, name: str) -> None:
    assume("+" not in name and not any(char.isspace() for char in name))
    key = WitnessSigningKey(name, seed)
    assert WitnessSigningKey.parse(key.encode()) == key
    assert WitnessKey.parse(key.verifier.encode()) == key.verifier
    assert repr(seed) not in repr(key)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.characters(min_codepoint=0x20, max_codepoint=0x7E))
def test_a_key_with_a_changed_character_is_refused(data: st.DataObject, other: str) -> None:
    for line, parse in (
        (WITNESS.verifier.encode(), WitnessKey.parse),
        (WITNESS.encode(), WitnessSigningKey.parse),
    ):
        at = data.draw(st.integers(0, len(line) - 1))
        assume(other != line[at])
        with pytest.raises(LedgerError):
            parse(line[:at] + other + line[at + 1 :])


def test_a_key_of_one_type_is_not_read_as_the_other() -> None:
    with pytest.raises(KeyMalformed, match="another type of key"):
        WitnessKey.parse(LOG.verifier.encode())
    with pytest.raises(KeyMalformed, match="another type of key"):
        VerifierKey.parse(WITNESS.verifier.encode())
    with pytest.raises(KeyMalformed, match="another type of key"):
        WitnessSigningKey.parse(LOG.encode())
    with pytest.raises(KeyMalformed, match="another type of key"):
        SigningKey.parse(WITNESS.encode())


@pytest.mark.parametrize("kind", [ED25519, COSIGNATURE, b"\x06", b"\xff"])
@pytest.mark.parametrize("size", [0, 31, 33, 1312])
def test_a_key_of_another_length_is_refused(kind: bytes, size: int) -> None:
    line = f"w+00000000+{b64encode(kind + bytes(size)).decode()}"
    for parse in (WitnessKey.parse, VerifierKey.parse):
        with pytest.raises(KeyMalformed, match="another type of key"):
            parse(line)


@pytest.mark.parametrize(
    "line", ["", "w", "w+", "w+0000", "+00000000+BA==", "a b+00000000+BA==", "PRIVATE+KEY+w"]
)
def test_what_is_no_key_line_is_refused_without_repeating_it(line: str) -> None:
    for parse in (WitnessKey.parse, WitnessSigningKey.parse):
        with pytest.raises(KeyMalformed) as refusal:
            parse(line)
        assert line == "" or line not in str(refusal.value)


@pytest.mark.parametrize(("name", "seed"), [("", bytes(32)), ("a+b", bytes(32)), ("w", bytes(31))])
def test_no_key_has_such_a_name_or_seed(name: str, seed: bytes) -> None:
    with pytest.raises(KeyMalformed):
        WitnessSigningKey(name, seed)


def test_cosignatures_stand_beside_the_logs_and_disturb_nobody() -> None:
    note = add_signatures(NOTE, [WITNESS.cosign(TEXT, AT), OTHER.cosign(TEXT, AT + 5)])
    assert note.startswith(NOTE)
    assert open_checkpoint(note, [LOG.verifier]).size == 7
    keys = [OTHER.verifier, WITNESS.verifier]
    assert read_cosignatures(Note.parse(note), keys) == (
        Cosigned(WITNESS.verifier, AT),
        Cosigned(OTHER.verifier, AT + 5),
    )
    assert read_cosignatures(Note.parse(note), [OTHER.verifier]) == (Cosigned(OTHER.verifier, AT + 5),)
    assert read_cosignatures(Note.parse(NOTE), keys) == ()


def test_of_several_times_the_earliest_counts() -> None:
    lines = tuple(WITNESS.cosign(TEXT, AT + later) for later in (7, 3, 9))
    note = Note(TEXT, (*Note.parse(NOTE).signatures, *lines))
    assert read_cosignatures(note, [WITNESS.verifier]) == (Cosigned(WITNESS.verifier, AT + 3),)


def test_one_false_line_of_a_trusted_witness_spoils_the_note() -> None:
    false = WITNESS.cosign(TEXT.replace("7", "8"), AT)
    note = Note(TEXT, (*Note.parse(NOTE).signatures, WITNESS.cosign(TEXT, AT), false))
    with pytest.raises(SignatureInvalid):
        read_cosignatures(note, [WITNESS.verifier])
    assert read_cosignatures(note, [OTHER.verifier]) == ()


def test_adding_a_signature_loses_none_and_adds_none_of_a_key_that_has_signed() -> None:
    once = add_signatures(NOTE, [WITNESS.cosign(TEXT, AT)])
    again = add_signatures(once, [WITNESS.cosign(TEXT, AT + 60), LOG.sign(TEXT.encode())])
    assert again == once
    twice = [OTHER.cosign(TEXT, AT), OTHER.cosign(TEXT, AT + 1)]
    assert add_signatures(once, twice) == once + f"{twice[0].encode()}\n".encode()


def test_no_note_gets_more_lines_than_can_be_read() -> None:
    lines = [Signature(f"w{number}", b"four", b"x") for number in range(100)]
    full = add_signatures(NOTE, lines[:99])
    assert len(Note.parse(full).signatures) == 100
    with pytest.raises(NoteMalformed):
        add_signatures(full, lines[99:])
    with pytest.raises(NoteMalformed):
        add_signatures(b"no note", lines)
