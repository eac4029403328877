"""Re-checks: the closings that were drawn again, their teams, and what was found.

Those of a sealed draw are seen by their own teams alone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from domain.draw import Draw
from domain.recheck import Recheck
from domain.values import Holding
from projections.projection import Batch, Entry, Handlers, Projection, Recorded, Rows, begun, streams, touch
from projections.query import Regions, equal, one, read, within
from projections.view import View


class RecheckEntry(Entry):
    """A re-check. `outcome` is empty until it is carried out; `region` is the draw's."""

    draw: str
    draw_no: int
    region: str
    period: str
    violation: str
    closing: int
    rank: int
    team: tuple[Holding, ...]
    outcome: str
    note: str
    evidence: tuple[str, ...]
    carried_out_at: datetime | None
    carried_out_by: str


class RecheckSeat(msgspec.Struct):
    """Who sits on whose team."""

    inspector: str
    recheck: str


class OpenedDraw(msgspec.Struct):
    """A draw whose result is public."""

    draw: str
    idx: int


RECHECKS: Final = View(
    "rechecks_v1", RecheckEntry, ("id",), ("idx",), ("draw",), ("region", "period"), ("violation",)
)
SEATS: Final = View("rechecks_seats_v1", RecheckSeat, ("inspector", "recheck"))
OPENED: Final = View("rechecks_opened_draws_v1", OpenedDraw, ("draw",))


class _State(NamedTuple):
    rechecks: Rows[RecheckEntry]
    seats: Rows[RecheckSeat]
    opened: Rows[OpenedDraw]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    known = batch.rows(RECHECKS).load(streams(events, Recheck.Event))
    return _State(known, batch.rows(SEATS), batch.rows(OPENED))


def _drawn(state: _State, event: Recheck.Drawn, recorded: Recorded) -> None:
    task = event.task
    row = RecheckEntry(
        *begun(recorded),
        draw=task.draw,
        draw_no=task.draw_no,
        region=task.region,
        period=task.period,
        violation=task.violation,
        closing=task.closing,
        rank=task.rank,
        team=event.team,
        outcome="",
        note="",
        evidence=(),
        carried_out_at=None,
        carried_out_by="",
    )
    state.rechecks.add(row)
    for holding in event.team:
        if holding.inspector:
            state.seats.add(RecheckSeat(holding.inspector, row.id))


def _carried_out(state: _State, event: Recheck.CarriedOut, recorded: Recorded) -> None:
    row = touch(state.rechecks, recorded)
    row.outcome, row.note, row.evidence = event.outcome, event.note, event.evidence
    row.carried_out_at, row.carried_out_by = event.occurred_at, event.by


def _opened(state: _State, event: Draw.Opened, recorded: Recorded) -> None:
    state.opened.add(OpenedDraw(event.originator_id, recorded.idx))


_HANDLERS: Final[Handlers] = {
    Recheck.Drawn: _drawn,
    Recheck.CarriedOut: _carried_out,
    Draw.Opened: _opened,
}

PROJECTION: Final = Projection("rechecks", (RECHECKS, SEATS, OPENED), _HANDLERS, _begin)


def list_rechecks(
    connection: Connection,
    regions: Regions = None,
    *,
    draw: str = "",
    period: str = "",
    violation: str = "",
    outcome: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[RecheckEntry]:
    """Re-checks of opened draws, in the order in which they were made."""
    c = RECHECKS.table.c
    filters = {"draw": draw, "period": period, "violation": violation, "outcome": outcome}
    conditions = [within(c.region, regions), *(equal(c[name], value) for name, value in filters.items())]
    conditions.append(c.draw.in_(select(OPENED.table.c.draw)))
    return read(connection, RECHECKS, *conditions, after=after, limit=limit)


def rechecks_of(
    connection: Connection,
    inspector: str,
    *,
    ended: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[RecheckEntry]:
    """The re-checks on whose team this person sits, of sealed draws as well; done ones only if asked for."""
    c, seats = RECHECKS.table.c, SEATS.table.c
    mine = c.id.in_(select(seats.recheck).where(seats.inspector == inspector))
    state = c.outcome != "" if ended else c.outcome == ""
    return read(connection, RECHECKS, mine, state, after=after, limit=limit)


def get_recheck(connection: Connection, id: str) -> RecheckEntry | None:
    """The re-check, or None; whether it may be shown is for the caller to ask."""
    return one(connection, RECHECKS, id)
