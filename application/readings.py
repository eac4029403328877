"""Reading what sealed draws decided, other than their files: the reading is recorded, with its reason."""

from collections.abc import Collection

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.access import Access
from domain.draw import Draw


def note_sealed_reading(office: Office, call: Call, draws: Collection[str], *, reason: str) -> Answer:
    """Record that somebody entitled reads of draws before they are opened; before anything is shown."""
    found = [office.workflow.load(Draw, draw) for draw in sorted(set(draws))]
    for draw in found:
        call.require("draw.read-sealed", draw.region)
    access = Access.note(
        call.act,
        id=office.chance.id("access"),
        kind="sealed-draw",
        subjects=tuple(draw.id for draw in found),
        reason=reason,
    )
    return office.workflow.commit(call, access)
