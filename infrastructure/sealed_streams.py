"""The streams that would tell the results of draws which are not opened yet."""

from collections.abc import Iterator
from typing import NamedTuple

from application.readings import tells
from application.workflow import Workflow
from domain.draw import Draw
from infrastructure.event_store.recorder import EventRecorder

PAGE = 2000


class SealedStreams(NamedTuple):
    """Draws that are not opened, and the streams that tell their results: their own and what they led to."""

    draws: tuple[str, ...]
    streams: frozenset[str]


def sealed_streams(workflow: Workflow, recorder: EventRecorder) -> SealedStreams:
    """All as of now. Looks at every draw, and at assignments and inspections only if one is sealed."""
    begun = (draw for draw, _ in _first_events(recorder, "draw"))
    draws = tuple(draw for draw in begun if tells(workflow.load(Draw, draw)))
    if not draws:
        return SealedStreams((), frozenset())
    named = [draw.encode() for draw in draws]
    followed = (
        stream
        for kind in ("assignment", "inspection", "recheck")
        for stream, state in _first_events(recorder, kind)
        if any(draw in state for draw in named)
    )
    return SealedStreams(draws, frozenset((*draws, *followed)))


def _first_events(recorder: EventRecorder, kind: str) -> Iterator[tuple[str, bytes]]:
    """(stream, state of its first event) of all streams of a kind, a page at a time along their index."""
    sql = (
        "SELECT stream, state FROM events WHERE stream > ? AND stream < ? AND ver = 1 ORDER BY stream LIMIT ?"
    )
    last = f"{kind}-"
    while page := recorder.database.fetch(sql, (last, f"{kind}.", PAGE)):
        yield from page
        last = page[-1][0]
