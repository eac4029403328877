"""Replaying all that concerns one enterprise, page by page: its time, and that memory stays flat.

Twenty events each of many sites, told turn and turn about, so that a page has as many streams as events.
Compact it stands beside bare reading and decoding of the same events; in full every event tells what it
changed, for which its stream is read up to it.
"""

import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from eventsourcing.persistence import StoredEvent

from application.retelling import retell
from application.workflow import Workflow
from domain.site import Site
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from projections.histories import Scope, list_history
from tests.benchmarks.figure import Figure
from tests.builders import USCC, later, provenance, site_facts, stream
from tests.contracts.sample import call
from tests.engines import sqlite_url

VERSIONS = 20
SITES = 1_000
PAGE = 200
EVERYTHING = Scope(regions=None, home=True)


def figures(scale: float = 1.0) -> list[Figure]:
    """The figures of one enterprise; `scale` shrinks the number of its sites."""
    return measure_subject(max(20, round(SITES * scale)))


def measure_subject(sites: int) -> list[Figure]:
    """Seconds for all pages of one enterprise, compact and in full, and the memory of a page."""
    with enterprise(sites) as shop:
        bare = _seconds(shop.read_bare)
        compact, full = _seconds(shop.tell_compact), _seconds(shop.tell_all)
        page, whole = _peak(shop.tell_page), _peak(shop.tell_all)
    name = f"replay {sites * VERSIONS:,} events of an enterprise"
    return [
        Figure(f"{name}, compact", compact, "s", "reading and decoding them", bare, "none", holds=None),
        Figure(f"{name}, in full", full, "s", "compact", compact, "none", holds=None),
        Figure(f"{name}, memory", whole, "MB", "one page", page, "≤ 1.5×", holds=whole <= 1.5 * page),
    ]


class Shop(NamedTuple):
    """A log with one enterprise in it, and the read models of it."""

    store: Store
    workflow: Workflow
    runner: ProjectionRunner

    def read_bare(self) -> None:
        """The same events without any of replay."""
        for row in self.store.recorder.rows():
            self.workflow.mapper.to_domain_event(StoredEvent(row.stream, row.ver, row.topic, row.state))

    def tell_compact(self) -> None:
        """Every page, a line for each event."""
        for _ in self._pages(full=False):
            pass

    def tell_all(self) -> None:
        """Every page, with what each event changed."""
        for _ in self._pages(full=True):
            pass

    def tell_page(self) -> None:
        """The first page, with what each event changed."""
        next(self._pages(full=True))

    def _pages(self, *, full: bool) -> Iterator[int]:
        """Tell page after page, and let each go; the last position told."""
        office: Any = self  # replay asks an office for its workflow alone
        after: int | None = None
        while True:
            with self.runner.views.reading() as views:
                entries = list_history(views, USCC, EVERYTHING, after=after, limit=PAGE)
            if not entries:
                return
            after = retell(office, entries, history=self.store.recorder, full=full)[-1].idx
            yield after


@contextmanager
def enterprise(sites: int) -> Iterator[Shop]:
    """An enterprise with so many sites, each of which was assessed again and again, turn and turn about."""
    with (
        tempfile.TemporaryDirectory(prefix="sunlot-bench-") as folder,
        sqlite_url(Path(folder) / "ours") as url,
        closing(open_store(url, clock=SystemClock())) as store,
    ):
        mapper = EventMapper(SystemChance())
        workflow = Workflow(recorder=store.recorder, mapper=mapper, answers=store.answers)
        found = [
            Site.register(
                later(),
                id=stream("site", number),
                facts=site_facts(code=f"{USCC}{number % 1000:03}{'AB'[number // 1000]}"),
                provenance=provenance(),
            )
            for number in range(1, sites + 1)
        ]
        workflow.commit_many(call(), found[0], found[1:])
        for version in range(1, VERSIONS):
            for site in found:
                day = later().day
                site.assess(later(), risk_class="ABCD"[version % 4], assessed_on=day, source="评估")
            workflow.commit_many(call(), found[0], found[1:])
        runner = ProjectionRunner(store, mapper, log="bench.example/1")
        with closing(runner):
            runner.catch_up()
            yield Shop(store, workflow, runner)


def _peak(work: Callable[[], None]) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
