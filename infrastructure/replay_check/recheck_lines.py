"""The lines of a sealed re-check beside those that the log gives."""

from collections.abc import Iterator, Sequence

from application.frames import FrameEmpty, PoolEmpty
from application.ports import RegistrySnapshot
from application.recheck_frames import form_recheck_frame, form_recheck_pool
from application.recheck_ports import Closing
from domain.aggregate import Aggregate
from domain.drawing.lines import Inspector, Site
from domain.errors import NotFound
from domain.inspector import Inspector as Officer
from domain.ledger.finding import Finding
from domain.recheck_terms import RecheckTerms
from domain.violation import Violation
from infrastructure.replay_check.histories import Histories
from infrastructure.replay_check.sealed_lines import Line, NoSalts, Sealing, differing, finding_of


class RecheckLines:
    """As `LineCheck` for sites. The event that is named is the last of the violation or of the officer."""

    def __init__(
        self,
        sealing: Sealing,
        terms: RecheckTerms,
        snapshot: RegistrySnapshot,
        closings: Sequence[Closing],
        histories: Histories,
    ) -> None:
        self._sealing, self._terms, self._snapshot = sealing, terms, snapshot
        self._closings, self._histories = closings, histories

    def frame(self, sealed: Sequence[Site]) -> Iterator[Finding]:
        """`frame.differs` for each line that the violations' events do not give."""
        for found in differing(sealed, self._form_frame()):
            idx = self._last(Violation, found)
            yield finding_of(self._sealing, "frame.differs", found, idx, [one.id for one in sealed])

    def pool(self, sealed: Sequence[Inspector], frame: Sequence[Site]) -> Iterator[Finding]:
        """`pool.differs` for each line that registry and violations do not give beside that frame."""
        for found in differing(sealed, self._form_pool(frame)):
            idx = self._last(Officer, found)
            yield finding_of(self._sealing, "pool.differs", found, idx, [one.ref for one in sealed])

    def _form_frame(self) -> list[Site]:
        try:
            return form_recheck_frame(
                NoSalts(), self._terms, self._sealing.row, self._closings, self._snapshot
            )
        except FrameEmpty:
            return []

    def _form_pool(self, frame: Sequence[Site]) -> list[Inspector]:
        sealing = self._sealing
        try:
            return form_recheck_pool(
                NoSalts(), self._terms, sealing.row, self._closings, self._snapshot, frame, sealing.day
            )
        except PoolEmpty:
            return []

    def _last(self, kind: type[Aggregate], found: Line) -> int | None:
        try:
            versions = self._histories.versions(kind, found.id, self._snapshot.as_of)
            return max((idx for idx, _ in versions), default=None)
        except NotFound:
            return None
