"""Workbooks made to harm: refused before they are unpacked or given room."""

import struct
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from domain.errors import SpreadsheetRefused
from infrastructure.grid import Limits
from infrastructure.spreadsheets import read_table
from tests.infrastructure.table_samples import GOOD, TEMPLATE, TITLES, errors_of, repacked, told, workbook

SHEET = "xl/worksheets/sheet1.xml"
SMALL = Limits(unpacked=2_000_000)


def refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(SpreadsheetRefused) as refusal:
        list(read_table(content, TEMPLATE, limits=limits))
    return str(refusal.value.facts["reason"])


def with_part(name: str, data: bytes) -> bytes:
    target = BytesIO(workbook([TITLES, GOOD]))
    with ZipFile(target, "a", ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return target.getvalue()


def in_sheet(old: bytes, new: bytes) -> bytes:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return repacked(workbook([TITLES, GOOD]), SHEET, change)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    content = with_part("xl/media/image1.png", b"\0" * 10_000_000)
    assert len(content) < 50_000
    assert refused(content, SMALL) == "unpacks-too-large"


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    content = bytearray(with_part("xl/media/image1.png", b"\0" * 10_000_000))
    true_size, told_size = struct.pack("<I", 10_000_000), struct.pack("<I", 10)
    assert content.count(true_size) >= 1
    assert refused(bytes(content.replace(true_size, told_size)), SMALL) == "unpacks-too-large"


@pytest.mark.parametrize(
    "cell",
    [
        b'<row r="300000"><c r="A300000"><v>1</v></c></row>',
        b'<row r="9"><c r="XFD9"><v>1</v></c></row>',
        b'<row r="9"><c r="CA9"><v>1</v></c></row>',
        b"<row r='9'><c t='n' r = 'aaa9'><v>1</v></c></row>",
        b'<row r="9"><c t="n"r="ZZ9"><v>1</v></c></row>',
        b'<row r="1048576"><c><v>1</v></c></row>',
    ],
)
def test_a_cell_far_out_is_refused_before_room_is_made(cell: bytes) -> None:
    assert refused(in_sheet(b"</sheetData>", cell + b"</sheetData>")) == "too-wide-or-tall"


def test_a_far_cell_across_two_pieces_is_found() -> None:
    filling = b"<!--" + b"x" * ((1 << 20) - 700) + b"-->"
    for shift in range(0, 600, 7):
        cell = b" " * shift + b'<row r="9"><c r="XFD9"/></row>'
        content = in_sheet(b"</sheetData>", filling + cell + b"</sheetData>")
        assert refused(content) == "too-wide-or-tall", shift


def test_a_wide_but_sane_sheet_is_read() -> None:
    content = in_sheet(b"</sheetData>", b'<row r="3"><c r="BZ3"><v>1</v></c></row></sheetData>')
    assert told(errors_of(content)) == [(3, "A", "missing"), (3, "B", "missing")]


@pytest.mark.parametrize(
    "formula",
    [
        b'<c r="B3"><f>1+1</f><v>2</v></c>',
        b'<c r="B3"><f t="shared" si="0"/><v>2</v></c>',
        b'<c r="B3"><x:f xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">1</x:f></c>',
        b'<c r="A3"><v>1</v></c><c><f>1+1</f><v>2</v></c>',
    ],
)
def test_a_formula_is_found_however_it_is_written(formula: bytes) -> None:
    content = in_sheet(b"</sheetData>", b'<row r="3">' + formula + b"</row></sheetData>")
    assert (3, "B", "formula") in told(errors_of(content))


def test_a_file_of_nothing_but_formulas_is_refused() -> None:
    cells = b"".join(b'<row r="%d"><c r="A%d"><f>1</f></c></row>' % (row, row) for row in range(3, 10_010))
    assert refused(in_sheet(b"</sheetData>", cells + b"</sheetData>")) == "too-many-flaws"


def test_a_document_type_is_refused() -> None:
    doctype = b'<!DOCTYPE a [<!ENTITY b "c">]>'
    content = in_sheet(b"<worksheet", doctype + b"<worksheet")
    assert (
        refused(repacked(content, SHEET, lambda data: data.replace(b"<v>", b"<f>1</f><v>", 1))) == "damaged"
    )
    book = repacked(workbook([TITLES, GOOD]), "xl/workbook.xml", lambda data: doctype + data)
    assert refused(book) == "damaged"


def test_an_encrypted_part_is_refused() -> None:
    content = bytearray(workbook([TITLES, GOOD]))
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    assert refused(bytes(content)) == "encrypted"


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    target = BytesIO()
    with ZipFile(target, "w") as archive:
        archive.writestr("a.txt", "a")
    assert refused(target.getvalue()) == "not-a-workbook"


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
@pytest.mark.parametrize("change", [halved, lambda data: b"", lambda data: b"\xff" * 50])
def test_a_damaged_part_is_refused(part: str, change: Callable[[bytes], bytes]) -> None:
    content = repacked(workbook([TITLES, GOOD, GOOD]), part, change)
    assert refused(content) in ("damaged", "sheet-missing", "no-heading")


def test_every_cut_of_a_workbook_is_refused_or_read_but_never_breaks() -> None:
    content = workbook([TITLES, GOOD])
    for end in range(0, len(content), 97):
        assert refused(content[:end]) in ("damaged", "no-heading", "not-a-table", "encoding-unknown"), end


def test_flipped_bytes_never_break_the_reader() -> None:
    content = workbook([TITLES, GOOD])
    for place in range(0, len(content), 61):
        spoilt = bytearray(content)
        spoilt[place] ^= 0x5A
        with suppress(SpreadsheetRefused):
            assert len(list(read_table(bytes(spoilt), TEMPLATE))) <= 1
