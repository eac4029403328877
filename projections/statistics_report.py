"""Figures out of the facts of the quarterly statistics; refused when they contradict each other."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select, true

from projections.assignments import ASSIGNMENTS, OPENED
from projections.figures import Cell, add
from projections.identities import check, check_annual, require
from projections.quarterly_statistics import CHECKS, CONCLUDED, DRAWN, DRAWS, FINDINGS, STRATA
from projections.query import Regions, equal, within
from projections.view import View

Condition = ColumnElement[bool]

FIGURES: Final = (
    "drawn",
    "replacements",
    "void",
    "pending",
    "inspected",
    "off_site",
    "due",
    "withheld",
    "published_on_time",
    "published_late",
    "unpublished",
    "orders",
    "orders_closed",
    "orders_open",
    "orders_overdue",
)
"""The figures that count rows, each of which `list_behind` opens."""


class Behind(msgspec.Struct, frozen=True):
    """One thing that a figure counts: an assignment, an inspection, or a finding of one (`no`, else 0)."""

    idx: int
    kind: str
    id: str
    no: int


def quarterly(connection: Connection, period: str, regions: Regions = None, *, now: datetime) -> list[Cell]:
    """The cells of a period (`2024Q2`), sorted; `now` decides what is overdue.

    `IdentityBroken` if they contradict each other. Read it in one transaction.
    """
    cells = count(connection, period, regions, now=now)
    require(check(cells))
    return cells


def annual(
    connection: Connection, year: int, regions: Regions = None, *, now: datetime
) -> tuple[list[Cell], list[Cell]]:
    """The year's cells, each the sum of its quarters, and the quarters' cells themselves."""
    periods = [f"{year}Q{number}" for number in range(1, 5)]
    quarters = [cell for period in periods for cell in quarterly(connection, period, regions, now=now)]
    names = sorted({(cell.region, cell.stratum) for cell in quarters})
    year_cells = [
        add(
            (cell for cell in quarters if (cell.region, cell.stratum) == name),
            region=name[0],
            period=str(year),
            stratum=name[1],
        )
        for name in names
    ]
    require([*check(year_cells), *check_annual(year_cells, quarters)])
    return year_cells, quarters


def count(connection: Connection, period: str, regions: Regions, *, now: datetime) -> list[Cell]:
    """The cells of a period as the facts give them, unchecked."""
    counting = _Counting(connection, period, regions)
    for figure in FIGURES:
        view, condition = _source(figure, now)
        counting.rows(figure, view, condition)
    counting.frames()
    counting.findings()
    counting.groups("results", CHECKS, "primary", _checked("on-site"))
    counting.groups("off_site_results", CHECKS, "primary", _checked("off-site"))
    counting.groups("disposals", FINDINGS, "disposal", _of_concluded())
    return [counting.cells[name] for name in sorted(counting.cells)]


def list_behind(
    connection: Connection,
    figure: str,
    *,
    period: str,
    now: datetime,
    regions: Regions = None,
    stratum: str = "",
    sealed: bool = True,
    after: int | None = None,
    limit: int = 50,
) -> list[Behind]:
    """What a figure of `FIGURES` counts, in the order of the log; ValueError for another figure.

    Without `sealed`, assignments of draws that are not opened are counted and not named: by the figure and
    the stratum asked for it would be known which stream of the public log is which.
    """
    view, condition = _source(figure, now)
    c = view.table.c
    conditions = [
        condition,
        *([c.assignment.in_(_opened())] if view is DRAWN and not sealed else []),
        c.period == period,
        within(c.region, regions),
        equal(c.stratum, stratum),
    ]
    if after is not None:
        conditions.append(c.idx > after)
    columns = [c.idx, c[view.key[0]], *([c.no] if view is FINDINGS else [])]
    statement = select(*columns).where(*conditions).order_by(c.idx).limit(limit)
    kind = "assignment" if view is DRAWN else "inspection"
    return [Behind(idx, kind, id, *no or (0,)) for idx, id, *no in connection.execute(statement)]


class _Counting:
    """The cells of one period while they are counted."""

    def __init__(self, connection: Connection, period: str, regions: Regions) -> None:
        self._connection, self._period, self._regions = connection, period, regions
        self.cells: dict[tuple[str, str, str], Cell] = {}

    def rows(self, figure: str, view: View[Any], condition: Condition) -> None:
        """Count the rows of a figure."""
        for cell, number in self._grouped(view.table, condition, func.count()):
            setattr(cell, figure, number)

    def frames(self) -> None:
        """Add up the strata of completed draws."""
        strata = STRATA.table
        drawn = strata.c.draw.in_(select(DRAWS.table.c.draw).where(DRAWS.table.c.completed))
        sums = (func.sum(strata.c[name]) for name in ("size", "eligible", "sample"))
        for cell, *numbers in self._grouped(strata, drawn, *sums):
            cell.frame, cell.eligible, cell.sampled = (int(number) for number in numbers)

    def findings(self) -> None:
        """Add up what the inspections say, apart from the findings' own table: the identity compares them."""
        concluded = CHECKS.table.c.state.in_(CONCLUDED)
        for cell, number in self._grouped(CHECKS.table, concluded, func.sum(CHECKS.table.c.findings)):
            cell.findings = int(number)

    def groups(self, name: str, view: View[Any], field: str, condition: Condition) -> None:
        """Count the rows by a code."""
        column = view.table.c[field]
        for cell, code, number in self._grouped(view.table, condition, column, func.count(), by=(column,)):
            getattr(cell, name)[code] = number

    def _grouped(
        self, table: Table, condition: Condition, *columns: Any, by: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        c = table.c
        where = [condition, c.period == self._period, within(c.region, self._regions)]
        statement = select(c.region, c.period, c.stratum, *columns).where(*where)
        found = self._connection.execute(statement.group_by(c.region, c.period, c.stratum, *by))
        return [(self._cell(*values[:3]), *values[3:]) for values in found]

    def _cell(self, region: str, period: str, stratum: str) -> Cell:
        fresh = Cell(region=region, period=period, stratum=stratum)
        return self.cells.setdefault((region, period, stratum), fresh)


def _opened() -> Select[Any]:
    c = ASSIGNMENTS.table.c
    return select(c.id).where(c.draw.in_(select(OPENED.table.c.draw)))


def _source(figure: str, now: datetime) -> tuple[View[Any], Condition]:
    for view, conditions in ((DRAWN, _drawn()), (CHECKS, _checks()), (FINDINGS, _orders(now))):
        if figure in conditions:
            return view, conditions[figure]
    raise ValueError(f"no figure: {figure}")


def _drawn() -> dict[str, Condition]:
    c, checks = DRAWN.table.c, CHECKS.table.c
    concluded = select(checks.assignment).where(checks.state.in_(CONCLUDED))
    return {
        "drawn": true(),
        "replacements": c.replaces != "",
        "void": c.void,
        "pending": and_(~c.void, c.assignment.not_in(concluded)),
    }


def _checks() -> dict[str, Condition]:
    c = CHECKS.table.c
    published = c.state == "published"
    return {
        "inspected": _checked("on-site"),
        "off_site": _checked("off-site"),
        "due": and_(c.state.in_(CONCLUDED), c.state != "withheld"),
        "withheld": c.state == "withheld",
        "published_on_time": and_(published, ~c.late),
        "published_late": and_(published, c.late),
        "unpublished": c.state.in_(("concluded", "reviewed")),
    }


def _orders(now: datetime) -> dict[str, Condition]:
    c = FINDINGS.table.c
    ordered = c.order_no != ""
    overdue = and_(c.order_state == "ordered", c.order_due < now)
    waiting = and_(c.order_state == "ordered", c.order_due >= now)
    return {
        "orders": ordered,
        "orders_closed": and_(ordered, c.order_state == "closed"),
        "orders_open": and_(ordered, or_(waiting, c.order_state.in_(("submitted", "verified")))),
        "orders_overdue": and_(ordered, overdue),
    }


def _checked(mode: str) -> Condition:
    c = CHECKS.table.c
    return and_(c.state.in_(CONCLUDED), c.mode == mode)


def _of_concluded() -> Condition:
    checks = CHECKS.table.c
    return FINDINGS.table.c.inspection.in_(select(checks.inspection).where(checks.state.in_(CONCLUDED)))
