"""Assignments: recusals declared and decided, void sites replaced, as the draw's succession has it.

Every change of a team is a line of the draw's `changes.jsonl`; draw, assignment and inspection are
saved together.
"""

from collections.abc import Sequence

from application.draws import holdings, standing_of
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.assignment import AssignedTask, Assignment
from domain.draw import Draw
from domain.drawing.lines import Team, change_json
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.inspection import Inspection

DECIDERS = ("head", "collective")


class RecusalNotOwn(Forbidden):
    """An inspector declares recusal for himself only; facts: `inspector`."""

    code = "recusal-not-own"
    source = "行政处罚法 §43"


class DeciderRankWrong(Invalid):
    """A recusal is decided by the head, the head's own by the leaders' collective; facts: `decided_as`."""

    code = "decider-rank-wrong"
    source = "行政处罚法 §43"


class InspectionOpened(Conflict):
    """The inspection was opened: record what was found instead of voiding the site; facts: `inspection`."""

    code = "inspection-opened"


class BlobUnknown(Invalid):
    """The file was not uploaded; facts: `digest`."""

    code = "blob-unknown"


def require_blobs(office: Office, digests: Sequence[str], pointer: str) -> None:
    """Refuse with `BlobUnknown` what was not uploaded."""
    for digest in digests:
        if not office.blobs.has(digest):
            raise BlobUnknown(pointer, digest=digest)


def declare_recusal(
    office: Office, call: Call, id: str, *, inspector: str, ground: str, origin: str, detail: str
) -> Answer:
    """Declare a recusal; `origin` self needs the inspector's own account."""
    recusal = office.chance.id("recusal")
    assignment = office.workflow.load(Assignment, id)
    call.require("recusal.declare", assignment.task.region)
    if origin == "self" and call.actor.inspector != inspector:
        raise RecusalNotOwn("/inspector", inspector=inspector)
    office.workflow.expect(call, assignment)
    assignment.declare_recusal(
        call.act, recusal=recusal, inspector=inspector, ground=ground, origin=origin, detail=detail
    )
    return office.workflow.commit(call, assignment, also={"recusal": recusal})


def grant_recusal(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str
) -> Answer:
    """Free the seat and give it to the next in its succession."""

    def decide() -> Answer:
        assignment = _for_decision(office, call, id, decided_as)
        found = assignment.pending_recusal(call.act, recusal, decider=call.actor.inspector)
        draw = office.workflow.load(Draw, assignment.task.draw)
        change = standing_of(office, draw).recuse(assignment.task.site, found.inspector)
        draw.change(call.act, change=change_json(change))
        assignment.grant_recusal(
            call.act,
            recusal=recusal,
            decider=call.actor.inspector,
            substitute=change.substitute,
            reason=reason,
            decided_as=decided_as,
        )
        also = {"seat": found.seat, "filled": change.substitute is not None}
        inspection = open_inspection(office, id)
        if inspection is None:
            return office.workflow.commit(call, assignment, draw, also=also)
        inspection.change_seat(call.act, seat=found.seat, inspector=change.substitute)
        return office.workflow.commit(call, assignment, draw, inspection, also=also)

    return office.workflow.again(decide)


def refuse_recusal(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str
) -> Answer:
    """Leave the inspector on the team, with reasons."""
    assignment = _for_decision(office, call, id, decided_as)
    assignment.refuse_recusal(
        call.act, recusal=recusal, decider=call.actor.inspector, reason=reason, decided_as=decided_as
    )
    return office.workflow.commit(call, assignment)


def void_site(office: Office, call: Call, id: str, *, ground: str, evidence: Sequence[str]) -> Answer:
    """Take a site that is no longer there out of the draw; the next of its stratum's reserve follows."""

    def decide() -> Answer:
        assignment = office.workflow.load(Assignment, id)
        call.require("assignment.void", assignment.task.region)
        office.workflow.expect(call, assignment)
        require_blobs(office, evidence, "/evidence")
        opened = office.claims.holder("inspection", id)
        if opened is not None:
            raise InspectionOpened(inspection=opened)
        draw = office.workflow.load(Draw, assignment.task.draw)
        change = standing_of(office, draw).void(assignment.task.site)
        draw.change(call.act, change=change_json(change))
        follower = _replace(office, call, assignment, change.replacement, Team(change.id, change.seats))
        assignment.void_site(
            call.act, ground=ground, evidence=tuple(evidence), replacement=follower.id if follower else ""
        )
        others = (draw, follower) if follower else (draw,)
        also = {"replacement": follower.id if follower else ""}
        return office.workflow.commit(call, assignment, *others, also=also)

    return office.workflow.again(decide)


def open_inspection(office: Office, assignment: str) -> Inspection | None:
    """The inspection of an assignment, if it was opened."""
    stream = office.claims.holder("inspection", assignment)
    return None if stream is None else office.workflow.load(Inspection, stream)


def _for_decision(office: Office, call: Call, id: str, decided_as: str) -> Assignment:
    assignment = office.workflow.load(Assignment, id)
    call.require("recusal.decide", assignment.task.region)
    office.workflow.expect(call, assignment)
    if decided_as not in DECIDERS:
        raise DeciderRankWrong("/decided_as", decided_as=decided_as)
    return assignment


def _replace(
    office: Office, call: Call, voided: Assignment, replacement: str | None, team: Team
) -> Assignment | None:
    if replacement is None:
        return None
    owner = office.registries.enterprises([replacement]).get(replacement)
    if owner is None:
        raise NotFound(kind="site", id=replacement)
    before = voided.task
    task = AssignedTask(
        draw=before.draw,
        draw_no=before.draw_no,
        plan=before.plan,
        row=before.row,
        period=before.period,
        year=before.year,
        region=owner.region,
        site=replacement,
        uscc=owner.uscc,
        stratum=before.stratum,
        rank=before.rank,
        replaces=voided.id,
    )
    return Assignment.make(call.act, id=office.chance.id("assignment"), task=task, team=holdings(team))
