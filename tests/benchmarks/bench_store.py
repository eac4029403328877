"""Appending through the application, ledger and all, beside the library as it comes, without a ledger.

Both sides save the same facts on the same engine in the same run, turn and turn about; the middle of
several rounds counts.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from statistics import median
from typing import Any, Self

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate as StockAggregate
from eventsourcing.domain import event

from application.workflow import Workflow
from domain.aggregate import Aggregate, CreatedEvent
from tests.benchmarks.figure import Figure
from tests.benchmarks.stores import THREADS, both_on_each_engine
from tests.contracts.sample import ACT, call

ROUNDS = 15  # short ones: a shared disk has moods of seconds
BATCH = 1000
FACTS: dict[str, Any] = {
    "inspection": "inspection-5f2b8c1d9e7a4f60b3d2c1a09e8f7d6c",
    "item": "item-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "place": "太原市迎泽区示范企业废水总排口",
    "method": "on-site",
    "remark": "在线监测设备运行正常，比对记录完整。",
}
_numbers = count(1)


class Finding(Aggregate):
    """Ours: struct events, our mapper, our recorder, an entry for each event."""

    TOPIC = "bench-finding"

    class Recorded(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A finding was recorded."""

        TOPIC = "bench-finding.recorded.v1"
        inspection: str
        item: str
        place: str
        method: str
        remark: str

    @classmethod
    def record_it(cls) -> Self:
        """A new one."""
        return cls.begin(cls.Recorded, f"bench-finding-{next(_numbers):032x}", ACT, **FACTS)

    @event(Recorded)
    def __init__(self, inspection: str, item: str, place: str, method: str, remark: str) -> None:
        self.inspection, self.item, self.place, self.method, self.remark = (
            inspection,
            item,
            place,
            method,
            remark,
        )


class StockFinding(StockAggregate):
    """The library's: decorated method, its JSON transcoder, its recorder, no entry."""

    @event("Recorded")
    def __init__(
        self,
        by: str,
        occurred_at: datetime,
        on_behalf_of: str | None,
        correlation_id: str,
        causation_id: str,
        inspection: str,
        item: str,
        place: str,
        method: str,
        remark: str,
    ) -> None:
        self.by, self.occurred_at, self.on_behalf_of = by, occurred_at, on_behalf_of
        self.correlation_id, self.causation_id = correlation_id, causation_id
        self.inspection, self.item, self.place, self.method, self.remark = (
            inspection,
            item,
            place,
            method,
            remark,
        )


def stock_finding() -> StockFinding:
    """One of the library's with the same facts."""
    stamp: dict[str, Any] = {name: value for name, value in ACT.stamp().items() if name != "timestamp"}
    return StockFinding(**stamp, **FACTS)


@dataclass(frozen=True)
class Side:
    """One of the two compared: makes aggregates, and saves any number at once."""

    make: Callable[[], Any]
    save: Callable[[Sequence[Any]], object]


@dataclass(frozen=True)
class Work:
    """A way of appending: how many events a round has, how many go together, in how many threads."""

    name: str
    events: int
    together: int
    threads: int
    aim: float | None


def figures(scale: float = 1.0) -> list[Figure]:
    """Events per second on each engine; `scale` changes the number of events."""
    results: list[Figure] = []
    for engine, (ours, stock) in both_on_each_engine():
        threads_aim = 2.0 if engine == "PostgreSQL" else None
        results += _compared(engine, scale, _sides(ours, stock), threads_aim=threads_aim)
    return results


def _sides(ours: Workflow, stock: Application[Any]) -> tuple[Side, Side]:
    request = call()
    return (
        Side(Finding.record_it, lambda made: ours.commit(request, *made)),
        Side(stock_finding, lambda made: stock.save(*made)),
    )


def _compared(
    engine: str, scale: float, sides: tuple[Side, Side], *, threads_aim: float | None
) -> list[Figure]:
    works = (
        Work("single", max(THREADS, int(80 * scale)), 1, 1, 0.9),
        Work(f"{THREADS} threads", max(THREADS, int(200 * scale)), 1, THREADS, threads_aim),
        Work(f"batch of {BATCH:,}", BATCH * max(1, int(scale)), BATCH, 1, 1.5),
    )
    warming = Work("warming", 10 * BATCH, BATCH, 1, None)
    for side in sides:
        _round(side, warming)  # until files have reached the size at which they are written over
    return [_figure(f"append, {engine}, {work.name}", work, sides) for work in works]


def _figure(name: str, work: Work, sides: tuple[Side, Side]) -> Figure:
    ours, stock = sides
    for side in sides:
        _round(side, work)
    rounds = [(_round(ours, work), _round(stock, work)) for _ in range(ROUNDS)]
    value, beside = median(r[0] for r in rounds), median(r[1] for r in rounds)
    return Figure(
        name=name,
        value=round(value),
        unit="events/s",
        beside_name="stock Application.save, JSON events, no ledger",
        beside=round(beside),
        target="none" if work.aim is None else f"≥ {work.aim}×",
        holds=None if work.aim is None else value >= work.aim * beside,
        note=f"{value / beside:.2f}×",
    )


def _round(side: Side, work: Work) -> float:
    made = [side.make() for _ in range(work.events)]
    parts = [made[start : start + work.together] for start in range(0, len(made), work.together)]
    with ThreadPoolExecutor(work.threads) as threads:
        started = time.perf_counter()
        if work.threads == 1:
            for part in parts:
                side.save(part)
        else:
            list(threads.map(side.save, parts))
        return work.events / (time.perf_counter() - started)
