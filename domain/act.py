"""Who does something, and when: the facts every event carries, built once per request or job."""

from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

import msgspec

from domain.errors import Invalid

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Official time in all of China; no daylight saving since 1991."""


class OccurredLater(Invalid):
    """Nothing is recorded before it happened; facts: `occurred_at`, `at`."""

    code = "occurred-later"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One deed of one person.

    `by` is an account id (or `system` for a job). `at` is when the service took the command,
    `occurred_at` when it happened in the world; both are aware times, and making an act of what has
    not happened yet raises `OccurredLater`. `on_behalf_of` names the
    account whose power a deputy uses. `correlation_id` joins all events of one request,
    `causation_id` names the event or command that led to this one.
    """

    by: str
    at: datetime
    occurred_at: datetime
    on_behalf_of: str | None = None
    correlation_id: str = ""
    causation_id: str = ""

    def __post_init__(self) -> None:
        if self.occurred_at > self.at:
            raise OccurredLater("/occurred_at", occurred_at=self.occurred_at, at=self.at)

    @property
    def persons(self) -> frozenset[str]:
        """Everybody on whose side of a rule this deed counts: see `persons_of`."""
        return persons_of(self.by, self.on_behalf_of)

    @property
    def day(self) -> date:
        """The day in China on which it happened; the law counts in these."""
        return self.occurred_at.astimezone(CHINA).date()

    @property
    def taken_on(self) -> date:
        """The day in China on which the service took it.

        What the service itself does, such as making public, is done then, whenever it is said to have
        happened: nobody is in time by saying so later.
        """
        return self.at.astimezone(CHINA).date()

    def stamp(self) -> dict[str, Any]:
        """The base fields of an event; `at` is called `timestamp` there."""
        return {
            "timestamp": self.at,
            "by": self.by,
            "occurred_at": self.occurred_at,
            "on_behalf_of": self.on_behalf_of,
            "correlation_id": self.correlation_id,
            "causation_id": self.causation_id,
        }


def persons_of(by: str, on_behalf_of: str | None) -> frozenset[str]:
    """Who did it and for whom: whatever separates two duties separates both of them.

    A deputy must not stand on both sides of a rule, nor the one for whom he acts.
    """
    return frozenset({by} if on_behalf_of is None else {by, on_behalf_of})
