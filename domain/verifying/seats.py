"""Who has which seat of which assignment, as the log tells it: whether a supplementary draw was needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from domain.ledger.entry import Entry

MADE: Final = "assignment.made.v1"
GRANTED: Final = "assignment.recusal-granted.v1"
FILLED: Final = "assignment.seat-filled.v1"
VOIDED: Final = "assignment.site-voided.v1"


class Seats:
    """Takes the events of assignments in order. `told` is false once the state of one was not at hand."""

    def __init__(self) -> None:
        self.told = True
        self._teams: dict[str, tuple[str, dict[str, str | None]]] = {}

    def take(self, entry: Entry, state: Mapping[str, Any] | None) -> None:
        """Take in an event; those of other topics change nothing."""
        handler = _HANDLERS.get(entry.topic)
        if handler is None:
            return
        if state is None:
            self.told = False
        elif self.told:
            handler(self, entry.stream, state)

    def missing(self, draw: str, seats: Sequence[str]) -> bool:
        """Whether at some site that the draw (a stream) drew exactly these seats are nobody's."""
        return any(
            [seat for seat, holder in team.items() if holder is None] == list(seats)
            for made_by, team in self._teams.values()
            if made_by == draw
        )

    def _made(self, stream: str, state: Mapping[str, Any]) -> None:
        team = {one["seat"]: one["inspector"] for one in state["team"]}
        self._teams[stream] = state["task"]["draw"], team

    def _granted(self, stream: str, state: Mapping[str, Any]) -> None:
        self._teams[stream][1][state["seat"]] = state["substitute"]

    def _filled(self, stream: str, state: Mapping[str, Any]) -> None:
        self._teams[stream][1][state["seat"]] = state["inspector"]

    def _voided(self, stream: str, state: Mapping[str, Any]) -> None:
        del self._teams[stream]


_HANDLERS: Final[dict[str, Callable[[Seats, str, Mapping[str, Any]], None]]] = {
    MADE: Seats._made,
    GRANTED: Seats._granted,
    FILLED: Seats._filled,
    VOIDED: Seats._voided,
}
TOPICS: Final = tuple(_HANDLERS)
