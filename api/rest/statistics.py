"""Statistics of quarters and years; each figure opens the list behind it, and the identities hold."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from api.access import Asked, ask
from api.rest.description import lists, shows
from api.rest.presenting import Page, show
from domain.errors import NotFound
from projections.figures import Cell, Ratio, add
from projections.statistics_report import FIGURES, Behind, annual, list_behind, quarterly

router = APIRouter(prefix="/statistics", tags=["statistics"])
_QUARTER: Final = re.compile(r"20[0-9]{2}Q[1-4]")


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio with its counts, and in per cent rounded half up; `of_nothing`: there was nothing to divide."""

    numerator: int
    denominator: int
    per_cent: str
    of_nothing: bool


class CellShown(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a stratum of a region, and what follows from them."""

    figures: Cell
    published: int
    problems: int
    coverage: Rate
    publicity: Rate


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a period, and of which state of the log they are.

    `total` adds the cells up; `quarters` are the cells of a year's quarters. `lists` opens each figure.
    """

    period: str
    log: str
    position: int
    made_at: datetime
    cells: list[CellShown]
    total: CellShown
    quarters: list[CellShown]
    lists: dict[str, str]


@router.get("/{quarter}", summary="季度统计 A quarter")
@shows(Report)
def read_quarter(
    quarter: str, region: Annotated[str, Query(max_length=6)] = "", asked: Asked = ask("statistics.read")
) -> Response:
    """The figures of `2024Q2`, by region and stratum; refused if they contradict each other."""
    _require_quarter(quarter)
    with asked.views() as views:
        cells = quarterly(views, quarter, asked.regions("statistics.read", region), now=asked.now)
    return show(_report(asked, quarter, region, cells, ()))


@router.get("/years/{year}", summary="年度统计 A year")
@shows(Report)
def read_year(
    year: Annotated[int, Path(ge=1900, le=2999)],
    region: Annotated[str, Query(max_length=6)] = "",
    asked: Asked = ask("statistics.read"),
) -> Response:
    """The sums of the year's quarters, and the quarters themselves."""
    with asked.views() as views:
        cells, quarters = annual(views, year, asked.regions("statistics.read", region), now=asked.now)
    return show(_report(asked, str(year), region, cells, quarters))


@router.get("/{quarter}/{figure}", summary="数字背后的清单 What a figure counts")
@lists(Behind)
def read_behind(
    page: Annotated[Page, Depends()],
    quarter: str,
    figure: str,
    region: Annotated[str, Query(max_length=6)] = "",
    stratum: str = "",
    asked: Asked = ask("statistics.read"),
) -> Response:
    """The assignments, inspections or findings that a figure counts, in the order of the log.

    Assignments of draws that are not opened are counted, and listed after the opening.
    """
    _require_quarter(quarter)
    if figure not in FIGURES:
        raise NotFound(kind="figure", id=figure)
    with asked.views() as views:
        rows = list_behind(
            views,
            figure,
            period=quarter,
            now=asked.now,
            regions=asked.regions("statistics.read", region),
            stratum=stratum,
            sealed=False,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


def _require_quarter(quarter: str) -> None:
    if not _QUARTER.fullmatch(quarter):
        raise NotFound(kind="quarter", id=quarter)


def _report(
    asked: Asked, period: str, region: str, cells: Sequence[Cell], quarters: Sequence[Cell]
) -> Report:
    position = min((one.position for one in asked.system.projections.status()), default=-1)
    query = f"?region={region}" if region else ""
    base = f"/api/v1/statistics/{period}"
    return Report(
        period=period,
        log=asked.office.ledger.origin,
        position=position,
        made_at=asked.now,
        cells=[_shown(cell) for cell in cells],
        total=_shown(add(cells, region=region, period=period)),
        quarters=[_shown(cell) for cell in quarters],
        lists={} if quarters else {figure: f"{base}/{figure}{query}" for figure in FIGURES},
    )


def _shown(cell: Cell) -> CellShown:
    return CellShown(
        figures=cell,
        published=cell.published,
        problems=cell.problems,
        coverage=_rate(cell.coverage),
        publicity=_rate(cell.publicity),
    )


def _rate(ratio: Ratio) -> Rate:
    return Rate(
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        per_cent=ratio.per_cent(),
        of_nothing=ratio.of_nothing,
    )
