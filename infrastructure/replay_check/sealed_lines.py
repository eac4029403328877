"""The lines of a sealed frame and pool beside those that the registries give, and who made them part."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any, Final, NamedTuple, cast

from msgspec.structs import replace

from application.frames import FrameEmpty, PoolEmpty, form_frame, form_pool
from application.ports import InspectorRow, RegistrySnapshot, SiteRow
from domain import inspector, site
from domain.draw import Draw
from domain.draw_values import Seal
from domain.drawing.lines import Inspector, Site
from domain.errors import NotFound
from domain.identifiers import covers
from domain.ledger.finding import Finding, Params
from domain.plan import Plan, PlanRow
from infrastructure.event_store.database import Session
from infrastructure.registry_log import inspector_row, site_row
from infrastructure.replay_check.histories import Histories, parted
from infrastructure.replay_check.replay import differences

STANDING: Final = {"eligible", "reason"}
"""What a line says of draws and visits of the year, not of the registry."""


class NoSalts:
    """Salts of lines that nobody will read: they are not compared."""

    def token(self, size: int) -> bytes:
        """Zeros."""
        return bytes(size)


class HeldThen:
    """The claims as of a position, read once from those made anew."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def keys(self, kind: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """As the port `Claims` does."""
        if (kind, prefix) not in self._known:
            sql = "SELECT key, stream FROM claims WHERE kind = ? AND key >= ? AND key < ? ORDER BY key"
            rows = self._session.fetch(sql, (kind, prefix, prefix + "\U0010ffff"))
            self._known[kind, prefix] = [(key, stream) for key, stream in rows]
        return iter(self._known[kind, prefix])

    def since(self, kind: str, prefix: str) -> int | None:
        """The first event by which such a claim is held."""
        sql = "SELECT min(idx) FROM claims WHERE kind = ? AND key >= ? AND key < ?"
        found: int | None = self._session.fetch(sql, (kind, prefix, prefix + "\U0010ffff"))[0][0]
        return found


class Sealing(NamedTuple):
    """One seal: the event's `idx`, its draw and plan as they were then, and its day in China.

    A re-check of closed violations has no plan.
    """

    idx: int
    draw: Draw
    seal: Seal
    plan: Plan | None
    row: PlanRow
    day: date

    @property
    def planned(self) -> Plan:
        """The plan of a draw of sites."""
        if self.plan is None:
            raise NotFound(kind="plan", id=self.draw.id)
        return self.plan


class LineCheck:
    """Forms the lines of one seal again, and names the events at which sealed ones part from them."""

    def __init__(
        self, sealing: Sealing, snapshot: RegistrySnapshot, claims: HeldThen, histories: Histories
    ) -> None:
        self._sealing, self._snapshot, self._claims = sealing, snapshot, claims
        self._histories = histories
        self._sites_of: defaultdict[str, list[SiteRow]] = defaultdict(list)
        for one in snapshot.sites:
            self._sites_of[one.uscc].append(one)

    def frame(self, sealed: Sequence[Site]) -> Iterator[Finding]:
        """`frame.differs` for each line that the registries and the year's draws do not give."""
        for found in differing(sealed, self._form_frame(self._snapshot.sites)):
            yield self._finding("frame.differs", found, self._site_event(found), [one.id for one in sealed])

    def pool(self, sealed: Sequence[Inspector], frame: Sequence[Site]) -> Iterator[Finding]:
        """`pool.differs` for each line that the registries do not give beside that frame."""
        for found in differing(sealed, self._form_pool(self._snapshot.inspectors, frame)):
            idx = self._officer_event(found, frame)
            yield self._finding("pool.differs", found, idx, [one.ref for one in sealed])

    def _form_frame(self, sites: Sequence[SiteRow]) -> list[Site]:
        sealing, snapshot = self._sealing, replace(self._snapshot, sites=sites)
        try:
            return form_frame(self._claims, NoSalts(), sealing.planned, sealing.row, snapshot)
        except FrameEmpty:
            return []

    def _form_pool(self, officers: Sequence[InspectorRow], frame: Sequence[Site]) -> list[Inspector]:
        snapshot = replace(self._snapshot, inspectors=officers)
        if len(officers) == 1:  # what is formed of one does not need the whole registry
            related = (self._sites_of[uscc] for uscc, _ in officers[0].relations)
            snapshot = replace(snapshot, sites=list(chain.from_iterable(related)))
        try:
            return form_pool(NoSalts(), self._sealing.row, snapshot, frame, self._sealing.day)
        except PoolEmpty:
            return []

    def _site_event(self, found: "Line") -> int | None:
        fields, formed = found.fields, found.formed
        if isinstance(formed, Site) and fields and set(fields) <= STANDING:
            return self._standing_event(formed)
        return parted(self._site_lines(found.id), found.sealed)

    def _standing_event(self, formed: Site) -> int | None:
        year, reason = self._sealing.planned.year, formed.reason
        if reason == "drawn":
            return self._claims.since("drawn", f"{year}/{formed.id}/")
        owners = {one.id: one.uscc for one in self._snapshot.sites}
        return self._claims.since("visit", f"{year}/{owners[formed.id]}/") if reason == "capped" else None

    def _site_lines(self, id: str) -> Iterator[tuple[int, Site | None]]:
        for idx, found in self._histories.versions(site.Site, id, self._snapshot.as_of):
            row = site_row(found)
            there = any(covers(area, row.region) for area in self._sealing.row.areas)
            yield idx, next(iter(self._form_frame([row] if there else [])), None)

    def _officer_event(self, found: "Line", frame: Sequence[Site]) -> int | None:
        sealed, formed = found.sealed, found.formed
        if isinstance(sealed, Inspector) and isinstance(formed, Inspector) and found.fields == ["conflicts"]:
            concerned = min({*sealed.conflicts} ^ {*formed.conflicts})
            events = self._histories.versions(site.Site, concerned, self._snapshot.as_of)
            return max((idx for idx, _ in events), default=None)
        areas = list({one.area: one for one in frame}.values())
        return parted(self._officer_lines(found.id, areas), sealed)

    def _officer_lines(self, id: str, frame: Sequence[Site]) -> Iterator[tuple[int, Inspector | None]]:
        for idx, found in self._histories.versions(inspector.Inspector, id, self._snapshot.as_of):
            yield idx, next(iter(self._form_pool([inspector_row(found)], frame)), None)

    def _finding(self, code: str, found: "Line", idx: int | None, names: Sequence[str]) -> Finding:
        return finding_of(self._sealing, code, found, idx, names)


class Line(NamedTuple):
    """A line that is not the same on both sides, without salts; `fields` are those that differ."""

    id: str
    sealed: Site | Inspector | None
    formed: Site | Inspector | None

    @property
    def fields(self) -> list[str]:
        """The fields that differ; none where one side is missing."""
        if self.sealed is None or self.formed is None:
            return []
        pairs = zip(self.sealed._fields, self.sealed, self.formed, strict=True)
        return [name for name, left, right in pairs if left != right]


def finding_of(sealing: Sealing, code: str, found: Line, idx: int | None, names: Sequence[str]) -> Finding:
    """The finding on a line, at the seal where no event is known; `names` are the sealed lines', in order."""
    row = "missing" if found.sealed is None else "unknown" if found.formed is None else "differs"
    params: Params = {
        "draw": sealing.draw.id,
        "line": bisect_left(names, found.id) + 1,
        "id": found.id,
        "row": row,
        "columns": ", ".join(found.fields),
        "seal": sealing.idx,
    }
    return Finding(code, sealing.idx if idx is None else idx, params)


def differing(
    sealed: Sequence[Site] | Sequence[Inspector], formed: Sequence[Site] | Sequence[Inspector]
) -> Iterator[Line]:
    """The lines that are not the same in both, salts left out."""
    ours = (one._replace(salt="") for one in sealed)
    theirs = sorted(one._replace(salt="") for one in formed)
    for key, left, right in differences(ours, theirs, 1):
        yield Line(key[0], cast(Any, left), cast(Any, right))
