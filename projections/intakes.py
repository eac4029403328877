"""Imported files: which, by whom, and what came of their rows."""

from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection

from domain.intake import Intake
from projections.projection import Handlers, Projection, Recorded, Rows, one_table
from projections.query import Regions, equal, one, read, within
from projections.view import View


class IntakeEntry(msgspec.Struct):
    """An imported file; `original` is its blob, `rows` is the sum of the three counts after it.

    `erased`: the original is gone, on a day and ground, because a person whom it names was erased.
    """

    id: str
    idx: int
    kind: str
    region: str
    original: str
    rows: int
    created: int
    changed: int
    unchanged: int
    by: str
    recorded_at: datetime
    erased: bool = False
    erased_on: date | None = None
    erased_ground: str = ""


INTAKES: Final = View("intakes_v2", IntakeEntry, ("id",), ("idx",))


def _completed(intakes: Rows[IntakeEntry], event: Intake.Completed, recorded: Recorded) -> None:
    counts = event.counts
    intakes.add(
        IntakeEntry(
            id=event.originator_id,
            idx=recorded.idx,
            kind=event.kind,
            region=event.region,
            original=event.original,
            rows=counts.rows,
            created=counts.created,
            changed=counts.changed,
            unchanged=counts.unchanged,
            by=event.by,
            recorded_at=recorded.recorded_at,
        )
    )


def _original_erased(intakes: Rows[IntakeEntry], event: Intake.OriginalErased, recorded: Recorded) -> None:
    row = intakes.edit(event.originator_id)
    row.erased, row.erased_on, row.erased_ground = True, event.erased_on, event.ground


_HANDLERS: Final[Handlers] = {Intake.Completed: _completed, Intake.OriginalErased: _original_erased}

PROJECTION: Final = Projection("intakes", (INTAKES,), _HANDLERS, one_table(INTAKES), version=2)


def list_intakes(
    connection: Connection,
    regions: Regions = None,
    *,
    kind: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[IntakeEntry]:
    """Imports, the latest first."""
    c = INTAKES.table.c
    conditions = [within(c.region, regions), equal(c.kind, kind)]
    return read(connection, INTAKES, *conditions, after=after, newest_first=True, limit=limit)


def get_intake(connection: Connection, id: str) -> IntakeEntry | None:
    """The import, or None."""
    return one(connection, INTAKES, id)
