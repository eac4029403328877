"""Who sees what of a draw that is not opened yet, so that nobody is tipped off before the visit.

An assigned inspector sees his own tasks. A visit that is over is no secret any more for those who may read
inspections. Everything else of a sealed draw is read by `draw.read-sealed`, with a reason that is recorded.
"""

from api.access import Asked
from application.readings import OVER, DrawSealed, holders
from domain.assignment import Assignment
from domain.draw import Draw
from domain.inspection import Inspection


def require_assignment(asked: Asked, assignment: Assignment) -> None:
    """Refuse with `DrawSealed` or `PermissionMissing` who may not see the assignment now.

    Sealed comes first: a refusal by region would tell where the site lies.
    """
    if _own(asked, assignment):
        return
    require_opened(asked, assignment.task.draw)
    asked.require("assignment.read", assignment.task.region)


def require_inspection(asked: Asked, inspection: Inspection) -> None:
    """Refuse with `DrawSealed` or `PermissionMissing` who may not see the inspection now."""
    if _own(asked, inspection):
        return
    if inspection.status not in OVER:
        require_opened(asked, inspection.visit.draw)
    asked.require("inspection.read", inspection.visit.region)


def require_opened(asked: Asked, draw: str) -> None:
    """Refuse with `DrawSealed` unless the draw is opened."""
    if asked.office.workflow.load(Draw, draw).status != "opened":
        raise DrawSealed(draw=draw)


def _own(asked: Asked, matter: Assignment | Inspection) -> bool:
    return bool(asked.actor.inspector) and asked.actor.inspector in holders(matter)
