"""Taking the states of the log out, for auditors: recorded with its reason before anything is given."""

from typing import Final

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.access import Access
from domain.draw import Draw
from domain.errors import Unavailable

PERMISSION: Final = "ledger.export"


class ExportsBusy(Unavailable):
    """As many public exports as may be sent at a time are being sent."""

    code = "ledger-exports-busy"


def note_export(
    office: Office, call: Call, region: str, *, reason: str, sealed: tuple[str, ...] = ()
) -> Answer:
    """Record that somebody takes out the states of the whole log, of which `region` is the installation's.

    `sealed` are the draws not opened yet whose results are told as well: each needs its own permission, and
    is recorded as read. `PermissionMissing`, `ReadingReasonMissing`.
    """
    call.require(PERMISSION, region)
    for draw in sealed:
        call.require("draw.read-sealed", office.workflow.load(Draw, draw).region)
    readings = [_noted(office, call, "states", (office.ledger.origin,), reason)]
    if sealed:
        readings.append(_noted(office, call, "sealed-draw", sealed, reason))
    return office.workflow.commit(call, *readings)


def _noted(office: Office, call: Call, kind: str, subjects: tuple[str, ...], reason: str) -> Access:
    return Access.note(call.act, id=office.chance.id("access"), kind=kind, subjects=subjects, reason=reason)
