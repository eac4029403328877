"""Reading what sealed draws decided, other than their files: the reading is recorded, with its reason."""

from collections.abc import Collection

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.access import Access
from domain.assignment import Assignment
from domain.draw import Draw
from domain.inspection import Inspection

TELLING = ("revealed", "observed", "completed")
"""The states of a draw whose own stream lets anybody compute the result, or shows it."""


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


def sealed_draw(office: Office, stream: str) -> str:
    """The draw whose result a stream would tell before the opening, or ""."""
    kind, workflow = stream.rsplit("-", 1)[0], office.workflow
    if kind == "draw":
        return stream if workflow.load(Draw, stream).status in TELLING else ""
    if kind == "assignment":
        draw = workflow.load(Assignment, stream).task.draw
    elif kind == "inspection":
        draw = workflow.load(Inspection, stream).visit.draw
    else:
        return ""
    return draw if workflow.load(Draw, draw).status != "opened" else ""
