"""Who read what is confidential, when and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, not_, or_, select

from domain.access import Access
from projections.draws import DRAWS
from projections.intakes import INTAKES
from projections.persons import PERSONS
from projections.projection import Batch, Handlers, Projection, Recorded, Rows
from projections.query import Regions, equal, read, within
from projections.view import View


class AccessEntry(msgspec.Struct):
    """One reading: `kind` is `person` or `sealed-draw`, `subjects` what was read."""

    id: str
    idx: int
    by: str
    on_behalf_of: str
    occurred_at: datetime
    recorded_at: datetime
    kind: str
    subjects: tuple[str, ...]
    reason: str


class ReadSubject(msgspec.Struct):
    """What a reading was of."""

    subject: str
    idx: int


ACCESSES: Final = View("access_log_v1", AccessEntry, ("id",), ("idx",), ("by",))
SUBJECTS: Final = View("access_log_subjects_v1", ReadSubject, ("subject", "idx"))


_PEOPLE: Final = PERSONS.table.c
_DRAWS: Final = DRAWS.table.c
_INTAKES: Final = INTAKES.table.c


class _State(NamedTuple):
    accesses: Rows[AccessEntry]
    subjects: Rows[ReadSubject]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    return _State(batch.rows(ACCESSES), batch.rows(SUBJECTS))


def _recorded(state: _State, event: Access.Recorded, recorded: Recorded) -> None:
    state.accesses.add(
        AccessEntry(
            id=event.originator_id,
            idx=recorded.idx,
            by=event.by,
            on_behalf_of=event.on_behalf_of or "",
            occurred_at=event.occurred_at,
            recorded_at=recorded.recorded_at,
            kind=event.kind,
            subjects=event.subjects,
            reason=event.reason,
        )
    )
    for subject in event.subjects:
        state.subjects.add(ReadSubject(subject, recorded.idx))


_HANDLERS: Final[Handlers] = {Access.Recorded: _recorded}

PROJECTION: Final = Projection("access_log", (ACCESSES, SUBJECTS), _HANDLERS, _begin)


def list_accesses(
    connection: Connection,
    *,
    by: str = "",
    kind: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    regions: Regions = None,
    elsewhere: bool = True,
    after: int | None = None,
    limit: int = 50,
) -> list[AccessEntry]:
    """Readings, the latest first; `subject` asks for those of one person's data or one draw.

    `since` and `until` bound the recorded time, both included. `regions` are those of what was read;
    `elsewhere`: also what belongs to no region.
    """
    c, subjects = ACCESSES.table.c, SUBJECTS.table.c
    conditions = [equal(c.by, by), equal(c.kind, kind)]
    if subject:
        conditions.append(c.idx.in_(select(subjects.idx).where(subjects.subject == subject)))
    if since is not None:
        conditions.append(c.recorded_at >= since)
    if until is not None:
        conditions.append(c.recorded_at <= until)
    if regions is not None:
        conditions.append(c.idx.in_(select(subjects.idx).where(_seen_in(regions, elsewhere=elsewhere))))
    return read(connection, ACCESSES, *conditions, after=after, newest_first=True, limit=limit)


def _seen_in(regions: Regions, *, elsewhere: bool) -> ColumnElement[bool]:
    """Whether what was read lies in the regions; people without a region lie in none."""
    subject = SUBJECTS.table.c.subject
    placed = [(_PEOPLE.person, _PEOPLE.region), (_DRAWS.id, _DRAWS.region), (_INTAKES.id, _INTAKES.region)]
    inside = or_(*(subject.in_(select(id).where(within(region, regions))) for id, region in placed))
    if not elsewhere:
        return inside
    return or_(inside, not_(or_(*(subject.in_(select(id).where(region != "")) for id, region in placed))))
