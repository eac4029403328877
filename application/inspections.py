"""Inspections: one step a verb, each by the person the law names."""

from collections.abc import Collection, Sequence
from datetime import date

from application.evidence import require_blobs
from application.items import catalogue_of
from application.office import Office
from application.ports import Answer
from application.readings import require_for
from application.workflow import Call
from domain.act import CHINA
from domain.assignment import Assignment, AssignmentEnded
from domain.deadlines import due
from domain.draw import Draw
from domain.errors import ClaimTaken, Conflict
from domain.inspection import (
    Evidence,
    Finding,
    Inspection,
    NotInTeam,
    Record,
    ReviewerOnTeam,
    Visit,
)
from domain.inspector import Inspector
from domain.plan import Plan
from domain.values import Holding
from domain.violation import Matter, Violation


class FrequencyCapReached(Conflict):
    """The enterprise has had its visits of the year; facts: `uscc`, `visits`, `cap`."""

    code = "frequency-cap-reached"
    rule = "sampling.frequency-cap"
    source = "晋环函〔2024〕416号 二（三）"


class ExemptionMissing(Conflict):
    """Only a site that is exempt from visits is checked off site; facts: `site`."""

    code = "exemption-missing"
    source = "晋环函〔2024〕416号 二（六）"


class ExpertUnfit(Conflict):
    """Not an expert of the registry, or one with a tie to the enterprise; facts: `inspector`."""

    code = "expert-unfit"
    source = "行政处罚法 §43"


class OfficerUncertified(Conflict):
    """An officer's certificate is not valid on the day in the area; facts: `inspector`, `day`."""

    code = "officer-uncertified"
    rule = "inspection.certificate"
    source = "行政处罚法 §42"


def open_inspection(office: Office, call: Call, *, assignment: str, mode: str) -> Answer:
    """Take a task up, as an officer of its team; the row's items must be published and in force today.

    Mode `off-site` is for sites exempt from visits; no exemption can be recorded yet, so it is refused.
    """
    task = office.workflow.load(Assignment, assignment)
    require_for(office, call, "inspection.conduct", task)
    _require_own(call, task.team.values())
    if task.status != "assigned":
        raise AssignmentEnded(assignment=assignment)
    if mode == "off-site":
        raise ExemptionMissing("/mode", site=task.task.site)
    plan = office.workflow.load(Plan, task.task.plan)
    row = plan.published_row(task.task.row)
    draw = office.workflow.load(Draw, task.task.draw)
    visit = Visit(
        assignment=task.id,
        draw=draw.id,
        draw_no=draw.draw_no,
        plan=plan.id,
        row=row.no,
        period=row.period,
        year=plan.year,
        site=task.task.site,
        uscc=task.task.uscc,
        region=task.task.region,
        stratum=task.task.stratum,
        mode=mode,
        items=catalogue_of(office, plan.region).checked(row.items, call.act.day),
    )
    _require_certified(office, task.team.values(), call.act.day, task.task.region)
    team = tuple(Holding(seat, inspector) for seat, inspector in task.team.items())
    inspection = Inspection.open(call.act, id=office.chance.id("inspection"), visit=visit, team=team)
    return office.workflow.commit(call, inspection)


def approve_inspection(
    office: Office, call: Call, id: str, *, approval_no: str, experts: Sequence[str]
) -> Answer:
    """Approve a visit and name the experts who assist."""

    def decide(inspection: Inspection) -> None:
        require_for(office, call, "inspection.approve", inspection)
        for expert in experts:
            _require_fit(office.workflow.load(Inspector, expert), inspection.visit.uscc)
        inspection.approve(call.act, approval_no=approval_no, experts=experts)

    return office.workflow.change(call, Inspection, id, decide)


def notify_site(office: Office, call: Call, id: str, *, urgent: bool, reason: str) -> Answer:
    """Tell the site, or record the urgent reason. The visit is counted against the frequency cap first.

    Statutory urgency does not count (rules.md, “Sampling”).
    """

    def decide(inspection: Inspection) -> None:
        visit = inspection.visit
        _require_conducting(office, call, inspection)
        counted = visit.mode == "on-site" and not urgent
        slot = _free_slot(office, inspection) if counted else ""
        inspection.notify(call.act, urgent=urgent, reason=reason, visit_slot=slot)

    for _ in range(3):
        try:
            return office.workflow.change(call, Inspection, id, decide)
        except ClaimTaken as taken:
            if taken.facts["kind"] != "visit":
                raise
    return office.workflow.change(call, Inspection, id, decide)


def _free_slot(office: Office, inspection: Inspection) -> str:
    visit = inspection.visit
    cap = office.workflow.load(Plan, visit.plan).row(visit.row).visits_a_year
    prefix = f"{visit.year}/{visit.uscc}/"
    visits = sum(1 for _ in office.claims.keys("visit", prefix))
    if visits >= cap:
        raise FrequencyCapReached(uscc=visit.uscc, visits=visits, cap=cap)
    return f"{prefix}{visits + 1}"


def show_identity(office: Office, call: Call, id: str, *, rights_told: bool, purpose_told: bool) -> Answer:
    """Record that the team's officers showed valid certificates and told purpose and rights."""

    def decide(inspection: Inspection) -> None:
        _require_conducting(office, call, inspection)
        certified = [
            one
            for one in inspection.officers()
            if office.workflow.load(Inspector, one).certified(call.act.day, inspection.visit.region)
        ]
        inspection.show_identity(
            call.act,
            inspector=call.actor.inspector,
            certified=certified,
            rights_told=rights_told,
            purpose_told=purpose_told,
        )

    return office.workflow.change(call, Inspection, id, decide)


def add_evidence(office: Office, call: Call, id: str, *, evidence: Evidence) -> Answer:
    """Add an uploaded blob as evidence."""

    def decide(inspection: Inspection) -> None:
        _require_conducting(office, call, inspection)
        require_blobs(office, [evidence.digest], "/digest")
        inspection.add_evidence(call.act, inspector=call.actor.inspector, evidence=evidence)

    return office.workflow.change(call, Inspection, id, decide)


def record_finding(
    office: Office,
    call: Call,
    id: str,
    *,
    item: str,
    category: str,
    description: str,
    disposal: str,
    evidence: Sequence[str],
) -> Answer:
    """Record a problem on one of the visit's items."""

    def decide(inspection: Inspection) -> None:
        _require_conducting(office, call, inspection)
        inspection.record_finding(
            call.act,
            inspector=call.actor.inspector,
            item=item,
            category=category,
            description=description,
            disposal=disposal,
            evidence=evidence,
        )

    return office.workflow.change(call, Inspection, id, decide)


def withdraw_finding(office: Office, call: Call, id: str, *, no: int, reason: str) -> Answer:
    """Take a wrong finding back before the record is concluded; it stays in the history."""

    def decide(inspection: Inspection) -> None:
        _require_conducting(office, call, inspection)
        inspection.withdraw_finding(call.act, inspector=call.actor.inspector, no=no, reason=reason)

    return office.workflow.change(call, Inspection, id, decide)


def conclude_inspection(office: Office, call: Call, id: str, *, record: Record) -> Answer:
    """Complete and sign the record; from this day the result's publication is due."""

    def decide(inspection: Inspection) -> None:
        _require_conducting(office, call, inspection)
        deadline = due(
            office.rules(call.act.day).period("result-published"),
            record.ended_at.astimezone(CHINA).date(),
            office.calendar,
        )
        inspection.conclude(call.act, inspector=call.actor.inspector, record=record, publication=deadline)

    return office.workflow.change(call, Inspection, id, decide)


def return_record(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Send a record back to its team, as a reviewer outside it."""

    def decide(inspection: Inspection) -> None:
        require_for(office, call, "inspection.review", inspection)
        _require_unrecused(office, call, inspection)
        inspection.send_back(call.act, inspector=call.actor.inspector, reason=reason)

    return office.workflow.change(call, Inspection, id, decide)


def review_inspection(office: Office, call: Call, id: str, *, opinion: str) -> Answer:
    """Find a record in order; each of its findings becomes a row of the violation ledger at once."""
    inspection = office.workflow.load(Inspection, id)
    require_for(office, call, "inspection.review", inspection)
    office.workflow.expect(call, inspection)
    _require_unrecused(office, call, inspection)
    inspection.review(call.act, inspector=call.actor.inspector, opinion=opinion)
    violations = [_violation(office, call, inspection, finding) for finding in inspection.findings.values()]
    also = {"violations": [violation.id for violation in violations]}
    return office.workflow.commit(call, inspection, *violations, also=also)


def _violation(office: Office, call: Call, inspection: Inspection, finding: Finding) -> Violation:
    visit = inspection.visit
    matter = Matter(
        inspection=inspection.id,
        finding=finding.no,
        site=visit.site,
        uscc=visit.uscc,
        region=visit.region,
        period=visit.period,
        item=finding.item,
        category=finding.category,
        description=finding.description,
    )
    return Violation.open(
        call.act,
        id=office.chance.id("violation"),
        matter=matter,
        disposal=finding.disposal,
        owner=call.act.by,
        evidence=finding.evidence,
    )


def publish_result(office: Office, call: Call, id: str, *, channels: Sequence[str]) -> Answer:
    """Make a reviewed result public."""

    def decide(inspection: Inspection) -> None:
        require_for(office, call, "inspection.publish", inspection)
        inspection.publish(call.act, published_on=call.act.taken_on, channels=channels)

    return office.workflow.change(call, Inspection, id, decide)


def withhold_result(office: Office, call: Call, id: str, *, ground: str, reason: str) -> Answer:
    """Lawfully keep a reviewed result from the public; the head decides it."""

    def decide(inspection: Inspection) -> None:
        require_for(office, call, "inspection.approve", inspection)
        inspection.withhold(call.act, ground=ground, reason=reason)

    return office.workflow.change(call, Inspection, id, decide)


def _require_conducting(office: Office, call: Call, inspection: Inspection) -> None:
    """Refuse who is not an officer of the team, before anything else is looked at that would tell of it."""
    require_for(office, call, "inspection.conduct", inspection)
    _require_own(call, inspection.officers())


def _require_own(call: Call, officers: Collection[str | None]) -> None:
    if not call.actor.inspector or call.actor.inspector not in officers:
        raise NotInTeam(inspector=call.actor.inspector)


def _require_fit(expert: Inspector, uscc: str) -> None:
    tied = any(relation.uscc == uscc for relation in expert.facts.relations)
    if expert.facts.kind != "expert" or expert.status != "listed" or tied:
        raise ExpertUnfit("/experts", inspector=expert.id)


def _require_unrecused(office: Office, call: Call, inspection: Inspection) -> None:
    """Who was recused before the inspection was opened never sat on its team, and still must not judge it."""
    if call.actor.inspector in office.workflow.load(Assignment, inspection.visit.assignment).recused:
        raise ReviewerOnTeam()


def _require_certified(office: Office, officers: Collection[str | None], day: date, region: str) -> None:
    for officer in officers:
        if officer and not office.workflow.load(Inspector, officer).certified(day, region):
            raise OfficerUncertified(inspector=officer, day=day)
