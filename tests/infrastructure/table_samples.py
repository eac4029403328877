"""A template with a column of each kind, and workbooks made by openpyxl, which our code does not use."""

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from application.tables import Column, Row, RowError, Template
from infrastructure.spreadsheets import read_table

TEMPLATE = Template(
    name="places",
    title="场所",
    english="Places",
    columns=(
        Column(key="code", title="代码", english="Code", required=True, example="91130200699229617X"),
        Column(key="name", title="名称", english="Name", required=True, limit=20),
        Column(key="since", title="起始日期", english="Since", kind="date", example="2024-04-30"),
        Column(key="staff", title="人数", english="Staff", kind="int"),
        Column(key="open", title="是否营业", english="Open", kind="bool", help="停业的填否"),
        Column(key="needs", title="专业", english="Needs", kind="list"),
    ),
)
TITLES = [column.title for column in TEMPLATE.columns]
GOOD = ["91130200699229617X", "甲厂", "2024-04-30", 12, "是", "大气、水"]


def workbook(rows: Sequence[Sequence[object]], change: Callable[[Any], None] | None = None) -> bytes:
    book = Workbook()
    page = book.active
    page.title = TEMPLATE.title
    for row in rows:
        page.append(list(row))
    if change:
        change(page)
    target = BytesIO()
    book.save(target)
    return target.getvalue()


def comma_separated(rows: Sequence[Sequence[object]], encoding: str = "utf-8") -> bytes:
    return "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows).encode(encoding)


def repacked(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one part of its archive changed."""
    target = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(target, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == part else data)
    return target.getvalue()


def rows_of(content: bytes) -> list[Row]:
    return list(read_table(content, TEMPLATE))


def errors_of(content: bytes) -> list[RowError]:
    return [error for row in rows_of(content) for error in row.errors]


def told(errors: Sequence[RowError]) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.code) for error in errors]
