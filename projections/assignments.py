"""Assignments: which site and which team the lot chose, and the recusals since.

Until its draw is opened an assignment is sealed: only who may read sealed draws, and the assigned
inspectors, see it; every query hides it unless told otherwise.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, select, true

from domain.assignment import Assignment
from domain.draw import Draw
from domain.values import Holding
from projections.projection import Batch, Entry, Handlers, Projection, Recorded, Rows, begun, streams, touch
from projections.query import Regions, equal, within
from projections.view import View


class RecusalEntry(msgspec.Struct):
    """A recusal: `pending`, `granted`, `refused` or `withdrawn`.

    `reason` comes with that; `decided_as` with a decision, `minutes` (a blob) with a collective's.
    """

    id: str
    inspector: str
    seat: str
    ground: str
    origin: str
    detail: str
    declared_by: str
    declared_at: datetime
    status: str = "pending"
    substitute: str | None = None
    reason: str = ""
    decided_as: str = ""
    minutes: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None


class AssignmentEntry(Entry):
    """A drawn site with its present team. `replacement` is the assignment that took a void one's place.

    `void_asked_by` is set while a void waits for its second person; `void_refusal` says why the last was
    refused. `reserve_spent` is set where a void one has no replacement, because none is left.
    """

    draw: str
    draw_no: int
    plan: str
    row: str
    period: str
    year: int
    region: str
    site: str
    uscc: str
    stratum: str
    rank: int
    replaces: str
    status: str
    team: tuple[Holding, ...]
    recusals: tuple[RecusalEntry, ...]
    pending: int
    void_ground: str
    void_evidence: tuple[str, ...]
    void_asked_by: str
    void_refusal: str
    replacement: str
    reserve_spent: bool


class SeatEntry(msgspec.Struct):
    """An inspector who holds a seat of an assignment now."""

    inspector: str
    assignment: str


class OpenedDraw(msgspec.Struct):
    """A draw that was opened."""

    draw: str
    idx: int


ASSIGNMENTS: Final = View(
    "assignments_v2", AssignmentEntry, ("id",), ("idx",), ("draw",), ("site",), ("region", "period")
)
SEATS: Final = View("assignment_seats_v2", SeatEntry, ("inspector", "assignment"), ("assignment",))
OPENED: Final = View("assignment_opened_draws_v2", OpenedDraw, ("draw",))


class _State(NamedTuple):
    assignments: Rows[AssignmentEntry]
    seats: Rows[SeatEntry]
    opened: Rows[OpenedDraw]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    assignments = batch.rows(ASSIGNMENTS).load(streams(events))
    return _State(assignments, batch.rows(SEATS), batch.rows(OPENED))


def _made(state: _State, event: Assignment.Made, recorded: Recorded) -> None:
    task = event.task
    row = AssignmentEntry(
        *begun(recorded),
        draw=task.draw,
        draw_no=task.draw_no,
        plan=task.plan,
        row=task.row,
        period=task.period,
        year=task.year,
        region=task.region,
        site=task.site,
        uscc=task.uscc,
        stratum=task.stratum,
        rank=task.rank,
        replaces=task.replaces,
        status="assigned",
        team=event.team,
        recusals=(),
        pending=0,
        void_ground="",
        void_evidence=(),
        void_asked_by="",
        void_refusal="",
        replacement="",
        reserve_spent=False,
    )
    state.assignments.add(row)
    for holding in event.team:
        _sit(state, holding.inspector, row.id)


def _declared(state: _State, event: Assignment.RecusalDeclared, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    recusal = RecusalEntry(
        id=event.recusal,
        inspector=event.inspector,
        seat=event.seat,
        ground=event.ground,
        origin=event.origin,
        detail=event.detail,
        declared_by=event.by,
        declared_at=event.occurred_at,
    )
    _set_recusals(row, (*row.recusals, recusal))


def _granted(state: _State, event: Assignment.RecusalGranted, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    _decide(row, event, "granted", event.substitute)
    for holding in row.team:
        if holding.seat == event.seat and holding.inspector:
            state.seats.drop((holding.inspector, row.id))
    row.team = tuple(Holding(h.seat, event.substitute) if h.seat == event.seat else h for h in row.team)
    _sit(state, event.substitute, row.id)


def _refused(state: _State, event: Assignment.RecusalRefused, recorded: Recorded) -> None:
    _decide(touch(state.assignments, recorded), event, "refused", None)


def _withdrawn(state: _State, event: Assignment.RecusalWithdrawn, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    for recusal in row.recusals:
        if recusal.id == event.recusal:
            recusal.status, recusal.reason = "withdrawn", event.reason
            recusal.decided_by, recusal.decided_at = event.by, event.occurred_at
    _set_recusals(row, row.recusals)


def _filled(state: _State, event: Assignment.SeatFilled, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    row.team = tuple(Holding(h.seat, event.inspector) if h.seat == event.seat else h for h in row.team)
    _sit(state, event.inspector, row.id)


def _void_asked(state: _State, event: Assignment.VoidAsked, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    row.void_ground, row.void_evidence = event.ground, event.evidence
    row.void_asked_by, row.void_refusal = event.by, ""


def _void_refused(state: _State, event: Assignment.VoidRefused, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    row.void_ground, row.void_evidence = "", ()
    row.void_asked_by, row.void_refusal = "", event.reason


def _voided(state: _State, event: Assignment.SiteVoided, recorded: Recorded) -> None:
    row = touch(state.assignments, recorded)
    row.status, row.void_ground = "void", event.ground
    row.void_evidence, row.replacement = event.evidence, event.replacement
    row.void_asked_by, row.reserve_spent = "", not event.replacement


def _opened(state: _State, event: Draw.Opened, recorded: Recorded) -> None:
    state.opened.add(OpenedDraw(event.originator_id, recorded.idx))


def _sit(state: _State, inspector: str | None, assignment: str) -> None:
    if inspector:
        state.seats.add(SeatEntry(inspector, assignment))


def _decide(
    row: AssignmentEntry,
    event: Assignment.RecusalGranted | Assignment.RecusalRefused,
    status: str,
    substitute: str | None,
) -> None:
    for recusal in row.recusals:
        if recusal.id == event.recusal:
            recusal.status, recusal.substitute = status, substitute
            recusal.reason, recusal.decided_as = event.reason, event.decided_as
            recusal.minutes = event.minutes
            recusal.decided_by, recusal.decided_at = event.by, event.occurred_at
    _set_recusals(row, row.recusals)


def _set_recusals(row: AssignmentEntry, recusals: tuple[RecusalEntry, ...]) -> None:
    row.recusals = recusals
    row.pending = sum(recusal.status == "pending" for recusal in recusals)


_HANDLERS: Final[Handlers] = {
    Assignment.Made: _made,
    Assignment.RecusalDeclared: _declared,
    Assignment.RecusalGranted: _granted,
    Assignment.RecusalRefused: _refused,
    Assignment.RecusalWithdrawn: _withdrawn,
    Assignment.SeatFilled: _filled,
    Assignment.VoidAsked: _void_asked,
    Assignment.VoidRefused: _void_refused,
    Assignment.SiteVoided: _voided,
    Draw.Opened: _opened,
}

PROJECTION: Final = Projection("assignments", (ASSIGNMENTS, SEATS, OPENED), _HANDLERS, _begin, version=2)


class AssignmentSeen(NamedTuple):
    """An assignment, and whether its draw is still sealed."""

    assignment: AssignmentEntry
    sealed: bool


def list_assignments(
    connection: Connection,
    regions: Regions = None,
    *,
    draw: str = "",
    site: str = "",
    period: str = "",
    status: str = "",
    inspector: str = "",
    pending_recusal: bool = False,
    sealed: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[AssignmentSeen]:
    """Assignments in the order in which they were made; those of sealed draws only if `sealed` is set.

    `inspector` asks for the assignments on whose team this person sits now.
    """
    c = ASSIGNMENTS.table.c
    filters = {"draw": draw, "site": site, "period": period, "status": status}
    conditions = [within(c.region, regions), *(equal(c[name], value) for name, value in filters.items())]
    if inspector:
        seats = SEATS.table.c
        conditions.append(c.id.in_(select(seats.assignment).where(seats.inspector == inspector)))
    if pending_recusal:
        conditions.append(c.pending > 0)
    if after is not None:
        conditions.append(c.idx > after)
    statement = _selection(sealed).where(*conditions).order_by(c.idx).limit(limit)
    return _seen(connection, statement)


def get_assignment(connection: Connection, id: str, *, sealed: bool = False) -> AssignmentSeen | None:
    """The assignment, or None; one of a sealed draw only if `sealed` is set."""
    found = _seen(connection, _selection(sealed).where(ASSIGNMENTS.table.c.id == id))
    return found[0] if found else None


def _selection(sealed: bool) -> Select[Any]:
    table, opened = ASSIGNMENTS.table, OPENED.table
    joined = table.outerjoin(opened, opened.c.draw == table.c.draw)
    visible = true() if sealed else opened.c.draw.is_not(None)
    return select(*table.c, opened.c.draw.is_(None)).select_from(joined).where(visible)


def _seen(connection: Connection, statement: Select[Any]) -> list[AssignmentSeen]:
    found = connection.execute(statement)
    return [AssignmentSeen(AssignmentEntry(*values[:-1]), bool(values[-1])) for values in found]
