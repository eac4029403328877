"""Replaying a whole live store and comparing all that it holds, beside a plain rebuild of its read models.

The log is a registry of sites: each is registered, changed and assessed, in turns, so that the order of
streams is not the order of events; with their claims, in the read models that take them in. The rebuild
beside folds the same events into the same tables and compares nothing.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from application.ports import Append
from application.workflow import claims_of
from domain.aggregate import DomainEvent
from domain.site import Site
from infrastructure.blobs import FolderBlobs
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.replay_check.check import check_replay
from tests.benchmarks.bench_verify import peak_memory
from tests.benchmarks.figure import Figure
from tests.builders import act, provenance, stream
from tests.engines import PostgresMissing, postgres_url, running_postgres, sqlite_url
from tests.journey import site_facts

EVENTS = 90_000
EVENTS_EACH = 3
TURNS = 1_000
LOG = "bench.example/1"


def figures(scale: float = 1.0) -> list[Figure]:
    """Events per second on each engine; `scale` shrinks the log."""
    sites = max(10, round(EVENTS * scale) // EVENTS_EACH)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-bench-")))
        measured = [measure("SQLite", stack.enter_context(sqlite_url(folder / "store")), folder, sites)]
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return measured
        return [*measured, measure("PostgreSQL", stack.enter_context(postgres_url(server)), folder, sites)]


def measure(engine: str, url: str, folder: Path, sites: int) -> Figure:
    """Fill a store, rebuild its read models, then check it."""
    total = sites * EVENTS_EACH
    with closing(open_store(url, clock=SystemClock())) as store:
        fill(store, sites)
        rebuilding = rebuild_seconds(store)
        before = peak_memory()
        checking = check_seconds(store, FolderBlobs(folder / "blobs"))
        grown = peak_memory() - before
    return Figure(
        name=f"replay check of a live store, {engine}",
        value=round(total / checking),
        unit="events/s",
        beside_name="rebuild of all read models, nothing compared",
        beside=round(total / rebuilding),
        target="flat memory",
        holds=None,
        note=f"{total:,} events of {sites:,} sites, memory grew by {grown:,.0f} MiB",
    )


def fill(store: Store, sites: int) -> None:
    """Append the life of so many sites, some thousand side by side."""
    mapper = EventMapper(SystemChance())
    for start in range(0, sites, TURNS):
        numbers = range(start, min(sites, start + TURNS))
        for events in zip(*map(life, numbers), strict=True):
            stored = [mapper.to_stored_event(event) for event in events]
            store.recorder.insert_events(stored, append=Append(claims=claims_of(events)))


def life(number: int) -> Iterator[DomainEvent]:
    """A site is registered, changed and assessed."""
    facts = site_facts(number)
    site = Site.register(act(), id=stream("site", number), facts=facts, provenance=provenance())
    site.change(act(), facts=replace(facts, credit="red"), provenance=provenance())
    site.assess(act(), risk_class="B", assessed_on=date(2024, 3, 1), source="2023 年度评价")
    events: Sequence[object] = site.collect_events()
    return (event for event in events if isinstance(event, DomainEvent))


def rebuild_seconds(store: Store) -> float:
    """Seconds for making all read models anew, which are there already."""
    with closing(ProjectionRunner(store, EventMapper(SystemChance()), log=LOG)) as runner:
        runner.catch_up()
        started = time.perf_counter()
        runner.rebuild()
        return time.perf_counter() - started


def check_seconds(store: Store, blobs: FolderBlobs) -> float:
    """Seconds for the whole check of a store that is as it should be."""
    started = time.perf_counter()
    found = check_replay(store, EventMapper(SystemChance()), blobs, log=LOG)
    seconds = time.perf_counter() - started
    if found.count:
        raise AssertionError(found.kept[0])
    return seconds
