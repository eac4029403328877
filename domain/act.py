"""Who does something, and when: the facts every event carries, built once per request or job."""

from datetime import date, datetime, timedelta, timezone
from typing import Any, Final

import msgspec

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Official time in all of China; no daylight saving since 1991."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One deed of one person.

    `by` is an account id (or `system` for a job). `at` is when the service took the command,
    `occurred_at` when it happened in the world; both are aware times. `on_behalf_of` names the
    account whose power a deputy uses. `correlation_id` joins all events of one request,
    `causation_id` names the event or command that led to this one.
    """

    by: str
    at: datetime
    occurred_at: datetime
    on_behalf_of: str | None = None
    correlation_id: str = ""
    causation_id: str = ""

    @property
    def day(self) -> date:
        """The day in China on which it happened; the law counts in these."""
        return self.occurred_at.astimezone(CHINA).date()

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
