"""The row that a draw carries out: one of a plan, or what a re-check announced itself in the shape of one."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from application.office import Office
from domain.aggregate import Aggregate
from domain.draw import Draw
from domain.draw_values import Missing
from domain.plan import Plan, PlanRow
from domain.recheck_terms import recheck_row
from domain.violation import Violation

A = TypeVar("A", bound=Aggregate)


class Load(Protocol):
    """How aggregates are loaded: as of now, or as of a position."""

    def __call__(self, kind: type[A], id: str, /) -> A:
        """The aggregate; `NotFound`."""
        ...


def row_of(load: Load, draw: Draw) -> PlanRow:
    """The row, which must be published where it is a plan's."""
    if draw.terms is not None:
        return recheck_row(draw.terms, draw.region, draw.period)
    row = load(Plan, draw.plan).published_row(draw.row)
    return row if draw.missing is None else _supplement_row(row, draw.missing)


def _supplement_row(row: PlanRow, missing: Missing) -> PlanRow:
    """All sites of the frame, and the missing seats alone.

    The sites were drawn before, and no other frame is to have them: nothing keeps frames apart here.
    """
    strata = tuple(replace(stratum, num=1, den=1) for stratum in row.strata)
    team = tuple(seat for seat in row.team if seat.seat in missing.seats)
    return replace(row, strata=strata, team=team, redraw=True)


def scope_of(load: Load, draw: Draw) -> str:
    """Within what a thing is drawn once only: the plan's year, for a re-check its quarter."""
    return draw.period if draw.terms is not None else str(load(Plan, draw.plan).year)


def drawn_closings(office: Office, violations: Sequence[str]) -> set[str]:
    """Those of the violations on whose present closing the lot has fallen."""
    keys = {f"{one.id}/{one.closings}": one.id for one in office.workflow.load_many(Violation, violations)}
    return {keys[key] for key in office.claims.holders("recheck", list(keys))}
