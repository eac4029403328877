"""Reading a filled-in template from XLSX or CSV: rows by the template's keys, every wrong cell named.

What a row is about is not known here. Columns are found by their Chinese or English title or their key, in
any order, under any title rows; others are named in `Table.unknown` and not read.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

import msgspec

from application.tables import Column, Heading, Row, RowError, Template, Value, cell_error
from domain.errors import SpreadsheetRefused
from infrastructure.cells import READERS, CellWrong, Reader
from infrastructure.csv_tables import open_csv
from infrastructure.files import disk_errors
from infrastructure.grid import Cell, Grid, Limits
from infrastructure.spreadsheet_writer import REQUIRED_MARK
from infrastructure.xlsx import open_xlsx

_HEADING_WITHIN: Final = 20
_ZIP: Final = b"PK\x03\x04"
_COMPOUND: Final = b"\xd0\xcf\x11\xe0"
_LONGEST_SHOWN: Final = 80


class Table:
    """A file's table under its heading. Iterate it once for the rows; blank ones are left out.

    `errors` are those of the heading (column-missing, column-repeated), `unknown` the titles that are not
    the template's, `total` how many rows there are at most.
    """

    def __init__(self, grid: Grid, template: Template, limits: Limits) -> None:
        above = list(islice(grid.rows, _HEADING_WITHIN))
        number, places, self.unknown, repeated = _find_heading(grid, above, template)
        titles = {column.key: column.title for column in template.columns}
        self.heading = Heading(grid.sheet, number, places, titles)
        self.errors = tuple(_heading_errors(self.heading, template, repeated))
        self.total = max(grid.total - number, 0)
        self._rows = chain(above[number:], grid.rows)
        self._flaws, self._limit = grid.flaws, limits.rows
        self._fields = [
            _Field(column, places[column.key] - grid.first, READERS[column.kind])
            for column in template.columns
            if column.key in places
        ]
        self._absent: dict[str, Value] = {
            column.key: _empty(column) for column in template.columns if column.key not in places
        }
        self._first = grid.first

    @property
    def sheet(self) -> str:
        """The name of the sheet that is read."""
        return self.heading.sheet

    def __iter__(self) -> Iterator[Row]:
        count = 0
        for number, cells in self._numbered():
            flawed = self._flaws.get(number)
            if not flawed and _is_blank(cells):
                continue
            count += 1
            if count > self._limit:
                raise SpreadsheetRefused(reason="too-many-rows", limit=self._limit)
            yield self._row(number, cells, flawed or {})

    def _numbered(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """The rows under the heading; readers leave out a last row whose cells have no values, only flaws."""
        number = self.heading.row
        for number, cells in enumerate(self._rows, self.heading.row + 1):
            yield number, cells
        for below in sorted(row for row in self._flaws if row > number):
            yield below, ()

    def _row(self, number: int, cells: Sequence[Cell], flawed: Mapping[int, str]) -> Row:
        values, errors = dict(self._absent), list[RowError]()
        width = len(cells)
        for field in self._fields:
            cell = cells[field.place] if 0 <= field.place < width else ""
            column = field.column
            try:
                if flawed and field.place + self._first in flawed:
                    raise CellWrong(flawed[field.place + self._first])
                value = values[column.key] = field.read(cell, column)
                if column.required and (value is None or value in ("", ())):
                    raise CellWrong("missing")
            except CellWrong as wrong:
                values[column.key] = _empty(column)
                errors.append(self._error(number, column.key, wrong, cell))
        return Row(self.heading, number, values, tuple(errors))

    def _error(self, number: int, key: str, wrong: CellWrong, cell: Cell) -> RowError:
        shown = str(cell)[:_LONGEST_SHOWN]
        return cell_error(self.heading, number, key, wrong.code, shown, **wrong.facts)


class _Field(msgspec.Struct, frozen=True):
    column: Column
    place: int
    read: Reader


def read_table(
    source: Path | bytes, template: Template, *, sheet: str | None = None, limits: Limits | None = None
) -> Table:
    """Open a file for reading by a template; `sheet` names one if it is neither the template's nor the first.

    Raises `SpreadsheetRefused` with the reason: file-too-large, old-or-encrypted, no-heading, and those of
    `open_xlsx` and `open_csv`; while rows are taken: too-many-rows, csv-malformed.
    """
    limits = limits or Limits()
    content = _content(source, limits)
    name = source.name if isinstance(source, Path) else template.title
    if content.startswith(_COMPOUND):
        raise SpreadsheetRefused(reason="old-or-encrypted")
    if content.startswith(_ZIP):
        grid = open_xlsx(content, sheet, template.title, limits)
    else:
        grid = open_csv(content, name)
    return Table(grid, template, limits)


def _content(source: Path | bytes, limits: Limits) -> bytes:
    if isinstance(source, Path):
        with disk_errors(passing=FileNotFoundError), source.open("rb") as stream:
            content = stream.read(limits.file + 1)
    else:
        content = source
    if len(content) > limits.file:
        raise SpreadsheetRefused(reason="file-too-large", limit=limits.file)
    return content


def _find_heading(
    grid: Grid, above: Sequence[Sequence[Cell]], template: Template
) -> tuple[int, dict[str, int], tuple[str, ...], list[tuple[str, int]]]:
    """The row with most of the template's titles: its number, places, unknown and repeated titles."""
    keys = _keys_by_title(template)
    matches = [sum(_plain(cell) in keys for cell in cells) for cells in above]
    if not any(matches):
        wanted = [column.title for column in template.columns]
        raise SpreadsheetRefused(reason="no-heading", wanted=wanted, sheet=grid.sheet)
    index = matches.index(max(matches))
    places, unknown, repeated = dict[str, int](), list[str](), list[tuple[str, int]]()
    for place, cell in enumerate(above[index], grid.first):
        key = keys.get(_plain(cell))
        if key is None:
            unknown += [str(cell).strip()] if str(cell).strip() else []
        elif places.setdefault(key, place) != place:
            repeated.append((key, place))
    return index + 1, places, tuple(unknown), repeated


def _keys_by_title(template: Template) -> dict[str, str]:
    return {
        _plain(name): column.key
        for column in template.columns
        for name in (column.key, column.english, column.title)
    }


def _plain(title: object) -> str:
    """A title without what people change: width and case of letters, spaces, the mark of the required."""
    text = unicodedata.normalize("NFKC", str(title)).casefold()
    return "".join(char for char in text if not char.isspace() and char not in f"{REQUIRED_MARK}_-")


def _heading_errors(
    heading: Heading, template: Template, repeated: Iterable[tuple[str, int]]
) -> Iterator[RowError]:
    for column in template.columns:
        if column.required and column.key not in heading.places:
            yield cell_error(heading, heading.row, column.key, "column-missing")
    for key, place in repeated:
        at = msgspec.structs.replace(heading, places={key: place})
        yield cell_error(at, heading.row, key, "column-repeated", heading.titles[key])


def _empty(column: Column) -> Value:
    if column.kind == "text":
        return ""
    return () if column.kind == "list" else None


def _is_blank(cells: Sequence[Cell]) -> bool:
    return not any(not isinstance(cell, str) or cell.strip() for cell in cells)
