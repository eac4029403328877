"""Who read what is confidential, when and why."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from domain.access import Access
from projections.projection import Batch, Handlers, Projection, Recorded, Rows
from projections.query import equal, read
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
    after: int | None = None,
    limit: int = 50,
) -> list[AccessEntry]:
    """Readings, the latest first; `subject` asks for those of one person's data or one draw."""
    c, subjects = ACCESSES.table.c, SUBJECTS.table.c
    conditions = [equal(c.by, by), equal(c.kind, kind)]
    if subject:
        conditions.append(c.idx.in_(select(subjects.idx).where(subjects.subject == subject)))
    return read(connection, ACCESSES, *conditions, after=after, newest_first=True, limit=limit)
