"""What a re-check lottery is drawn from: closed violations as the log's own events make them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """A closed violation. `closing` counts its closings, `closed_at` is when the last was recorded (UTC).

    `involved` are the inspectors who found, ordered, submitted, verified or closed it, sorted. `drawn` says
    that the lot has fallen on this closing, `rechecked` that it has been looked at again.
    """

    violation: str
    closing: int
    closed_at: datetime
    site: str
    uscc: str
    region: str
    disposal: str
    drawn: bool
    rechecked: bool
    involved: tuple[str, ...]


class ClosingLog(Protocol):
    """Closed violations, read from the log."""

    def closings(self, as_of: int) -> Iterator[Closing]:
        """Every violation that is closed as its events up to `as_of` make it, by id.

        Takes the time of reading all events of all violations.
        """
        ...
