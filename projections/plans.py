"""Yearly plans and their rows, with where they stand."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from domain.plan import Plan, StratumRule
from domain.values import Seat
from projections.projection import Batch, Entry, Handlers, Projection, Recorded, Rows, begun, streams, touch
from projections.query import Regions, equal, one, read, rows, within
from projections.view import View


class PlanEntry(Entry):
    """A plan and its status: `draft`, `submitted`, `approved` or `published`. Times are when it happened."""

    region: str
    year: int
    department: str
    title: str
    status: str
    drafted_by: str
    submitted_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    opinion: str
    return_reason: str
    published_on: date | None


class PlanRowEntry(msgspec.Struct):
    """A row of a plan: one task in one period. `idx` is where it was first set, `position` where last."""

    plan: str
    no: str
    idx: int
    position: int
    region: str
    year: int
    task: str
    items: tuple[str, ...]
    period: str
    departments: tuple[str, ...]
    areas: tuple[str, ...]
    strata: tuple[StratumRule, ...]
    team: tuple[Seat, ...]
    weights: dict[str, int]
    seats_each: int
    visits_a_year: int
    redraw: bool


PLANS: Final = View("plans_v1", PlanEntry, ("id",), ("idx",), ("region", "year"))
ROWS: Final = View("plan_rows_v1", PlanRowEntry, ("plan", "no"), ("idx",), ("period", "region"))


class _State(NamedTuple):
    plans: Rows[PlanEntry]
    rows: Rows[PlanRowEntry]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    plans = batch.rows(PLANS).load(streams(events))
    return _State(plans, batch.rows(ROWS).load(streams(events, Plan.RowSet, Plan.RowDropped)))


def _drafted(state: _State, event: Plan.Drafted, recorded: Recorded) -> None:
    state.plans.add(
        PlanEntry(
            *begun(recorded),
            region=event.region,
            year=event.year,
            department=event.department,
            title=event.title,
            status="draft",
            drafted_by=event.by,
            submitted_at=None,
            decided_by="",
            decided_at=None,
            opinion="",
            return_reason="",
            published_on=None,
        )
    )


def _row_set(state: _State, event: Plan.RowSet, recorded: Recorded) -> None:
    plan, row = touch(state.plans, recorded), event.row
    earlier = state.rows.get((plan.id, row.no))
    state.rows.add(
        PlanRowEntry(
            plan=plan.id,
            no=row.no,
            idx=earlier.idx if earlier else recorded.idx,
            position=recorded.idx,
            region=plan.region,
            year=plan.year,
            task=row.task,
            items=row.items,
            period=row.period,
            departments=row.departments,
            areas=row.areas,
            strata=row.strata,
            team=row.team,
            weights=row.weights,
            seats_each=row.seats_each,
            visits_a_year=row.visits_a_year,
            redraw=row.redraw,
        )
    )


def _row_dropped(state: _State, event: Plan.RowDropped, recorded: Recorded) -> None:
    state.rows.drop((touch(state.plans, recorded).id, event.no))


def _submitted(state: _State, event: Plan.Submitted, recorded: Recorded) -> None:
    row = touch(state.plans, recorded)
    row.status, row.submitted_at = "submitted", event.occurred_at


def _approved(state: _State, event: Plan.Approved, recorded: Recorded) -> None:
    row = touch(state.plans, recorded)
    row.status, row.opinion = "approved", event.opinion
    row.decided_by, row.decided_at = event.by, event.occurred_at


def _returned(state: _State, event: Plan.Returned, recorded: Recorded) -> None:
    row = touch(state.plans, recorded)
    row.status, row.return_reason = "draft", event.reason
    row.decided_by, row.decided_at = event.by, event.occurred_at


def _published(state: _State, event: Plan.Published, recorded: Recorded) -> None:
    row = touch(state.plans, recorded)
    row.status, row.published_on = "published", event.published_on


_HANDLERS: Final[Handlers] = {
    Plan.Drafted: _drafted,
    Plan.RowSet: _row_set,
    Plan.RowDropped: _row_dropped,
    Plan.Submitted: _submitted,
    Plan.Approved: _approved,
    Plan.Returned: _returned,
    Plan.Published: _published,
}

PROJECTION: Final = Projection("plans", (PLANS, ROWS), _HANDLERS, _begin)


def list_plans(
    connection: Connection,
    regions: Regions = None,
    *,
    year: int | None = None,
    status: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PlanEntry]:
    """Plans, the latest first. The public sees those of status `published`."""
    c = PLANS.table.c
    conditions = [within(c.region, regions), equal(c.year, year), equal(c.status, status)]
    return read(connection, PLANS, *conditions, after=after, newest_first=True, limit=limit)


def get_plan(connection: Connection, id: str) -> PlanEntry | None:
    """The plan, or None."""
    return one(connection, PLANS, id)


def plan_rows(connection: Connection, plan: str) -> list[PlanRowEntry]:
    """All rows of a plan, by number."""
    table = ROWS.table
    return rows(connection, ROWS, select(table).where(table.c.plan == plan).order_by(table.c.no))


def get_row(connection: Connection, plan: str, no: str) -> PlanRowEntry | None:
    """One row of a plan, or None."""
    return one(connection, ROWS, plan, no)


def list_rows(
    connection: Connection,
    regions: Regions = None,
    *,
    period: str = "",
    status: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PlanRowEntry]:
    """Rows of all plans (of a status) in the order in which they were first set."""
    c = ROWS.table.c
    conditions = [within(c.region, regions), equal(c.period, period)]
    if status:
        conditions.append(c.plan.in_(select(PLANS.table.c.id).where(PLANS.table.c.status == status)))
    return read(connection, ROWS, *conditions, after=after, limit=limit)
