"""`plan`: the yearly plan and its rows."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.files import read_facts
from api.cli.options import After, JsonFile, Limit, Reason, Region, argument, option
from api.cli.terminal import row_of
from application.plans import (
    approve_plan,
    draft_plan,
    drop_plan_row,
    publish_plan,
    return_plan,
    set_plan_row,
    submit_plan,
)
from application.ports import Answer
from application.workflow import Call
from domain.errors import NotFound
from domain.plan import PlanRow
from projections.plans import get_plan, list_plans, plan_rows

plan = typer.Typer(name="plan", help="The yearly plan 年度抽查计划.", no_args_is_help=True)

Id = Annotated[str, argument("The plan's id 计划编号.")]
_ROWS = ("no", "period", "task", "items", "areas", "strata", "visits_a_year", "redraw")


@acts(plan, "draft")
def draft(
    desk: Desk,
    call: Call,
    region: Region,
    year: Annotated[int, option("--year", help="The year 年度.")],
    department: Annotated[str, option("--department", help="The lead department 牵头部门.")],
    title: Annotated[str, option("--title", help="The title 标题.")],
) -> Answer:
    """Begin the plan of a department for a year 起草计划."""
    return draft_plan(desk.office, call, region=region, year=year, department=department, title=title)


@acts(plan, "set-row")
def set_row(desk: Desk, call: Call, id: Id, facts: JsonFile) -> Answer:
    """Add a row to a draft, or write it anew 设定任务."""
    return set_plan_row(desk.office, call, id, row=read_facts(facts, PlanRow))


@acts(plan, "drop-row")
def drop_row(desk: Desk, call: Call, id: Id, no: Annotated[str, argument("The row 任务号.")]) -> Answer:
    """Take a row out of a draft 删去任务."""
    return drop_plan_row(desk.office, call, id, no=no)


@acts(plan, "submit")
def submit(desk: Desk, call: Call, id: Id) -> Answer:
    """Hand a plan in for approval 提交审批."""
    return submit_plan(desk.office, call, id)


@acts(plan, "approve")
def approve(
    desk: Desk,
    call: Call,
    id: Id,
    opinion: Annotated[str, option("--opinion", help="The opinion 意见.")] = "",
) -> Answer:
    """Approve a plan that others made 批准计划."""
    return approve_plan(desk.office, call, id, opinion=opinion)


@acts(plan, "return")
def send_back(desk: Desk, call: Call, id: Id, reason: Reason) -> Answer:
    """Send a plan back to its planner 退回计划."""
    return return_plan(desk.office, call, id, reason=reason)


@acts(plan, "publish")
def publish(desk: Desk, call: Call, id: Id) -> Answer:
    """Make an approved plan public 公布计划."""
    return publish_plan(desk.office, call, id)


@asks(plan, "list")
def show_all(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    year: Annotated[int | None, option("--year", help="Only of this year 年度.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List plans, the latest first 列出计划."""
    regions = desk.regions(call, "plan.read", region)
    with desk.reading() as connection:
        found = list_plans(connection, regions, year=year, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, ("idx", "id", "version", "region", "year", "department", "status", "title"))


@asks(plan, "show")
def show(desk: Desk, call: Call, id: Id) -> None:
    """Show a plan with its rows 查看计划."""
    with desk.reading() as connection:
        found, rows = get_plan(connection, id), plan_rows(connection, id)
    if found is None:
        raise NotFound(kind="plan", id=id)
    call.require("plan.read", found.region)
    plain = row_of(found)
    plain_rows = [row_of(row) for row in rows]
    if desk.terminal.json:
        desk.terminal.give({**plain, "rows": plain_rows})
        return
    desk.terminal.facts(plain)
    desk.terminal.rows(plain_rows, _ROWS, told=_told)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "strata": [f"{one['code']} {one['num']}/{one['den']}" for one in row["strata"]]}
