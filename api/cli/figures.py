"""`statistics`: the figures of a quarter or a year, refused when they contradict each other."""

import re
from typing import Annotated, Any, Final

import msgspec
import typer

from api.cli.commands import asks
from api.cli.desk import Desk
from api.cli.options import argument, option
from application.workflow import Call
from projections.figures import Cell, Ratio, add
from projections.projection import position_of
from projections.quarterly_statistics import PROJECTION
from projections.statistics_report import annual, quarterly

_PERIOD: Final = re.compile(r"20[0-9]{2}(Q[1-4])?")
_COLUMNS: Final = (
    "region",
    "stratum",
    "frame",
    "drawn",
    "coverage",
    "inspected",
    "off_site",
    "void",
    "pending",
    "problems",
    "findings",
    "orders",
    "orders_closed",
    "orders_overdue",
    "to_publish",
    "published",
    "publicity",
)


def add_statistics(app: typer.Typer) -> None:
    """Add the command."""
    asks(app, "statistics")(statistics)


def statistics(
    desk: Desk,
    call: Call,
    period: Annotated[str, argument("A quarter such as 2024Q2, or a year 季度或年度.")],
    region: Annotated[str | None, option("--region", help="Only in this region 地区.")] = None,
) -> None:
    """Show the figures of a quarter or a year, by region and stratum 统计."""
    if not _PERIOD.fullmatch(period):
        raise typer.BadParameter(f"{period!r} is neither a quarter like 2024Q2 nor a year")
    regions, now = desk.regions(call, "statistics.read", region), desk.system.clock.now()
    with desk.reading() as connection:
        if period.isdecimal():
            cells, _ = annual(connection, int(period), regions, now=now)
        else:
            cells = quarterly(connection, period, regions, now=now)
        position = position_of(connection, PROJECTION, desk.system.projections.log)
    _show(desk, cells, period, position)


def _show(desk: Desk, cells: list[Cell], period: str, position: int) -> None:
    total = add(cells, period=period)
    if desk.terminal.json:
        plain = {"period": period, "log": desk.system.settings.origin, "position": position}
        desk.terminal.give({**plain, "cells": [_row(cell) for cell in cells], "total": _row(total)})
        return
    rows = [_shown(cell) for cell in cells]
    rows.append({**_shown(total), "region": desk.terminal.text("total"), "stratum": ""})
    desk.terminal.rows(rows, _COLUMNS, title=desk.terminal.text("statistics", period=period))
    desk.terminal.say("as-of", log=desk.system.settings.origin, position=position)


def _row(cell: Cell) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(cell)
    more = {"published": cell.published, "problems": cell.problems}
    ratios = {"coverage": cell.coverage, "publicity": cell.publicity}
    return {**plain, **more, **{name: msgspec.to_builtins(one) for name, one in ratios.items()}}


def _shown(cell: Cell) -> dict[str, Any]:
    ratios = {"coverage": _per_cent(cell.coverage), "publicity": _per_cent(cell.publicity)}
    return {**_row(cell), **ratios, "to_publish": cell.due}


def _per_cent(ratio: Ratio) -> str:
    return "—" if ratio.of_nothing else f"{ratio.per_cent()} %"
