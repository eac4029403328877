"""The terms of a re-check lottery: which closed violations can be drawn, how many, and who goes."""

import re
from datetime import date, timedelta
from typing import Final

import msgspec

from domain.errors import Conflict, Invalid
from domain.plan import PlanRow, StratumRule
from domain.values import Seat

CLOSED: Final = "closed"
"""The one stratum of a re-check."""

TEAM: Final = (
    Seat(seat="lead", lead=True, skilled=True),
    Seat(seat="second", lead=False, skilled=False),
)
"""Two officers, as for every visit (行政处罚法 §42)."""

SEATS_EACH: Final = 1_000
"""The most seats of one officer in a re-check: few are drawn, and officers without conflict may be few."""

_PERIOD: Final = re.compile(r"(20[0-9]{2})Q([1-4])")


class RecheckPeriodWrong(Invalid):
    """Not a quarter such as 2024Q1; facts: `period`."""

    code = "recheck-period-wrong"


class RecheckPeriodRunning(Conflict):
    """The quarter is not over: violations may still be closed in it; facts: `period`, `last_day`."""

    code = "recheck-period-running"


class RecheckTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Of the closings recorded on these days (both included, in China), ⌈n · num / den⌉ are drawn."""

    first_day: date
    last_day: date
    num: int
    den: int
    team: tuple[Seat, ...] = TEAM
    seats_each: int = SEATS_EACH


def recheck_terms(period: str, percent: int) -> RecheckTerms:
    """The terms for the closings of a quarter; `RecheckPeriodWrong`."""
    found = _PERIOD.fullmatch(period)
    if found is None:
        raise RecheckPeriodWrong("/period", period=period)
    year, quarter = int(found[1]), int(found[2])
    after = date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return RecheckTerms(
        first_day=date(year, quarter * 3 - 2, 1), last_day=after - timedelta(days=1), num=percent, den=100
    )


def recheck_key(region: str, period: str) -> str:
    """What stands in the place of the plan row in `rules.json`."""
    return f"recheck/{region}/{period}"


def recheck_row(terms: RecheckTerms, region: str, period: str) -> PlanRow:
    """The terms in the shape of a plan's row: a re-check is sealed by the code that seals all draws."""
    return PlanRow(
        no="",
        task="",
        items=(),
        period=period,
        departments=(),
        areas=(region,),
        strata=(StratumRule(code=CLOSED, num=terms.num, den=terms.den),),
        team=terms.team,
        weights={},
        seats_each=terms.seats_each,
        visits_a_year=1,
        redraw=False,
    )
