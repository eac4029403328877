"""Writing XLSX: templates, empty or filled, and plain tables.

Every text is written as text: nothing becomes a formula, a link or a rounded number, whatever it begins
with. A text that a spreadsheet might take for a formula when the cell is edited is marked as quoted.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from application.tables import Column, Kind, Template
from infrastructure.files import PUBLIC, disk_errors, part_file

REQUIRED_MARK: Final = "*"
TRUE: Final = "是"
FALSE: Final = "否"
LIST_MARK: Final = "、"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_KIND_NAMES: Final[Mapping[Kind, str]] = {
    "text": "文本 text",
    "date": "日期 date，如 2024-04-30",
    "int": "整数 whole number",
    "bool": f"{TRUE}/{FALSE} yes/no",
    "list": f"多项，用“{LIST_MARK}”分隔 several, separated by “{LIST_MARK}”",
}
_EXPLAINED: Final = ("列名", "English", "必填 required", "类型 kind", "示例 example", "说明 help")
_OPTIONS: Final = {
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "constant_memory": True,
}
_WIDTHS: Final = (14, 60)
_TALLEST_VALIDATION: Final = 100_000


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A plain table: texts, whole numbers, dates, truth values, None for nothing; `widths` in characters."""

    name: str
    titles: Sequence[str]
    rows: Iterable[Sequence[object]]
    widths: Sequence[int] = ()


def write_sheets(target: Path | BinaryIO, sheets: Sequence[Sheet]) -> None:
    """Write a workbook of plain tables; rows are taken one by one, memory stays flat.

    A path has the whole file or what was there before. `StoreUnavailable` where the disk refuses.
    """
    _write(target, lambda book: _add_sheets(book, sheets))


def write_template(
    template: Template, target: Path | BinaryIO, rows: Iterable[Mapping[str, object]] = ()
) -> None:
    """Write a template, empty or with rows by column key, and a second sheet that explains the columns."""
    _write(target, lambda book: _add_template(book, template, rows))


class _Styles:
    def __init__(self, book: Workbook) -> None:
        self.title: Format = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        self.text: Format = book.add_format({"num_format": "@"})
        self.quoted: Format = book.add_format({"num_format": "@", "quote_prefix": True})
        self.date: Format = book.add_format({"num_format": "yyyy-mm-dd"})
        self.wrapped: Format = book.add_format({"text_wrap": True, "valign": "top"})

    def of_text(self, text: str) -> Format:
        return self.quoted if text.startswith(_FORMULA_STARTS) else self.text


def _write(target: Path | BinaryIO, fill: Any) -> None:
    with disk_errors():
        if isinstance(target, Path):
            with part_file(target.parent, mode=PUBLIC) as part:
                _fill(part.stream, fill)
                part.keep(target)
        else:
            _fill(target, fill)


def _fill(stream: Any, fill: Any) -> None:
    with xlsxwriter.Workbook(stream, _OPTIONS) as book:
        fill(book)


def _add_sheets(book: Workbook, sheets: Sequence[Sheet]) -> None:
    styles = _Styles(book)
    for sheet in sheets:
        page = book.add_worksheet(sheet.name)
        widths = sheet.widths or [_width(title) for title in sheet.titles]
        for place, width in enumerate(widths):
            page.set_column(place, place, width)
        _write_titles(page, sheet.titles, styles)
        for number, row in enumerate(sheet.rows, 1):
            _write_row(page, number, row, styles)


def _add_template(book: Workbook, template: Template, rows: Iterable[Mapping[str, object]]) -> None:
    styles = _Styles(book)
    page = book.add_worksheet(template.title)
    for place, column in enumerate(template.columns):
        _prepare_column(page, place, column, styles)
    _write_titles(page, [_marked(column) for column in template.columns], styles)
    for number, row in enumerate(rows, 1):
        _write_row(page, number, [row.get(column.key) for column in template.columns], styles)
    _explain(book.add_worksheet("填写说明"), template, styles)


def _prepare_column(page: Worksheet, place: int, column: Column, styles: _Styles) -> None:
    style = styles.date if column.kind == "date" else styles.text
    width = max(_width(column.title), min(len(column.example) + 4, _WIDTHS[1]))
    page.set_column(place, place, width, None if column.kind == "int" else style)
    if column.kind == "bool":
        choice = {"validate": "list", "source": [TRUE, FALSE]}
        page.data_validation(1, place, _TALLEST_VALIDATION, place, choice)


def _explain(page: Worksheet, template: Template, styles: _Styles) -> None:
    for place, width in enumerate((24, 28, 12, 32, 28, 60)):
        page.set_column(place, place, width)
    _write_titles(page, _EXPLAINED, styles)
    for number, column in enumerate(template.columns, 1):
        required = TRUE if column.required else FALSE
        told = (column.title, column.english, required, _KIND_NAMES[column.kind], column.example, column.help)
        for place, text in enumerate(told):
            page.write_string(number, place, text, styles.wrapped)


def _write_titles(page: Worksheet, titles: Sequence[str], styles: _Styles) -> None:
    page.freeze_panes(1, 0)
    for place, title in enumerate(titles):
        page.write_string(0, place, title, styles.title)


def _write_row(page: Worksheet, number: int, row: Sequence[object], styles: _Styles) -> None:
    for place, value in enumerate(row):
        if value is not None and value != "" and value != ():
            _write_cell(page, number, place, value, styles)


def _write_cell(page: Worksheet, number: int, place: int, value: object, styles: _Styles) -> None:
    if isinstance(value, bool):
        page.write_string(number, place, TRUE if value else FALSE, styles.text)
    elif isinstance(value, int):
        page.write_number(number, place, value)
    elif isinstance(value, date):
        page.write_datetime(number, place, value, styles.date)
    else:
        text = LIST_MARK.join(value) if isinstance(value, tuple) else str(value)
        page.write_string(number, place, text, styles.of_text(text))


def _marked(column: Column) -> str:
    return f"{column.title}{REQUIRED_MARK}" if column.required else column.title


def _width(title: str) -> int:
    """A Chinese character is as wide as two others."""
    return min(max(_WIDTHS[0], sum(2 if ord(char) > 0xFF else 1 for char in title) + 2), _WIDTHS[1])
