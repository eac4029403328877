"""The lines of a sealed supplementary draw beside those that the earlier draw and the log give."""

from collections.abc import Iterator, Sequence

from application.frames import PoolEmpty, form_pool
from application.missing_seats import stand_apart
from application.ports import RegistrySnapshot
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_values import Missing
from domain.drawing.lines import Inspector, Site
from domain.ledger.finding import Finding
from infrastructure.replay_check.histories import Histories
from infrastructure.replay_check.sealed_lines import (
    HeldThen,
    NoSalts,
    Sealing,
    differing,
    finding_of,
)


class SupplementLines:
    """As `LineCheck` for the registries. The event that is named is the seal.

    Sites whose visit was over by then are no lines of the frame: one that is missing is no finding.
    """

    def __init__(
        self,
        sealing: Sealing,
        missing: Missing,
        snapshot: RegistrySnapshot,
        claims: HeldThen,
        histories: Histories,
        earlier: Sequence[Site],
    ) -> None:
        self._sealing, self._missing, self._snapshot = sealing, missing, snapshot
        self._claims, self._histories = claims, histories
        self._earlier = {site.id: site for site in earlier}

    def frame(self, sealed: Sequence[Site]) -> Iterator[Finding]:
        """`frame.differs` for each line that is not the earlier frame's, or misses other seats."""
        missing = {one.task.site for one in self._assignments() if one.missing == self._missing.seats}
        formed = [
            self._earlier[site.id]._replace(eligible=True, reason="")
            for site in sealed
            if site.id in missing and site.id in self._earlier
        ]
        for found in differing(sealed, formed):
            yield finding_of(self._sealing, "frame.differs", found, None, [one.id for one in sealed])

    def pool(self, sealed: Sequence[Inspector], frame: Sequence[Site]) -> Iterator[Finding]:
        """`pool.differs` for each line that registries and seats do not give beside that frame."""
        for found in differing(sealed, self._form_pool(frame)):
            yield finding_of(self._sealing, "pool.differs", found, None, [one.ref for one in sealed])

    def _form_pool(self, frame: Sequence[Site]) -> list[Inspector]:
        sealing, lent = self._sealing, self._missing.areas
        sites = {site.id for site in frame}
        here = [one for one in self._assignments() if one.task.site in sites]
        try:
            pool = form_pool(NoSalts(), sealing.row, self._snapshot, frame, sealing.day, lent=lent)
        except PoolEmpty:
            return []
        return [stand_apart(one, here) for one in pool]

    def _assignments(self) -> list[Assignment]:
        """The earlier draw's assignments as they stood at `as_of`, void ones left out."""
        as_of = self._sealing.seal.as_of
        earlier = self._histories.load(Draw, self._missing.draw, as_of)
        held = self._claims.keys("drawn", f"{self._sealing.planned.year}/")
        streams = [stream for key, stream in held if key.endswith(f"/{earlier.draw_no}")]
        found = [self._histories.load(Assignment, stream, as_of) for stream in streams]
        return [one for one in found if one.status == "assigned"]
