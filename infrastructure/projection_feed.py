"""Feeds read models with the log: reads a batch, decodes each event once, and lets each fold its share."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple, cast

import structlog
from eventsourcing.persistence import Mapper, StoredEvent
from msgspec.structs import replace

from domain.aggregate import DomainEvent
from domain.errors import EventUnreadable, StoreUnavailable
from infrastructure.collection import collection_paused
from infrastructure.event_store.recorder import EventRecorder, Row
from infrastructure.projection_positions import FAILED, Positions
from infrastructure.views import Views
from projections.projection import Position, Projection, Recorded

FEW: Final = 200
"""Events that are folded in one transaction for all: what people wait for, not what is caught up with."""

LOG: Final = structlog.get_logger(__name__)

_ZERO: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_REPLACED: Final = rb"\1\\ufffd"
"""PostgreSQL's texts have no zero character: read models on both engines show a replacement character."""

Track = tuple[Projection, int]
"""A read model and its position."""

Decoded = tuple[str, Recorded | EventUnreadable]
"""An event with its topic, or why it cannot be read: that concerns only those who need it."""

Share = Sequence[Recorded | EventUnreadable]
"""What one read model needs of a batch."""

Work = tuple[Track, Share]


class Advance(NamedTuple):
    """How many events were read, and where read models stand since, as far as that is known."""

    read: int
    standing: Mapping[str, Position] = MappingProxyType({})


class ProjectionFeed:
    """Moves read models forward, one batch at a time."""

    def __init__(
        self, recorder: EventRecorder, mapper: Mapper[str], views: Views, *, log: str, batch: int
    ) -> None:
        self._recorder, self._mapper, self._views = recorder, mapper, views
        self._log, self.batch = log, batch

    def head(self) -> int:
        """The last `idx` of the log, -1 for an empty one."""
        head = self._recorder.head()
        return -1 if head is None else head

    def standing(self, projections: Iterable[Projection]) -> list[Position]:
        """The positions of read models that were prepared."""
        with self._views.reading() as connection:
            known = Positions(connection, self._log).all()
        return [known[projection.key] for projection in projections]

    def behind(self, projections: Sequence[Projection], target: int) -> list[Track]:
        """Those that have not reached the target and have not failed."""
        return late(projections, {one.name: one for one in self.standing(projections)}, target)

    def advance(self, tracks: Sequence[Track], target: int) -> Advance:
        """One batch for those of the tracks that are furthest behind."""
        with collection_paused():
            return self._advance(tracks, target)

    def _advance(self, tracks: Sequence[Track], target: int) -> Advance:
        start = min(position for _, position in tracks) + 1
        rows = list(self._recorder.rows(start, min(self.batch, target - start + 1)))
        if not rows:
            return Advance(0)
        last = rows[-1].idx
        due = [(projection, position) for projection, position in tracks if position < last]
        decoded = self._decode(rows, frozenset[str]().union(*(projection.topics for projection, _ in due)))
        work = [(track, _share(track, decoded)) for track in due]
        known = self._step_together(work, last) if len(rows) <= FEW else None
        if known is None:
            self._step_apart(work, last)
        return Advance(len(rows), known or {})

    def _decode(self, rows: Sequence[Row], topics: frozenset[str]) -> list[Decoded]:
        return [(row.topic, self._read(row)) for row in rows if row.topic in topics]

    def _read(self, row: Row) -> Recorded | EventUnreadable:
        try:
            stored = StoredEvent(row.stream, row.ver, row.topic, shown_state(row.state))
            event = self._mapper.to_domain_event(stored)
        except EventUnreadable as error:
            error.add_note(f"event {row.idx}")
            return error
        return Recorded(row.idx, datetime.fromisoformat(row.at), cast(DomainEvent, event))

    def _step_together(self, work: Sequence[Work], last: int) -> Mapping[str, Position] | None:
        """All in one transaction, so that a few events are seen soon; None if nothing came of it."""
        try:
            with self._views.writing() as connection:
                positions = Positions(connection, self._log)
                standing = positions.lock(projection.key for (projection, _), _ in work)
                due = [(track[0], share) for track, share in work if _stands(track, standing)]
                positions.put((projection.key for projection, _ in due), last)
                for projection, share in due:
                    if share:
                        projection.apply(connection, _readable(share))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  one of them fails: which one, each finds out by itself
            LOG.info("projections-apart", cause=type(error).__name__)
            return None
        moved = {projection.key for projection, _ in due}
        return {
            name: replace(found, position=last) if name in moved else found
            for name, found in standing.items()
        }

    def _step_apart(self, work: Sequence[Work], last: int) -> None:
        self._pass([track for track, share in work if not share], last)
        for track, share in work:
            if share:
                self._step(track, last, share)

    def _pass(self, tracks: Sequence[Track], last: int) -> None:
        if not tracks:
            return
        with self._views.writing() as connection:
            positions = Positions(connection, self._log)
            for projection, position in tracks:
                positions.move(projection.key, position, last)

    def _step(self, track: Track, last: int, share: Share) -> None:
        projection, position = track
        try:
            with self._views.writing() as connection:
                # First the position: a second runner waits here, and then finds that it has moved.
                if Positions(connection, self._log).move(projection.key, position, last):
                    projection.apply(connection, _readable(share))
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001  whatever a handler raises stops this read model, visibly
            self._fail(track, error)

    def _fail(self, track: Track, error: Exception) -> None:
        projection, position = track
        words = [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
        LOG.error("projection-failed", projection=projection.key, position=position, exc_info=error)
        with self._views.writing() as connection:
            Positions(connection, self._log).fail(projection.key, position, "; ".join(words))


def shown_state(state: bytes) -> bytes:
    """A stored state as read models are given it: without zero characters."""
    return _ZERO.sub(_REPLACED, state) if b"u0000" in state else state


def late(projections: Iterable[Projection], standing: Mapping[str, Position], target: int) -> list[Track]:
    """Those that stand before the target and have not failed."""
    tracks = ((projection, standing[projection.key]) for projection in projections)
    return [
        (projection, found.position)
        for projection, found in tracks
        if found.status != FAILED and found.position < target
    ]


def _stands(track: Track, standing: Mapping[str, Position]) -> bool:
    projection, position = track
    found = standing[projection.key]
    return found.status != FAILED and found.position == position


def _share(track: Track, decoded: Sequence[Decoded]) -> list[Recorded | EventUnreadable]:
    projection, position = track
    topics = projection.topics
    return [
        found
        for topic, found in decoded
        if topic in topics and (isinstance(found, EventUnreadable) or found.idx > position)
    ]


def _readable(share: Share) -> list[Recorded]:
    for found in share:
        if isinstance(found, EventUnreadable):
            raise found
    return cast(list[Recorded], share)
