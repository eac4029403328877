"""What every read model is: tables, handlers that fold events into rows, and a position in the log.

A batch of events is folded in memory: the rows it touches are read with one statement a table,
changed, and written with one statement a table. Handlers never see the database.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

import msgspec
from sqlalchemy import Connection, Table, select

from domain.aggregate import DomainEvent
from projections.view import R, View
from projections.writing import delete, select_among, upsert

E = TypeVar("E", bound="Entry")
IN_PIECE = 5_000

Handlers = Mapping[type[DomainEvent], Callable[..., None]]
"""Handlers by event class; each is called with the state of the batch, the event, and its `Recorded`."""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event with its position in the log and the time (UTC) at which the store recorded it."""

    idx: int
    recorded_at: datetime
    event: DomainEvent


class Entry(msgspec.Struct, gc=False):
    """The beginning of a row about one stream: its first and its last event's `idx`, and its version."""

    id: str
    idx: int
    position: int
    version: int


class Position(msgspec.Struct):
    """How far a read model has come: `position` is the `idx` of the last event it has seen, -1 for none.

    `status` is `live`, `building` (a rebuild beside the live one) or `failed` (then `error` says why).
    `generation` counts rebuilds; it keeps the names of their tables apart.
    """

    name: str
    log: str
    position: int
    status: str
    error: str
    generation: int


POSITIONS = View("projection_position_v1", Position, ("name", "log"))


class RowMissing(LookupError):
    """An event speaks of something that the read model has not seen begin: its events are incomplete."""


class Rows(Generic[R]):
    """The rows of one table that a batch touches, in memory until they are flushed."""

    def __init__(self, connection: Connection, view: View[R], table: Table) -> None:
        self._connection, self._view, self._table = connection, view, table
        self._rows: dict[Any, R] = {}
        self._asked: dict[str, set[Any]] = {}
        self._changed: dict[Any, None] = {}
        self._dropped: set[Any] = set()

    def load(self, keys: Iterable[Any], by: str = "") -> "Rows[R]":
        """Read the rows whose field `by` (default: the first of the key) is among `keys`, once."""
        field = by or self._view.key[0]
        asked = self._asked.setdefault(field, set())
        new = sorted({key for key in keys if key not in asked})
        asked.update(new)
        for start in range(0, len(new), IN_PIECE):
            some = new[start : start + IN_PIECE]
            for values in select_among(self._connection, self._table, field, some):
                self._take(self._view.stored(values))
        return self

    def _take(self, row: R) -> None:
        key = self._view.key_of(row)
        if key not in self._dropped:
            self._rows.setdefault(key, row)

    def get(self, key: Any) -> R | None:
        """The row, only to be read; None if there is none."""
        return self._rows.get(key)

    def edit(self, key: Any) -> R:
        """The row, to be changed; `RowMissing` if there is none."""
        row = self._rows.get(key)
        if row is None:
            raise RowMissing(f"{self._view.name}: {key}")
        self._changed[key] = None
        return row

    def add(self, row: R) -> R:
        """A new row, or one that takes another's place."""
        key = self._view.key_of(row)
        self._rows[key] = row
        self._changed[key] = None
        self._dropped.discard(key)
        return row

    def drop(self, key: Any) -> None:
        """Take a row out."""
        self._rows.pop(key, None)
        self._changed.pop(key, None)
        self._dropped.add(key)

    def loaded(self) -> list[R]:
        """The rows in memory."""
        return list(self._rows.values())

    def flush(self) -> None:
        """Write what has changed, in the order of keys: neighbours lie on one page of the table."""
        delete(self._connection, self._table, [k if isinstance(k, tuple) else (k,) for k in self._dropped])
        upsert(
            self._connection,
            self._table,
            (self._view.values(self._rows[key]) for key in sorted(self._changed)),
        )
        self._dropped.clear()
        self._changed.clear()


class Batch:
    """The tables of one read model during one batch."""

    def __init__(self, connection: Connection, suffix: str) -> None:
        self._connection, self._suffix = connection, suffix
        self._rows: dict[str, Rows[Any]] = {}

    def rows(self, view: View[R]) -> Rows[R]:
        """The rows of a table."""
        if view.name not in self._rows:
            self._rows[view.name] = Rows(self._connection, view, view.beside(self._suffix))
        return cast(Rows[R], self._rows[view.name])

    def flush(self) -> None:
        """Write all tables."""
        for rows in self._rows.values():
            rows.flush()


@dataclass(frozen=True)
class Projection:
    """A read model: `begin` reads the rows that a batch needs and gives the state its handlers share.

    `version` ends the names of its tables; raise it with every change of their shape or meaning, and the
    tables are built anew beside the old ones.
    """

    name: str
    views: tuple[View[Any], ...]
    handlers: Handlers
    begin: Callable[[Batch, Sequence[Recorded]], Any]
    version: int = 1
    suffix: str = ""

    @property
    def key(self) -> str:
        """The name of its position."""
        return f"{self.name}_v{self.version}{self.suffix}"

    @cached_property
    def topics(self) -> frozenset[str]:
        """The topics it needs."""
        return frozenset(str(kind.TOPIC) for kind in self.handlers)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables."""
        return tuple(view.beside(self.suffix) for view in self.views)

    def beside(self, suffix: str) -> "Projection":
        """The same read model in tables of its own."""
        return replace(self, suffix=suffix)

    def create(self, connection: Connection) -> None:
        """Make the tables that are missing."""
        for table in self.tables:
            table.create(connection, checkfirst=True)

    def drop(self, connection: Connection) -> None:
        """Drop the tables that are there."""
        for table in self.tables:
            table.drop(connection, checkfirst=True)

    def rename(self, connection: Connection, other: "Projection") -> None:
        """Give the tables the names of another's, which were dropped."""
        for ours, theirs in zip(self.tables, other.tables, strict=True):
            connection.exec_driver_sql(f'ALTER TABLE "{ours.name}" RENAME TO "{theirs.name}"')

    def apply(self, connection: Connection, events: Sequence[Recorded]) -> None:
        """Fold events of its topics, in the order of the log, and write the rows they change."""
        batch = Batch(connection, self.suffix)
        state = self.begin(batch, events)
        handlers = self.handlers
        for recorded in events:
            event = recorded.event
            try:
                handlers[type(event)](state, event, recorded)
            except Exception as error:
                error.add_note(f"{self.key}, event {recorded.idx}")
                raise
        batch.flush()


def position_of(connection: Connection, projection: Projection, log: str) -> int:
    """How far a read model has come in a log, -1 where it has not begun."""
    c = POSITIONS.table.c
    found = connection.execute(select(c.position).where(c.name == projection.key, c.log == log)).scalar()
    return -1 if found is None else int(found)


def streams(events: Iterable[Recorded], *kinds: type[DomainEvent]) -> set[str]:
    """The streams of the events (of these kinds, or of all) that are not begun in them."""
    return {
        one.event.originator_id
        for one in events
        if one.event.originator_version > 1 and (not kinds or isinstance(one.event, kinds))
    }


def begun(recorded: Recorded) -> tuple[str, int, int, int]:
    """The fields of `Entry` for a stream that begins with this event."""
    event = recorded.event
    return event.originator_id, recorded.idx, recorded.idx, event.originator_version


def touch(rows: Rows[E], recorded: Recorded) -> E:
    """The row of the event's stream, to be changed, with its position and version moved on."""
    row = rows.edit(recorded.event.originator_id)
    row.position, row.version = recorded.idx, recorded.event.originator_version
    return row


def one_table(view: View[R]) -> Callable[[Batch, Sequence[Recorded]], Rows[R]]:
    """The beginning of a read model with one table whose key is the stream."""
    return lambda batch, events: batch.rows(view).load(streams(events))
