"""Recusals declared before any draw: who is not to go to which enterprise, and what was decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from domain.inspector import Inspector
from projections.projection import Batch, Handlers, Projection, Recorded, Rows
from projections.query import Regions, equal, one, read, within
from projections.view import View


class BarringEntry(msgspec.Struct):
    """A recusal from all sites of an enterprise: `pending`, `granted`, `refused` or `withdrawn`.

    `version` is the inspector's, as a decision must name it. `reason` comes with the end; `decided_as` with
    a decision, `minutes` (a blob) with a collective's.
    """

    id: str
    idx: int
    position: int
    inspector: str
    version: int
    region: str
    uscc: str
    ground: str
    origin: str
    detail: str
    declared_by: str
    declared_at: datetime
    status: str = "pending"
    reason: str = ""
    decided_as: str = ""
    minutes: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None


BARRINGS: Final = View("recusals_v1", BarringEntry, ("id",), ("idx",), ("inspector",), ("uscc",))


def _begin(batch: Batch, events: Sequence[Recorded]) -> Rows[BarringEntry]:
    ends = (Inspector.RecusalGranted, Inspector.RecusalRefused, Inspector.RecusalWithdrawn)
    found = {one.event.recusal for one in events if isinstance(one.event, ends)}
    return batch.rows(BARRINGS).load(found)


def _declared(rows: Rows[BarringEntry], event: Inspector.RecusalDeclared, recorded: Recorded) -> None:
    rows.add(
        BarringEntry(
            id=event.recusal,
            idx=recorded.idx,
            position=recorded.idx,
            inspector=event.originator_id,
            version=event.originator_version,
            region=event.region,
            uscc=event.uscc,
            ground=event.ground,
            origin=event.origin,
            detail=event.detail,
            declared_by=event.by,
            declared_at=event.occurred_at,
        )
    )


def _granted(rows: Rows[BarringEntry], event: Inspector.RecusalGranted, recorded: Recorded) -> None:
    row = _end(rows, event, recorded, "granted")
    row.decided_as, row.minutes = event.decided_as, event.minutes


def _refused(rows: Rows[BarringEntry], event: Inspector.RecusalRefused, recorded: Recorded) -> None:
    row = _end(rows, event, recorded, "refused")
    row.decided_as, row.minutes = event.decided_as, event.minutes


def _withdrawn(rows: Rows[BarringEntry], event: Inspector.RecusalWithdrawn, recorded: Recorded) -> None:
    _end(rows, event, recorded, "withdrawn")


def _end(rows: Rows[BarringEntry], event: Any, recorded: Recorded, status: str) -> BarringEntry:
    row = rows.edit(event.recusal)
    row.status, row.reason, row.position = status, event.reason, recorded.idx
    row.version = event.originator_version
    row.decided_by, row.decided_at = event.by, event.occurred_at
    return row


_HANDLERS: Final[Handlers] = {
    Inspector.RecusalDeclared: _declared,
    Inspector.RecusalGranted: _granted,
    Inspector.RecusalRefused: _refused,
    Inspector.RecusalWithdrawn: _withdrawn,
}

PROJECTION: Final = Projection("recusals", (BARRINGS,), _HANDLERS, _begin)


def list_barrings(
    connection: Connection,
    regions: Regions = None,
    *,
    inspector: str = "",
    uscc: str = "",
    declared_by: str = "",
    status: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[BarringEntry]:
    """Recusals declared before a draw, oldest first; `after` is the last row's `idx`."""
    c = BARRINGS.table.c
    filters = {"inspector": inspector, "uscc": uscc, "declared_by": declared_by, "status": status}
    conditions = [within(c.region, regions), *(equal(c[name], value) for name, value in filters.items())]
    return read(connection, BARRINGS, *conditions, after=after, limit=limit)


def get_barring(connection: Connection, id: str) -> BarringEntry | None:
    """The recusal, or None."""
    return one(connection, BARRINGS, id)
