"""Rebuilding read models in folded batches, beside the library's own runner on the same log and engine.

Two read models, each made by both from the same stored events. The violation ledger: seven events a
violation, some hundreds of violations under way at once, as in real work. The table of sites: a
registration each, then a change and an assessment in an order that has nothing to do with the sites',
the worst there is for folding. The library's runner commits each event with its tracking record, as its
manual shows.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, cast

from eventsourcing.application import Application
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as StockProjection
from eventsourcing.projection import ProjectionRunner as StockRunner
from eventsourcing.sqlite import SQLiteTrackingRecorder
from msgspec.structs import replace

from application.workflow import Workflow
from domain.aggregate import Aggregate, DomainEvent
from domain.site import Site, SiteFacts
from domain.violation import Matter, Violation
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from projections import sites, violation_ledger
from tests import stages
from tests.benchmarks.figure import Figure
from tests.builders import (
    CLOSER,
    PLANNER,
    REVIEWER,
    act,
    deadline,
    digest,
    matter,
    order,
    provenance,
    site_facts,
    stream,
)
from tests.engines import PostgresMissing, PostgresServer, postgres_url, running_postgres, sqlite_url

EVENTS = 140_000
STOCK_EVENTS = 3_000
APPEND = 5_000
UNDER_WAY = 300
AIM_RATE = 50_000
AIM_RATIO = 20
LOG = "bench.example/1"

Story = tuple[Aggregate, Sequence[Callable[[Any], object]]]
"""An aggregate and the steps it has still to take, the next one last."""


@dataclass(frozen=True)
class Model:
    """A read model: its name, its table in the library's terms, and a log of so many streams.

    `rate` is the aim in events per second, 0 for none.
    """

    name: str
    title: str
    stock: type["StockTable"]
    columns: str
    fill: Callable[[int], list[DomainEvent]]
    events_each: int
    rate: int


def figures(scale: float = 1.0) -> list[Figure]:
    """Events per second on each engine; `scale` changes the number of events."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-bench-")))
        results = [_on_sqlite(model, scale, folder / model.name) for model in MODELS]
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return results
        return results + [_on_postgres(model, scale, server) for model in MODELS]


def _on_sqlite(model: Model, scale: float, folder: Path) -> Figure:
    with sqlite_url(folder) as url:
        stock = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": f"{folder}/stock.db"}
        return _compared(f"{model.title}, SQLite", model, scale, url, stock, SqliteTable)


def _on_postgres(model: Model, scale: float, server: PostgresServer) -> Figure:
    server.run(f"CREATE DATABASE stock_{model.name}")
    stock = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": f"stock_{model.name}",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "none",
    }
    with postgres_url(server, tcp=True) as url:
        return _compared(f"{model.title}, PostgreSQL", model, scale, url, stock, PostgresTable)


def _compared(
    title: str, model: Model, scale: float, url: str, stock: dict[str, str], view: type[Any]
) -> Figure:
    streams = max(10, int(EVENTS * scale) // model.events_each)
    with closing(open_store(url, clock=SystemClock())) as store:
        total = _append(store, model.fill(streams))
        beside = _stock_rate(store, model, stock, view, min(max(50, int(STOCK_EVENTS * scale)), total))
        value = total / _rebuild_seconds(store, model)
    return Figure(
        name=f"rebuild of {title}",
        value=round(value),
        unit="events/s",
        beside_name="the library's ProjectionRunner",
        beside=round(beside),
        target=f"≥ {AIM_RATIO}×, ≥ {model.rate:,}" if model.rate else f"≥ {AIM_RATIO}×",
        holds=value >= AIM_RATIO * beside and value >= model.rate if scale >= 1 else None,
        note=f"{total:,} events",
    )


def _append(store: Store, events: Sequence[DomainEvent]) -> int:
    mapper = EventMapper(SystemChance())
    for start in range(0, len(events), APPEND):
        some = events[start : start + APPEND]
        store.recorder.insert_events([mapper.to_stored_event(event) for event in some])
    return len(events)


def _rebuild_seconds(store: Store, model: Model) -> float:
    with closing(ProjectionRunner(store, EventMapper(SystemChance()), log=LOG)) as runner:
        runner.prepare()
        started = time.perf_counter()
        runner.rebuild([model.name])
        seconds = time.perf_counter() - started
        (status,) = (one for one in runner.status() if one.name == model.name)
    if (status.status, status.lag) != ("live", 0):
        raise RuntimeError(f"the rebuild is wrong: {status}")
    return seconds


# --- the logs --------------------------------------------------------------------------------


def _violations(number: int) -> list[DomainEvent]:
    chance = Random(7)  # noqa: S311
    waiting = [_violation(one) for one in range(number, 0, -1)]
    running: list[Story] = []
    events: list[DomainEvent] = []
    while waiting or running:
        while waiting and len(running) < UNDER_WAY:
            running.append(waiting.pop())
        at = chance.randrange(len(running))
        aggregate, steps = running[at]
        events += _collected(aggregate)
        if steps:
            steps[-1](aggregate)
            running[at] = aggregate, steps[:-1]
        else:
            events += _collected(aggregate)
            running[at] = running[-1]
            running.pop()
    return events


def _violation(number: int) -> Story:
    about = matter(inspection=stream("inspection", number), site=stream("site", number))
    violation = Violation.open(
        act(REVIEWER),
        id=stream("violation", number),
        matter=about,
        disposal="rectifying",
        owner=PLANNER,
        evidence=[digest()],
    )
    steps = (_ordered(number), stages.handed_in, _sent_back, stages.handed_in, stages.verified, _closed)
    return violation, steps[::-1]


def _ordered(number: int) -> Callable[[Violation], None]:
    return lambda violation: violation.order_rectification(
        act(), order=order(number=f"并环责改〔2024〕{number}号")
    )


def _sent_back(violation: Violation) -> None:
    violation.return_rectification(act(CLOSER), reason="整改不到位", deadline=deadline(date(2024, 6, 1)))


def _closed(violation: Violation) -> None:
    violation.close(act(CLOSER), evidence=[digest(3)], note="验收合格")


def _sites(number: int) -> list[DomainEvent]:
    chance = Random(7)  # noqa: S311
    made = [_registered(one) for one in range(number)]
    events = [event for site in made for event in _collected(site)]
    for step in (_changed, _assessed):
        chance.shuffle(made)
        for site in made:
            step(site)
            events += _collected(site)
    return events


def _collected(aggregate: Aggregate) -> list[DomainEvent]:
    return cast(list[DomainEvent], list(aggregate.collect_events()))


def _registered(number: int) -> Site:
    facts = site_facts(name=f"晴川化工有限公司{number}号厂", industry="C2614")
    return Site.register(act(), id=stream("site", number), facts=facts, provenance=provenance())


def _changed(site: Site) -> None:
    facts = replace(site.facts, credit="yellow", stratum="special")
    site.change(act(), facts=facts, provenance=provenance(reason="信用等级变化"))


def _assessed(site: Site) -> None:
    site.assess(act(), risk_class="B", assessed_on=date(2024, 3, 1), source="年度评定")


# --- the library's side ----------------------------------------------------------------------


class StockTable(StockProjection[Any]):
    """A read model in the library's terms: one transaction for each event."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Write the columns that the event sets."""
        self.view.write(domain_event, self.columns(domain_event), tracking)

    def columns(self, event: Any) -> dict[str, Any]:
        """The columns that the event sets, as they are stored."""
        raise NotImplementedError


class SiteTable(StockTable):
    """The table of sites."""

    topics = tuple(sites.PROJECTION.topics)

    def columns(self, event: Any) -> dict[str, Any]:
        """What a site event sets."""
        columns: dict[str, Any] = {"version": event.originator_version}
        if isinstance(event, Site.Registered | Site.Changed):
            facts, why = event.facts, event.provenance
            columns |= {name: getattr(facts, name) for name in SiteFacts.__struct_fields__}
            columns |= {"needs": ",".join(facts.needs), "source": why.source, "reason": why.reason}
            columns["effective_from"] = why.effective_from.isoformat()
        elif isinstance(event, Site.Assessed):
            columns["risk_class"] = event.risk_class
        return columns


class ViolationTable(StockTable):
    """The violation ledger."""

    topics = tuple(violation_ledger.PROJECTION.topics)

    def columns(self, event: Any) -> dict[str, Any]:
        """What a violation event sets."""
        at = event.occurred_at.isoformat()
        match event:
            case Violation.Opened():
                about = {name: getattr(event.matter, name) for name in event.matter.__struct_fields__}
                return {**about, "disposal": event.disposal, "owner": event.owner, "state": "open"}
            case Violation.RectificationOrdered():
                due = event.order.deadline.due.isoformat()
                return {"order_no": event.order.number, "due": due, "ordered_at": at, "state": "ordered"}
            case Violation.RectificationSubmitted():
                return {"submitted_at": at, "submitted_by": event.by, "state": "submitted"}
            case Violation.RectificationReturned():
                due = event.deadline.due.isoformat()
                return {"due": due, "return_reason": event.reason, "state": "ordered"}
            case Violation.RectificationVerified():
                return {"verified_at": at, "verified_by": event.by, "state": "verified"}
            case _:
                return {"closed_on": event.closed_on.isoformat(), "closed_by": event.by, "state": "closed"}


SITE_COLUMNS = (
    *SiteFacts.__struct_fields__,
    "source",
    "reason",
    "effective_from",
    "risk_class",
    "version bigint",
)
VIOLATION_COLUMNS = (
    *(f"{name} bigint" if name == "finding" else name for name in Matter.__struct_fields__),
    *("disposal", "owner", "state", "order_no", "due", "ordered_at", "submitted_at", "submitted_by"),
    *("return_reason", "verified_at", "verified_by", "closed_on", "closed_by"),
)


def _table(columns: Sequence[str]) -> str:
    typed = (column if " " in column else f"{column} text" for column in columns)
    return f"CREATE TABLE IF NOT EXISTS read_model (id text PRIMARY KEY, {', '.join(typed)})"


@cache
def _statements(columns: tuple[str, ...], mark: str) -> tuple[str, str]:
    marks = ", ".join([mark] * (len(columns) + 1))
    insert = f"INSERT INTO read_model ({', '.join((*columns, 'id'))}) VALUES ({marks})"  # noqa: S608
    changes = ", ".join(f"{name} = {mark}" for name in columns)
    return insert, f"UPDATE read_model SET {changes} WHERE id = {mark}"  # noqa: S608


class SqliteTable(SQLiteTrackingRecorder):
    """A table on SQLite."""

    table = ""

    def _create_table(self, c: Any) -> None:
        super()._create_table(c)
        c.execute(self.table)

    def write(self, event: DomainEvent, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        insert, update = _statements(tuple(columns), "?")
        statement = insert if event.originator_version == 1 else update
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, (*columns.values(), event.originator_id))
            self._insert_tracking(cursor, tracking)


class PostgresTable(PostgresTrackingRecorder):
    """A table on PostgreSQL."""

    table = ""

    def _create_table(self, curs: Any) -> None:
        super()._create_table(curs)
        curs.execute(self.table)

    def write(self, event: DomainEvent, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        insert, update = _statements(tuple(columns), "%s")
        statement = cast(Any, insert if event.originator_version == 1 else update)
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, (*columns.values(), event.originator_id), prepare=True)
            self._insert_tracking(cursor, tracking)


MODELS = (
    Model(
        "violation_ledger",
        "the violation ledger",
        ViolationTable,
        _table(VIOLATION_COLUMNS),
        _violations,
        events_each=7,
        rate=AIM_RATE,
    ),
    Model(
        "sites",
        "the table of sites, in the worst order",
        SiteTable,
        _table(SITE_COLUMNS),
        _sites,
        events_each=3,
        rate=0,
    ),
)


def _stock_rate(store: Store, model: Model, stock: dict[str, str], view: type[Any], events: int) -> float:
    class Stored(Workflow):
        """The application whose events the library's runner follows."""

        def __init__(self, env: object = None) -> None:
            mapper = EventMapper(SystemChance())
            super().__init__(recorder=store.recorder, mapper=mapper, answers=store.answers)

    class View(view):  # type: ignore[misc]
        """The table of this read model."""

        table = model.columns

    started = time.perf_counter()
    runner: StockRunner[Application[str], Any] = StockRunner(
        application_class=Stored, projection_class=model.stock, view_class=View, env=stock
    )
    with runner:
        runner.wait(events, timeout=600.0)
        reached = runner.view.max_tracking_id(Stored.name)
        return float(reached) / (time.perf_counter() - started)
