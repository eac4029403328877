"""Tables that people fill in: what columns a template has, and rows read from a file with their errors.

Nothing here knows what the rows are about. A reader of files makes `Row`s; a command checks their values
and adds errors of its own with `Row.error`, so that every wrong cell is named in one way.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec

Kind = Literal["text", "date", "int", "bool", "list"]
Value = str | int | date | tuple[str, ...] | None
"""A text ("" if empty), a list (() if empty), or a date, an integer, a truth value (None if empty)."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a template. `limit` is the most characters of a text, or of one entry of a list."""

    key: str
    title: str
    english: str
    kind: Kind = "text"
    required: bool = False
    example: str = ""
    help: str = ""
    limit: int = 500


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of table; `title` names its sheet."""

    name: str
    title: str
    english: str
    columns: tuple[Column, ...]


class RowError(msgspec.Struct, frozen=True):
    """One thing wrong in a file: where, what (a stable code), and the value as it stands there.

    `row` counts from 1 as a spreadsheet shows it, `column` is its letter ("" for a whole row). `facts`
    hold `key` and `title` of the column, and what the sentence needs.
    """

    sheet: str
    row: int
    column: str
    code: str
    value: str
    facts: Mapping[str, Any]


class Heading(msgspec.Struct, frozen=True):
    """Where the columns of a template stand: the number of the heading's row, each key's column from 0."""

    sheet: str
    row: int
    places: Mapping[str, int]
    titles: Mapping[str, str]


class Row(msgspec.Struct, frozen=True):
    """One row by the template's keys; what was wrong with a cell is in `errors` and its value empty."""

    heading: Heading
    number: int
    values: Mapping[str, Value]
    errors: tuple[RowError, ...]

    @property
    def sheet(self) -> str:
        """The sheet's name."""
        return self.heading.sheet

    def error(self, key: str, code: str, value: object = "", **facts: Any) -> RowError:
        """An error about the cell of a column."""
        return cell_error(self.heading, self.number, key, code, value, **facts)


def cell_error(
    heading: Heading, number: int, key: str, code: str, value: object = "", **facts: Any
) -> RowError:
    """An error about a cell: row `number`, the column of the template's `key`."""
    place = heading.places.get(key)
    letter = "" if place is None else column_letter(place)
    told = {"key": key, "title": heading.titles.get(key, ""), **facts}
    return RowError(heading.sheet, number, letter, code, str(value), told)


def column_letter(place: int) -> str:
    """The letters of a column counted from 0: A, B … Z, AA …"""
    letters, rest = "", place + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
