"""Writing CSV that a spreadsheet opens as it is meant: UTF-8 with its mark, no text taken for a formula."""

import csv
from io import TextIOWrapper
from typing import BinaryIO, Final

from infrastructure.spreadsheet_writer import LIST_MARK, Sheet

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def write_csv(target: BinaryIO, sheet: Sheet) -> None:
    """Write a plain table; the stream stays open. A text that begins like a formula gets an apostrophe."""
    text = TextIOWrapper(target, encoding="utf-8-sig", newline="")
    writer = csv.writer(text)
    writer.writerow(sheet.titles)
    writer.writerows([_cell(value) for value in row] for row in sheet.rows)
    text.detach()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = LIST_MARK.join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
