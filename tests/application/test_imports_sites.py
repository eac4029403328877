"""Importing sites: each thing that may be wrong, and what comes of what is right."""

from datetime import date
from typing import Any

import pytest

from application.authorisation import CITY_OFFICER
from application.imports import preview_import
from application.sites import change_site, remove_site
from domain.site import Site
from domain.values import Provenance
from tests.application.intake_files import book, preview, site, take_in, told, uscc, wrongs
from tests.office import Agency, actor

DAY = date(2024, 1, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"uscc": uscc(1)[:-1] + "0"}, [("uscc", "uscc-wrong"), ("code", "licence-code-wrong")]),
        ({"uscc": ""}, [("uscc", "missing")]),
        ({"code": f"{uscc(2)}001P"}, [("code", "licence-code-wrong")]),
        ({"code": "001P"}, [("code", "licence-code-wrong")]),
        ({"name": ""}, [("name", "missing")]),
        ({"region": "火星区"}, [("region", "region-unknown")]),
        ({"region": ""}, [("region", "missing")]),
        ({"region": "140202"}, [("region", "region-unknown")]),
        ({"region": "大同市"}, [("region", "region-not-yours")]),
        ({"industry": "化工"}, [("industry", "industry-wrong")]),
        ({"stratum": "重要"}, [("stratum", "term-unknown")]),
        ({"needs": ("水", "火")}, [("needs", "term-unknown")]),
        ({"credit": "紫牌"}, [("credit", "term-unknown")]),
        ({"effective_from": "2024-02-30"}, [("effective_from", "date-wrong")]),
        ({"effective_from": None}, [("effective_from", "missing")]),
        ({"source": ""}, [("source", "missing")]),
        ({"reason": "  "}, [("reason", "missing")]),
        ({"name": "太" * 201}, [("name", "too-long")]),
        ({"name": "甲\u202e乙"}, [("name", "character-refused")]),
    ],
)
def test_a_wrong_cell_is_named_by_column_and_reason(
    sqlite_agency: Agency, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = wrongs(sqlite_agency, "sites", site(7), site(1, **changes))
    assert sorted(found) == sorted((3, key, code) for key, code in expected)


def test_every_wrong_cell_of_a_row_is_named(sqlite_agency: Agency) -> None:
    wrong = site(1, uscc="X", code="Y", industry="Z", stratum="?", region="?", needs=("?",))
    found = {(key, code) for _, key, code in wrongs(sqlite_agency, "sites", wrong)}
    assert found == {
        ("uscc", "uscc-wrong"),
        ("code", "licence-code-wrong"),
        ("industry", "industry-wrong"),
        ("stratum", "term-unknown"),
        ("region", "region-unknown"),
        ("needs", "term-unknown"),
    }


def test_an_error_says_sheet_column_value_and_what_would_be_allowed(sqlite_agency: Agency) -> None:
    (error,) = preview(sqlite_agency, "sites", site(1, stratum="重要")).errors
    assert (error.sheet, error.row, error.column, error.value) == ("检查对象名录", 2, "G", "重要")
    assert error.facts["title"] == "监管类别"
    assert error.facts["allowed"] == ("重点", "特殊", "一般", "其他")


def test_a_row_repeated_in_the_file_names_the_first(sqlite_agency: Agency) -> None:
    (error,) = preview(sqlite_agency, "sites", site(1), site(2), site(1, name="另一家")).errors
    assert (error.row, error.code, error.facts["first"]) == (4, "duplicate-in-file", 2)


def test_two_places_of_an_enterprise_need_two_licence_codes(sqlite_agency: Agency) -> None:
    second = site(1, code=f"{uscc(1)}002Q")
    assert preview(sqlite_agency, "sites", site(1), second).created == 2
    assert wrongs(sqlite_agency, "sites", site(1, code=""), site(1, code="")) == [
        (3, "uscc", "duplicate-in-file")
    ]


def test_codes_are_as_good_as_words(sqlite_agency: Agency) -> None:
    words = site(1)
    codes = site(1, region="140105", stratum="key", needs=("water", "air"), credit="green")
    take_in(sqlite_agency, "sites", words)
    assert preview(sqlite_agency, "sites", codes).unchanged == 1


def test_a_site_is_registered_as_the_row_says(agency: Agency) -> None:
    take_in(agency, "sites", site(1))
    (event,) = (event for event in agency.events() if isinstance(event, Site.Registered))
    facts = event.facts
    assert (facts.uscc, facts.code, facts.region) == (uscc(1), f"{uscc(1)}001P", "140105")
    assert (facts.stratum, facts.needs, facts.credit) == ("key", ("air", "water"), "green")
    assert event.provenance == Provenance(source="排污许可平台", reason="初始导入", effective_from=DAY)


def test_the_contact_is_in_the_vault_and_not_in_the_event(agency: Agency) -> None:
    take_in(agency, "sites", site(1, contact="赵铁柱", phone="19912345678"))
    (event,) = (event for event in agency.events() if isinstance(event, Site.Registered))
    assert agency.office.vault.read([event.person]) == {
        event.person: {"name": "赵铁柱", "phone": "19912345678"}
    }
    assert all("赵铁柱".encode() not in row.state for row in agency.store.recorder.rows())


def test_a_site_without_a_contact_has_no_row_in_the_vault(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "sites", site(1, contact="", phone=""))
    (event,) = (event for event in sqlite_agency.events() if isinstance(event, Site.Registered))
    assert event.person == event.commitment == ""


def test_other_facts_change_a_site_and_the_preview_says_which(agency: Agency) -> None:
    take_in(agency, "sites", site(1), site(2))
    changed = site(2, stratum="特殊", name="改名有限公司")
    found = preview(agency, "sites", site(1), changed, site(3))
    assert (found.created, found.changed, found.unchanged) == (1, 1, 1)
    fields = {change.field: (change.old, change.new) for change in found.changes[0].fields}
    assert fields == {"name": ("太原第2化工有限公司", "改名有限公司"), "stratum": ("重点", "特殊")}
    before = agency.size()
    take_in(agency, "sites", site(1), changed, site(3))
    assert sorted(agency.topics(before)) == ["intake.completed.v1", "site.changed.v1", "site.registered.v1"]


def test_a_removed_site_comes_back_as_a_new_one(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "sites", site(1))
    office, call = sqlite_agency.office, sqlite_agency.call(sqlite_agency.people.officer)
    id = office.claims.holder("site", f"{uscc(1)}001P") or ""
    provenance = Provenance(source="现场核查", reason="停业", effective_from=DAY)
    remove_site(office, call, id, ground="closed", provenance=provenance)
    assert preview(sqlite_agency, "sites", site(1)).created == 1


def test_rows_outside_the_files_region_are_named_mine_or_not(sqlite_agency: Agency) -> None:
    content = book("sites", [site(1), site(2, region="迎泽区"), site(3, region="大同市")])
    call = sqlite_agency.call(sqlite_agency.people.officer)
    found = preview_import(sqlite_agency.office, call, "sites", region="140105", content=content)
    assert [told(error) for error in found.errors] == [
        (3, "region", "region-outside"),
        (4, "region", "region-not-yours"),
    ]


def test_a_site_that_moved_out_of_my_region_is_not_mine_to_change(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "sites", site(1))
    office = sqlite_agency.office
    both = actor("province-officer", CITY_OFFICER, "140000")
    id = office.claims.holder("site", f"{uscc(1)}001P") or ""
    there = office.workflow.load(Site, id).facts
    provenance = Provenance(source="迁移", reason="迁址", effective_from=DAY)
    facts = type(there)(
        **{**{name: getattr(there, name) for name in there.__struct_fields__}, "region": "140213"}
    )
    change_site(office, sqlite_agency.call(both), id, facts=facts, provenance=provenance)
    assert wrongs(sqlite_agency, "sites", site(1)) == [(2, "region", "region-not-yours")]
