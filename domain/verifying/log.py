"""Draws within their whole log: numbers without gaps, one live draw for a plan row, a source used once.

And nothing of the registries between their position and the seal, and no value that led to no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any, Final, NamedTuple

from domain.drawing.errors import DrawingError
from domain.drawing.source import parse_source, source_key, source_time
from domain.ledger.entry import Entry, parse_at
from domain.verifying.errors import WrongHistory
from domain.verifying.seats import TOPICS as SEAT_TOPICS
from domain.verifying.seats import Seats
from domain.verifying.steps import (
    ANNOUNCED,
    COMPLETED,
    ENDED,
    OBSERVED,
    RECHECK,
    REVEALED,
    SEALED,
    SUPPLEMENT,
    VOIDED,
)

INSPECTORS: Final = (
    "inspector.registered.",
    "inspector.changed.",
    "inspector.removed.",
    "inspector.recusal-granted.",
)
"""The topics that change a pool. A recusal that is declared, refused or withdrawn changes none."""

REGISTRY: Final = ("site.", *INSPECTORS, "inspection.notified.", "draw.sealed.", "assignment.made.")
"""The topics of what a frame and a pool are made of: none stands between `as_of` and the seal."""

CLOSINGS: Final = ("site.", *INSPECTORS, "account.linked.", "violation.", "recheck.drawn.", "draw.sealed.")
"""The same for a re-check: what was closed by whom, and on which closings the lot fell before."""

COMPLETE_WITHIN: Final = 2
"""Working days in which a draw whose value exists is completed."""

LONGEST_HOLIDAY: Final = 10
"""Days in a row without a working day that the calendar has at most, for who has no calendar."""

CHINA: Final = timezone(timedelta(hours=8))

IsWorkingDay = Callable[[date], bool | None]
"""Whether a day is worked in China; None for one that the calendar does not know."""


class Logged(NamedTuple):
    """An event of the log: its entry, and what it says, where that is at hand."""

    entry: Entry
    state: Mapping[str, Any] | None


@dataclass(slots=True)
class _Draw:
    """What the log tells of one draw."""

    stream: str
    number: int
    attempt: int
    plan_row: str
    source: str
    time: datetime | None
    announced: Entry
    made_of: tuple[str, ...] = REGISTRY
    sealed: Entry | None = None
    as_of: int = -1
    observed: datetime | None = None
    finished: bool = False
    completed: bool = False
    parties: int = 0
    reveals: list[datetime] = field(default_factory=list)


class LogCheck:
    """Reads a whole log once, in order, and says the first thing that is wrong with its draws.

    `now` is when the check is made: a draw may still be completed in time. `is_working_day` may be None: then
    only what is late on any calendar is late.
    """

    def __init__(self, *, now: datetime, is_working_day: IsWorkingDay | None = None) -> None:
        self._now, self._is_working_day = now, is_working_day
        self._draws: dict[str, _Draw] = {}
        self._live: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        self._registry: list[tuple[int, str]] = []
        self._seats = Seats()
        self.numbers = 0

    def run(self, events: Iterable[Logged]) -> None:
        """Raises WrongHistory: draw-number-gap, attempt-gap, two-live-draws, source-used-twice,
        seal-after-source, void-after-source, registry-after-as-of, not-completed-in-time, draw-untold,
        supplement-of-nothing, supplement-not-needed.
        """
        for event in events:
            if event.entry.topic.startswith((*REGISTRY, *CLOSINGS)):
                self._registry.append((event.entry.idx, event.entry.topic))
            if event.entry.topic.startswith("draw."):
                self._take(event)
            self._take_seats(event)
        for draw in self._draws.values():
            self._check_end(draw)

    def _take_seats(self, event: Logged) -> None:
        try:
            self._seats.take(event.entry, event.state)
        except (KeyError, TypeError) as error:
            raise self._wrong("draw-untold", f"{type(error).__name__} {error}", event.entry) from error

    def _take(self, event: Logged) -> None:
        handler = _HANDLERS.get(event.entry.topic)
        if handler is None:
            return
        if event.state is None:
            raise self._wrong("draw-untold", "its state is not at hand", event.entry)
        try:
            handler(self, event.entry, event.state)
        except (KeyError, TypeError, DrawingError) as error:
            if isinstance(error, WrongHistory):
                raise
            raise self._wrong("draw-untold", f"{type(error).__name__} {error}", event.entry) from error

    def _announced(self, entry: Entry, state: Mapping[str, Any]) -> None:
        source = parse_source(state["public_source"])
        draw = _Draw(
            stream=entry.stream,
            number=state["draw_no"],
            attempt=state["attempt"],
            plan_row=self._row_key(entry, state),
            source=source_key(source),
            time=source_time(source),
            announced=entry,
            made_of=CLOSINGS if entry.topic == RECHECK else REGISTRY,
            parties=len(state["contributors"]),
        )
        self.numbers += 1
        if draw.number != self.numbers:
            raise self._wrong("draw-number-gap", f"{draw.number} instead of {self.numbers}", entry)
        attempts = sum(one.plan_row == draw.plan_row for one in self._draws.values())
        if draw.attempt != attempts + 1:
            raise self._wrong("attempt-gap", f"{draw.attempt} instead of {attempts + 1}", entry)
        if other := self._live.get(draw.plan_row):
            raise self._wrong("two-live-draws", f"{draw.plan_row}: {other} and {draw.stream}", entry)
        if draw.source and (other := self._sources.get(draw.source)):
            raise self._wrong("source-used-twice", f"{draw.source}: {other} and {draw.stream}", entry)
        self._live[draw.plan_row] = draw.stream
        if draw.source:
            self._sources[draw.source] = draw.stream
        self._draws[draw.stream] = draw

    def _row_key(self, entry: Entry, state: Mapping[str, Any]) -> str:
        """What attempts and live draws are counted by: the plan row; of a supplement, with draw and seats.

        A further supplement of the same seats follows when the one before was completed.
        """
        row = str(state["plan_row"])
        if entry.topic != SUPPLEMENT:
            return row
        number, seats = state["supplements"], state["missing"]["seats"]
        earlier = next((one for one in self._draws.values() if one.number == number), None)
        if earlier is None or earlier.plan_row != row or not earlier.completed:
            raise self._wrong("supplement-of-nothing", f"draw {number} of {row}", entry)
        if self._seats.told and not self._seats.missing(earlier.stream, seats):
            raise self._wrong("supplement-not-needed", f"draw {number}: {seats}", entry)
        key = f"{row}+{number} {seats}"
        done = sum(one.completed and one.plan_row.startswith(f"{key} ") for one in self._draws.values())
        if state["missing"]["round"] != done + 1:
            raise self._wrong("attempt-gap", f"round {state['missing']['round']}", entry)
        return f"{key} {done + 1}"

    def _sealed(self, entry: Entry, state: Mapping[str, Any]) -> None:
        draw = self._draws[entry.stream]
        draw.sealed, draw.as_of = entry, state["seal"]["as_of"]
        if draw.time is not None and parse_at(entry.at) >= draw.time:
            raise self._wrong("seal-after-source", f"draw {draw.number}", entry)
        between = [
            idx
            for idx, topic in self._registry
            if draw.as_of < idx < entry.idx and topic.startswith(draw.made_of)
        ]
        if between and draw.attempt == 1:
            raise self._wrong("registry-after-as-of", f"event {between[0]} before the seal", entry)

    def _revealed(self, entry: Entry, state: Mapping[str, Any]) -> None:
        draw = self._draws[entry.stream]
        draw.reveals.append(parse_at(entry.at))
        if draw.time is None and len(draw.reveals) == draw.parties:
            draw.time = draw.reveals[-1]

    def _observed(self, entry: Entry, state: Mapping[str, Any]) -> None:
        self._draws[entry.stream].observed = parse_at(entry.at)

    def _completed(self, entry: Entry, state: Mapping[str, Any]) -> None:
        draw = self._draws[entry.stream]
        draw.finished = draw.completed = True
        self._check_in_time(draw, parse_at(entry.at), entry)

    def _voided(self, entry: Entry, state: Mapping[str, Any]) -> None:
        draw = self._draws[entry.stream]
        self._end(draw)
        late = draw.time is not None and parse_at(entry.at) >= draw.time
        if late and not state["reroll_warning"]:
            raise self._wrong("void-after-source", f"draw {draw.number}, without its warning", entry)
        if draw.observed is not None:
            raise self._wrong("void-after-value", f"draw {draw.number}", entry)

    def _ended(self, entry: Entry, state: Mapping[str, Any]) -> None:
        self._end(self._draws[entry.stream])

    def _end(self, draw: _Draw) -> None:
        draw.finished = True
        self._live.pop(draw.plan_row, None)

    def _check_end(self, draw: _Draw) -> None:
        if not draw.finished and draw.observed is not None:
            self._check_in_time(draw, self._now, draw.announced)

    def _check_in_time(self, draw: _Draw, at: datetime, entry: Entry) -> None:
        if draw.observed is not None and at.astimezone(CHINA).date() > self._due(draw.observed):
            raise self._wrong("not-completed-in-time", f"draw {draw.number}", entry)

    def _due(self, observed: datetime) -> date:
        """The last day on which a draw is completed in time, its value being observed then."""
        day = observed.astimezone(CHINA).date()
        latest = day + timedelta(days=COMPLETE_WITHIN + LONGEST_HOLIDAY)
        left = COMPLETE_WITHIN
        while left and day < latest:
            day += timedelta(days=1)
            worked = self._is_working_day(day) if self._is_working_day else None
            if worked is None:
                return latest
            left -= worked
        return day

    def _wrong(self, rule: str, detail: str, entry: Entry) -> WrongHistory:
        return WrongHistory(rule, detail, file=f"log:{entry.idx}")


_HANDLERS: Final[dict[str, Callable[[LogCheck, Entry, Mapping[str, Any]], None]]] = {
    ANNOUNCED: LogCheck._announced,
    RECHECK: LogCheck._announced,
    SUPPLEMENT: LogCheck._announced,
    SEALED: LogCheck._sealed,
    REVEALED: LogCheck._revealed,
    OBSERVED: LogCheck._observed,
    COMPLETED: LogCheck._completed,
    VOIDED: LogCheck._voided,
    ENDED: LogCheck._ended,
}


PLANS: Final = "plan.row-"
"""The topics of plan rows, which say what a frame is made of."""


def draws_of(events: Iterable[Logged]) -> Iterator[Logged]:
    """Only what `LogCheck` and `RegistryFold` look at, for who reads a log of many other things."""
    looked_at = (*REGISTRY, *CLOSINGS, "inspection.", *SEAT_TOPICS, PLANS, "draw.")
    return (event for event in events if event.entry.topic.startswith(looked_at))
