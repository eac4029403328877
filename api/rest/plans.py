"""Yearly plans and their rows: draft, submit, approve or return, publish."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create
from api.rest.description import does, lists, shows
from api.rest.fields import Reasoned, Region, Year, choice, struct_of
from api.rest.presenting import Page, found, show_one
from application import plans
from domain.plan import PlanRow
from domain.values import STRATA
from projections.plans import PlanEntry, PlanRowEntry, get_plan, list_plans, list_rows, plan_rows

router = APIRouter(prefix="/plans", tags=["plans"])
PLACE = "/api/v1/plans/{id}"


class PlanDraft(Step):
    """The plan of one department of one region for one year."""

    region: Region
    year: int = Field(description="年度 Year.")
    department: str = Field(description="部门 Department.", max_length=200)
    title: str = Field(description="标题 Title.", max_length=200)


class Share(BaseModel):
    """How much of a stratum is drawn: ⌈sites · num / den⌉."""

    model_config = ConfigDict(extra="forbid")

    code: str = choice(STRATA, "分层 Stratum.")
    num: int = Field(description="比例分子 Numerator of the ratio.")
    den: int = Field(description="比例分母 Denominator of the ratio.")
    confidential: bool = Field(default=False, description="名录不公开 Its frame stays with the auditor.")


class Place(BaseModel):
    """A seat on every team of the draw."""

    model_config = ConfigDict(extra="forbid")

    seat: str = Field(description="席位 Name of the seat.", max_length=64)
    lead: bool = Field(default=False, description="带队 Its holder must be able to lead.")
    skilled: bool = Field(default=False, description="专长匹配 Its holder must have a skill the site needs.")


class RowWriting(Step):
    """One task in one quarter: what is drawn, from whom, how much."""

    task: str = Field(description="任务名称 Name of the task.", max_length=200)
    items: tuple[str, ...] = Field(description="抽查事项编码 Codes of published items.", max_length=200)
    period: str = Field(description="季度，如 2024Q2 Quarter.", max_length=6)
    departments: tuple[str, ...] = Field(description="部门 Departments that take part.", max_length=50)
    areas: tuple[str, ...] = Field(description="地区 Regions whose sites are in the frame.", max_length=50)
    strata: tuple[Share, ...] = Field(description="分层比例 Strata, sorted by code.", max_length=50)
    team: tuple[Place, ...] = Field(description="席位，至少两个 Seats, at least two.", max_length=20)
    weights: dict[str, int] = Field(
        default_factory=dict, description="信用权重 Integer weights 1–100 by credit colour."
    )
    seats_each: int = Field(default=100, description="每人至多席位 The most seats for one inspector.")
    visits_a_year: int = Field(default=2, description="年度频次上限 Visits of an enterprise a year.")
    redraw: bool = Field(default=False, description="可否重复抽中 May a site drawn this year be drawn again.")


class Approval(Step):
    """The approver's opinion."""

    opinion: str = Field(default="", description="意见 Opinion.", max_length=2000)


class PlanShown(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its rows."""

    plan: PlanEntry
    rows: list[PlanRowEntry]


@router.post("", status_code=201, summary="起草计划 Draft a plan")
@does()
def draft_plan(body: PlanDraft, command: Command = create("plan.draft")) -> Response:
    """Begins the plan of a department of a region for a year; there is one of each."""
    return command.run(
        body,
        lambda call: plans.draft_plan(
            command.office,
            call,
            region=body.region,
            year=body.year,
            department=body.department,
            title=body.title,
        ),
        place=PLACE,
    )


@router.get("", summary="计划列表 List plans")
@lists(PlanEntry)
def read_plans(
    page: Annotated[Page, Depends()],
    region: str = "",
    year: Year | None = None,
    status: Annotated[str, Query(description="draft, submitted, approved or published.")] = "",
    asked: Asked = ask("plan.read"),
) -> Response:
    """Plans of the caller's regions, the latest first."""
    with asked.views() as views:
        rows = list_plans(
            views,
            asked.regions("plan.read", region),
            year=year,
            status=status,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/rows", summary="任务列表 List rows")
@lists(PlanRowEntry)
def read_rows(
    page: Annotated[Page, Depends()],
    region: str = "",
    period: str = "",
    status: Annotated[str, Query(description="Status of the plan.")] = "",
    asked: Asked = ask("plan.read"),
) -> Response:
    """Rows of all plans of the caller's regions."""
    with asked.views() as views:
        rows = list_rows(
            views,
            asked.regions("plan.read", region),
            period=period,
            status=status,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="计划 One plan")
@shows(PlanShown, etag=True)
def read_plan(id: str, request: Request, asked: Asked = ask("plan.read")) -> Response:
    """The plan with its rows."""
    with asked.views() as views:
        plan = found(get_plan(views, id), "plan", id)
        rows = plan_rows(views, id)
    asked.require("plan.read", plan.region)
    return show_one(request, PlanShown(plan=plan, rows=rows), plan.version)


@router.put("/{id}/rows/{no}", summary="填写任务 Write a row")
@does()
def set_row(id: str, no: str, body: RowWriting, command: Command = change("plan.draft")) -> Response:
    """Adds the row or writes it anew while the plan is a draft; its items must be published."""
    row = struct_of(body, PlanRow, no=no)
    return command.run(body, lambda call: plans.set_plan_row(command.office, call, id, row=row))


@router.delete("/{id}/rows/{no}", summary="删除任务 Drop a row")
@does()
def drop_row(id: str, no: str, command: Command = change("plan.draft")) -> Response:
    """Takes a row out of a draft."""
    return command.run(None, lambda call: plans.drop_plan_row(command.office, call, id, no=no))


@router.post("/{id}/submission", summary="送审 Submit a plan")
@does()
def submit_plan(id: str, body: Step | None = None, command: Command = change("plan.draft")) -> Response:
    """Hands the plan in for approval."""
    return command.run(body, lambda call: plans.submit_plan(command.office, call, id))


@router.post("/{id}/approval", summary="批准计划 Approve a plan")
@does()
def approve_plan(id: str, body: Approval, command: Command = change("plan.approve")) -> Response:
    """Approves a plan that others made."""
    return command.run(body, lambda call: plans.approve_plan(command.office, call, id, opinion=body.opinion))


@router.post("/{id}/return", summary="退回计划 Return a plan")
@does()
def return_plan(id: str, body: Reasoned, command: Command = change("plan.approve")) -> Response:
    """Sends the plan back to its planner."""
    return command.run(body, lambda call: plans.return_plan(command.office, call, id, reason=body.reason))


@router.post("/{id}/publication", summary="公布计划 Publish a plan")
@does()
def publish_plan(id: str, body: Step | None = None, command: Command = change("plan.publish")) -> Response:
    """Makes the approved plan public; draws start from it."""
    return command.run(body, lambda call: plans.publish_plan(command.office, call, id))
