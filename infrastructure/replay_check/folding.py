"""Read models folded in a private database, and their rows in the order of their keys."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection

from domain.ledger.finding import Finding
from infrastructure.replay_check.replay import Seen, Values
from infrastructure.replay_check.scratch import Scratch
from projections.projection import Projection, Recorded
from projections.view import View

PAGE: Final = 2_000


class ModelsFold:
    """Folds events into read models of its own; one that cannot be folded stops before that event.

    `failed` tells at which event each of those stopped: `projection.unbuilt`.
    """

    def __init__(self, scratch: Scratch, projections: Sequence[Projection]) -> None:
        self._scratch, self._projections = scratch, projections
        self.failed: dict[str, Finding] = {}
        for projection in projections:
            projection.create(scratch.connection)

    @property
    def topics(self) -> frozenset[str]:
        """What the read models need."""
        return frozenset[str]().union(*(one.topics for one in self._projections))

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        for projection in self._projections:
            if projection.name not in self.failed:
                self._fold(projection, [one for one in events if one.row.topic in projection.topics])

    def _fold(self, projection: Projection, share: Sequence[Seen]) -> None:
        readable = recorded(share)
        if self._apply(projection, readable):
            # Once more, one by one, to know at which event it stops.
            for one in readable:
                if reason := self._apply(projection, [one]):
                    self._fail(projection, one.idx, reason)
                    return
        if len(readable) < len(share):
            self._fail(projection, share[len(readable)].row.idx, "event unreadable")

    def _apply(self, projection: Projection, events: Sequence[Recorded]) -> str:
        """Fold all or nothing; why it could not be."""
        try:
            with savepoint(self._scratch):
                if events:
                    projection.apply(self._scratch.connection, events)
        except Exception as error:  # noqa: BLE001  whatever a handler raises is why the model cannot be built
            return f"{type(error).__name__}: {error}"
        return ""

    def _fail(self, projection: Projection, idx: int, reason: str) -> None:
        params = {"projection": projection.name, "reason": reason}
        self.failed[projection.name] = Finding("projection.unbuilt", idx, params)


@contextmanager
def savepoint(scratch: Scratch) -> Iterator[None]:
    """A part of the transaction that an exception undoes alone."""
    scratch.change("SAVEPOINT part")
    try:
        yield
    except BaseException:
        scratch.change("ROLLBACK TO part")
        raise
    finally:
        scratch.change("RELEASE part")


def recorded(share: Sequence[Seen]) -> list[Recorded]:
    """The events as read models are given them, up to the first that cannot be read."""
    readable: list[Recorded] = []
    for seen in share:
        one = seen.recorded()
        if one is None:
            break
        readable.append(one)
    return readable


def columns(view: View[Any]) -> list[str]:
    """The fields of a row, those of the key first."""
    return [*view.key, *(field for field in view.fields if field not in view.key)]


def select(view: View[Any], suffix: str = "") -> str:
    """The query for rows as the engine stores them, with `columns` in their order."""
    names = ", ".join(f'"{field}"' for field in columns(view))
    return f'SELECT {names} FROM "{view.table.name}" {suffix}'  # noqa: S608


def in_order(connection: Connection, view: View[Any]) -> Iterator[Values]:
    """All rows in the order of their keys, some thousand at a time."""
    keys = ", ".join(f'"{field}"' for field in view.key)
    found = connection.exec_driver_sql(
        select(view, f"ORDER BY {keys}"), execution_options={"yield_per": PAGE}
    )
    return (tuple(row) for row in found)
