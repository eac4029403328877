"""What an auditor reads of the timeline: a subject or a request, as of either time, in either order."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, tuple_

from projections.query import Regions, rows
from projections.timeline import ENTRIES, MENTIONS, TimelineEntry, in_regions, visible


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What may be seen, and as of when.

    `home` lets see streams without a region of their own. `sealed` are the draws, not opened, of which it
    may be seen what they decided; true for all. `at` leaves out what happened later, `as_recorded_at`
    what was recorded later.
    """

    regions: Regions
    home: bool
    sealed: bool | tuple[str, ...] = ()
    at: datetime | None = None
    as_recorded_at: datetime | None = None


class Concerned(msgspec.Struct, frozen=True):
    """A stream that concerns a subject, with the `idx` of the first of its events that does.

    `draw` must be open before everybody may see the stream, or is empty.
    """

    stream: str
    idx: int
    draw: str


def list_history(
    connection: Connection,
    subject: str,
    scope: Scope,
    *,
    by_happened: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[TimelineEntry]:
    """A subject's events in the order of the log, or of when they happened; `after` is an `idx` in both."""
    mentions = MENTIONS.table.c
    order = [mentions.occurred_at, mentions.idx] if by_happened else [mentions.idx]
    wanted = [mentions.subject == subject, *_scoped(scope)]
    if after is not None:
        wanted.append(_later(after) if by_happened else mentions.idx > after)
    return rows(connection, ENTRIES, _mentioned().where(*wanted).order_by(*order).limit(limit))


def list_request(
    connection: Connection, correlation_id: str, scope: Scope, *, after: int | None = None, limit: int = 50
) -> list[TimelineEntry]:
    """The events of one request, of all streams, in the order of the log."""
    entries = ENTRIES.table.c
    wanted = [entries.correlation_id == correlation_id, entries.idx > (-1 if after is None else after)]
    statement = select(ENTRIES.table).where(*wanted, *_scoped(scope)).order_by(entries.idx).limit(limit)
    return rows(connection, ENTRIES, statement)


def list_concerned(
    connection: Connection, subject: str, scope: Scope, *, after: int | None = None, limit: int = 50
) -> list[Concerned]:
    """The streams that concern a subject, in the order in which they came to do so."""
    entries, mentions = ENTRIES.table.c, MENTIONS.table.c
    first = func.min(mentions.idx)
    statement = (
        select(entries.stream, first, func.max(entries.draw))
        .select_from(MENTIONS.table.join(ENTRIES.table, entries.idx == mentions.idx))
        .where(mentions.subject == subject, *_scoped(scope))
        .group_by(entries.stream)
        .having(first > (-1 if after is None else after))
        .order_by(first)
        .limit(limit)
    )
    return [Concerned(*row) for row in connection.execute(statement)]


def _mentioned() -> Select[tuple[object, ...]]:
    on = ENTRIES.table.c.idx == MENTIONS.table.c.idx
    return select(ENTRIES.table).select_from(MENTIONS.table.join(ENTRIES.table, on))


def _later(idx: int) -> ColumnElement[bool]:
    """What comes, in the order of happening, after the event at `idx`."""
    mentions, entries = MENTIONS.table.c, ENTRIES.table.c
    last = select(entries.occurred_at).where(entries.idx == idx).scalar_subquery()
    return tuple_(mentions.occurred_at, mentions.idx) > tuple_(last, idx)


def _visible(sealed: bool | tuple[str, ...]) -> ColumnElement[bool]:
    if isinstance(sealed, bool):
        return visible(sealed)
    return or_(visible(False), ENTRIES.table.c.draw.in_(sealed))


def _scoped(scope: Scope) -> Sequence[ColumnElement[bool]]:
    entries = ENTRIES.table.c
    wanted = [_visible(scope.sealed), in_regions(scope.regions, everywhere=scope.home)]
    if scope.at is not None:
        wanted.append(entries.occurred_at <= scope.at)
    if scope.as_recorded_at is not None:
        wanted.append(entries.recorded_at <= scope.as_recorded_at)
    return wanted
