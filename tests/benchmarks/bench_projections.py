"""Rebuilding a read model in folded batches, beside the library's own runner on the same log and engine.

Both make the table of sites from the same stored events: a registration each, then changes and
assessments in an order that has nothing to do with the sites'. The library's runner commits each event
with its tracking record, as its manual shows.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from random import Random
from typing import Any, cast

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as StockProjection
from eventsourcing.projection import ProjectionRunner as StockRunner
from eventsourcing.sqlite import SQLiteTrackingRecorder
from msgspec.structs import replace

from application.workflow import Workflow
from domain.aggregate import DomainEvent
from domain.site import Site, SiteFacts
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from projections.sites import list_sites
from tests.benchmarks.figure import Figure
from tests.builders import act, provenance, site_facts, stream
from tests.engines import PostgresMissing, PostgresServer, postgres_url, running_postgres, sqlite_url

SITES = 40_000
EVENTS_EACH = 3
STOCK_EVENTS = 3_000
APPEND = 5_000
AIM_RATE = 50_000
AIM_RATIO = 20
LOG = "bench.example/1"
COLUMNS = ("version", *SiteFacts.__struct_fields__, "source", "reason", "effective_from", "risk_class")


def figures(scale: float = 1.0) -> list[Figure]:
    """Events per second on each engine; `scale` changes the number of events."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-bench-")))
        url = stack.enter_context(sqlite_url(folder / "ours"))
        environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": f"{folder}/stock.db"}
        results = _compared("SQLite", scale, url, environment, SqliteSites)
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return results
        url = stack.enter_context(postgres_url(server, tcp=True))
        return results + _compared("PostgreSQL", scale, url, _environment(server), PostgresSites)


def _compared(
    engine: str, scale: float, url: str, environment: dict[str, str], view: type[TrackingRecorder]
) -> list[Figure]:
    sites = max(10, int(SITES * scale))
    with closing(open_store(url, clock=SystemClock())) as store:
        _fill(store, sites)
        stock_events = min(max(10, int(STOCK_EVENTS * scale)), sites * EVENTS_EACH)
        beside = _stock_rate(store, environment, view, stock_events)
        one, everything = _rates(store, sites)
    full = scale >= 1
    return [
        Figure(
            name=f"rebuild of the table of sites, {engine}",
            value=round(one),
            unit="events/s",
            beside_name="the library's ProjectionRunner",
            beside=round(beside),
            target=f"≥ {AIM_RATIO}×, ≥ {AIM_RATE:,}",
            holds=one >= AIM_RATIO * beside and one >= AIM_RATE if full else None,
            note=f"{one / beside:.0f}×; {sites * EVENTS_EACH:,} events",
        ),
        Figure(
            name=f"rebuild of all read models at once, {engine}",
            value=round(everything),
            unit="events/s",
            beside_name="the library's ProjectionRunner, one of them",
            beside=round(beside),
            target="none",
            holds=None,
            note="the same events; the timeline and the public results' names have rows of them too",
        ),
    ]


def _fill(store: Store, sites: int) -> None:
    chance = Random(7)  # noqa: S311
    made = [_registered(number) for number in range(sites)]
    events = [event for site in made for event in site.collect_events()]
    for step in (_changed, _assessed):
        chance.shuffle(made)
        for site in made:
            step(site)
            events += site.collect_events()
    mapper = EventMapper(SystemChance())
    stored = [mapper.to_stored_event(event) for event in events]
    for start in range(0, len(stored), APPEND):
        store.recorder.insert_events(stored[start : start + APPEND])


def _registered(number: int) -> Site:
    facts = site_facts(name=f"晴川化工有限公司{number}号厂", industry="C2614")
    return Site.register(act(), id=stream("site", number), facts=facts, provenance=provenance())


def _changed(site: Site) -> None:
    facts = replace(site.facts, credit="yellow", stratum="special")
    site.change(act(), facts=facts, provenance=provenance(reason="信用等级变化"))


def _assessed(site: Site) -> None:
    site.assess(act(), risk_class="B", assessed_on=date(2024, 3, 1), source="年度评定")


def _rates(store: Store, sites: int) -> tuple[float, float]:
    with closing(ProjectionRunner(store, EventMapper(SystemChance()), log=LOG)) as runner:
        runner.prepare()
        one = _timed(lambda: runner.rebuild(["sites"]))
        everything = _timed(runner.rebuild)
        with runner.views.reading() as connection:
            last = list_sites(connection, after=sites - 2)
    if [(site.idx, site.version, site.risk_class) for site in last] != [(sites - 1, EVENTS_EACH, "B")]:
        raise RuntimeError(f"the rebuild is wrong: {last}")
    return sites * EVENTS_EACH / one, sites * EVENTS_EACH / everything


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- the library's side ----------------------------------------------------------------------


class SiteTable(StockProjection[Any]):
    """Our handlers' work in the library's terms: one transaction for each event."""

    name = "sites"
    topics = tuple(str(kind.TOPIC) for kind in (Site.Registered, Site.Changed, Site.Assessed))

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Write the columns that the event sets."""
        self.view.write(domain_event.originator_id, _columns(domain_event), tracking)


def _columns(event: DomainEvent) -> dict[str, Any]:
    columns: dict[str, Any] = {"version": event.originator_version}
    if isinstance(event, Site.Registered | Site.Changed):
        facts, why = event.facts, event.provenance
        columns |= {name: getattr(facts, name) for name in SiteFacts.__struct_fields__}
        columns |= {"needs": ",".join(facts.needs), "source": why.source, "reason": why.reason}
        columns["effective_from"] = why.effective_from.isoformat()
    elif isinstance(event, Site.Assessed):
        columns["risk_class"] = event.risk_class
    return columns


def _statement(columns: Sequence[str], mark: str) -> str:
    names = ", ".join(("id", *columns))
    marks = ", ".join([mark] * (len(columns) + 1))
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    return f"INSERT INTO site ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"  # noqa: S608


def _table() -> str:
    return (
        "CREATE TABLE IF NOT EXISTS site (id text PRIMARY KEY, "
        + ", ".join(f"{name} {'bigint' if name == 'version' else 'text'}" for name in COLUMNS)
        + ")"
    )


class SqliteSites(SQLiteTrackingRecorder):
    """The table on SQLite."""

    def _create_table(self, c: Any) -> None:
        super()._create_table(c)
        c.execute(_table())

    def write(self, id: str, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(_statement(list(columns), "?"), (id, *columns.values()))
            self._insert_tracking(cursor, tracking)


class PostgresSites(PostgresTrackingRecorder):
    """The table on PostgreSQL."""

    def _create_table(self, curs: Any) -> None:
        super()._create_table(curs)
        curs.execute(_table())

    def write(self, id: str, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        with self.datastore.transaction(commit=True) as cursor:
            statement = cast(Any, _statement(list(columns), "%s"))
            cursor.execute(statement, (id, *columns.values()), prepare=True)
            self._insert_tracking(cursor, tracking)


def _stock_rate(
    store: Store, environment: dict[str, str], view: type[TrackingRecorder], events: int
) -> float:
    class Stored(Workflow):
        """The application whose events the library's runner follows."""

        def __init__(self, env: object = None) -> None:
            mapper = EventMapper(SystemChance())
            super().__init__(recorder=store.recorder, mapper=mapper, answers=store.answers)

    started = time.perf_counter()
    runner: StockRunner[Application[str], Any] = StockRunner(
        application_class=Stored, projection_class=SiteTable, view_class=view, env=environment
    )
    with runner:
        runner.wait(events, timeout=600.0)
        reached = runner.view.max_tracking_id(Stored.name)
        return float(reached) / (time.perf_counter() - started)


def _environment(server: PostgresServer) -> dict[str, str]:
    server.run("CREATE DATABASE stock")
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "stock",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "none",
    }
