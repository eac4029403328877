"""A cell's value by the kind of its column: strict, so that nothing is taken for what it only resembles."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from application.tables import Column, Kind, Value
from infrastructure.grid import Cell

_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits of a number; an 18-digit code typed as one has lost its last three."""
_REFUSED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffd-\uffff]"
)
"""Control characters, invisible ones, those that turn the direction of text, and the mark of lost ones."""
_DATE: Final = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))",
    re.ASCII,
)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,15}")
_SEPARATORS: Final = re.compile(r"[、，,;；|\n]")
_TRUTH: Final = {
    **dict.fromkeys(("是", "有", "对", "√", "yes", "y", "true", "1"), True),
    **dict.fromkeys(("否", "无", "错", "×", "no", "n", "false", "0"), False),
}


class CellWrong(Exception):
    """A cell that is not what its column asks for: `code` and `facts` of a `RowError`."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


Reader = Callable[[Cell, Column], Value]


def read_text(cell: Cell, column: Column) -> str:
    """The text, without space around it.

    Raises `CellWrong`: text-wrong, digits-lost, too-long, character-refused.
    """
    text = cell.strip() if isinstance(cell, str) else _text_of(cell)
    if len(text) > column.limit:
        raise CellWrong("too-long", limit=column.limit, length=len(text))
    if not text.isprintable():
        _check_characters(text)
    return text


def read_date(cell: Cell, column: Column) -> date | None:
    """The day: a date cell without a time, or a text.

    `2024-04-30`, `2024/4/30`, `2024.4.30`, `2024年4月30日` and `20240430` are the same day.
    """
    if isinstance(cell, datetime):
        if cell.time() != time.min:
            raise CellWrong("date-wrong", found="time")
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = read_text(cell, column)
    return _date_of(text) if text else None


def read_int(cell: Cell, column: Column) -> int | None:
    """The whole number, of 15 digits at most."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return int(cell)
    text = read_text(cell, column) if isinstance(cell, str) else ""
    if text == "" and isinstance(cell, str):
        return None
    if not _INTEGER.fullmatch(text):
        raise CellWrong("int-wrong")
    return int(text)


def read_bool(cell: Cell, column: Column) -> bool | None:
    """是 or 否, and the like."""
    if isinstance(cell, bool):
        return cell
    text = read_text(cell, column).casefold()
    if text and text not in _TRUTH:
        raise CellWrong("bool-wrong")
    return _TRUTH.get(text)


def read_list(cell: Cell, column: Column) -> tuple[str, ...]:
    """The entries between 、 ， , ; ； | or line ends, in order."""
    plain = cell if isinstance(cell, str) else _text_of(cell)
    parts = (part.strip() for part in _SEPARATORS.split(plain))
    return tuple(read_text(part, column) for part in parts if part)


READERS: Final[Mapping[Kind, Reader]] = {
    "text": read_text,
    "date": read_date,
    "int": read_int,
    "bool": read_bool,
    "list": read_list,
}


def _text_of(cell: Cell) -> str:
    if isinstance(cell, bool | date | time | timedelta):
        raise CellWrong("text-wrong", found=type(cell).__name__)
    if isinstance(cell, str) or not float(cell).is_integer():
        return str(cell)
    if abs(cell) >= _EXACT:
        raise CellWrong("digits-lost")
    return str(int(cell))


def _check_characters(text: str) -> None:
    refused = _REFUSED.search(text)
    if refused:
        raise CellWrong("character-refused", character=f"U+{ord(refused[0]):04X}")


def _date_of(text: str) -> date:
    match = _DATE.fullmatch(text)
    if not match:
        raise CellWrong("date-wrong")
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        raise CellWrong("date-wrong") from None
