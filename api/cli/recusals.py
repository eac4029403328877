"""`barring`: recusals declared before any draw, from all sites of an enterprise."""

from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.evidence import keep_file
from api.cli.options import After, Limit, Reason, argument, option
from api.cli.tasks import DecidedAs, Minutes, Which
from api.cli.terminal import row_of
from application.ports import Answer
from application.recusals import declare_barring, grant_barring, refuse_barring, withdraw_barring
from application.workflow import Call
from projections.recusals import list_barrings

barring = typer.Typer(name="barring", help="Recusals before a draw 事前回避.", no_args_is_help=True)

Inspector = Annotated[str, argument("The inspector's id 人员编号.")]
_COLUMNS = ("idx", "id", "inspector", "uscc", "ground", "origin", "status", "reason", "decided_as")


@acts(barring, "declare")
def declare(
    desk: Desk,
    call: Call,
    inspector: Inspector,
    uscc: Annotated[str, option("--uscc", help="The enterprise 统一社会信用代码.")],
    ground: Annotated[
        str, option("--ground", help="party, near-relative, direct-interest, other-relation 事由.")
    ],
    origin: Annotated[str, option("--origin", help="self, site or agency 提出方.")] = "self",
    detail: Annotated[str, option("--detail", help="What is known of it 说明.")] = "",
) -> Answer:
    """Declare before a draw that an inspector must not go to an enterprise 事前申请回避."""
    return declare_barring(
        desk.office, call, inspector, uscc=uscc, ground=ground, origin=origin, detail=detail
    )


@acts(barring, "grant")
def grant(
    desk: Desk,
    call: Call,
    inspector: Inspector,
    recusal: Which,
    reason: Reason,
    decided_as: DecidedAs = "head",
    minutes: Minutes = "",
) -> Answer:
    """Bar the inspector from the enterprise in all draws to come 同意事前回避."""
    return grant_barring(
        desk.office,
        call,
        inspector,
        recusal=recusal,
        reason=reason,
        decided_as=decided_as,
        minutes=keep_file(desk, call, minutes) if minutes else "",
    )


@acts(barring, "refuse")
def refuse(
    desk: Desk,
    call: Call,
    inspector: Inspector,
    recusal: Which,
    reason: Reason,
    decided_as: DecidedAs = "head",
    minutes: Minutes = "",
) -> Answer:
    """Let the inspector go there, with reasons 驳回事前回避."""
    return refuse_barring(
        desk.office,
        call,
        inspector,
        recusal=recusal,
        reason=reason,
        decided_as=decided_as,
        minutes=keep_file(desk, call, minutes) if minutes else "",
    )


@acts(barring, "withdraw")
def withdraw(desk: Desk, call: Call, inspector: Inspector, recusal: Which, reason: Reason) -> Answer:
    """Take a declaration of your own back before it is decided 撤回事前回避."""
    return withdraw_barring(desk.office, call, inspector, recusal=recusal, reason=reason)


@asks(barring, "list")
def show(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    status: Annotated[str, option("--status", help="pending, granted, refused, withdrawn 状态.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List recusals declared before a draw, refused and withdrawn ones too 列出事前回避."""
    regions = desk.regions(call, "inspector.read", region)
    with desk.reading() as connection:
        found = list_barrings(connection, regions, status=status, after=after, limit=limit)
    desk.terminal.rows([row_of(one) for one in found], _COLUMNS)
