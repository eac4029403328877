"""Importing as a whole: all or nothing, counts that add up, the same file again, two at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from application.authorisation import PermissionMissing
from application.importing import LISTED
from application.imports import ImportEmpty, ImportRefused, preview_import, run_import
from application.intake_templates import ImportKindUnknown, template_of
from application.ports import Answer, RetryKey
from domain.errors import ClaimTaken, DomainError, SpreadsheetRefused
from domain.intake import Intake
from infrastructure.event_store.claims import StoredClaims
from tests.application.intake_files import (
    book,
    expert,
    item,
    officer,
    plan_row,
    preview,
    publish_items,
    site,
    take_in,
    told,
    wrongs,
)
from tests.office import DATONG, TAIYUAN, Agency, join_agency


def edited(content: bytes, edit: Callable[[Worksheet], None]) -> bytes:
    """The workbook after somebody worked on its first sheet."""
    workbook = load_workbook(BytesIO(content))
    edit(workbook.worksheets[0])
    target = BytesIO()
    workbook.save(target)
    return target.getvalue()


def test_a_wrong_row_keeps_all_rows_out(agency: Agency) -> None:
    before = agency.size()
    content = book("sites", [site(1), site(2, region="火星区"), site(3)])
    with pytest.raises(ImportRefused) as refused:
        run_import(
            agency.office, agency.call(agency.people.officer), "sites", region=TAIYUAN, content=content
        )
    facts = refused.value.facts
    assert (facts["rows"], facts["error_count"]) == (3, 1)
    assert [told(error) for error in facts["errors"]] == [(3, "region", "region-unknown")]
    assert agency.size() == before
    assert dict(agency.office.claims.keys("site")) == {}
    assert not agency.office.blobs.has(facts["digest"])


def test_a_preview_writes_nothing(agency: Agency) -> None:
    before = agency.size()
    found = preview(agency, "sites", site(1), site(2))
    assert (found.rows, found.created, found.sound) == (2, 2, True)
    assert agency.size() == before
    assert not agency.office.blobs.has(found.digest)


def test_one_append_holds_the_rows_and_the_record_of_the_import(agency: Agency) -> None:
    before = agency.size()
    content = book("sites", [site(number) for number in range(1, 6)])
    call = agency.call(agency.people.officer)
    answer = run_import(agency.office, call, "sites", region=TAIYUAN, content=content)
    assert agency.topics(before) == ["intake.completed.v1"] + ["site.registered.v1"] * 5
    assert answer.position == agency.size() - 1
    assert len({row.at for row in agency.store.recorder.rows(before)}) == 1
    intake = agency.office.workflow.load(Intake, answer.id)
    assert intake.original == sha256(content).hexdigest() == answer.also["digest"]
    assert agency.office.blobs.read(intake.original) == content


@pytest.mark.parametrize("kind", ["sites", "inspectors", "items", "plan"])
def test_the_same_file_again_changes_nothing(agency: Agency, kind: str) -> None:
    rows = {
        "sites": [site(1), site(2)],
        "inspectors": [officer(1), expert(2)],
        "items": [item(1), item(2)],
        "plan": [plan_row(1), plan_row(2, period="2024年第三季度")],
    }[kind]
    if kind == "plan":
        publish_items(agency)
    first = take_in(agency, kind, *rows)
    before = agency.size()
    second = take_in(agency, kind, *rows)
    assert agency.topics(before) == ["intake.completed.v1"]
    counts = [
        tuple(answer.also[name] for name in ("rows", "created", "changed", "unchanged"))
        for answer in (first, second)
    ]
    assert counts == [(2, 2, 0, 0), (2, 0, 0, 2)]


def test_counts_reconcile_with_the_rows_and_the_events(agency: Agency) -> None:
    take_in(agency, "sites", site(1), site(2), site(3))
    before = agency.size()
    answer = take_in(agency, "sites", site(1), site(2, name="新名"), site(3, credit="红牌"), site(4))
    also = answer.also
    assert also["rows"] == also["created"] + also["changed"] + also["unchanged"] == 4
    topics = agency.topics(before)
    assert topics.count("site.registered.v1") == also["created"] == 1
    assert topics.count("site.changed.v1") == also["changed"] == 2


def test_of_two_imports_of_the_same_file_at_once_exactly_one_wins(agency: Agency, tmp_path: Path) -> None:
    content = book("sites", [site(number) for number in range(1, 30)])
    agencies = [join_agency(agency.store, agency.clock, tmp_path / str(seed), seed=seed) for seed in (1, 2)]
    together = Barrier(2)

    def run(one: Agency) -> Answer | DomainError:
        call = one.call(one.people.officer)
        try:
            return run_import(one.office, call, "sites", region=TAIYUAN, content=content)
        except DomainError as error:
            return error

    class Waiting(StoredClaims):
        """Both have compared with the registry before either writes."""

        def holders(self, kind: str, keys: Any) -> Any:
            held = super().holders(kind, keys)
            together.wait(20)
            return held

    waiting = [_with_claims(one, Waiting(agency.store.database)) for one in agencies]
    before = agency.size()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, waiting))
    won = [one for one in outcomes if isinstance(one, Answer)]
    lost = [one for one in outcomes if isinstance(one, ClaimTaken)]
    assert (len(won), len(lost)) == (1, 1)
    assert agency.size() == before + 30
    assert len(dict(agency.office.claims.keys("site"))) == 29


def test_a_repeated_request_gets_the_first_answer(agency: Agency) -> None:
    content = book("sites", [site(1)])
    retry = RetryKey(agency.people.officer.account, "key-1", "0" * 64)

    def send() -> Answer:
        call = agency.call(agency.people.officer, retry=retry)
        return agency.office.workflow.once(
            call, lambda: run_import(agency.office, call, "sites", region=TAIYUAN, content=content)
        )

    first = send()
    before = agency.size()
    assert send() == first
    assert agency.size() == before


def test_only_who_may_import_there_may_import(sqlite_agency: Agency) -> None:
    content = book("sites", [site(1)])
    people = sqlite_agency.people
    for by, region in ((people.leader, TAIYUAN), (people.elsewhere, TAIYUAN), (people.officer, DATONG)):
        with pytest.raises(PermissionMissing):
            preview_import(
                sqlite_agency.office, sqlite_agency.call(by), "sites", region=region, content=content
            )


def test_a_template_without_rows_is_refused(sqlite_agency: Agency) -> None:
    with pytest.raises(ImportEmpty):
        preview(sqlite_agency, "sites")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no-heading"),
        (b"\xd0\xcf\x11\xe0 old", "old-or-encrypted"),
        ("无关,表格\n1,2\n".encode(), "no-heading"),
    ],
)
def test_what_is_no_such_table_is_refused(sqlite_agency: Agency, content: bytes, reason: str) -> None:
    call = sqlite_agency.call(sqlite_agency.people.officer)
    with pytest.raises(SpreadsheetRefused) as refused:
        preview_import(sqlite_agency.office, call, "sites", region=TAIYUAN, content=content)
    assert refused.value.facts["reason"] == reason


def test_a_wrong_template_names_the_columns_that_are_missing(sqlite_agency: Agency) -> None:
    call = sqlite_agency.call(sqlite_agency.people.officer)
    found = preview_import(
        sqlite_agency.office, call, "sites", region=TAIYUAN, content=book("items", [item(1)])
    )
    assert {error.code for error in found.errors} == {"column-missing"}
    assert {"uscc", "stratum"} <= {error.facts["key"] for error in found.errors}


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ImportKindUnknown):
        template_of("people")


def test_formulas_and_merged_cells_are_named(sqlite_agency: Agency) -> None:
    def edit(page: Worksheet) -> None:
        page["C2"] = '="太原"&"化工"'
        page.merge_cells("E3:E4")

    content = edited(book("sites", [site(1), site(2), site(3)]), edit)
    call = sqlite_agency.call(sqlite_agency.people.officer)
    found = preview_import(sqlite_agency.office, call, "sites", region=TAIYUAN, content=content)
    assert [told(error) for error in found.errors] == [
        (2, "name", "formula"),
        (3, "address", "merged-cell"),
        (4, "address", "merged-cell"),
    ]


def test_a_code_typed_as_a_number_has_lost_digits(sqlite_agency: Agency) -> None:
    def edit(page: Worksheet) -> None:
        page["B2"] = 911401050000000000

    content = edited(book("sites", [site(1)]), edit)
    call = sqlite_agency.call(sqlite_agency.people.officer)
    found = preview_import(sqlite_agency.office, call, "sites", region=TAIYUAN, content=content)
    assert [told(error) for error in found.errors] == [(2, "uscc", "digits-lost")]


def test_csv_is_as_good_as_xlsx(sqlite_agency: Agency) -> None:
    row = site(1)
    titles = {column.key: column.title for column in template_of("sites").columns}
    cells = {**row, "needs": "水、大气", "effective_from": "2024-01-01"}
    lines = [",".join(titles.values()), ",".join(str(cells[key]) for key in titles)]
    call = sqlite_agency.call(sqlite_agency.people.officer)
    for encoding in ("utf-8", "gb18030"):
        content = "\n".join(lines).encode(encoding)
        found = preview_import(sqlite_agency.office, call, "sites", region=TAIYUAN, content=content)
        assert (found.errors, found.created) == ((), 1)


def test_columns_that_nobody_asked_for_are_told(sqlite_agency: Agency) -> None:
    def edit(page: Worksheet) -> None:
        page.cell(1, 20, "备注")

    content = edited(book("sites", [site(1)]), edit)
    call = sqlite_agency.call(sqlite_agency.people.officer)
    found = preview_import(sqlite_agency.office, call, "sites", region=TAIYUAN, content=content)
    assert (found.unknown, found.sound) == (("备注",), True)


def test_errors_are_listed_to_a_thousand_and_all_counted(sqlite_agency: Agency) -> None:
    found = preview(sqlite_agency, "sites", *(site(number, stratum="?") for number in range(LISTED + 5)))
    assert (len(found.errors), found.error_count) == (LISTED, LISTED + 5)
    rows = [error.row for error in found.errors]
    assert rows == sorted(rows)


def test_progress_ends_at_the_whole(sqlite_agency: Agency) -> None:
    steps: list[tuple[int, int]] = []
    content = book("sites", [site(number) for number in range(2500)])
    run_import(
        sqlite_agency.office,
        sqlite_agency.call(sqlite_agency.people.officer),
        "sites",
        region=TAIYUAN,
        content=content,
        progress=lambda done, total: steps.append((done, total)),
    )
    done = [step for step, _ in steps]
    assert done == sorted(done)
    assert len(done) >= 4
    assert steps[-1][0] == steps[-1][1]


def test_errors_of_rows_come_with_those_of_the_store_in_order(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "items", item(1))
    found = wrongs(sqlite_agency, "items", item(1, name="改"), item(2, category="?"))
    assert found == [(2, "reason", "reason-missing"), (3, "category", "term-unknown")]


def _with_claims(agency: Agency, claims: StoredClaims) -> Agency:
    return replace(agency, office=replace(agency.office, claims=claims))
