"""The announcement of a re-check lottery: a draw like any other, but for what its frame is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.act import Act
from domain.draw import Draw, check_contributors, check_unknown
from domain.draw_values import Contributor
from domain.recheck_terms import RecheckPeriodRunning, RecheckTerms, recheck_key


def announce_recheck(
    act: Act,
    *,
    id: str,
    log: str,
    draw_no: int,
    attempt: int,
    previous: str,
    region: str,
    period: str,
    terms: RecheckTerms,
    contributors: Sequence[Contributor],
    public_source: Mapping[str, Any],
    rulebook: str,
) -> Draw:
    """Name the draw, once the quarter is over: before, what is drawn from would still grow."""
    if act.taken_on <= terms.last_day:
        raise RecheckPeriodRunning("/period", period=period, last_day=terms.last_day)
    check_contributors(contributors)
    check_unknown(act, public_source)
    return Draw.begin(
        Draw.RecheckAnnounced,
        id,
        act,
        log=log,
        draw_no=draw_no,
        attempt=attempt,
        previous=previous,
        plan_row=recheck_key(region, period),
        period=period,
        region=region,
        terms=terms,
        contributors=tuple(contributors),
        public_source=dict(public_source),
        rulebook=rulebook,
    )
