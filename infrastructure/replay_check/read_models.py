"""Each read model made anew beside the live one, and compared with it row by row at the same position."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from eventsourcing.persistence import Mapper
from sqlalchemy import Connection, inspect

from domain.ledger.finding import LIMIT, Finding, Findings, Params
from infrastructure.database import Store
from infrastructure.replay_check.folding import ModelsFold, in_order
from infrastructure.replay_check.parting import Parting, differing, find_partings, named
from infrastructure.replay_check.replay import Replay, Step, differences, position_at
from infrastructure.replay_check.scratch import Scratch
from infrastructure.views import Views
from projections.projection import POSITIONS, Projection, position_of


def check_read_models(
    store: Store, mapper: Mapper[str], views: Views, log: str, projections: Sequence[Projection], step: Step
) -> Findings:
    """Make the read models anew in a private database and compare each with the live one.

    `projection.differs`: a row that is not as the events give it, with the event at which they part
    (`Thread.idx`). `projection.missing`: a table is gone. `projection.ahead`: the live one has seen more
    events than the log has. `projection.unbuilt`: an event cannot be folded, so nothing can be compared from
    there on.

    A live one that is behind is compared where it stands; one that was never begun is left out. Each is
    read as of one moment; for as long as that takes, a rebuild of it has to wait. Time is that of a
    rebuild, twice that where something differs, and of reading every row; memory is flat, the temporary
    folder takes as much as the read models.
    """
    check = _Check(store, mapper, views, log, step)
    standing = [one for one in projections if check.begun(one)]
    while standing:
        standing = check.compare(standing)
    return check.concluded()


class _Check:
    def __init__(self, store: Store, mapper: Mapper[str], views: Views, log: str, step: Step) -> None:
        self._store, self._mapper, self._views, self._log = store, mapper, views, log
        self._step = step
        self._findings = Findings()
        self._partings: list[Parting] = []
        self._more = 0

    def begun(self, projection: Projection) -> bool:
        """Whether there is anything of it."""
        with self._views.reading() as live:
            return _stands(live, projection, self._log) > -1 or any(_tables(live, projection))

    def compare(self, projections: Sequence[Projection]) -> list[Projection]:
        """Compare in the order in which they stand; those are left that moved back meanwhile."""
        left, waiting = list[Projection](), list(projections)
        with Scratch() as scratch:
            fold = ModelsFold(scratch, projections)
            replay = Replay(
                self._store.recorder,
                self._mapper,
                scratch,
                (fold,),
                step=self._step,
                topics=fold.topics,
                shown=True,
            )
            while waiting:
                projection = self._next(waiting, replay)
                waiting.remove(projection)
                if not self._compare(projection, scratch, fold, replay):
                    left.append(projection)
        return left

    def concluded(self) -> Findings:
        """All that was found, with the events at which rows part."""
        if self._partings:
            find_partings(self._store, self._mapper, self._partings, self._step)
        self._findings.add(map(_differs, self._partings))
        self._findings.count += self._more
        return self._findings

    def _next(self, waiting: Sequence[Projection], replay: Replay) -> Projection:
        """The one that stands first, with the log folded up to there: nobody's reading waits for that."""
        with self._views.reading() as live:
            positions = {one.name: _stands(live, one, self._log) for one in waiting}
        first = min(waiting, key=lambda one: positions[one.name])
        replay.to(min(positions[first.name], position_at(self._store.recorder)))
        return first

    def _compare(self, projection: Projection, scratch: Scratch, fold: ModelsFold, replay: Replay) -> bool:
        """False if it stands before what was folded already."""
        there, missing = self._tables_of(projection)
        with self._views.reading(there) as live:
            position = position_of(live, projection, self._log)
            if position < replay.position:
                return False
            self._findings.add(missing)
            size = position_at(self._store.recorder) + 1
            if position >= size:
                params: Params = {"projection": projection.name, "position": position, "size": size}
                self._findings.add([Finding("projection.ahead", None, params)])
                return True
            replay.to(position)
            if projection.name in fold.failed:
                self._findings.add([fold.failed[projection.name]])
            else:
                self._compare_tables(there, live, scratch.connection, position)
        return True

    def _tables_of(self, projection: Projection) -> tuple[Projection, list[Finding]]:
        """The read model as far as its tables are there, and which are not."""
        with self._views.reading() as live:
            found = list(zip(projection.views, _tables(live, projection), strict=True))
        missing = [
            Finding("projection.missing", None, {"projection": projection.name, "table": view.name})
            for view, is_there in found
            if not is_there
        ]
        return replace(projection, views=tuple(view for view, is_there in found if is_there)), missing

    def _compare_tables(
        self, projection: Projection, live: Connection, rebuilt: Connection, position: int
    ) -> None:
        for view in projection.views:
            found = differences(in_order(live, view), in_order(rebuilt, view), len(view.key))
            partings = (Parting(projection, view, one, position) for one in found)
            self._partings += islice(partings, max(0, LIMIT - len(self._partings)))
            self._more += sum(1 for _ in partings)


def _stands(live: Connection, projection: Projection, log: str) -> int:
    if not inspect(live).has_table(POSITIONS.table.name):
        return -1
    return position_of(live, projection, log)


def _tables(live: Connection, projection: Projection) -> list[bool]:
    names = inspect(live)
    return [names.has_table(table.name) for table in projection.tables]


def _differs(one: Parting) -> Finding:
    row = "missing" if one.stored is None else "unknown" if one.rebuilt is None else "differs"
    params: Params = {
        "projection": one.projection.name,
        "table": one.view.name,
        "key": named(one.key),
        "row": row,
        "columns": differing(one),
    }
    return Finding("projection.differs", one.thread.idx, params)
