"""`vault`: personal data. Who asks to erase it, who approves, whose is due, and who read it."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from api.cli.commands import acts, asks, operates
from api.cli.desk import Bench, Desk
from api.cli.options import After, Limit, Reason, argument, option, read_day, read_moment
from api.cli.refusals import Cannot
from api.cli.terminal import row_of
from api.readings import MOST, Format, write_readings
from application.erasure import approve_erasure, ask_erasure, finish_erasures, refuse_erasure, retention
from application.ports import Answer
from application.workflow import Call
from domain.person import GROUNDS, retain_until
from projections.access_log import list_accesses
from projections.persons import list_due, list_persons

vault = typer.Typer(name="vault", help="Personal data 个人信息.", no_args_is_help=True)

Person = Annotated[str, argument("The person's reference, person-… 个人信息编号.")]
Ground = Annotated[str, option("--ground", help=f"Ground 法定事由: {', '.join(GROUNDS)}.")]
InRegion = Annotated[str | None, option("--region", help="Only of this region 地区.", metavar="CODE")]
_PEOPLE = ("person", "kind", "holder", "region", "left_on", "retain_until", "status", "ground", "erased_on")
_READINGS = ("idx", "recorded_at", "by", "kind", "subjects", "reason")


@acts(vault, "erase")
def erase(desk: Desk, call: Call, person: Person, ground: Ground, reason: Reason) -> Answer:
    """Ask to erase a person's data; another account approves 申请擦除个人信息."""
    return ask_erasure(desk.office, call, person, ground=ground, reason=reason)


@acts(vault, "approve")
def approve(desk: Desk, call: Call, person: Person) -> Answer:
    """Approve as the second person: the data is gone for good 同意擦除."""
    return approve_erasure(desk.office, call, person)


@acts(vault, "refuse")
def refuse(desk: Desk, call: Call, person: Person, reason: Reason) -> Answer:
    """Refuse an erasure that was asked for; the data stays 不同意擦除."""
    return refuse_erasure(desk.office, call, person, reason=reason)


@asks(vault, "list")
def show(
    desk: Desk,
    call: Call,
    status: Annotated[str, option("--status", help="kept, asked, refused or erased 状态.")] = "",
    region: InRegion = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List the people of the vault by reference; names stay in it 列出."""
    regions = desk.regions(call, "erasure.read", region)
    with desk.reading() as connection:
        found = list_persons(connection, regions, status=status, after=after, limit=limit)
    _people(desk, call, [row_of(one) for one in found])


@asks(vault, "due")
def due(
    desk: Desk,
    call: Call,
    by: Annotated[
        date | None, option("--by", parser=read_day, metavar="YYYY-MM-DD", help="The day; today 截至日.")
    ] = None,
    region: InRegion = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List whose data the law no longer asks to be kept 保存期限届满的人员."""
    regions = desk.regions(call, "erasure.read", region)
    years, day = retention(desk.office.rules(call.act.taken_on)), by or call.act.taken_on
    with desk.reading() as connection:
        found = list_due(connection, regions, years=years, due_by=day, after=after, limit=limit)
    _people(desk, call, [row_of(one) for one in found])


@asks(vault, "readings")
def readings(
    desk: Desk,
    call: Call,
    person: Annotated[str, option("--person", help="Only of this person, import or draw 查阅对象.")] = "",
    by: Annotated[str, option("--by", help="Only by this account 查阅账号.")] = "",
    since: Annotated[
        datetime | None,
        option("--from", parser=read_moment, metavar="TIME", help="Recorded then or later 自."),
    ] = None,
    until: Annotated[
        datetime | None,
        option("--to", parser=read_moment, metavar="TIME", help="Recorded then or earlier 至."),
    ] = None,
    region: InRegion = None,
    out: Annotated[
        Path | None, option("--out", help="Write all to FILE.xlsx or FILE.csv 写入表格.", dir_okay=False)
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """Report who read what is confidential, when and why 查阅记录."""
    form = None if out is None else _form(out)
    regions = desk.regions(call, "stream.replay", region)
    with desk.reading() as connection:
        found = list_accesses(
            connection,
            by=by,
            subject=person,
            since=since,
            until=until,
            regions=regions,
            elsewhere=not region,
            after=after,
            limit=limit if out is None else MOST,
        )
    if out is None or form is None:
        desk.terminal.rows([row_of(one) for one in found], _READINGS)
        return
    out.write_bytes(write_readings(found, form, desk.terminal.language))
    desk.terminal.facts({"file": str(out), "count": len(found)})


@operates(vault, "sweep")
def sweep(bench: Bench) -> None:
    """Finish erasures that a killed process left undone: files and freed pages 补删已擦除的文件."""
    with bench.open() as desk:
        removed = finish_erasures(desk.office)
    bench.terminal.facts({"removed": removed})


def _people(desk: Desk, call: Call, rows: list[dict[str, Any]]) -> None:
    years = retention(desk.office.rules(call.act.taken_on))
    shown = [{**row, "retain_until": _kept(row, years)} for row in rows]
    desk.terminal.rows(
        shown, _PEOPLE, told=lambda row: {**row, "status": desk.terminal.column(row["status"])}
    )


def _kept(row: Mapping[str, Any], years: Mapping[str, int]) -> date | None:
    return retain_until(row["left_on"], years[row["kind"]]) if row["left_on"] else None


def _form(out: Path) -> Format:
    match out.suffix.lower():
        case ".xlsx":
            return "xlsx"
        case ".csv":
            return "csv"
    raise Cannot("table-kind", file=str(out))
