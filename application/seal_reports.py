"""The two reports that go with a seal: changes of the registries, and seats for which too few may sit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec

from application.office import Office
from application.readings import note_readings
from application.registry_report import RegistryReport, raised_by, window_of
from application.workflow import Call
from domain.draw import Draw
from domain.draw_values import NarrowSeats, RegistryChanges, Seal
from domain.drawing.bundle import SealedFiles
from domain.drawing.lines import read_frame, read_pool
from domain.drawing.narrow import NarrowSeat, find_narrow, write_narrow
from domain.errors import NotFound
from domain.identifiers import covers
from domain.plan import PlanRow

CHANGES: Final = "registry-changes"
NARROW: Final = "narrow-seats"
REPORTS: Final = (CHANGES, NARROW)


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a report, with its number."""

    idx: int
    line: dict[str, Any]


@dataclass(frozen=True)
class SealReports:
    """The reports' digests by name, and their counts."""

    digests: dict[str, str]
    changes: RegistryChanges | msgspec.UnsetType
    narrow: NarrowSeats

    @property
    def counts(self) -> dict[str, Any]:
        """The counts, as the answer of the seal tells them."""
        changes = {} if self.changes is msgspec.UNSET else msgspec.structs.asdict(self.changes)
        return {"registry_changes": changes, "narrow_seats": msgspec.structs.asdict(self.narrow)}


def make_reports(
    office: Office, call: Call, draw: Draw, row: PlanRow, files: SealedFiles, kept: Seal | None
) -> SealReports:
    """Make and keep both. `kept` is the earlier seal whose frame is taken again: its changes are as well."""
    digest, changes = _changes(office, call, draw, row, files, kept)
    frame, pool = read_frame(files.frame_jsonl), read_pool(files.pool_jsonl)
    seats = list(find_narrow(files.rules.team, frame, pool))
    narrow = office.blobs.put(b"".join(write_narrow(seats)))
    return SealReports({CHANGES: digest, NARROW: narrow}, changes, _counted(seats))


def _counted(seats: list[NarrowSeat]) -> NarrowSeats:
    return NarrowSeats(sites=len({one.id for one in seats}), seats=len(seats))


def _changes(
    office: Office, call: Call, draw: Draw, row: PlanRow, files: SealedFiles, kept: Seal | None
) -> tuple[str, RegistryChanges | msgspec.UnsetType]:
    if kept is not None and CHANGES in kept.reports:
        return kept.reports[CHANGES], kept.registry_changes
    window = window_of(
        office.registry_log, at=call.act.at, as_of=files.rules.as_of, drawn=_last_drawn(office, draw)
    )
    raised = raised_by(office.rules(call.act.day))
    report = RegistryReport(office.registry_log, window, row.areas, raised)
    return office.blobs.put(report.stream()), report.counts


def _last_drawn(office: Office, draw: Draw) -> int:
    """Where the registries stood for the last draw with a result in a region around or in this one, or -1.

    An attempt that came to nothing does not count: who voids a draw does not make its changes old. Nor does
    a supplementary draw, which only fills seats, or a re-check, which draws no sites.
    """
    for number in range(office.claims.highest("draw-no"), 0, -1):
        stream = office.claims.holder("draw-no", str(number))
        if stream is None or stream == draw.id:
            continue
        earlier = office.workflow.load(Draw, stream)
        near = covers(earlier.region, draw.region) or covers(draw.region, earlier.region)
        sites = earlier.supplements is None and earlier.terms is None
        if near and earlier.result is not None and earlier.frozen and sites:
            return earlier.frozen.as_of
    return -1


def open_report(office: Office, call: Call, id: str, kind: str, *, reason: str) -> BinaryIO:
    """The lines of a report as a stream that the caller closes; the reading is recorded first.

    It names who would have been special and who may sit where, so it is read as what is sealed is, also
    after the opening. `NotFound` for another kind, and where the seal has no such report.
    """
    draw = office.workflow.load(Draw, id)
    call.require("draw.read-sealed", draw.region)
    digest = draw.frozen.reports.get(kind, "") if draw.frozen and kind in REPORTS else ""
    if not digest:
        raise NotFound(kind="report", id=f"{id}/{kind}")
    note_readings(office, call, (draw.id,), reason=reason)
    return office.blobs.open(digest)


def read_lines(report: Iterable[bytes], *, after: int = 0, limit: int | None = None) -> Iterator[ReportLine]:
    """The lines of a report behind line `after`; lines count from 1."""
    stop = None if limit is None else after + limit
    for number, line in enumerate(islice(report, after, stop), start=after + 1):
        yield ReportLine(idx=number, line=msgspec.json.decode(line))
