from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.ledger.errors import (
    KeyMalformed,
    KeyUnknown,
    LedgerError,
    NoteMalformed,
    SignatureInvalid,
    SignatureMissing,
)
from domain.ledger.note import Note, SigningKey, VerifierKey, decode_base64, sign_note

KEY = SigningKey("sunlot.example/140100", bytes(range(32)))
WITNESS = SigningKey("witness.example", b"w" * 32)
TEXT = "晴签\n\nlast line\n"
NOTE = sign_note(TEXT, KEY)
PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def test_the_example_of_the_go_note_package_verifies() -> None:
    """From the documentation of golang.org/x/mod/sumdb/note."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ryy"
        "BwJnAM=\n"
    )
    secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    assert Note.parse(note.encode()).verify([key]) == (key,)
    signing = SigningKey.parse(secret)
    assert signing.verifier == key
    assert sign_note(note.split("\n\n")[0] + "\n", signing).encode() == note.encode()
    assert signing.encode() == secret


def test_a_note_reads_back_and_names_who_signed() -> None:
    assert Note.parse(NOTE.encode()) == NOTE
    assert NOTE.verify([WITNESS.verifier, KEY.verifier]) == (KEY.verifier,)


def test_signature_lines_of_others_are_ignored() -> None:
    other_kind = WITNESS.sign(b"something else")
    newer = SigningKey(KEY.name, b"n" * 32).sign(TEXT.encode())
    note = Note.parse(Note(TEXT, (other_kind, newer, *NOTE.signatures)).encode())
    assert note.verify([KEY.verifier]) == (KEY.verifier,)


def test_a_known_name_with_an_unknown_key_is_refused_by_name() -> None:
    impostor = SigningKey(KEY.name, b"i" * 32)
    with pytest.raises(KeyUnknown) as refusal:
        sign_note(TEXT, impostor).verify([KEY.verifier])
    assert refusal.value.params == {"name": KEY.name, "key": impostor.verifier.id.hex()}


def test_a_note_signed_by_strangers_only_is_refused() -> None:
    with pytest.raises(SignatureMissing):
        sign_note(TEXT, WITNESS).verify([KEY.verifier])


def test_one_false_signature_of_a_known_key_spoils_the_note() -> None:
    false = KEY.sign(b"another text\n")
    with pytest.raises(SignatureInvalid):
        Note(TEXT, (*NOTE.signatures, false)).verify([KEY.verifier])


def test_a_signature_of_the_wrong_length_does_not_verify() -> None:
    data = NOTE.encode().rpartition(b" ")[0] + b" " + b64encode(KEY.verifier.id + b"short") + b"\n"
    with pytest.raises(SignatureInvalid):
        Note.parse(data).verify([KEY.verifier])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        NOTE.encode()[:-1],
        NOTE.encode() + b"\n",
        NOTE.encode() + b"trailing\n",
        NOTE.encode().replace(b"\n", b"\r\n"),
        NOTE.encode().replace("— ".encode(), b"- "),
        NOTE.encode().replace("— ".encode(), "—  ".encode()),
        NOTE.encode()[:-2] + b"\n",
        NOTE.encode()[:-1] + b" \n",
        b"\xff" + NOTE.encode(),
        b"\x00" + NOTE.encode(),
        f"text\n\n— name {b64encode(b'four').decode()}\n".encode(),
        f"text\n\n— na+me {b64encode(b'five!').decode()}\n".encode(),
        b"text\n" * 300_000 + b"\n" + NOTE.encode().partition(b"\n\n")[2],
        (TEXT + "\n" + f"{NOTE.signatures[0].encode()}\n" * 101).encode(),
    ],
)
def test_what_is_not_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformed):
        Note.parse(data)


@pytest.mark.parametrize("text", ["", "no line end", "tab\t\n", "return\r\n"])
def test_a_text_that_a_note_cannot_hold_is_not_signed(text: str) -> None:
    with pytest.raises(NoteMalformed):
        sign_note(text, KEY)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.from_regex(r"[a-z.]+/[0-9]{1,6}", fullmatch=True))
def test_keys_read_back(seed: bytes, name: str) -> None:
    key = SigningKey(name, seed)
    assert SigningKey.parse(key.encode()) == key
    assert VerifierKey.parse(key.verifier.encode()) == key.verifier


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_key_with_a_changed_character_is_refused(data: st.DataObject) -> None:
    for line, parse in ((KEY.verifier.encode(), VerifierKey.parse), (KEY.encode(), SigningKey.parse)):
        at = data.draw(st.integers(0, len(line) - 1))
        other = data.draw(PRINTABLE)
        assume(other != line[at])
        with pytest.raises(LedgerError):
            parse(line[:at] + other + line[at + 1 :])


@pytest.mark.parametrize(
    "line", ["", "name", "name+00000000", "name+00000000+AQ==", KEY.verifier.encode() + "\n"]
)
def test_what_is_not_a_key_is_refused(line: str) -> None:
    with pytest.raises(KeyMalformed):
        VerifierKey.parse(line)
    with pytest.raises(KeyMalformed):
        SigningKey.parse(line)


@pytest.mark.parametrize(
    ("name", "seed"), [("", b"s" * 32), ("a b", b"s" * 32), ("a+b", b"s" * 32), ("ab", b"s")]
)
def test_a_key_with_an_unsound_name_or_seed_cannot_be(name: str, seed: bytes) -> None:
    with pytest.raises(KeyMalformed):
        SigningKey(name, seed)


def test_the_secret_shows_in_no_repr_and_no_error() -> None:
    assert repr(KEY.seed) not in repr(KEY)
    secret = KEY.encode()
    with pytest.raises(KeyMalformed) as refusal:
        SigningKey.parse(secret[:-1])
    assert secret[60:-1] not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("text", ["AA", "AB==", "AA==\n", " AA==", "A-==", "AA=", "AA==AA==", "é==="])
def test_base64_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        decode_base64(text)
