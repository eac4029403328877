"""Canonical JSON, its lines, and the hashes over them: one value has one spelling, so one hash.

Keys sorted by code point (which is the order of their UTF-8 bytes), no spaces, UTF-8, integers 0 … 2⁵³−1, no
floats, no repeated keys, no lone surrogates, and only the escapes that JSON cannot do without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from domain.drawing.errors import DrawingError, NotCanonical

Json: TypeAlias = "bool | int | str | list[Any] | dict[str, Any] | None"
Row = TypeVar("Row")

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every language's JSON reads exactly."""

_MAX_DIGITS: Final = len(str(MAX_INTEGER))


def encode(value: object) -> bytes:
    """The canonical bytes of `value`, without a newline; tuples are written as arrays.

    Raises NotCanonical for what the format has no place for: floats, integers out of range, keys that are not
    text, lone surrogates, other types.
    """
    _check(value)
    return _spell(value)


def decode(data: bytes) -> Json:
    """The value of canonical bytes.

    Raises NotCanonical, naming the rule, for any other spelling of any value.
    """
    try:
        value: Json = _DECODER.decode(data.decode())
    except NotCanonical:
        raise
    except UnicodeDecodeError as error:
        raise NotCanonical("not-utf-8", f"byte {error.start + 1}") from error
    except RecursionError as error:
        raise NotCanonical("nested-too-deep") from error
    except json.JSONDecodeError as error:
        raise NotCanonical("not-json", f"{error.msg}, column {error.colno}") from error
    if _spell(value) != data:
        raise NotCanonical("not-canonical", "the same value is spelled otherwise in canonical JSON")
    return value


def encode_lines(values: Iterable[object]) -> bytes:
    """A `.jsonl` file: each value on a line that ends with a newline; nothing at all for no values."""
    return b"".join(encode(value) + b"\n" for value in values)


def split_lines(data: bytes, file: str = "") -> list[bytes]:
    """The lines of a `.jsonl` file without their newlines, split at `\\n` only.

    Raises NotCanonical for a last line that does not end.
    """
    lines = data.split(b"\n")
    if lines.pop():
        raise NotCanonical("no-final-newline", file=file, line=len(lines) + 1)
    return lines


def decode_lines(data: bytes, file: str, parse: Callable[[Json], Row]) -> list[Row]:
    """What `parse` makes of each line.

    An error of it, or of the line's bytes, is raised with `file` and the line's number.
    """
    rows: list[Row] = []
    for line in split_lines(data, file):
        try:
            rows.append(parse(_decode_line(line)))
        except DrawingError as error:
            error.locate(file, len(rows) + 1)
            raise
    return rows


def digest(*parts: bytes) -> bytes:
    """`H(part ‖ part ‖ …)`: SHA-256, 32 raw bytes."""
    return sha256(b"".join(parts)).digest()


def be32(number: int) -> bytes:
    """`number` as 4 bytes, big-endian."""
    return number.to_bytes(4, "big")


def merkle_root(lines: Iterable[bytes]) -> bytes:
    """The RFC 6962 root over lines without their newlines; of no lines, `H("")`."""
    level = [sha256(b"\x00" + line).digest() for line in lines]
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        # To pair from the left and carry an odd node up is to split at the largest power of two below n.
        odd = level[-1:] if len(level) % 2 else []
        level = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ] + odd
    return level[0]


def _decode_line(line: bytes) -> Json:
    if line.endswith(b"\r"):
        raise NotCanonical("carriage-return", "lines end with a newline alone")
    return decode(line)


def _spell(value: object) -> bytes:
    try:
        return _ENCODER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("lone-surrogate") from error
    except RecursionError as error:
        raise NotCanonical("nested-too-deep") from error


def _check(value: object) -> None:
    """Refuse what json would write although the format has no place for it.

    Iterative, so that depth cannot break it.
    """
    open_values = [value]
    while open_values:
        one = open_values.pop()
        if isinstance(one, Mapping):
            _check_keys(one)
            open_values.extend(one.values())
        elif isinstance(one, list | tuple):
            open_values.extend(one)
        elif type(one) is int:
            _check_range(one)
        elif not (one is None or isinstance(one, str | bool)):
            raise NotCanonical("float" if isinstance(one, float) else "no-such-type", type(one).__name__)


def _check_keys(mapping: Mapping[Any, object]) -> None:
    for key in mapping:
        if not isinstance(key, str):
            raise NotCanonical("key-is-not-text", repr(key))


def _check_range(number: int) -> int:
    if not 0 <= number <= MAX_INTEGER:
        raise NotCanonical("integer-out-of-range", "integers are 0 … 2⁵³−1")
    return number


def _read_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or digits[0] == "-":
        raise NotCanonical("integer-out-of-range", "integers are 0 … 2⁵³−1")
    return _check_range(int(digits))


def _read_float(digits: str) -> NoReturn:
    raise NotCanonical("float", digits[:40])


def _read_constant(name: str) -> NoReturn:
    raise NotCanonical("not-json", name)


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotCanonical("duplicate-key", _first_repeated(key for key, _ in pairs))
    return value


def _first_repeated(keys: Iterable[str]) -> str:
    seen: set[str] = set()
    return next(key for key in keys if key in seen or seen.add(key))  # type: ignore[func-returns-value]


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_integer,
    parse_float=_read_float,
    parse_constant=_read_constant,
)
