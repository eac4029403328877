"""The re-check lottery: announced like any draw; what the lot fell on is looked at again by its team."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from application.draws import attempts_of, numbered
from application.evidence import require_blobs
from application.office import Office
from application.ports import Answer
from application.readings import DrawSealed, note_readings
from application.workflow import Call
from domain.act import persons_of
from domain.aggregate import DomainEvent
from domain.deadlines import Deadline, due
from domain.deadlines import due_on as fixed_day
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.identifiers import check_region
from domain.inspection import Inspection
from domain.recheck import REOPENED, Recheck, RecheckNotYours
from domain.recheck_draw import announce_recheck
from domain.recheck_terms import recheck_key, recheck_terms
from domain.violation import Violation

SHARE: Final = "recheck-share"
"""The number of the rulebook: how many of a hundred closed violations are looked at again."""


def announce_recheck_draw(
    office: Office,
    call: Call,
    *,
    region: str,
    period: str,
    contributors: Sequence[Contributor],
    public_source: Mapping[str, Any],
) -> Answer:
    """Announce the re-check of a quarter's closings; everything after is as for any draw."""

    def decide() -> Answer:
        call.require("draw.run", region)
        rules = office.rules(call.act.day)
        check_region(region)
        attempts = attempts_of(office, recheck_key(region, period))
        draw = announce_recheck(
            call.act,
            id=office.chance.id("draw"),
            log=office.ledger.origin,
            draw_no=office.claims.highest("draw-no") + 1,
            attempt=len(attempts) + 1,
            previous=attempts[-1] if attempts else "",
            region=region,
            period=period,
            terms=recheck_terms(period, rules.number(SHARE)),
            contributors=contributors,
            public_source=public_source,
            rulebook=rules.version,
        )
        return office.workflow.commit(call, draw, also={"draw_no": draw.draw_no, "attempt": draw.attempt})

    return numbered(decide)


def carry_out_recheck(
    office: Office,
    call: Call,
    id: str,
    *,
    outcome: str,
    note: str,
    evidence: Sequence[str],
    due_on: date | None = None,
) -> Answer:
    """Record what the team saw. A closing that failed opens the violation again, in the same append.

    An order stands again with the day `due_on`, or by the rulebook's period for rectifying.
    """
    recheck = office.workflow.load(Recheck, id)
    violation = office.workflow.load(Violation, recheck.task.violation)
    _require_team(office, call, recheck, violation)
    office.workflow.expect(call, recheck)
    require_blobs(office, evidence, "/evidence")
    recheck.carry_out(call.act, outcome=outcome, note=note, evidence=evidence)
    stands = outcome == REOPENED and violation.order is not None
    violation.record_recheck(
        call.act,
        recheck=recheck.id,
        outcome=outcome,
        note=note,
        evidence=evidence,
        deadline=_deadline(office, call, due_on) if stands or due_on is not None else None,
    )
    return office.workflow.commit(call, recheck, violation, also={"violation_status": violation.status})


def require_recheck(office: Office, call: Call, recheck: Recheck) -> None:
    """Refuse with `DrawSealed` or `PermissionMissing` who may not see it: first its team alone."""
    if call.actor.inspector and call.actor.inspector in recheck.members:
        return
    if office.workflow.load(Draw, recheck.task.draw).status != "opened":
        raise DrawSealed(draw=recheck.task.draw)
    call.require("violation.read", recheck.task.region)


def read_sealed_recheck(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Record that somebody entitled reads a re-check before the opening."""
    recheck = office.workflow.load(Recheck, id)
    call.require("draw.read-sealed", recheck.task.region)
    return note_readings(office, call, (recheck.task.draw,), reason=reason)


def _require_team(office: Office, call: Call, recheck: Recheck, violation: Violation) -> None:
    """The team; where the lot filled no seat, whoever may and had nothing to do with the violation."""
    inspector = call.actor.inspector
    call.require("recheck.record", None if inspector in recheck.members else recheck.task.region)
    if recheck.members and inspector not in recheck.members:
        raise RecheckNotYours()
    if not recheck.members and call.act.persons & _concerned(office, violation):
        raise RecheckNotYours()


def _concerned(office: Office, violation: Violation) -> set[str]:
    """The accounts that recorded something of the violation or of its visit."""
    persons = set(office.workflow.load(Inspection, violation.matter.inspection).recorders)
    for event in office.workflow.events.get(violation.id):
        if isinstance(event, DomainEvent):
            persons |= persons_of(event.by, event.on_behalf_of)
    return persons


def _deadline(office: Office, call: Call, day: date | None) -> Deadline:
    rules = office.rules(call.act.day)
    if day is not None:
        return fixed_day("order", rules.version, day)
    return due(rules.period("rectification"), call.act.day, office.calendar)
