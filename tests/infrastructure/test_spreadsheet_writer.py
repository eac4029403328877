"""Written workbooks as another reader sees them."""

from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from domain.errors import StoreUnavailable
from infrastructure.spreadsheet_writer import Sheet, write_sheets, write_template
from tests.infrastructure.table_samples import TEMPLATE, TITLES

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", '=HYPERLINK("http://x")']


def opened(target: BytesIO) -> Any:
    return load_workbook(BytesIO(target.getvalue()))


def test_a_template_has_its_titles_frozen_and_a_sheet_that_explains_them() -> None:
    target = BytesIO()
    write_template(TEMPLATE, target)
    book = opened(target)
    assert book.sheetnames == ["场所", "填写说明"]
    page, explained = book.worksheets
    assert [cell.value for cell in page[1]] == ["代码*", "名称*", *TITLES[2:]]
    assert page.freeze_panes == explained.freeze_panes == "A2"
    assert page.max_row == 1
    assert [cell.value for cell in explained[2]][:3] == ["代码", "Code", "是"]
    assert [cell.value for cell in explained[6]] == [
        "是否营业",
        "Open",
        "否",
        "是/否 yes/no",
        "",
        "停业的填否",
    ]


def test_a_templates_text_columns_are_text_so_that_codes_keep_their_digits() -> None:
    target = BytesIO()
    write_template(TEMPLATE, target)
    page = opened(target).worksheets[0]
    assert page.column_dimensions["A"].number_format == "@"
    assert page.data_validations.dataValidation[0].formula1 == '"是,否"'


def test_no_text_becomes_a_formula_a_link_or_a_number() -> None:
    target = BytesIO()
    texts = [*DANGEROUS, "911302007992296170", "http://example.org", "007"]
    write_sheets(target, [Sheet(name="a", titles=["t"], rows=[(text,) for text in texts])])
    cells = [row[0] for row in opened(target)["a"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == texts
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)
    assert [cell.quotePrefix for cell in cells] == [True] * len(DANGEROUS) + [False] * 3


def test_values_keep_their_types() -> None:
    target = BytesIO()
    row = (7, date(2024, 4, 30), True, None, ("a", "b"))
    write_sheets(target, [Sheet(name="a", titles="vwxyz", rows=[row], widths=(1, 2, 3, 4, 5))])
    cells = [cell.value for cell in opened(target)["a"][2]]
    assert cells[0] == 7
    assert cells[1].date() == date(2024, 4, 30)
    assert cells[2:] == ["是", None, "a、b"]


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def break_off() -> Any:
        yield ("first",)
        raise KeyError("no more")

    target = tmp_path / "a.xlsx"
    with pytest.raises(KeyError):
        write_sheets(target, [Sheet(name="a", titles=["t"], rows=break_off())])
    assert list(tmp_path.iterdir()) == []
    write_template(TEMPLATE, target)
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        write_template(TEMPLATE, tmp_path / "absent" / "a.xlsx")
