"""Whether a table names somebody: in any sheet and spelling; and a table for people who use spreadsheets."""

from io import BytesIO

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment

from infrastructure.csv_writer import write_csv
from infrastructure.mentions import mentions
from infrastructure.spreadsheet_writer import Sheet


def book(**cells: object) -> bytes:
    """A workbook with cells; `more` goes to a second sheet, `note` into a comment."""
    made, target = Workbook(), BytesIO()
    first = made.worksheets[0]
    first["A1"] = cells.get("cell")
    if "note" in cells:
        first["A1"].comment = Comment(str(cells["note"]), "x")
    made.create_sheet("more")["C7"] = cells.get("more")
    made.save(target)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        book(cell="手机 139 0000 0001"),
        book(cell=13900000001),
        book(cell=13900000001.0),
        book(cell=CellRichText("139", TextBlock(InlineFont(b=True), "0000"), "0001")),
        book(more="13900000001"),
        book(note="电话13900000001"),
        "姓名,电话\n王芳,139 0000 0001\n".encode(),
        "姓名,电话\n王芳,13900000001\n".encode("gb18030"),
        b"PK\x03\x04 and nothing that can be read",
    ],
)
def test_a_number_is_found_however_it_is_written(content: bytes) -> None:
    assert mentions(content, ["13900000001"])
    assert not mentions(content, [])


def test_what_is_not_there_is_not_found() -> None:
    content = book(cell="13900000002", more="王芳")
    assert not mentions(content, ["13900000001", "A-7"])
    assert mentions(content, ["13900000001", "王芳"])
    assert not mentions("姓名\n王芳\n".encode(), ["王方"])


def test_escaped_characters_are_read() -> None:
    assert mentions(book(cell="甲&乙<丙>"), ["甲&乙<丙>"])


def test_a_csv_opens_as_it_is_meant() -> None:
    target = BytesIO()
    rows = [(1, None, ("a", "b"), "=1+1"), (2, "甲,乙", (), "-x")]
    write_csv(target, Sheet(name="x", titles=("n", "o", "p", "q"), rows=rows))
    text = target.getvalue().decode("utf-8-sig")
    assert text.splitlines() == ["n,o,p,q", "1,,a、b,'=1+1", '2,"甲,乙",,\'-x']
