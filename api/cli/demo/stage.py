"""The demo's stage: one clock that only goes forward, and steps that are taken once.

Every step has a key and is remembered with its answer like any retried request, so a demo that was
killed goes on where it stopped: the steps it has taken answer from memory, the next one is taken.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from random import Random
from typing import Final

from rich.progress import Progress

from api.bootstrap import System
from application.accounts import Authenticator
from application.office import Office
from application.ports import Answer, RetryKey
from application.workflow import Call
from domain.act import Act

Who = str | Callable[[], str]
"""A part of the cast, an account id, or how to find it."""

CAUSE: Final = "sunlot demo"
"""What the demo's events name as the command that led to them."""

MEMORY: Final = "demo"
"""The name under which the demo's answers are remembered."""


class StoryClock:
    """The time of the story: set by each step, and never back."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """The story's present."""
        return self._now

    def reach(self, moment: datetime) -> datetime:
        """Go on to a moment; one that has passed is recorded at the present, as late entries are."""
        self._now = max(self._now, moment.astimezone(UTC))
        return self._now


@dataclass(order=True)
class _Due:
    when: datetime
    order: int
    take: Callable[[], None] = field(compare=False)


class Stage:
    """Takes steps as accounts of the cast, at their times, each once."""

    def __init__(self, system: System, clock: StoryClock, seed: str, progress: Progress) -> None:
        self.system = system
        self.clock = clock
        self.seed = seed
        self.cast: dict[str, str] = {}
        self._due: list[_Due] = []
        self._order = 0
        self._progress = progress
        self._task = progress.add_task("", total=None)

    @property
    def office(self) -> Office:
        """What the verbs of the application work with."""
        return self.system.office

    @property
    def authenticator(self) -> Authenticator:
        """Who is who."""
        return self.system.authenticator

    def chance(self, name: str) -> Random:
        """Chance that is the same in every telling of the story; for its colour, never for a draw."""
        return Random(f"{self.seed}/{name}")  # noqa: S311

    def call(self, key: str, who: str, when: datetime) -> Call:
        """A call by an account of the cast (or an account id) about what happened at a moment."""
        account = self.cast.get(who, who)
        act = Act(
            by=account,
            at=self.clock.now(),
            occurred_at=when,
            correlation_id=f"demo/{key}",
            causation_id=CAUSE,
        )
        return Call(actor=self.authenticator.actor_of(account), act=act, retry=self.retry(key))

    def retry(self, key: str) -> RetryKey:
        """The key under which a step is remembered."""
        return RetryKey(account=MEMORY, key=key, request=sha256(key.encode()).hexdigest())

    def taken(self, key: str) -> Answer | None:
        """The answer of a step that was taken, in this run or an earlier one."""
        kept = self.office.workflow.answers.find(MEMORY, key)
        return None if kept is None else kept.answer

    def step(self, key: str, who: Who, when: datetime, command: Callable[[Call], Answer]) -> Answer:
        """Take a step, or give its answer if it was taken before.

        Who takes it, when that hangs on the state of things, is asked only if it was not: a resumed
        story must not look back with the eyes of later.
        """
        self.clock.reach(when)
        self._progress.update(self._task, advance=1, description=f"{when:%Y-%m-%d} {key}")
        kept = self.taken(key)
        if kept is not None:
            return kept
        call = self.call(key, who if isinstance(who, str) else who(), when)
        return self.office.workflow.once(call, lambda: command(call))

    def plan(self, when: datetime, take: Callable[[], None]) -> None:
        """Plan something for a moment; it may plan more."""
        self._order += 1
        heapq.heappush(self._due, _Due(when, self._order, take))

    def run(self) -> None:
        """Take everything that is planned, in the order of its times."""
        while self._due:
            heapq.heappop(self._due).take()
