"""What every record of a bundle is asked: are these its fields, is this a word, a hash, a count?"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Any, Final

from domain.drawing.canonical import MAX_INTEGER, Json
from domain.drawing.errors import WrongShape

_WORD: Final = re.compile(r"[!-~]+")
_HEX: Final = re.compile(r"[0-9a-f]+")


def take_fields(value: Json, names: Collection[str]) -> dict[str, Any]:
    """`value` itself, if it is an object with exactly these fields."""
    if not isinstance(value, dict):
        raise WrongShape("not-an-object")
    if value.keys() != set(names):
        missing, extra = sorted(set(names) - value.keys()), sorted(value.keys() - set(names))
        raise WrongShape("wrong-fields", f"missing {missing}, not known {extra}")
    return value


def take_word(value: Json, name: str) -> str:
    """An id, ref, area, code, party or seat: printable ASCII without spaces, at least one character."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise WrongShape("not-a-word", f"{name} must be printable ASCII without spaces")
    return value


def take_words(value: Json, name: str) -> tuple[str, ...]:
    """A list of words, sorted and without repeats."""
    words = tuple(take_word(word, name) for word in take_list(value, name))
    if any(left >= right for left, right in pairwise(words)):
        raise WrongShape("unsorted-list", f"{name} must be sorted and without repeats")
    return words


def take_text(value: Json, name: str) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise WrongShape("not-text", f"{name} must be text")
    return value


def take_some_text(value: Json, name: str) -> str:
    """Text that is not empty and has no zero byte: some of it stands before a zero byte in what is hashed."""
    text = take_text(value, name)
    if not text or "\0" in text:
        raise WrongShape("empty-text", f"{name} must be text that is not empty and has no zero character")
    return text


def take_hex(value: Json, name: str, length: int) -> str:
    """`length` bytes in lower-case hex."""
    if not isinstance(value, str) or len(value) != 2 * length or not _HEX.fullmatch(value):
        raise WrongShape("not-hex", f"{name} must be {2 * length} lower-case hex digits")
    return value


def take_flag(value: Json, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongShape("not-a-flag", f"{name} must be true or false")
    return value


def take_integer(value: Json, name: str, low: int = 0, high: int = MAX_INTEGER) -> int:
    """An integer from `low` to `high`, both included."""
    if type(value) is not int or not low <= value <= high:
        raise WrongShape("not-in-range", f"{name} must be an integer {low} … {high}")
    return value


def take_list(value: Json, name: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise WrongShape("not-a-list", f"{name} must be a list")
    return value
