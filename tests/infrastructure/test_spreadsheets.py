"""Reading tables: every cell by its column, every wrong one named by sheet, row and column."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.tables import RowError, column_letter
from domain.errors import SpreadsheetRefused
from infrastructure.grid import Limits
from infrastructure.spreadsheet_writer import write_template
from infrastructure.spreadsheets import read_table
from tests.infrastructure.table_samples import (
    GOOD,
    TEMPLATE,
    TITLES,
    comma_separated,
    errors_of,
    rows_of,
    told,
    workbook,
)

READ = {
    "code": "91130200699229617X",
    "name": "甲厂",
    "since": date(2024, 4, 30),
    "staff": 12,
    "open": True,
    "needs": ("大气", "水"),
}
ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16"]


def reason(refusal: pytest.ExceptionInfo[SpreadsheetRefused]) -> str:
    return str(refusal.value.facts["reason"])


def test_a_workbooks_row_is_read_by_the_templates_keys() -> None:
    (row,) = rows_of(workbook([TITLES, GOOD]))
    assert (row.values, row.errors, row.number, row.sheet) == (READ, (), 2, "场所")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_csv_row_is_read_in_every_usual_encoding(encoding: str) -> None:
    (row,) = rows_of(comma_separated([TITLES, GOOD], encoding))
    assert (row.values, row.errors, row.number) == (READ, (), 2)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_may_be_separated_otherwise(delimiter: str) -> None:
    content = "\n".join(delimiter.join(map(str, row)) for row in (TITLES, GOOD)).encode()
    assert rows_of(content)[0].values == READ


def test_a_csv_cell_may_hold_commas_quotes_and_line_ends() -> None:
    content = '代码,名称\n1,"甲, ""乙""\n丙"\n2,丁\n'.encode()
    assert [(row.number, row.values["name"]) for row in rows_of(content)] == [(2, '甲, "乙"\n丙'), (3, "丁")]


def test_columns_are_found_in_any_order_and_language_under_title_rows() -> None:
    head: list[Sequence[object]] = [
        ["2024年场所名录"],
        [],
        ["序号", " 名 称 *", "Ｃｏｄｅ", "SINCE", "needs", "备注"],
    ]
    content = workbook([*head, [1, "甲厂", "A1", "2024.1.2", "水", "x"]])
    table = read_table(content, TEMPLATE)
    (row,) = table
    assert (row.number, row.errors) == (4, ())
    assert row.values == {
        "code": "A1",
        "name": "甲厂",
        "since": date(2024, 1, 2),
        "needs": ("水",),
        "staff": None,
        "open": None,
    }
    assert table.unknown == ("序号", "备注")
    assert table.heading.places == {"name": 1, "code": 2, "since": 3, "needs": 4}


def test_cells_are_named_as_the_spreadsheet_names_them_wherever_the_table_begins() -> None:
    def shift(page: Any) -> None:
        page.insert_cols(1, 2)
        page.insert_rows(1, 3)

    (error,) = errors_of(workbook([TITLES, [*GOOD[:3], "zwölf"]], shift))
    expected = RowError("场所", 5, "F", "int-wrong", "zwölf", {"key": "staff", "title": "人数"})
    assert error == expected


def test_every_wrong_cell_of_a_row_is_named() -> None:
    bad = ["", "名" * 21, "2024-02-30", "1.5", "maybe", "水\u200b"]
    errors = errors_of(workbook([TITLES, GOOD, bad]))
    assert told(errors) == [
        (3, "A", "missing"),
        (3, "B", "too-long"),
        (3, "C", "date-wrong"),
        (3, "D", "int-wrong"),
        (3, "E", "bool-wrong"),
        (3, "F", "character-refused"),
    ]
    assert errors[1].facts == {"key": "name", "title": "名称", "limit": 20, "length": 21}
    assert errors[5].facts["character"] == "U+200B"


def test_a_wrong_cell_has_no_value() -> None:
    (row,) = rows_of(workbook([TITLES, ["A", "b", "soon", "x", "?", 1.5]]))
    assert (row.values["since"], row.values["staff"], row.values["open"]) == (None, None, None)


def test_a_code_typed_as_a_number_that_lost_digits_is_refused() -> None:
    errors = errors_of(workbook([TITLES, [911302007992296170, "甲", *GOOD[2:]], [13800000000, "乙"]]))
    assert told(errors) == [(2, "A", "digits-lost")]
    assert rows_of(workbook([TITLES, [13800000000, "乙"]]))[0].values["code"] == "13800000000"


def test_typed_cells_are_read_by_type() -> None:
    typed = ["A1", "甲", datetime(2024, 5, 6), 7.0, False, 140100]
    (row,) = rows_of(workbook([TITLES, typed]))
    assert (row.values["since"], row.values["staff"]) == (date(2024, 5, 6), 7)
    assert (row.values["open"], row.values["needs"]) == (False, ("140100",))


@pytest.mark.parametrize(
    ("place", "cell", "code"),
    [
        (0, datetime(2024, 1, 2), "text-wrong"),
        (0, True, "text-wrong"),
        (2, datetime(2024, 1, 2, 3, 4), "date-wrong"),
        (2, 45000, "date-wrong"),
        (2, timedelta(hours=30), "text-wrong"),
        (3, 1e15, "int-wrong"),
        (3, True, "int-wrong"),
        (4, 2, "bool-wrong"),
        (5, datetime(2024, 1, 2), "text-wrong"),
    ],
)
def test_cells_of_another_type_are_refused(place: int, cell: object, code: str) -> None:
    row: list[object] = [*GOOD]
    row[place] = cell
    assert told(errors_of(workbook([TITLES, row]))) == [(2, column_letter(place), code)]


@pytest.mark.parametrize("text", ["2024-04-30", "2024/4/30", "2024.4.30", "2024年4月30日", "20240430"])
def test_a_day_may_be_written_in_the_usual_ways(text: str) -> None:
    (row,) = rows_of(comma_separated([TITLES, ["A", "b", text]]))
    assert row.values["since"] == date(2024, 4, 30)


@pytest.mark.parametrize("text", ["30.4.2024", "2024-4/30", "2024-04-30 10:00", "24-04-30", "２０２４-04-30"])
def test_a_day_written_otherwise_is_refused(text: str) -> None:
    assert told(errors_of(comma_separated([TITLES, ["A", "b", text]]))) == [(2, "C", "date-wrong")]


def test_blank_rows_are_left_out_and_numbers_stay() -> None:
    rows = rows_of(workbook([TITLES, GOOD, [], ["  ", "\u3000", ""], GOOD]))
    assert [row.number for row in rows] == [2, 5]


def test_a_formula_is_named_even_where_its_value_looks_right() -> None:
    def change(page: Any) -> None:
        page["D2"] = "=6+6"
        page["A4"] = '="A" & 1'

    errors = errors_of(workbook([TITLES, GOOD, GOOD], change))
    assert told(errors) == [(2, "D", "formula"), (4, "A", "formula"), (4, "B", "missing")]


def test_a_csv_cell_that_begins_as_a_formula_is_named() -> None:
    errors = errors_of(comma_separated([TITLES, ["=cmd|x", "甲"], ["A", "-1"]]))
    assert told(errors) == [(2, "A", "formula")]


def test_an_error_value_is_not_taken_for_an_empty_cell() -> None:
    def change(page: Any) -> None:
        page["C2"] = "#N/A"
        page["C2"].data_type = "e"

    assert told(errors_of(workbook([TITLES, GOOD], change))) == [(2, "C", "cell-error")]


def test_each_cell_of_a_merged_range_is_named_but_merged_titles_are_not() -> None:
    def change(page: Any) -> None:
        page.merge_cells("A1:F1")
        page.merge_cells("B3:C4")

    errors = errors_of(workbook([["场所名录"], TITLES, GOOD, GOOD], change))
    assert told(errors) == [(row, column, "merged-cell") for row in (3, 4) for column in "BC"]


def test_flaws_of_columns_that_are_not_read_do_not_matter() -> None:
    content = workbook([[*TITLES, "合计"], [*GOOD, "=1+1"]])
    assert errors_of(content) == []


def test_a_missing_and_a_repeated_column_are_named_at_the_heading() -> None:
    table = read_table(workbook([["名称", "人数", "Staff"], ["甲", 1, 2]]), TEMPLATE)
    assert told(table.errors) == [(1, "", "column-missing"), (1, "C", "column-repeated")]
    assert table.errors[0].facts["title"] == "代码"
    assert [row.errors for row in table] == [()]


def test_the_sheet_is_the_named_one_else_the_templates_else_the_first_visible() -> None:
    def add(page: Any) -> None:
        other = page.parent.create_sheet("另表", 0)
        other.append(TITLES)
        other.append(["Z", "另"])

    content = workbook([TITLES, GOOD], add)
    assert rows_of(content)[0].values["code"] == GOOD[0]
    assert [row.values["code"] for row in read_table(content, TEMPLATE, sheet="另表")] == ["Z"]
    with pytest.raises(SpreadsheetRefused) as refusal:
        read_table(content, TEMPLATE, sheet="第三")
    assert refusal.value.facts == {"reason": "sheet-missing", "sheet": "第三", "found": ["另表", "场所"]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no-heading"),
        (workbook([["a", "b"], ["c", "d"]]), "no-heading"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not-a-table"),
        (b"\xff\xff\xff", "encoding-unknown"),
        (b"\xef\xbb\xbf\xff\xff", "encoding-unknown"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "old-or-encrypted"),
        (b"PK\x03\x04 and then nothing", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(SpreadsheetRefused) as refusal:
        rows_of(content)
    assert reason(refusal) == why


def test_a_csv_with_an_open_quote_is_refused_with_the_line() -> None:
    with pytest.raises(SpreadsheetRefused) as refusal:
        rows_of('代码,名称\nA,甲\nB,"乙\n'.encode())
    assert reason(refusal) == "csv-malformed"
    assert refusal.value.facts["line"] >= 3


@pytest.mark.parametrize("make", [workbook, comma_separated])
def test_limits_of_size_and_rows_hold(make: Any) -> None:
    content = make([TITLES, *[GOOD] * 30])
    assert len(list(read_table(content, TEMPLATE, limits=Limits(rows=30)))) == 30
    with pytest.raises(SpreadsheetRefused) as refusal:
        list(read_table(content, TEMPLATE, limits=Limits(rows=29)))
    assert reason(refusal) == "too-many-rows"
    with pytest.raises(SpreadsheetRefused) as refusal:
        read_table(content, TEMPLATE, limits=Limits(file=len(content) - 1))
    assert reason(refusal) == "file-too-large"


def test_a_file_is_read_by_its_path_and_tells_how_much_there_is(tmp_path: Path) -> None:
    file = tmp_path / "名录.csv"
    file.write_bytes(comma_separated([TITLES, GOOD, GOOD]))
    table = read_table(file, TEMPLATE)
    assert table.sheet == "名录.csv"
    assert table.total >= len(list(table)) == 2


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn"]), max_size=20
).map(str.strip)
ROWS = st.fixed_dictionaries(
    {
        "code": TEXTS.filter(bool),
        "name": TEXTS.filter(bool),
        "since": st.none() | st.dates(date(1900, 3, 1)),
        "staff": st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
        "open": st.none() | st.booleans(),
        "needs": st.lists(st.sampled_from(["大气", "水", "=A1", "土壤"])).map(tuple),
    }
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(ROWS, max_size=5))
def test_what_a_filled_template_holds_is_read_again(
    rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    file = tmp_path_factory.mktemp("filled") / "filled.xlsx"
    write_template(TEMPLATE, file, rows)
    read = rows_of(file.read_bytes())
    assert [row.values for row in read] == rows
    assert [row.errors for row in read] == [()] * len(rows)


def test_letters_of_columns_go_on_after_z() -> None:
    assert [column_letter(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
