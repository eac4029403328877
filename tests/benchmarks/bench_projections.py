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
from pathlib import Path
from random import Random
from typing import Any, cast

from eventsourcing.application import Application
from eventsourcing.projection import ProjectionRunner as StockRunner
from msgspec.structs import replace

from application.workflow import Workflow
from domain.aggregate import Aggregate, DomainEvent
from domain.site import Site
from domain.violation import Violation
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from tests import stages
from tests.benchmarks.figure import Figure
from tests.benchmarks.stock_tables import (
    SITE_COLUMNS,
    VIOLATION_COLUMNS,
    PostgresTable,
    SiteTable,
    SqliteTable,
    StockTable,
    ViolationTable,
    table_statement,
)
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
    stock: type[StockTable]
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


MODELS = (
    Model(
        "violation_ledger",
        "the violation ledger",
        ViolationTable,
        table_statement(VIOLATION_COLUMNS),
        _violations,
        events_each=7,
        rate=AIM_RATE,
    ),
    Model(
        "sites",
        "the table of sites, in the worst order",
        SiteTable,
        table_statement(SITE_COLUMNS),
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
