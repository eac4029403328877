"""What the completion of a re-check lottery makes, and what must be done before its bundle is opened."""

from application.office import Office
from application.workflow import Call
from domain.draw import Draw
from domain.drawing.bundle import CompletedFiles
from domain.drawing.lines import read_frame
from domain.errors import Conflict
from domain.recheck import DrawnClosing, Recheck
from domain.values import Holding
from domain.violation import Violation


class RecheckSealed(Conflict):
    """The frame would tell what another re-check drew that is not opened yet; facts: `draws`."""

    code = "recheck-sealed"


def make_rechecks(office: Office, call: Call, draw: Draw, files: CompletedFiles) -> list[Recheck]:
    """One for each drawn closing, in streams with fresh random names and in their order.

    Nothing is written to the violations' own streams: they are read by owners and enterprises.
    """
    teams = {team.id: team for team in files.outcome.teams}
    made = []
    for drawn in files.outcome.sample:
        task = DrawnClosing(
            draw=draw.id,
            draw_no=draw.draw_no,
            region=draw.region,
            period=draw.period,
            violation=drawn.id,
            closing=office.workflow.load(Violation, drawn.id).closings,
            rank=drawn.rank,
        )
        team = [Holding(seated.seat, seated.inspector) for seated in teams[drawn.id].seats]
        made.append(Recheck.draw(call.act, id=office.chance.id("recheck"), task=task, team=team))
    return sorted(made, key=lambda one: one.id)


def rechecks_of(office: Office, draw: Draw) -> list[str]:
    """The re-checks that a draw made."""
    return [stream for _, stream in office.claims.keys("recheck-of-draw", f"{draw.draw_no}/")]


def open_rechecks(office: Office, draw: Draw) -> list[str]:
    """Those of them that were not carried out yet."""
    return [id for id in rechecks_of(office, draw) if not office.workflow.load(Recheck, id).outcome]


def require_rechecks_opened(office: Office, draw: Draw) -> None:
    """Refuse with `RecheckSealed` while the draw's frame names closings that another, sealed one drew."""
    if draw.frozen is None:
        return
    frame = read_frame(office.blobs.read(draw.frozen.frame))
    reasons = {line.id for line in frame if line.reason == "drawn"}
    told = {
        office.workflow.load(Recheck, stream).task.draw
        for violation in sorted(reasons)
        for _, stream in office.claims.keys("recheck", f"{violation}/")
    }
    sealed = [id for id in sorted(told - {draw.id}) if _is_earlier(office.workflow.load(Draw, id), draw)]
    if sealed:
        raise RecheckSealed(draws=sealed)


def _is_earlier(other: Draw, draw: Draw) -> bool:
    """Whether the other is sealed still and older than this frame: so no two wait for each other."""
    if other.status == "opened" or other.frozen is None or draw.frozen is None:
        return False
    return other.frozen.as_of < draw.frozen.as_of
