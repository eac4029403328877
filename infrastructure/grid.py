"""What every reader of table files gives: cells by row, the flaws that values do not show, and its limits."""

from collections.abc import Iterator
from datetime import date, time, timedelta

import msgspec

from domain.errors import SpreadsheetRefused

Cell = str | int | float | bool | date | time | timedelta
Flaws = dict[int, dict[int, str]]
"""A code for each flawed cell: by row (from 1), then by column (from 0)."""

MOST_FLAWS = 10_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is read: bytes of the file, bytes it unpacks to, rows with content."""

    file: int = 64 * 1024 * 1024
    unpacked: int = 512 * 1024 * 1024
    rows: int = 250_000


class Grid(msgspec.Struct, kw_only=True):
    """A sheet as it stands. `rows` begin with row 1, their cells with column `first` (from 0).

    `total` is how many rows there are at most, for a progress bar.
    """

    sheet: str
    rows: Iterator[list[Cell]]
    first: int
    flaws: Flaws
    total: int


def note_flaw(flaws: Flaws, row: int, place: int, code: str) -> None:
    """Add a flaw; `SpreadsheetRefused` (too-many-flaws) where a file consists of them."""
    line = flaws.setdefault(row, {})
    line.setdefault(place, code)
    if len(flaws) + len(line) > MOST_FLAWS:
        raise SpreadsheetRefused(reason="too-many-flaws", code=code, limit=MOST_FLAWS)
