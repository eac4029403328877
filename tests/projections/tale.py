"""Histories for read models: aggregates decide, their events are numbered like a log's."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection

from domain.aggregate import Aggregate, DomainEvent
from infrastructure.views import Views
from projections.projection import Projection, Recorded
from tests.builders import NOW

A = TypeVar("A", bound=Aggregate)


class Tale:
    """What was recorded, in order. Each event is recorded a second after the one before it."""

    def __init__(self) -> None:
        self.recorded: list[Recorded] = []

    def tell(self, aggregate: A, *steps: Callable[[A], object]) -> A:
        """Let the aggregate go through the steps, and record what is new."""
        for step in steps:
            step(aggregate)
        for event in aggregate.collect_events():
            idx = len(self.recorded)
            at = NOW + timedelta(seconds=idx)
            self.recorded.append(Recorded(idx, at, cast(DomainEvent, event)))
        return aggregate

    def needed(self, projection: Projection) -> list[Recorded]:
        """The events that a read model gets."""
        return [one for one in self.recorded if type(one.event) in projection.handlers]


class Shelf:
    """An empty database of read models, without a log."""

    def __init__(self, folder: Path) -> None:
        self.views = Views(f"sqlite:///{folder}")

    def fold(self, projection: Projection, recorded: Sequence[Recorded], *, batch: int = 1_000_000) -> None:
        """Make the tables, and fold the events in batches of that size."""
        with self.views.writing() as connection:
            projection.create(connection)
        for start in range(0, len(recorded), batch):
            with self.views.writing() as connection:
                projection.apply(connection, recorded[start : start + batch])

    @contextmanager
    def after(self, projection: Projection, tale: Tale, *, batch: int = 3) -> Iterator[Connection]:
        """A reading of the model after the tale, in small batches so that rows are read back."""
        self.fold(projection, tale.needed(projection), batch=batch)
        with self.views.reading() as connection:
            yield connection


def dump(connection: Connection, projections: Iterable[Projection]) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the read models as the engine keeps them, in the order of their keys."""
    found = {}
    for projection in projections:
        for table in projection.tables:
            rows = connection.execute(table.select().order_by(*table.primary_key))
            found[table.name] = [tuple(row) for row in rows]
    return found
