"""The event at which a live row and its rebuild part, found by a second reading of the log."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from eventsourcing.persistence import Mapper

from infrastructure.database import Store
from infrastructure.replay_check.folding import columns, recorded, savepoint, select
from infrastructure.replay_check.histories import Thread
from infrastructure.replay_check.replay import Difference, Replay, Seen, Step, Values
from infrastructure.replay_check.scratch import Scratch
from projections.projection import Projection, Recorded
from projections.view import View


class Parting:
    """A key at which a live read model differs from its rebuild at `position`.

    `stored` and `rebuilt` are its rows (the fields of the key first), None where there is none. `thread`
    knows, once `find_partings` has followed it, at which event they part.
    """

    def __init__(
        self, projection: Projection, view: View[Any], difference: Difference, position: int
    ) -> None:
        self.projection, self.view, self.position = projection, view, position
        self.key, self.stored, self.rebuilt = difference
        self.thread = Thread(self.stored)


def find_partings(store: Store, mapper: Mapper[str], partings: Sequence[Parting], step: Step) -> None:
    """Follow each through the log.

    Only batches that write one of the rows are looked at event by event, so that the time is that of
    folding the models once, and more only where there is much to find.
    """
    with Scratch() as scratch:
        projections = {one.projection.name: one.projection for one in partings}
        folds = [
            _Watch(scratch, projection, [one for one in partings if one.projection.name == name])
            for name, projection in projections.items()
        ]
        topics = frozenset[str]().union(*(projection.topics for projection in projections.values()))
        replay = Replay(store.recorder, mapper, scratch, folds, step=step, topics=topics, shown=True)
        replay.to(max(one.position for one in partings))


class _Watch:
    """Folds one read model, and sees who writes the rows of some keys."""

    def __init__(self, scratch: Scratch, projection: Projection, partings: Sequence[Parting]) -> None:
        self._scratch, self._projection = scratch, projection
        self._last = partings[0].position
        self._watched: defaultdict[str, dict[Values, Parting]] = defaultdict(dict)
        projection.create(scratch.connection)
        for one in partings:
            self._watched[one.view.name][one.key] = one
        self._views = [view for view in projection.views if view.name in self._watched]
        for view in self._views:
            self._set_watch(view)

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        topics, last = self._projection.topics, self._last
        self._fold(recorded([one for one in events if one.row.topic in topics and one.row.idx <= last]))

    def _fold(self, events: Sequence[Recorded]) -> None:
        """All at once where nothing watched is written, otherwise each half by itself."""
        if not events:
            return
        if len(events) == 1:
            self._projection.apply(self._scratch.connection, events)
            self._note(events[0].idx)
            return
        if not self._passed(events):
            middle = len(events) // 2
            self._fold(events[:middle])
            self._fold(events[middle:])

    def _passed(self, events: Sequence[Recorded]) -> bool:
        try:
            with savepoint(self._scratch):
                self._projection.apply(self._scratch.connection, events)
                if any(self._written(view) for view in self._views):
                    raise _Touched
        except _Touched:
            return False
        return True

    def _note(self, idx: int) -> None:
        for view in self._views:
            for key in self._written(view):
                self._watched[view.name][key].thread.saw(idx, self._row(view, key))
            self._scratch.change(f'UPDATE "watch_{view.name}" SET written = 0 WHERE written')  # noqa: S608

    def _written(self, view: View[Any]) -> Iterable[Values]:
        names = ", ".join(f'"{field}"' for field in view.key)
        return self._scratch.fetch(f'SELECT {names} FROM "watch_{view.name}" WHERE written')  # noqa: S608

    def _row(self, view: View[Any], key: Values) -> Values | None:
        rows = self._scratch.fetch(select(view, f"WHERE {_matching(view)}"), key)
        return rows[0] if rows else None

    def _set_watch(self, view: View[Any]) -> None:
        names = ", ".join(f'"{field}"' for field in view.key)
        watch, run = f'"watch_{view.name}"', self._scratch.change
        run(f"CREATE TABLE {watch} ({names}, written INTEGER DEFAULT 0, PRIMARY KEY ({names}))")
        marks = ", ".join("?" * len(view.key))
        keys = list(self._watched[view.name])
        self._scratch.change_many(f"INSERT INTO {watch} ({names}) VALUES ({marks})", keys)  # noqa: S608
        for deed, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            where = _matching(view, f'{side}."{{}}"')
            run(
                f'CREATE TRIGGER "{deed}_{view.name}" AFTER {deed} ON "{view.table.name}" '  # noqa: S608
                f"BEGIN UPDATE {watch} SET written = 1 WHERE {where}; END"
            )


class _Touched(Exception):
    """A batch writes a row that is watched."""


def _matching(view: View[Any], value: str = "?") -> str:
    return " AND ".join(f'"{field}" = {value.format(field)}' for field in view.key)


def named(key: Values) -> str:
    """A key in a finding."""
    return "/".join(map(str, key))


def differing(one: Parting) -> str:
    """The columns in which the two rows differ; empty where one of them is missing."""
    if one.stored is None or one.rebuilt is None:
        return ""
    pairs = zip(columns(one.view), one.stored, one.rebuilt, strict=True)
    return ", ".join(name for name, left, right in pairs if left != right)
