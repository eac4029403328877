"""Importing items and plan rows."""

from datetime import date
from typing import Any

import pytest

from application.items import repeal_item
from application.plans import submit_plan
from domain.item import Item
from domain.plan import Plan, StratumRule
from domain.values import LegalBasis, Seat
from tests.application.intake_files import item, plan_row, preview, publish_items, take_in, wrongs
from tests.office import TAIYUAN, Agency


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": ""}, [("code", "missing")]),
        ({"category": "顶级"}, [("category", "term-unknown")]),
        ({"methods": ("遥感",)}, [("methods", "term-unknown")]),
        ({"bases": ""}, [("bases", "missing")]),
        ({"bases": "环境保护法|第二十四条"}, [("bases", "basis-wrong")]),
        ({"bases": "环境保护法|第二十四条|昨天|"}, [("bases", "basis-wrong")]),
        ({"bases": "环境保护法|第二十四条|2015-01-01|2014-01-01"}, [("bases", "basis-wrong")]),
        ({"bases": "|第二十四条|2015-01-01|"}, [("bases", "basis-wrong")]),
        ({"bases": "环境保护法|第二十四条|2015-01-01||附注"}, [("bases", "basis-wrong")]),
        ({"bases": "甲|一|2015-01-01|\n甲|一|2015-01-01|"}, [("bases", "basis-wrong")]),
    ],
)
def test_a_wrong_cell_of_an_item_is_named(
    sqlite_agency: Agency, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = wrongs(sqlite_agency, "items", item(8), item(1, **changes))
    assert found == [(3, key, code) for key, code in expected]


def test_an_item_is_drafted_with_all_its_bases(agency: Agency) -> None:
    take_in(
        agency,
        "items",
        item(1, bases="甲法|第一条|2015-01-01|2025-12-31\n\n乙条例｜第二条、第三条｜2021-03-01"),
    )
    (event,) = (event for event in agency.events() if isinstance(event, Item.Drafted))
    assert (event.region, event.code, event.facts.category) == (TAIYUAN, "TY-01", "key")
    assert event.facts.methods == ("off-site", "on-site")
    assert event.facts.bases == (
        LegalBasis(
            law="甲法",
            article="第一条",
            effective_from=date(2015, 1, 1),
            effective_to=date(2025, 12, 31),
        ),
        LegalBasis(law="乙条例", article="第二条、第三条", effective_from=date(2021, 3, 1)),
    )


def test_a_revision_says_why(agency: Agency) -> None:
    take_in(agency, "items", item(1))
    assert wrongs(agency, "items", item(1, content="新内容")) == [(2, "reason", "reason-missing")]
    before = agency.size()
    take_in(agency, "items", item(1, content="新内容", reason="法律修订"))
    assert agency.topics(before) == ["intake.completed.v1", "item.revised.v1"]


def test_a_repealed_item_is_not_revised(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "items", item(1))
    office, call = sqlite_agency.office, sqlite_agency.call(sqlite_agency.people.officer)
    id = office.claims.holder("item-code", f"{TAIYUAN}/TY-01") or ""
    repeal_item(office, call, id, effective_from=date(2024, 5, 1), reason="废止")
    changed = item(1, content="新内容", reason="修订")
    assert wrongs(sqlite_agency, "items", changed) == [(2, "code", "item-repealed")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"no": "A1"}, [("no", "plan-row-wrong")]),
        ({"period": "2024年"}, [("period", "period-wrong")]),
        ({"period": "2024Q5"}, [("period", "period-wrong")]),
        ({"items": ("TY-99",)}, [("items", "item-unpublished")]),
        ({"areas": ("大同市",)}, [("areas", "region-not-yours")]),
        ({"key_ratio": "25"}, [("key_ratio", "ratio-wrong")]),
        ({"key_ratio": "四分之一"}, [("key_ratio", "ratio-wrong")]),
        ({"key_ratio": "1/0"}, [("key_ratio", "ratio-wrong")]),
        ({"key_ratio": "101%"}, [("key_ratio", "ratio-wrong")]),
        (
            {"key_ratio": "", "special_ratio": "", "general_ratio": "", "confidential": ()},
            [("key_ratio", "ratio-missing")],
        ),
        ({"confidential": ("其他",)}, [("confidential", "stratum-without-ratio")]),
        ({"team": ("主办",)}, [("team", "plan-row-wrong")]),
        ({"team": ("主办", "主办")}, [("team", "plan-row-wrong")]),
        ({"team": ("主办+领导", "协办")}, [("team", "term-unknown")]),
        ({"team": ("主办", "旁听")}, [("team", "term-unknown")]),
        ({"weights": ("黄牌:0",)}, [("weights", "weight-wrong")]),
        ({"weights": ("紫牌:2",)}, [("weights", "term-unknown")]),
        ({"weights": ("黄牌",)}, [("weights", "weight-wrong")]),
        ({"seats_each": 0}, [("seats_each", "plan-row-wrong")]),
        ({"seats_each": "许多"}, [("seats_each", "int-wrong")]),
        ({"visits_a_year": None}, [("visits_a_year", "missing")]),
    ],
)
def test_a_wrong_cell_of_a_plan_row_is_named(
    sqlite_agency: Agency, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    publish_items(sqlite_agency)
    found = wrongs(sqlite_agency, "plan", plan_row(8), plan_row(1, **changes))
    assert found == [(3, key, code) for key, code in expected]


def test_a_plan_needs_a_published_catalogue(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "items", item(1))
    assert wrongs(sqlite_agency, "plan", plan_row(1)) == [(2, "items", "item-unpublished")]


def test_an_item_that_is_no_longer_in_force_cannot_be_planned(sqlite_agency: Agency) -> None:
    publish_items(sqlite_agency, item(1, bases="甲法|第一条|2015-01-01|2024-04-10"))
    sqlite_agency.clock.advance(days=20)
    (error,) = preview(sqlite_agency, "plan", plan_row(1)).errors
    assert (error.code, error.value, error.facts["day"]) == ("item-lapsed", "TY-01", date(2024, 4, 21))


def test_a_plan_is_drafted_with_its_rows(agency: Agency) -> None:
    publish_items(agency)
    rows = [
        plan_row(1, no="1"),
        plan_row(2, period="2024年第三季度", areas=("小店区", "迎泽区"), redraw=True),
    ]
    take_in(agency, "plan", *rows)
    plan = _plan(agency)
    assert (plan.title, plan.year, plan.status) == (
        "太原市生态环境局2024年度双随机抽查工作计划",
        2024,
        "draft",
    )
    first, second = plan.rows["01"], plan.rows["02"]
    assert first.strata == (
        StratumRule(code="general", num=1, den=20),
        StratumRule(code="key", num=1, den=4),
        StratumRule(code="special", num=1, den=1, confidential=True),
    )
    assert first.team == (
        Seat(seat="lead", lead=True, skilled=True),
        Seat(seat="second", lead=False, skilled=False),
    )
    assert first.weights == {"yellow": 3, "red": 5}
    assert (second.period, second.areas, second.redraw) == ("2024Q3", ("140105", "140106"), True)


def test_rows_of_another_year_or_department_are_another_plan(sqlite_agency: Agency) -> None:
    publish_items(sqlite_agency)
    rows = [
        plan_row(1),
        plan_row(1, period="2025Q1"),
        plan_row(1, department="太原市水务局", title="联合计划"),
    ]
    assert preview(sqlite_agency, "plan", *rows).created == 3
    take_in(sqlite_agency, "plan", *rows)
    assert len(dict(sqlite_agency.office.claims.keys("plan"))) == 3


def test_a_number_stands_once_in_a_plan(sqlite_agency: Agency) -> None:
    publish_items(sqlite_agency)
    assert wrongs(sqlite_agency, "plan", plan_row(1), plan_row(1, no="1")) == [(3, "no", "duplicate-in-file")]


def test_a_plan_has_one_title(sqlite_agency: Agency) -> None:
    publish_items(sqlite_agency)
    rows = [plan_row(1, title="甲"), plan_row(2, title="乙")]
    assert wrongs(sqlite_agency, "plan", *rows) == [(3, "title", "plan-title-differs")]
    take_in(sqlite_agency, "plan", rows[0])
    assert wrongs(sqlite_agency, "plan", rows[1]) == [(2, "title", "plan-title-differs")]


def test_rows_of_a_draft_change_and_those_of_a_submitted_plan_do_not(agency: Agency) -> None:
    publish_items(agency)
    take_in(agency, "plan", plan_row(1))
    found = preview(agency, "plan", plan_row(1, key_ratio="30%"), plan_row(2))
    assert (found.created, found.changed) == (1, 1)
    assert [(one.field, one.old, one.new) for one in found.changes[0].fields] == [
        ("key_ratio", "1/4", "3/10")
    ]
    take_in(agency, "plan", plan_row(1, key_ratio="30%"), plan_row(2))
    submit_plan(agency.office, agency.call(agency.people.officer), _plan(agency).id)
    assert preview(agency, "plan", plan_row(1, key_ratio="30%")).unchanged == 1
    assert wrongs(agency, "plan", plan_row(1), plan_row(3)) == [
        (2, "no", "plan-status-wrong"),
        (3, "no", "plan-status-wrong"),
    ]


def test_a_published_catalogue_serves_a_district_of_its_city(sqlite_agency: Agency) -> None:
    publish_items(sqlite_agency)
    found = preview(sqlite_agency, "plan", plan_row(1, areas=("小店区",)), region="140105")
    assert found.sound


def _plan(agency: Agency) -> Plan:
    ((_, stream),) = agency.office.claims.keys("plan")
    return agency.office.workflow.load(Plan, stream)
