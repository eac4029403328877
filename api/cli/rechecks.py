"""`recheck`: closed violations that were drawn again, and what was found."""

from datetime import date
from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.draw_files import read_contributor, read_source, source_option
from api.cli.evidence import keep_files
from api.cli.options import After, Limit, argument, option, read_day
from api.cli.terminal import row_of
from application.ports import Answer
from application.rechecks import announce_recheck_draw, carry_out_recheck
from application.workflow import Call
from projections.rechecks import list_rechecks, rechecks_of

recheck = typer.Typer(name="recheck", help="Re-checks of closed violations 销号复核.", no_args_is_help=True)

_COLUMNS = ("idx", "id", "version", "draw_no", "period", "violation", "closing", "outcome")


@acts(recheck, "announce")
def announce(
    desk: Desk,
    call: Call,
    region: Annotated[str, option("--region", help="Of closings in this region 地区.")],
    period: Annotated[str, option("--period", help="Of a quarter that is over, 2024Q1 季度.")],
    contributor: Annotated[
        list[str], option("--contributor", help="PARTY=ACCOUNT, once for each 参与方=账号.")
    ],
    source: Annotated[str, source_option()],
) -> Answer:
    """Announce the draw among a quarter's closings; go on with `sunlot draw commit` 公告复核抽取."""
    return announce_recheck_draw(
        desk.office,
        call,
        region=region,
        period=period,
        contributors=[read_contributor(one) for one in contributor],
        public_source=read_source(source),
    )


@acts(recheck, "record")
def record(
    desk: Desk,
    call: Call,
    id: Annotated[str, argument("The re-check's id 复核编号.")],
    outcome: Annotated[str, option("--outcome", help="sustained, reopened, impossible 结果.")],
    note: Annotated[str, option("--note", help="What was seen 说明.")],
    evidence: Annotated[list[str], option("--evidence", help="A file, or the digest of one kept 证据.")],
    due: Annotated[
        date | None,
        option("--due", parser=read_day, metavar="YYYY-MM-DD", help="By when the order is met now 新期限."),
    ] = None,
) -> Answer:
    """Record what the drawn team saw 记录复核结果."""
    kept = keep_files(desk, call, evidence)
    return carry_out_recheck(desk.office, call, id, outcome=outcome, note=note, evidence=kept, due_on=due)


@asks(recheck, "mine")
def mine(
    desk: Desk,
    call: Call,
    ended: Annotated[bool, option("--ended", help="Those carried out 已完成.")] = False,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List the re-checks on whose team you sit 我的复核."""
    call.require("recheck.record", None)
    with desk.reading() as connection:
        found = rechecks_of(connection, call.actor.inspector, ended=ended, after=after, limit=limit)
    desk.terminal.rows([row_of(one) for one in found], _COLUMNS)


@asks(recheck, "list")
def show(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    period: Annotated[str, option("--period", help="Only of this quarter, 2024Q1 季度.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List re-checks of opened draws 列出复核."""
    regions = desk.regions(call, "violation.read", region)
    with desk.reading() as connection:
        found = list_rechecks(connection, regions, period=period, after=after, limit=limit)
    desk.terminal.rows([row_of(one) for one in found], _COLUMNS)
