"""Reading what sealed draws decided, other than their files: the reading is recorded, with its reason."""

from collections.abc import Collection

import msgspec

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.access import Access
from domain.assignment import Assignment
from domain.draw import Draw
from domain.errors import Forbidden
from domain.inspection import Inspection
from domain.recheck import Recheck

TELLING = ("sealed", "revealed", "observed", "completed")
"""The states of a draw in which its stream may tell what nobody should know yet; see `tells`."""

OVER = ("concluded", "reviewed", "published", "withheld")
"""The states of an inspection whose visit is over: from then on it is no secret in the agency."""


class DrawSealed(Forbidden):
    """The result is sealed until the draw is opened; facts: `draw`."""

    code = "draw-sealed"


def tells(draw: Draw) -> bool:
    """Whether the draw's own stream holds a secret, or the result itself, that is not public yet.

    From the first secret on: with it, and with one that he holds himself, somebody could compute the
    result as soon as the public value is there, without asking for it. A supplementary draw's frame is made
    of sites that another draw drew: it tells of them from its seal on.
    """
    return draw.status in TELLING and (bool(draw.secrets) or draw.missing is not None)


def require_for(office: Office, call: Call, permission: str, matter: Assignment | Inspection) -> None:
    """Refuse with `PermissionMissing` who may not do this to the assignment or inspection.

    Of who is not on its team it is asked for in `region_asked`.
    """
    own = bool(call.actor.inspector) and call.actor.inspector in holders(matter)
    call.require(permission, _site_region(matter) if own else region_asked(office, matter))


def region_asked(office: Office, matter: Assignment | Inspection) -> str:
    """Where a permission on it is needed: where the site lies, once that is no secret any more.

    Before, it is the region of the draw, which is the same for all that the draw made: asked for where
    the site lies, a refusal would tell where that is.
    """
    over = isinstance(matter, Inspection) and matter.status in OVER
    draw = office.workflow.load(Draw, _draw_of(matter))
    return _site_region(matter) if over or draw.status == "opened" else draw.region


def holders(matter: Assignment | Inspection) -> frozenset[str]:
    """The inspectors who have the task now, and experts who come along."""
    people = matter.members() if isinstance(matter, Inspection) else matter.team.values()
    return frozenset(one for one in people if one)


def _draw_of(matter: Assignment | Inspection) -> str:
    return matter.visit.draw if isinstance(matter, Inspection) else matter.task.draw


def _site_region(matter: Assignment | Inspection) -> str:
    return matter.visit.region if isinstance(matter, Inspection) else matter.task.region


def note_sealed_reading(office: Office, call: Call, draws: Collection[str], *, reason: str) -> Answer:
    """Record that somebody entitled reads of draws before they are opened; before anything is shown."""
    found = [office.workflow.load(Draw, draw) for draw in sorted(set(draws))]
    for draw in found:
        call.require("draw.read-sealed", draw.region)
    return note_readings(office, call, tuple(draw.id for draw in found), reason=reason)


def note_readings(office: Office, call: Call, subjects: tuple[str, ...], *, reason: str) -> Answer:
    """Record that somebody reads what sealed draws decided; who may is for the caller to ask."""
    access = Access.note(
        call.act, id=office.chance.id("access"), kind="sealed-draw", subjects=subjects, reason=reason
    )
    return office.workflow.commit(call, access)


def note_asking(office: Office, call: Call, assignment: Assignment, *, reason: str) -> None:
    """Record that somebody outside the team names one of a sealed team.

    The answer tells whether the guess was right, as a reading would: it is recorded as one, first.
    """
    draw = office.workflow.load(Draw, assignment.task.draw)
    if draw.status == "opened" or call.actor.inspector in holders(assignment):
        return
    asking = msgspec.structs.replace(call, retry=None, expected=None)
    note_readings(office, asking, (draw.id,), reason=reason)


def sealed_draw(office: Office, stream: str) -> str:
    """The draw whose result a stream would tell before the opening, or ""."""
    kind, workflow = stream.rsplit("-", 1)[0], office.workflow
    if kind == "draw":
        return stream if tells(workflow.load(Draw, stream)) else ""
    if kind == "assignment":
        draw = workflow.load(Assignment, stream).task.draw
    elif kind == "inspection":
        draw = workflow.load(Inspection, stream).visit.draw
    elif kind == "recheck":
        draw = workflow.load(Recheck, stream).task.draw
    else:
        return ""
    return draw if workflow.load(Draw, draw).status != "opened" else ""
