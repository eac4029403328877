"""`draw report` and `draw approve-narrow`: what goes with a seal, and the second person's word on it."""

from pathlib import Path
from typing import Annotated, Final

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.options import After, Limit, Reason, argument, option
from api.cli.refusals import Cannot
from api.readings import MOST
from api.seal_reports import write_report
from application.ports import Answer
from application.seal_reports import CHANGES, open_report, read_lines
from application.sealing import approve_narrow_seats
from application.workflow import Call
from projections.draws import narrow_draws

Id = Annotated[str, argument("The draw's id 抽取编号.")]
_COLUMNS: Final = {
    CHANGES: ("line", "flags", "kind", "id", "what", "at", "by", "reason"),
    "narrow-seats": ("line", "id", "seat", "may_sit"),
}
_WAITING: Final = ("idx", "id", "version", "draw_no", "period", "narrow_sites", "narrow_seats")


def add_draw_reports(draw: typer.Typer) -> None:
    """Add the commands to the group `draw`."""
    acts(draw, "approve-narrow")(approve_narrow)
    asks(draw, "narrow")(narrow)
    asks(draw, "report")(report)


def approve_narrow(desk: Desk, call: Call, id: Id, reason: Reason) -> Answer:
    """Let a draw go on although fewer than three may sit somewhere, as a second person 同意窄席位."""
    return approve_narrow_seats(desk.office, call, id, reason=reason)


def narrow(
    desk: Desk,
    call: Call,
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List sealed draws whose narrow seats wait for a second person 待同意的窄席位."""
    regions = desk.regions(call, "draw.approve-narrow", region)
    with desk.reading() as connection:
        found = narrow_draws(connection, regions, after=after, limit=limit)
    desk.terminal.rows([{name: getattr(one, name) for name in _WAITING} for one in found], _WAITING)


def report(
    desk: Desk,
    call: Call,
    id: Id,
    reason: Reason,
    kind: Annotated[str, option("--kind", help="registry-changes or narrow-seats 报告种类.")] = CHANGES,
    out: Annotated[
        Path | None, option("--out", help="Write it as XLSX instead 输出表格.", dir_okay=False)
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """Show a report of the seal, the most telling lines first; the reading is recorded 查阅封存报告."""
    if out is not None and out.exists():
        raise Cannot("file-exists", file=str(out))
    with open_report(desk.office, call, id, kind, reason=reason) as found:
        desk.settle()
        if out is None:
            lines = list(read_lines(found, after=after or 0, limit=limit))
            rows = [{"line": one.idx, **one.line} for one in lines]
            desk.terminal.rows(rows, _COLUMNS[kind])
            return
        out.write_bytes(write_report(kind, read_lines(found, limit=MOST), desk.terminal.language))
    desk.terminal.facts({"file": str(out)})
