"""Brings the read models up to date with the log, and tells where they stand.

Rows and position of a read model move in one transaction, the position first, by compare-and-set: of
two runners that read the same events one commits, the other finds nothing to do. A read model whose
handler fails stops, alone; its status says so and it resumes where it was at the next start.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Event, Lock
from typing import Final

import structlog
from eventsourcing.persistence import Mapper

from domain.errors import NotFound, StoreUnavailable
from infrastructure.database import Store
from infrastructure.projection_feed import Advance, ProjectionFeed, late
from infrastructure.projection_positions import FAILED, Positions
from infrastructure.projection_rebuild import Progress, Rebuild
from infrastructure.views import Views
from projections.projection import POSITIONS, Position, Projection
from projections.register import PROJECTIONS

BATCH: Final = 10_000
FAR_BEHIND: Final = 5_000
POLL_SECONDS: Final = 0.02
END: Final = 2**62
"""An `idx` that no log reaches: read what there is."""

LOG: Final = structlog.get_logger(__name__)


Standing = Mapping[str, Position]
"""Where read models stand, by the names of their positions."""


class ProjectionUnknown(NotFound):
    """There is no read model of this name; facts: `name`, `known`."""

    code = "projection-unknown"


@dataclass(frozen=True)
class ProjectionStatus:
    """Where a read model stands: `position` and `head` are an `idx` (-1 for none), `lag` counts events.

    `status` is `live`, or `failed` with the `error` that stopped it.
    """

    name: str
    position: int
    head: int
    lag: int
    status: str
    error: str


class ProjectionRunner:
    """Runs read models against one log. Any number of runners may run at once, in any processes."""

    def __init__(
        self,
        store: Store,
        mapper: Mapper[str],
        *,
        log: str,
        projections: Sequence[Projection] = PROJECTIONS,
        batch: int = BATCH,
    ) -> None:
        self.log, self.projections = log, tuple(projections)
        self.views = Views(store.url)
        self._feed = ProjectionFeed(store.recorder, mapper, self.views, log=log, batch=batch)
        self._wake, self._moved = Event(), Condition()
        self._running = False
        self._standing: Standing = {}
        self._preparing, self._prepared = Lock(), False

    def close(self) -> None:
        """Close the connections to the read models."""
        self.views.close()

    def prepare(self) -> None:
        """Make the tables that are missing, and let failed read models try again; once for each runner."""
        with self._preparing:
            if self._prepared:
                return
            with self.views.changing() as connection:
                POSITIONS.table.create(connection, checkfirst=True)
                for projection in self.projections:
                    projection.create(connection)
                Positions(connection, self.log).begin(one.key for one in self.projections)
            self._prepared = True

    def catch_up(self, until: int | None = None, *, names: Collection[str] = ()) -> int:
        """Bring read models (of these names, or all) to the present head of the log, or to `until`.

        Tells how many events were read. A failed one is left out: `status` tells.
        """
        self.prepare()
        chosen, head = self._chosen(names), self._feed.head()
        return self._advance(chosen, head if until is None else min(until, head), self._look())

    def run(self, stop: Event, interval: float = 0.2) -> None:
        """Catch up until told to stop, at least every `interval` seconds and whenever nudged."""
        self._running = True
        try:
            nudged = False
            while not stop.is_set():
                self._wake.clear()
                try:
                    self._follow() if nudged else self.catch_up()
                except StoreUnavailable as error:
                    LOG.warning("projections-wait", reason=error.facts.get("reason"))
                except Exception as error:
                    # Nobody would start this thread again: it tells, and tries again.
                    LOG.error("projections-stopped", exc_info=error)
                nudged = self._wake.wait(interval)
        finally:
            self._running = False

    def nudge(self) -> None:
        """Hint that something was appended."""
        self._wake.set()

    def wait_for(self, position: int, timeout: float = 1.0) -> bool:
        """Wait until all read models have seen the event at `position`, so that one reads what one wrote.

        False when they have not in time; at once when one has failed or is far behind already.
        """
        self.prepare()
        self.nudge()
        deadline = time.monotonic() + timeout
        while (waiting := self._waiting(position)) and time.monotonic() < deadline:
            self._await(position, deadline)
        return waiting is False

    def status(self) -> list[ProjectionStatus]:
        """Where each read model stands."""
        self.prepare()
        head = self._feed.head()
        standing = zip(self.projections, self._feed.standing(self.projections), strict=True)
        return [
            ProjectionStatus(
                name=projection.name,
                position=found.position,
                head=head,
                lag=max(0, head - found.position),
                status=found.status,
                error=found.error,
            )
            for projection, found in standing
        ]

    def rebuild(self, names: Collection[str] = (), progress: Progress | None = None) -> None:
        """Build read models (of these names, or all) anew from the log, then put them in place of the live.

        The live ones serve and move on meanwhile. `ProjectionUnknown`; `RebuildFailed` if the events
        cannot be folded: the live ones stay as they are.
        """
        self.prepare()
        Rebuild(self._feed, self.views, self.log, self._chosen(names), progress).run()

    def _chosen(self, names: Collection[str]) -> list[Projection]:
        known = [projection.name for projection in self.projections]
        for name in names:
            if name not in known:
                raise ProjectionUnknown(name=name, known=known)
        return [one for one in self.projections if not names or one.name in names]

    def _follow(self) -> None:
        """Take in what there is, from where all were last seen; if they stand elsewhere, that is noticed."""
        self.prepare()
        standing = self._standing or self._look()
        while tracks := late(self.projections, standing, END):
            advance = self._feed.advance(tracks, END)
            if advance.read:
                standing = self._learned(standing, advance)
            if advance.read < self._feed.batch:
                return

    def _advance(self, chosen: Sequence[Projection], target: int, standing: Standing) -> int:
        read = 0
        while tracks := late(chosen, standing, target):
            advance = self._feed.advance(tracks, target)
            read += advance.read
            standing = self._learned(standing, advance)
        return read

    def _learned(self, standing: Standing, advance: Advance) -> Standing:
        return self._learn({**standing, **advance.standing}) if advance.standing else self._look()

    def _look(self) -> Standing:
        """Where all stand."""
        return self._learn({one.name: one for one in self._feed.standing(self.projections)})

    def _learn(self, standing: Standing) -> Standing:
        """Let those who wait for it know."""
        with self._moved:
            self._standing = standing
            self._moved.notify_all()
        return standing

    def _await(self, position: int, deadline: float) -> None:
        """Wait for news: of this process's own runner, else of the database."""
        if not self._running:
            self._look()
        with self._moved:
            if self._waiting(position):
                patience = deadline - time.monotonic()
                self._moved.wait(max(0.0, patience if self._running else min(patience, POLL_SECONDS)))

    def _waiting(self, position: int) -> bool | None:
        """False when all are there, True when waiting may help, None when it will not."""
        if not self._standing:
            return True
        missing = [one for one in self._standing.values() if one.position < position]
        if any(one.status == FAILED or position - one.position > FAR_BEHIND for one in missing):
            return None
        return bool(missing)
