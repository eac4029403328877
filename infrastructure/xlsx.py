"""Reading a sheet of an XLSX file that nobody vouches for.

`python-calamine` reads the values, fast, but says nothing about formulas, shows an error (#N/A) as an empty
cell, and makes room for every cell up to the last one used. So the archive is looked through first: what
it unpacks to, how wide and tall the sheet claims to be, and whether it holds formulas or errors; only
where it does, a second, slower pass names the cells.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from posixpath import normpath
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from domain.errors import SpreadsheetRefused
from infrastructure.grid import Flaws, Grid, Limits, note_flaw

FORMULA: Final = "formula"
CELL_ERROR: Final = "cell-error"
MERGED: Final = "merged-cell"
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_PIECE: Final = 1 << 20
_OVERLAP: Final = 1 << 16
_MOST_ENTRIES: Final = 10_000
_SPACE: Final = rb"[ \t\r\n]"
_BEFORE: Final = rb"[ \t\r\n\"']"
"""What may stand before an attribute: a lenient reader takes the end of the last one for enough."""
_BEYOND: Final = re.compile(
    _BEFORE
    + rb"r"
    + _SPACE
    + rb"*="
    + _SPACE
    + rb"*[\"'](?:[A-Za-z]{3,}|[C-Zc-z][A-Za-z]|[A-Za-z]*(?:[3-9][0-9]{5}|[0-9]{7,}))"
)
"""A row or cell beyond column BZ or row 299,999, however written: room for all up to it would be made."""
_FORMULA: Final = re.compile(rb"<(?:[^<>/\s]{1,30}:)?f[\s/>]")
_ERROR: Final = re.compile(_BEFORE + rb"t" + _SPACE + rb"*=" + _SPACE + rb"*[\"']e[\"']")
_PLACE: Final = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")


def open_xlsx(content: bytes, sheet: str | None, preferred: str, limits: Limits) -> Grid:
    """A sheet's cells and flaws: the one named `sheet`, else `preferred`, else the first visible.

    Raises `SpreadsheetRefused` with the reason: not-a-workbook, encrypted, unpacks-too-large, sheet-missing,
    too-wide-or-tall, too-many-flaws, damaged.
    """
    with _archive(content) as archive:
        _check_size(archive, content, limits)
        with _reading():
            book = CalamineWorkbook.from_filelike(BytesIO(content))
            name = _choose(book, sheet, preferred)
        flaws = _find_flaws(archive, content, name)
        with _reading():
            page = book.get_sheet_by_name(name)
    (_, first), (last, _) = page.start or (0, 0), page.end or (-1, 0)
    _note_merged(flaws, page, last)
    return Grid(sheet=name, rows=page.iter_rows(), first=first, flaws=flaws, total=last + 1)


@contextmanager
def _archive(content: bytes) -> Iterator[ZipFile]:
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
            if not {_WORKBOOK, _RELATIONS} <= names or len(names) > _MOST_ENTRIES:
                raise SpreadsheetRefused(reason="not-a-workbook")
            yield archive
    except (BadZipFile, NotImplementedError, zlib.error, EOFError, ExpatError, DefusedXmlException) as error:
        raise SpreadsheetRefused(reason="damaged", detail=type(error).__name__) from error


@contextmanager
def _reading() -> Iterator[None]:
    """Calamine's errors as ours, its panics too: they are no `Exception` and would end the thread."""
    try:
        yield
    except CalamineError as error:
        raise SpreadsheetRefused(reason="damaged", detail=str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise SpreadsheetRefused(reason="damaged", detail=type(error).__name__) from error


def _check_size(archive: ZipFile, content: bytes, limits: Limits) -> None:
    """Unpack everything once, because the sizes that an archive states may be lies."""
    left = limits.unpacked
    for part in archive.infolist():
        if part.flag_bits & 1:
            raise SpreadsheetRefused(reason="encrypted")
        for piece in _unpack(content, part):
            left -= len(piece)
            if left < 0:
                raise SpreadsheetRefused(reason="unpacks-too-large", limit=limits.unpacked)


def _unpack(content: bytes, part: ZipInfo) -> Iterator[bytes]:
    """The part's bytes to their real end, in pieces."""
    header = content[part.header_offset : part.header_offset + 30]
    if len(header) < 30 or part.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise SpreadsheetRefused(reason="damaged", detail=part.filename)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    start = part.header_offset + 30 + names
    packed = memoryview(content)[start : start + part.compress_size]
    if part.compress_type == ZIP_STORED:
        yield bytes(packed)
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    rest: bytes | memoryview = packed
    while rest and not inflater.eof:
        yield inflater.decompress(rest, _PIECE)
        rest = inflater.unconsumed_tail
    yield inflater.flush()


def _choose(book: CalamineWorkbook, sheet: str | None, preferred: str) -> str:
    pages = [page for page in book.sheets_metadata if page.typ == SheetTypeEnum.WorkSheet]
    names = [page.name for page in pages]
    visible = [page.name for page in pages if page.visible == SheetVisibleEnum.Visible]
    wanted = [sheet] if sheet else [preferred, *visible]
    for name in wanted:
        if name in names:
            return name
    raise SpreadsheetRefused(reason="sheet-missing", sheet=sheet or preferred, found=names)


def _find_flaws(archive: ZipFile, content: bytes, sheet: str) -> Flaws:
    """Formulas and errors of a sheet, read closely only if a quick look finds any."""
    try:
        part = archive.getinfo(_part_of(archive, sheet))
    except KeyError as error:
        raise SpreadsheetRefused(reason="damaged", detail=sheet) from error
    flaws: Flaws = {}
    if _looks_flawed(_unpack(content, part)):
        _FlawReader(flaws).read(_unpack(content, part))
    return flaws


def _part_of(archive: ZipFile, sheet: str) -> str:
    """The name within the archive of a sheet's XML; KeyError if there is none."""
    relation = ""
    for element in ElementTree.fromstring(archive.read(_WORKBOOK), forbid_dtd=True).iter():
        if _local(element.tag) == "sheet" and element.get("name") == sheet:
            relation = next(
                value for key, value in element.attrib.items() if _local(key) == "id" and key != "id"
            )
    for element in ElementTree.fromstring(archive.read(_RELATIONS), forbid_dtd=True).iter():
        if element.get("Id") == relation:
            target = element.attrib["Target"]
            return target[1:] if target.startswith("/") else normpath(f"xl/{target}")
    raise KeyError(sheet)


def _looks_flawed(pieces: Iterator[bytes]) -> bool:
    """Whether the XML may hold formulas or errors; refuses a sheet with cells too far out."""
    end, found = b"", False
    for piece in pieces:
        window = end + piece
        if _BEYOND.search(window):
            raise SpreadsheetRefused(reason="too-wide-or-tall", columns="BZ", rows=299_999)
        found = found or _holds_flaw(window)
        end = window[-_OVERLAP:]
    return found


def _holds_flaw(window: bytes) -> bool:
    formula = (b"<f" in window or b":f" in window) and _FORMULA.search(window)
    error = (b'"e"' in window or b"'e'" in window) and _ERROR.search(window)
    return bool(formula or error)


class _FlawReader:
    """Names the cells with a formula or an error, by a streaming pass that refuses any document type."""

    def __init__(self, flaws: Flaws) -> None:
        self._flaws = flaws
        self._row = self._place = 0
        self._next_place = 0
        self._parser = ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = self._refuse

    def read(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            self._parser.Parse(piece, False)
        self._parser.Parse(b"", True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._next_place = 0
        elif name == "c":
            self._start_cell(attributes)
        elif name == "f":
            note_flaw(self._flaws, self._row, self._place, FORMULA)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        match = _PLACE.fullmatch(attributes.get("r", ""))
        if match:
            self._place, self._row = _place_of(match[1]), int(match[2])
        else:
            self._place = self._next_place
        self._next_place = self._place + 1
        if attributes.get("t") == "e":
            note_flaw(self._flaws, self._row, self._place, CELL_ERROR)

    def _refuse(self, *doctype: Any) -> None:
        raise SpreadsheetRefused(reason="damaged", detail="document type")


def _note_merged(flaws: Flaws, page: CalamineSheet, last: int) -> None:
    for (top, left), (bottom, right) in page.merged_cell_ranges or ():
        for row in range(top, min(bottom, last) + 1):
            for place in range(left, right + 1):
                note_flaw(flaws, row + 1, place, MERGED)


def _place_of(letters: str) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _local(tag: str) -> str:
    """A name without its namespace, as ElementTree (`{uri}name`) or Expat (`prefix:name`) gives it."""
    return tag.rpartition("}")[2].rpartition(":")[2]
