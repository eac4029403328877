from __future__ import annotations

import json
import sys
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.canonical import (
    MAX_INTEGER,
    be32,
    decode,
    decode_lines,
    digest,
    encode,
    encode_lines,
    merkle_root,
    split_lines,
)
from domain.drawing.errors import NotCanonical

ordinary = settings(max_examples=60, deadline=None)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
leaves = st.none() | st.booleans() | st.integers(0, MAX_INTEGER) | text
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@ordinary
@given(values)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert decode(encode(value)) == value


@ordinary
@given(values)
def test_other_programs_write_the_same_bytes(value: Any) -> None:
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert encode(value) == plain == msgspec.json.encode(value, order="sorted")


def test_every_character_is_spelled_as_others_spell_it() -> None:
    for start in range(0, sys.maxunicode + 1, 4096):
        some = "".join(chr(code) for code in range(start, start + 4096) if not 0xD800 <= code < 0xE000)
        assert encode(some) == msgspec.json.encode(some)


@ordinary
@given(values, st.data())
def test_only_one_spelling_of_a_value_is_accepted(value: Any, data: st.DataObject) -> None:
    spelled = encode(value)
    at = data.draw(st.integers(0, len(spelled)))
    changed = spelled[:at] + data.draw(st.sampled_from([b" ", b"\n", b"\t", b"0", b"\\u0041"])) + spelled[at:]
    try:
        again = decode(changed)
    except NotCanonical:
        return
    assert encode(again) == changed
    assert (again != value) or changed == spelled


@ordinary
@given(st.binary(max_size=20))
def test_no_bytes_make_it_fail_in_another_way(data: bytes) -> None:
    try:
        value = decode(data)
    except NotCanonical:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"a":1.0}', "float"),
        (b"1e3", "float"),
        (b"NaN", "not-json"),
        (b"-Infinity", "not-json"),
        (b"-1", "integer-out-of-range"),
        (b"-0", "integer-out-of-range"),
        (b"9007199254740992", "integer-out-of-range"),
        (b"9" * 5000, "integer-out-of-range"),
        (b'{"b":1,"a":2}', "not-canonical"),
        (b'{"a": 1}', "not-canonical"),
        (b" 1", "not-canonical"),
        (b"1\n", "not-canonical"),
        (b'"\\u0041"', "not-canonical"),
        (b'"\\/"', "not-canonical"),
        (b'"\\u001F"', "not-canonical"),
        (b'"\\u000a"', "not-canonical"),
        (b'"\\ud83d\\ude00"', "not-canonical"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'{"\\udc00":1}', "lone-surrogate"),
        (b'"\xed\xa0\x80"', "not-utf-8"),
        (b'"\xff"', "not-utf-8"),
        (b"\xef\xbb\xbf1", "not-json"),
        (b"", "not-json"),
        (b"01", "not-json"),
        (b'"\n"', "not-json"),
        (b"1 2", "not-json"),
        (b"[" * 100_000, "nested-too-deep"),
    ],
)
def test_anything_else_is_refused_by_name(data: bytes, rule: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        decode(data)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (1.0, "float"),
        ([float("nan")], "float"),
        ({"a": {"b": -1}}, "integer-out-of-range"),
        (2**53, "integer-out-of-range"),
        ({1: "a"}, "key-is-not-text"),
        ("\ud800", "lone-surrogate"),
        ({"\udfff": 1}, "lone-surrogate"),
        (b"bytes", "no-such-type"),
        ({"a"}, "no-such-type"),
    ],
)
def test_what_has_no_place_in_the_format_is_not_written(value: Any, rule: str) -> None:
    with pytest.raises(NotCanonical) as refused:
        encode(value)
    assert refused.value.rule == rule


def test_nesting_without_end_is_not_written() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonical) as refused:
        encode(value)
    assert refused.value.rule == "nested-too-deep"


def test_lines_end_with_a_newline_and_none_is_an_empty_file() -> None:
    assert encode_lines([]) == b""
    assert encode_lines([1, "a"]) == b'1\n"a"\n'
    assert split_lines(b"") == []
    assert split_lines(b"a\r\n\nb\n") == [b"a\r", b"", b"b"]


@pytest.mark.parametrize(
    ("data", "rule", "line"),
    [
        (b"{}\n{}", "no-final-newline", 2),
        (b"{}", "no-final-newline", 1),
        (b"{}\n{}\r\n", "carriage-return", 2),
        (b"{}\n\n{}\n", "not-json", 2),
        (b'{}\n{}\n{"a":1.5}\n', "float", 3),
        ('{}\n{"a":"\u2028"}\n{ }\n'.encode(), "not-canonical", 3),
    ],
)
def test_a_wrong_line_is_named_with_its_file_and_number(data: bytes, rule: str, line: int) -> None:
    with pytest.raises(NotCanonical) as refused:
        decode_lines(data, "some.jsonl", lambda value: value)
    assert (refused.value.rule, refused.value.file, refused.value.line) == (rule, "some.jsonl", line)
    assert str(refused.value).startswith(f"some.jsonl:{line}: {rule}")


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


def test_the_merkle_root_is_that_of_rfc_6962() -> None:
    for count in range(70):
        lines = [str(number).encode() for number in range(count)]
        assert merkle_root(lines) == recursive_root(lines)


def test_hashes_take_their_parts_in_order_and_numbers_are_big_endian() -> None:
    assert digest(b"a", b"bc") == sha256(b"abc").digest()
    assert be32(258) == b"\x00\x00\x01\x02"
    with pytest.raises(OverflowError):
        be32(2**32)
