"""Templates and imports: what would happen is shown first, and nothing wrong comes in."""

from pathlib import Path

import openpyxl

from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import item, site


def _import(made: Installation, file: Path, *more: str, kind: str = "sites") -> tuple[object, ...]:
    return ("import", kind, file, "--region", TAIYUAN, *more)


def test_a_template_is_a_table_to_fill_in(empty: Installation) -> None:
    for kind in ("sites", "inspectors", "items", "plan"):
        target = empty.folder / f"{kind}.xlsx"
        empty.done("template", kind, target)
        assert openpyxl.load_workbook(target).worksheets[0].max_column > 5


def test_a_template_of_nothing_known_is_wrong_usage(empty: Installation) -> None:
    assert empty.run("template", "cars", empty.folder / "cars.xlsx").exit_code == 2


def test_a_dry_run_counts_and_writes_nothing(staffed: Installation) -> None:
    before = staffed.done("ledger", "show")["stored"]
    file = staffed.table("sites", site(1), site(2))
    preview = staffed.done(*_import(staffed, file, "--dry-run"), by="officer")
    assert [preview[name] for name in ("rows", "created", "error_count", "sound")] == [2, 2, 0, True]
    assert staffed.done("ledger", "show")["stored"] == before


def test_an_import_counts_what_it_did_and_again_it_does_nothing(staffed: Installation) -> None:
    file = staffed.table("sites", site(1), site(2))
    assert staffed.done(*_import(staffed, file), by="officer")["also"]["created"] == 2
    again = staffed.done(*_import(staffed, file), by="officer")["also"]
    assert (again["created"], again["unchanged"]) == (0, 2)
    listed = staffed.done("site", "list", by="officer")
    assert [one["name"] for one in listed] == ["太原第1化工有限公司", "太原第2化工有限公司"]
    assert all("risk_class" not in one for one in listed)


def test_a_changed_row_is_shown_before_it_is_taken_in(staffed: Installation) -> None:
    staffed.done(*_import(staffed, staffed.table("sites", site(1))), by="officer")
    file = staffed.table("sites", site(1, name="太原晴川化工有限公司"))
    (change,) = staffed.done(*_import(staffed, file, "--dry-run"), by="officer")["changes"]
    assert [field["new"] for field in change["fields"]] == ["太原晴川化工有限公司"]
    told = staffed.run(*_import(staffed, file, "--dry-run"), by="officer").stdout
    assert "太原第1化工有限公司 → 太原晴川化工有限公司" in told


def test_every_wrong_row_is_named_and_none_comes_in(staffed: Installation) -> None:
    file = staffed.table("sites", site(1), site(2, uscc="91140105MA0000000X"), site(3, name=""))
    preview = staffed.run(*_import(staffed, file, "--dry-run"), by="officer")
    assert preview.exit_code == 1
    for said in ("91140105MA0000000X", "uscc-wrong", "missing"):
        assert said in preview.stdout
    refusal = staffed.refused(*_import(staffed, file), by="officer")
    assert refusal["code"] == "import-refused"
    assert {(error["row"], error["code"]) for error in refusal["errors"]} >= {
        (3, "uscc-wrong"),
        (4, "missing"),
    }
    assert all(error["detail"] for error in refusal["errors"])
    assert staffed.done("site", "list", by="officer") == []


def test_wrong_rows_are_told_in_the_language_that_was_asked_for(staffed: Installation) -> None:
    file = staffed.table("sites", site(1, name=""))
    chinese = staffed.run(*_import(staffed, file), by="officer", lang="zh")
    assert "一行也没有导入" in chinese.output
    english = staffed.run(*_import(staffed, file), by="officer", lang="en")
    assert "no row was imported" in english.output


def test_a_file_that_is_no_table_cannot_be_read(staffed: Installation) -> None:
    file = staffed.file("sites.xlsx", b"PK\x03\x04 not a workbook")
    assert staffed.refused(*_import(staffed, file), by="officer", status=2)["code"] == "spreadsheet-refused"


def test_who_may_not_import_is_refused(staffed: Installation) -> None:
    file = staffed.table("sites", site(1))
    assert staffed.refused(*_import(staffed, file), by="auditor")["code"] == "permission-missing"


def test_the_same_key_with_another_file_is_another_request(staffed: Installation) -> None:
    words = _import(staffed, staffed.table("items", item(1)), "--key", "one", kind="items")
    first = staffed.done(*words, by="officer")
    assert staffed.done(*words, by="officer") == first
    staffed.table("items", item(2))
    assert staffed.refused(*words, by="officer")["code"] == "idempotency-key-reused"
