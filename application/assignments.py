"""Assignments: recusals declared and decided, void sites replaced, as the draw's succession has it.

Every change of a team is a line of the draw's `changes.jsonl`; draw, assignment and inspection are
saved together.
"""

from collections.abc import Sequence

from application.draws import holdings, standing_of
from application.evidence import require_blobs
from application.missing_seats import open_inspection, require_no_supplement
from application.office import Office
from application.ports import Answer, Quiet
from application.readings import note_asking, region_asked, require_for
from application.recusals import require_declarer, require_rank
from application.workflow import Beside, Call
from domain.assignment import AssignedTask, Assignment, Recusal
from domain.draw import Draw
from domain.drawing.lines import Team, change_json
from domain.errors import Conflict, NotFound

TOLD = ("notified", "identified", "concluded", "reviewed", "published", "withheld")
"""An inspection of which the site knows."""


class InspectionOpened(Conflict):
    """The inspection was opened: record what was found instead of voiding the site; facts: `inspection`."""

    code = "inspection-opened"


def declare_recusal(
    office: Office, call: Call, id: str, *, inspector: str, ground: str, origin: str, detail: str
) -> Answer:
    """Declare a recusal; who may with which `origin` is said by `require_declarer`.

    An enterprise can only once it was told of the visit: before, the assignment is unknown to it.
    """
    recusal = office.chance.id("recusal")
    assignment = office.workflow.load(Assignment, id)
    _require_told(office, call, assignment)
    region = region_asked(office, assignment)
    require_declarer(call, origin, inspector=inspector, uscc=assignment.task.uscc, region=region)
    office.workflow.expect(call, assignment)
    if not call.actor.enterprise:
        note_asking(office, call, assignment, reason=f"{ground}: {detail}")
    assignment.declare_recusal(
        call.act, recusal=recusal, inspector=inspector, ground=ground, origin=origin, detail=detail
    )
    return office.workflow.commit(call, assignment, also={"recusal": recusal})


def withdraw_recusal(office: Office, call: Call, id: str, *, recusal: str, reason: str) -> Answer:
    """Take a recusal back before it is decided, as who declared it."""

    def decide(assignment: Assignment) -> None:
        _require_told(office, call, assignment)
        call.require("recusal.declare", None)
        assignment.withdraw_recusal(call.act, recusal=recusal, reason=reason)

    return office.workflow.change(call, Assignment, id, decide)


def grant_recusal(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str, minutes: str = ""
) -> Answer:
    """Free the seat and give it to the next in its succession."""

    def decide() -> Answer:
        assignment, found = _for_decision(office, call, id, recusal, decided_as, minutes)
        draw = office.workflow.load(Draw, assignment.drawn_by(found.seat))
        quiet = _no_supplement(office, assignment)
        substitute = _follow(office, call, draw, assignment, found)
        assignment.grant_recusal(
            call.act,
            recusal=recusal,
            decider=call.actor.inspector,
            substitute=substitute,
            reason=reason,
            decided_as=decided_as,
            minutes=minutes,
        )
        also = {"seat": found.seat, "filled": substitute is not None}
        inspection = open_inspection(office, id)
        if inspection is None:
            return office.workflow.commit(call, assignment, draw, beside=quiet, also=also)
        inspection.change_seat(call.act, seat=found.seat, inspector=substitute)
        return office.workflow.commit(call, assignment, draw, inspection, beside=quiet, also=also)

    return office.workflow.again(decide)


def refuse_recusal(
    office: Office, call: Call, id: str, *, recusal: str, reason: str, decided_as: str, minutes: str = ""
) -> Answer:
    """Leave the inspector on the team, with reasons."""
    assignment, _ = _for_decision(office, call, id, recusal, decided_as, minutes)
    assignment.refuse_recusal(
        call.act,
        recusal=recusal,
        decider=call.actor.inspector,
        reason=reason,
        decided_as=decided_as,
        minutes=minutes,
    )
    return office.workflow.commit(call, assignment)


def ask_void(office: Office, call: Call, id: str, *, ground: str, evidence: Sequence[str]) -> Answer:
    """Say, with evidence, that a drawn site is no longer there; somebody else decides on it."""

    def decide(assignment: Assignment) -> None:
        require_for(office, call, "assignment.void", assignment)
        require_blobs(office, evidence, "/evidence")
        _require_unopened(office, id)
        assignment.ask_void(call.act, ground=ground, evidence=tuple(evidence))

    return office.workflow.change(call, Assignment, id, decide)


def refuse_void(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Leave the site in the draw, as somebody else than who asked."""

    def decide(assignment: Assignment) -> None:
        require_for(office, call, "assignment.decide-void", assignment)
        assignment.refuse_void(call.act, reason=reason)

    return office.workflow.change(call, Assignment, id, decide)


def void_site(office: Office, call: Call, id: str) -> Answer:
    """Take the site out of the draw, as somebody else than who asked; the next of its reserve follows.

    `reserve_spent` in the answer says that there is no next one.
    """

    def decide() -> Answer:
        assignment = office.workflow.load(Assignment, id)
        require_for(office, call, "assignment.decide-void", assignment)
        office.workflow.expect(call, assignment)
        _require_unopened(office, id)
        assignment.asked_void(call.act)
        draw = office.workflow.load(Draw, assignment.task.draw)
        quiet = _no_supplement(office, assignment)
        change = standing_of(office, draw).void(assignment.task.site)
        draw.change(call.act, change=change_json(change))
        follower = _replace(office, call, assignment, change.replacement, Team(change.id, change.seats))
        assignment.void_site(call.act, replacement=follower.id if follower else "")
        others = (draw, follower) if follower else (draw,)
        also = {"replacement": follower.id if follower else "", "reserve_spent": follower is None}
        return office.workflow.commit(call, assignment, *others, beside=quiet, also=also)

    return office.workflow.again(decide)


def _no_supplement(office: Office, assignment: Assignment) -> Beside:
    """Refuse while a supplementary draw is about the site; none is sealed until the decision is written."""
    since = (office.workflow.recorder.max_notification_id() or 0) - 1
    first = office.workflow.load(Draw, assignment.task.draw)
    require_no_supplement(office, first, assignment.task.site)
    return Beside(quiet=Quiet(since=since, prefixes=("draw.sealed.",)))


def _follow(office: Office, call: Call, draw: Draw, assignment: Assignment, found: Recusal) -> str | None:
    """Who follows by the succession of the draw that filled the seat; each step is a line of its changes.

    That draw does not know of seats which another draw filled here, nor of who had to give one of them up:
    whoever has or had such a seat is passed over, by giving up this one at once.
    """
    standing, site = standing_of(office, draw), assignment.task.site
    away = {holder for seat, holder in assignment.team.items() if seat != found.seat} | assignment.recused
    change = standing.recuse(site, found.inspector)
    draw.change(call.act, change=change_json(change))
    while change.substitute is not None and change.substitute in away:
        change = standing.recuse(site, change.substitute)
        draw.change(call.act, change=change_json(change))
    return change.substitute


def _require_unopened(office: Office, assignment: str) -> None:
    opened = office.claims.holder("inspection", assignment)
    if opened is not None:
        raise InspectionOpened(inspection=opened)


def _require_told(office: Office, call: Call, assignment: Assignment) -> None:
    """To an enterprise an assignment that is not its own, or of which it was not told, does not exist."""
    if not call.actor.enterprise:
        return
    inspection = open_inspection(office, assignment.id)
    told = inspection is not None and inspection.status in TOLD
    if not told or assignment.task.uscc != call.actor.enterprise:
        raise NotFound(kind="assignment", id=assignment.id)


def _for_decision(
    office: Office, call: Call, id: str, recusal: str, decided_as: str, minutes: str
) -> tuple[Assignment, Recusal]:
    assignment = office.workflow.load(Assignment, id)
    require_for(office, call, "recusal.decide", assignment)
    office.workflow.expect(call, assignment)
    found = assignment.pending_recusal(call.act, recusal, decider=call.actor.inspector)
    require_rank(office, call, inspector=found.inspector, decided_as=decided_as, minutes=minutes)
    return assignment, found


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
