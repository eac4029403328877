"""`recusal` and `assignment`: drawn tasks, who sits where, sites that are gone."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.evidence import keep_file, keep_files
from api.cli.options import After, Limit, Reason, argument, option
from api.cli.terminal import row_of
from application.assignments import (
    ask_void,
    declare_recusal,
    grant_recusal,
    refuse_recusal,
    refuse_void,
    void_site,
    withdraw_recusal,
)
from application.ports import Answer
from application.readings import note_sealed_reading
from application.workflow import Call
from projections.assignments import AssignmentSeen, list_assignments
from projections.worklist import tasks_of

recusal = typer.Typer(name="recusal", help="Recusals 回避.", no_args_is_help=True)
assignment = typer.Typer(name="assignment", help="Drawn tasks 抽中任务.", no_args_is_help=True)

Id = Annotated[str, argument("The assignment's id 任务编号.")]
Which = Annotated[str, argument("The recusal's id 回避编号.")]
DecidedAs = Annotated[
    str, option("--decided-as", help="head, or collective for who is in charge himself 决定主体.")
]
Minutes = Annotated[str, option("--minutes", help="The collective's minutes: a file or a digest 会议记录.")]
_COLUMNS = ("idx", "id", "version", "period", "region", "site", "stratum", "rank", "status", "team")
_TASKS = ("assignment", "inspection", "step", "since", "site", "period", "findings", "publication_due")


@acts(recusal, "declare")
def declare(
    desk: Desk,
    call: Call,
    assignment: Id,
    ground: Annotated[
        str, option("--ground", help="party, near-relative, direct-interest, other-relation 事由.")
    ],
    inspector: Annotated[str, option("--inspector", help="About whom; yourself if left out 人员.")] = "",
    origin: Annotated[str, option("--origin", help="self, site or agency 提出方.")] = "self",
    detail: Annotated[str, option("--detail", help="What is known of it 说明.")] = "",
) -> Answer:
    """Declare a recusal 申请回避."""
    return declare_recusal(
        desk.office,
        call,
        assignment,
        inspector=inspector or call.actor.inspector,
        ground=ground,
        origin=origin,
        detail=detail,
    )


@acts(recusal, "grant")
def grant(
    desk: Desk,
    call: Call,
    assignment: Id,
    recusal: Which,
    reason: Reason,
    decided_as: DecidedAs = "head",
    minutes: Minutes = "",
) -> Answer:
    """Free the seat; the next in its succession follows 同意回避."""
    return grant_recusal(
        desk.office,
        call,
        assignment,
        recusal=recusal,
        reason=reason,
        decided_as=decided_as,
        minutes=keep_file(desk, call, minutes) if minutes else "",
    )


@acts(recusal, "refuse")
def refuse(
    desk: Desk,
    call: Call,
    assignment: Id,
    recusal: Which,
    reason: Reason,
    decided_as: DecidedAs = "head",
    minutes: Minutes = "",
) -> Answer:
    """Leave the inspector on the team, with reasons 驳回回避."""
    return refuse_recusal(
        desk.office,
        call,
        assignment,
        recusal=recusal,
        reason=reason,
        decided_as=decided_as,
        minutes=keep_file(desk, call, minutes) if minutes else "",
    )


@acts(recusal, "withdraw")
def withdraw(desk: Desk, call: Call, assignment: Id, recusal: Which, reason: Reason) -> Answer:
    """Take a declaration of your own back before it is decided 撤回回避申请."""
    return withdraw_recusal(desk.office, call, assignment, recusal=recusal, reason=reason)


@acts(assignment, "ask-void")
def ask(
    desk: Desk,
    call: Call,
    id: Id,
    ground: Annotated[str, option("--ground", help="closed, deregistered, moved, merged 事由.")],
    evidence: Annotated[list[str], option("--evidence", help="A file, or the digest of one kept 证据.")],
) -> Answer:
    """Say that a site is gone; somebody else decides on it 申请对象作废."""
    return ask_void(desk.office, call, id, ground=ground, evidence=keep_files(desk, call, evidence))


@acts(assignment, "refuse-void")
def keep(desk: Desk, call: Call, id: Id, reason: Reason) -> Answer:
    """Leave the site in the draw, as the second person 驳回作废."""
    return refuse_void(desk.office, call, id, reason=reason)


@acts(assignment, "void")
def void(desk: Desk, call: Call, id: Id) -> Answer:
    """Take the site out of the draw, as the second person; the next of its reserve follows 对象作废."""
    return void_site(desk.office, call, id)


@asks(assignment, "list")
def show(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    draw: Annotated[str, option("--draw", help="Only of this draw 抽取编号.")] = "",
    reason: Annotated[
        str, option("--reason", help="Also of sealed draws; recorded with this reason 查阅理由.")
    ] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List drawn tasks of opened draws, of sealed ones only with a recorded reason 列出任务."""
    permission = "draw.read-sealed" if reason else "assignment.read"
    regions = desk.regions(call, permission, region)
    with desk.reading() as connection:
        found = list_assignments(
            connection, regions, draw=draw, sealed=bool(reason), after=after, limit=limit
        )
    _record_reading(desk, call, found, reason)
    rows = [{**row_of(one.assignment), "sealed": one.sealed} for one in found]
    desk.terminal.rows(rows, _COLUMNS, told=_told)


@asks(assignment, "mine")
def mine(
    desk: Desk,
    call: Call,
    ended: Annotated[bool, option("--ended", help="Those that are over 已结束.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List your own tasks with what comes next 我的任务."""
    call.require("assignment.read", None)
    with desk.reading() as connection:
        found = tasks_of(connection, call.actor.inspector, ended=ended, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, _TASKS)


def _record_reading(desk: Desk, call: Call, found: Sequence[AssignmentSeen], reason: str) -> None:
    draws = {one.assignment.draw for one in found if one.sealed}
    if draws:
        note_sealed_reading(desk.office, call, draws, reason=reason)
        desk.settle()


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    team = [f"{holding['seat']}: {holding['inspector'] or '—'}" for holding in row["team"]]
    return {**row, "team": team}
