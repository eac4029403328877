"""Reading CSV as programs write it: UTF-8 with or without a mark, GB 18030, UTF-16; comma, tab, semicolon."""

import codecs
import csv
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from typing import Final

from domain.errors import SpreadsheetRefused
from infrastructure.grid import Cell, Flaws, Grid, note_flaw

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS: Final = ",\t;"
_PIECE: Final = 1 << 20


def open_csv(content: bytes, name: str) -> Grid:
    """The cells of a CSV file, all of them texts; a cell that begins with `=` is flawed as a formula.

    Raises `SpreadsheetRefused` with the reason encoding-unknown or not-a-table, while rows are taken also
    csv-malformed with the line.
    """
    encoding = _encoding(content)
    flaws: Flaws = {}
    rows = _rows(content, encoding, flaws)
    return Grid(sheet=name, rows=rows, first=0, flaws=flaws, total=content.count(b"\n") + 1)


def _rows(content: bytes, encoding: str, flaws: Flaws) -> Iterator[list[Cell]]:
    with TextIOWrapper(BytesIO(content), encoding=encoding, newline="") as text:
        first = text.readline()
        text.seek(0)
        delimiter = max(_DELIMITERS, key=first.count)
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            for number, cells in enumerate(reader, 1):
                for place, cell in enumerate(cells):
                    if cell.startswith("="):
                        note_flaw(flaws, number, place, "formula")
                yield [*cells]
        except csv.Error as error:
            raise SpreadsheetRefused(
                reason="csv-malformed", line=reader.line_num, detail=str(error)
            ) from error


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _checked(content, encoding)
    if b"\0" in content:
        raise SpreadsheetRefused(reason="not-a-table")
    for encoding in ("utf-8", "gb18030"):
        if _decodes(content, encoding):
            return encoding
    raise SpreadsheetRefused(reason="encoding-unknown")


def _checked(content: bytes, encoding: str) -> str:
    if not _decodes(content, encoding):
        raise SpreadsheetRefused(reason="encoding-unknown", encoding=encoding)
    return encoding


def _decodes(content: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(content), _PIECE):
            decoder.decode(content[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
