"""Replaying an aggregate of twenty events, and loading and saving it, beside the library's stock JSON events.

Both sides hold the same facts and run on the same engine, turn and turn about. Of replaying the best round
counts, because nothing but other work can slow it; where a disk is waited for, the middle one. Ours read and
check struct events and write a ledger entry for the one that is saved.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from statistics import median
from typing import Any, Self

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate as StockAggregate
from eventsourcing.domain import event
from eventsourcing.persistence import StoredEvent

from application.workflow import Workflow
from domain.aggregate import Aggregate, CreatedEvent
from tests.benchmarks.figure import Figure
from tests.benchmarks.stores import both_on_each_engine
from tests.contracts.sample import ACT, call

ROUNDS = 15
VERSIONS = 20
STAMP: dict[str, Any] = {name: value for name, value in ACT.stamp().items() if name != "timestamp"}
PLACE: dict[str, Any] = {"place": "太原市迎泽区示范企业废水总排口"}
ANSWER = {"item": "item-0a1b2c3d4e5f60718293a4b5c6d7e8f9", "remark": "在线监测设备运行正常，比对记录完整。"}
_numbers = count(1)


class Checklist(Aggregate):
    """Ours."""

    TOPIC = "bench-checklist"

    class Opened(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A checklist was opened."""

        TOPIC = "bench-checklist.opened.v1"
        place: str

    class Answered(Aggregate.Event, frozen=True, kw_only=True):
        """An item was answered."""

        TOPIC = "bench-checklist.answered.v1"
        item: str
        remark: str

    @classmethod
    def open(cls) -> Self:
        """A new one."""
        return cls.begin(cls.Opened, f"bench-checklist-{next(_numbers):032x}", ACT, **PLACE)

    @event(Opened)
    def __init__(self, place: str) -> None:
        self.place, self.answers = place, dict[str, str]()

    def answer(self) -> None:
        """Answer an item."""
        self.record(self.Answered, ACT, **ANSWER)

    @event(Answered)
    def _answered(self, item: str, remark: str) -> None:
        self.answers[item] = remark


class StockChecklist(StockAggregate):
    """The library's, with the same facts."""

    @event("Opened")
    def __init__(
        self,
        by: str,
        occurred_at: datetime,
        on_behalf_of: str | None,
        correlation_id: str,
        causation_id: str,
        place: str,
    ) -> None:
        self.place, self.answers = place, dict[str, str]()

    @event("Answered")
    def answer(
        self,
        by: str,
        occurred_at: datetime,
        on_behalf_of: str | None,
        correlation_id: str,
        causation_id: str,
        item: str,
        remark: str,
    ) -> None:
        """Answer an item."""
        self.answers[item] = remark


@dataclass(frozen=True)
class Side:
    """One of the two compared."""

    application: Application[Any]
    open: Callable[[], Any]
    answer: Callable[[Any], None]
    save: Callable[[Any], object]

    def fill(self, count: int) -> list[Any]:
        """Save so many aggregates of `VERSIONS` events; their ids."""
        return [self._fill_one() for _ in range(count)]

    def _fill_one(self) -> Any:
        one = self.open()
        for _ in range(VERSIONS - 1):
            self.answer(one)
        self.save(one)
        return one.id

    def go_on(self, id: Any) -> None:
        """Load it, answer once more, save."""
        one: Any = self.application.repository.get(id)
        self.answer(one)
        self.save(one)

    def replay(self, stored: Sequence[StoredEvent]) -> None:
        """Stored events to the aggregate that they make."""
        one: Any = None
        for each in stored:
            found: Any = self.application.mapper.to_domain_event(each)
            one = found.mutate(one)
        if one.version != len(stored):
            raise AssertionError(one)


def figures(scale: float = 1.0) -> list[Figure]:
    """Both figures on each engine, replaying once; `scale` shrinks the number of aggregates."""
    results: list[Figure] = []
    for engine, (workflow, stock) in both_on_each_engine():
        sides = _ours(workflow), _stock(stock)
        if not results:
            results.append(measure_replaying(sides, max(1, round(50 * scale))))
        results.append(measure_going_on(engine, sides, max(1, round(20 * scale))))
    return results


def measure_replaying(sides: tuple[Side, Side], count: int) -> Figure:
    """Microseconds for an event, reading it not counted."""

    def work(side: Side) -> Callable[[], float]:
        stored = [side.application.recorder.select_events(id) for id in side.fill(count)]

        def replay() -> None:
            for each in stored:
                side.replay(each)

        return lambda: _seconds(replay) / (count * VERSIONS) * 1e6

    return _figure(f"replay {VERSIONS} events, each", "µs", min, _take_turns(sides, work))


def measure_going_on(engine: str, sides: tuple[Side, Side], count: int) -> Figure:
    """Milliseconds for one aggregate; it is another one each time within a round."""

    def work(side: Side) -> Callable[[], float]:
        ids = side.fill(count)

        def go_on() -> None:
            for id in ids:
                side.go_on(id)

        return lambda: _seconds(go_on) / count * 1000

    return _figure(f"load {VERSIONS} events and save one, {engine}", "ms", median, _take_turns(sides, work))


def _ours(workflow: Workflow) -> Side:
    request = call()
    return Side(workflow, Checklist.open, Checklist.answer, lambda one: workflow.commit(request, one))


def _stock(application: Application[Any]) -> Side:
    return Side(
        application,
        lambda: StockChecklist(**STAMP, **PLACE),
        lambda one: one.answer(**STAMP, **ANSWER),
        application.save,
    )


def _take_turns(
    sides: tuple[Side, Side], work: Callable[[Side], Callable[[], float]]
) -> list[tuple[float, float]]:
    ours, stock = map(work, sides)
    return [(ours(), stock()) for _ in range(ROUNDS)]


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _figure(
    name: str, unit: str, middle: Callable[[list[float]], float], rounds: list[tuple[float, float]]
) -> Figure:
    value, beside = middle([value for value, _ in rounds]), middle([beside for _, beside in rounds])
    return Figure(name, value, unit, "stock aggregate, JSON events, no ledger", beside, "none", holds=None)
