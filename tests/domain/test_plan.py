"""A plan: rows of published items, approved by somebody else, then public."""

from datetime import date
from typing import Any

import pytest

from domain.catalogue import ItemLapsed, ItemUnpublished
from domain.identifiers import RegionWrong
from domain.plan import (
    Plan,
    PlanEmpty,
    PlannerApproves,
    PlanRowMissing,
    PlanRowWrong,
    PlanStatusWrong,
    StratumRule,
)
from domain.values import Seat
from tests.builders import CITY, DEPUTY, LEADER, PLANNER, TODAY, act, legal_basis, plan_row, stream
from tests.scenario import given, happened, when_begun
from tests.stages import (
    approved,
    drafted_item,
    drafted_plan,
    opened_catalogue,
    published,
    published_catalogue,
    row_set,
    submitted,
)


def test_a_plan_is_begun_for_a_department_of_a_region_and_a_year() -> None:
    plan = when_begun(drafted_plan).then(
        happened(Plan.Drafted, region=CITY, year=2024, department="生态环境", title="2024 年度抽查计划")
    )
    assert plan.status == "draft"


@pytest.mark.parametrize(
    ("field", "value"), [("year", 1999), ("year", 2100), ("department", ""), ("title", "")]
)
def test_a_plan_without_year_department_or_title_is_refused(field: str, value: Any) -> None:
    facts: dict[str, Any] = {"region": CITY, "year": 2024, "department": "生态环境", "title": "计划"}
    facts[field] = value
    when_begun(lambda: Plan.draft(act(), id=stream("plan"), **facts)).refused(
        PlanRowWrong, f"/{field}", row="", field=field, value=str(value)
    )


def test_a_plan_of_no_region_is_refused() -> None:
    when_begun(
        lambda: Plan.draft(act(), id=stream("plan"), region="14", year=2024, department="a", title="b")
    ).refused(RegionWrong, value="14")


def test_a_row_is_added_and_written_anew() -> None:
    again = plan_row(task="重新安排")
    plan = (
        given(drafted_plan, row_set)
        .when(lambda plan: plan.set_row(act(), row=again, catalogue=published_catalogue()))
        .then(happened(Plan.RowSet, row=again))
    )
    assert plan.rows == {"01": again}


ROW_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("no", {"no": "1"}, "1"),
    ("period", {"period": "2024Q5"}, "2024Q5"),
    ("period", {"period": "2025Q1"}, "2025Q1"),
    ("task", {"task": ""}, ""),
    ("items", {"items": ()}, ""),
    ("items", {"items": ("SX-01", "SX-01")}, "SX-01,SX-01"),
    ("areas", {"areas": ()}, ""),
    ("areas", {"areas": (CITY, CITY)}, f"{CITY},{CITY}"),
    ("areas", {"areas": ("140105", "140200")}, "140200"),
    ("areas", {"areas": ("140000",)}, "140000"),
    ("departments", {"departments": ()}, ""),
    ("strata", {"strata": ()}, ""),
    ("strata", {"strata": (StratumRule(code="key", num=3, den=2),)}, "key 3/2"),
    ("strata", {"strata": (StratumRule(code="key", num=-1, den=2),)}, "key -1/2"),
    ("strata", {"strata": (StratumRule(code="key", num=0, den=0),)}, "key 0/0"),
    ("strata", {"strata": (StratumRule(code="key", num=0, den=2**32),)}, f"key 0/{2**32}"),
    ("strata", {"strata": (StratumRule(code="a b", num=1, den=1),)}, "a b"),
    (
        "strata",
        {"strata": (StratumRule(code="key", num=1, den=1), StratumRule(code="general", num=1, den=1))},
        "key,general",
    ),
    ("team", {"team": (Seat(seat="lead", lead=True, skilled=False),)}, "lead"),
    ("team", {"team": (Seat(seat="a", lead=True, skilled=False),) * 2}, "a,a"),
    (
        "team",
        {"team": (Seat(seat="a", lead=True, skilled=False), Seat(seat="席", lead=False, skilled=False))},
        "a,席",
    ),
    ("weights", {"weights": {"red": 0}}, "{'red': 0}"),
    ("weights", {"weights": {"red": 101}}, "{'red': 101}"),
    ("seats_each", {"seats_each": 0}, "0"),
    ("visits_a_year", {"visits_a_year": 0}, "0"),
]


@pytest.mark.parametrize(("field", "change", "value"), ROW_FAULTS)
def test_a_row_that_no_draw_could_follow_is_refused(field: str, change: dict[str, Any], value: str) -> None:
    row = plan_row(**change)
    given(drafted_plan).when(
        lambda plan: plan.set_row(act(), row=row, catalogue=published_catalogue())
    ).refused(PlanRowWrong, f"/{field}", row=row.no, field=field, value=value)


def test_a_row_of_no_region_is_refused() -> None:
    given(drafted_plan).when(
        lambda plan: plan.set_row(act(), row=plan_row(areas=("1401",)), catalogue=published_catalogue())
    ).refused(RegionWrong, value="1401")


def test_a_row_of_an_unpublished_item_is_refused() -> None:
    given(drafted_plan).when(
        lambda plan: plan.set_row(act(), row=plan_row(), catalogue=opened_catalogue())
    ).refused(ItemUnpublished, item="SX-01")


def test_a_row_of_an_item_whose_basis_has_lapsed_is_refused() -> None:
    catalogue = opened_catalogue()
    lapsing = drafted_item(bases=(legal_basis(effective_to=date(2024, 3, 31)),))
    catalogue.publish(act(), published_on=date(2024, 3, 1), items=[lapsing])
    given(drafted_plan).when(
        lambda plan: plan.set_row(act(), row=plan_row(items=("SX-01",)), catalogue=catalogue)
    ).refused(ItemLapsed, item="SX-01", day=TODAY)


def test_a_row_is_taken_out() -> None:
    plan = (
        given(drafted_plan, row_set)
        .when(lambda plan: plan.drop_row(act(), no="01"))
        .then(happened(Plan.RowDropped, no="01"))
    )
    assert plan.rows == {}


def test_a_row_that_is_not_there_cannot_be_taken_out() -> None:
    given(drafted_plan).when(lambda plan: plan.drop_row(act(), no="09")).refused(
        PlanRowMissing, plan=stream("plan"), row="09"
    )


def test_a_plan_is_submitted_approved_and_published() -> None:
    plan = given(drafted_plan, row_set).when(lambda plan: plan.submit(act())).then(happened(Plan.Submitted))
    assert plan.status == "submitted"
    plan = (
        given(drafted_plan, row_set, submitted)
        .when(lambda plan: plan.approve(act(LEADER), opinion="同意"))
        .then(happened(Plan.Approved, opinion="同意"))
    )
    assert plan.status == "approved"
    plan = (
        given(drafted_plan, row_set, submitted, approved)
        .when(lambda plan: plan.publish(act(), published_on=TODAY))
        .then(happened(Plan.Published, published_on=TODAY))
    )
    assert plan.published_row("01") == plan_row()


def test_an_empty_plan_cannot_be_submitted() -> None:
    given(drafted_plan).when(lambda plan: plan.submit(act())).refused(PlanEmpty)


def test_a_returned_plan_is_a_draft_again() -> None:
    plan = (
        given(drafted_plan, row_set, submitted)
        .when(lambda plan: plan.send_back(act(LEADER), reason="比例偏低"))
        .then(happened(Plan.Returned, reason="比例偏低"))
    )
    assert plan.status == "draft"


@pytest.mark.parametrize(
    "decider",
    [
        act(PLANNER),
        act(DEPUTY, on_behalf_of=PLANNER),
        act(PLANNER, on_behalf_of=LEADER),
    ],
)
def test_nobody_decides_on_what_he_or_his_principal_planned(decider: Any) -> None:
    waiting = (drafted_plan, row_set, submitted)
    given(*waiting).when(lambda plan: plan.approve(decider, opinion="同意")).refused(PlannerApproves)
    given(*waiting).when(lambda plan: plan.send_back(decider, reason="否")).refused(PlannerApproves)


def submitted_by_a_deputy(plan: Plan) -> None:
    """A deputy of the leader handed the plan in."""
    plan.submit(act(DEPUTY, on_behalf_of=LEADER))


def test_whom_a_deputy_acted_for_does_not_approve_either() -> None:
    given(drafted_plan, row_set, submitted_by_a_deputy).when(
        lambda plan: plan.approve(act(LEADER), opinion="同意")
    ).refused(PlannerApproves)


@pytest.mark.parametrize("step", ["set_row", "drop_row"])
def test_whoever_touched_a_row_is_a_planner(step: str) -> None:
    def touched(plan: Plan) -> None:
        plan.set_row(act(LEADER), row=plan_row(no="02"), catalogue=published_catalogue())
        if step == "drop_row":
            plan.drop_row(act(LEADER), no="02")

    given(drafted_plan, row_set, touched, submitted).when(
        lambda plan: plan.approve(act(LEADER), opinion="同意")
    ).refused(PlannerApproves)


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    ((row_set, submitted), row_set, "submitted", "draft"),
    ((row_set, submitted), lambda plan: plan.drop_row(act(), no="01"), "submitted", "draft"),
    ((row_set, submitted), submitted, "submitted", "draft"),
    ((row_set,), approved, "draft", "submitted"),
    ((row_set,), lambda plan: plan.send_back(act(LEADER), reason="否"), "draft", "submitted"),
    ((row_set, submitted), published, "submitted", "approved"),
    ((row_set, submitted, approved), lambda plan: plan.published_row("01"), "approved", "published"),
    ((row_set, submitted, approved, published), row_set, "published", "draft"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(drafted_plan, *steps).when(decide).refused(PlanStatusWrong, status=status, needed=needed)


def test_a_published_plan_has_no_row_it_was_not_given() -> None:
    given(drafted_plan, row_set, submitted, approved, published).when(
        lambda plan: plan.published_row("07")
    ).refused(PlanRowMissing, plan=stream("plan"), row="07")
