"""What the frame of one draw tells of another: a site that was drawn before in the year is not eligible.

A frame becomes public when its draw is opened. While an earlier draw is sealed, the frame's reasons would
name sites that were drawn there: the later draw waits until the earlier one is opened.
"""

from collections.abc import Collection, Iterator
from typing import cast

from application.office import Office
from application.ports import Log
from domain.assignment import Assignment
from domain.draw import Draw
from domain.drawing.lines import read_frame
from domain.errors import Conflict
from domain.inspection import Inspection
from domain.plan import Plan


class EarlierDrawSealed(Conflict):
    """The frame would tell what a draw decided that is not opened yet; facts: `draws`."""

    code = "earlier-draw-sealed"


def require_earlier_opened(office: Office, draw: Draw) -> None:
    """Refuse with `EarlierDrawSealed` while the draw's frame tells of another draw that is sealed.

    Only what the frame can know counts, which was in the log before `as_of`; so no two draws wait for
    each other.
    """
    if draw.frozen is None:
        return
    frame = read_frame(office.blobs.read(draw.frozen.frame))
    reasons = {line.id: line.reason for line in frame if not line.eligible}
    year = office.workflow.load(Plan, draw.plan).year
    told = {
        *_drew(office, year, reasons, draw.frozen.as_of),
        *_visited(office, year, reasons, draw.frozen.as_of),
    }
    sealed = [id for id in sorted(told - {draw.id}) if office.workflow.load(Draw, id).status != "opened"]
    if sealed:
        raise EarlierDrawSealed(draws=sealed)


def _drew(office: Office, year: int, sites: Collection[str], as_of: int) -> Iterator[str]:
    """The draws that had drawn one of the sites in the year: one assignment of each is looked at."""
    known: dict[str, str] = {}
    for key, stream in office.claims.keys("drawn", f"{year}/"):
        _, site, draw_no = key.split("/")
        if site in sites and draw_no not in known and _was_there(office, stream, as_of):
            known[draw_no] = office.workflow.load(Assignment, stream).task.draw
    yield from known.values()


def _visited(office: Office, year: int, reasons: dict[str, str], as_of: int) -> Iterator[str]:
    """The draws whose visits brought an enterprise of the frame to its cap."""
    capped = [site for site, reason in reasons.items() if reason == "capped"]
    for uscc in {one.uscc for one in office.registries.enterprises(capped).values()}:
        for _, stream in office.claims.keys("visit", f"{year}/{uscc}/"):
            if _was_there(office, stream, as_of):
                yield office.workflow.load(Inspection, stream).visit.draw


def _was_there(office: Office, stream: str, as_of: int) -> bool:
    idx = cast(Log, office.workflow.recorder).locate(stream, 1)
    return idx is not None and idx <= as_of
