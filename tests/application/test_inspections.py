"""Inspections through the application: the gates of the law, and the ledger of violations behind a review."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from application import assignments, inspections, inspectors, items, violations
from application.authorisation import INSPECTOR
from application.draws import assignments_of
from application.inspections import ExemptionMissing, ExpertUnfit, FrequencyCapReached, OfficerUncertified
from domain.act import CHINA
from domain.assignment import Assignment
from domain.catalogue import ItemLapsed
from domain.draw import Draw
from domain.errors import ClaimTaken, Stale
from domain.inspection import IdentityNotShown, Inspection, NotInTeam, ReviewerOnTeam
from domain.inspector import Certificate, Inspector
from domain.item import Item
from domain.plan import StratumRule
from domain.results import ResultDisagrees
from domain.values import ItemResult
from domain.violation import CloserSubmitted, ClosingEvidenceMissing, DisposalWrong, Violation
from tests.journey import Journey, plan_row, provenance
from tests.office import Agency, actor


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    return Journey(sqlite_agency)


@pytest.fixture
def assignment(journey: Journey) -> str:
    return journey.assignments(journey.completed_draw())[0]


def test_an_assignment_has_one_inspection(journey: Journey, assignment: str) -> None:
    journey.opened(assignment)
    with pytest.raises(ClaimTaken) as refused:
        journey.opened(assignment)
    assert refused.value.facts["kind"] == "inspection"


def test_only_an_exempt_site_is_checked_off_site(journey: Journey, assignment: str) -> None:
    with pytest.raises(ExemptionMissing):
        inspections.open_inspection(
            journey.office,
            journey.call(journey.team(assignment)[0]),
            assignment=assignment,
            mode="off-site",
        )


def test_only_the_team_takes_the_task_up(journey: Journey, assignment: str) -> None:
    outsider = actor("outsider", INSPECTOR, inspector=journey.officers[0])
    if outsider.inspector in journey.load(Assignment, assignment).team.values():
        outsider = actor("outsider", INSPECTOR, inspector="")
    with pytest.raises(NotInTeam):
        inspections.open_inspection(
            journey.office, journey.call(outsider), assignment=assignment, mode="on-site"
        )


def test_an_officer_whose_certificate_ended_does_not_go(journey: Journey, assignment: str) -> None:
    officer = journey.team(assignment)[1].inspector
    facts = journey.load(Inspector, officer).facts
    ended = Certificate(valid_from=date(2023, 1, 1), valid_to=date(2024, 3, 31), areas=("140100",))
    inspectors.change_inspector(
        journey.office,
        journey.call(journey.people.officer),
        officer,
        facts=replace(facts, certificate=ended),
        provenance=provenance(),
    )
    with pytest.raises(OfficerUncertified):
        journey.opened(assignment)


@pytest.mark.parametrize("unfit", ["officer", "tied", "removed"])
def test_an_expert_without_a_tie_comes_along(journey: Journey, assignment: str, unfit: str) -> None:
    inspection = journey.opened(assignment)
    uscc = journey.load(Inspection, inspection).visit.uscc
    good = journey.expert(90)
    bad = (
        journey.officers[-1] if unfit == "officer" else journey.expert(91, related=[uscc] * (unfit == "tied"))
    )
    if unfit == "removed":
        inspectors.remove_inspector(
            journey.office, journey.call(journey.people.officer), bad, provenance=provenance()
        )
    leader = journey.call(journey.people.leader)
    with pytest.raises(ExpertUnfit) as refused:
        inspections.approve_inspection(
            journey.office, leader, inspection, approval_no="1", experts=[good, bad]
        )
    assert refused.value.facts == {"inspector": bad}
    inspections.approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[good])
    assert journey.load(Inspection, inspection).experts == {good}


def test_nothing_is_found_before_identity_is_shown(journey: Journey, assignment: str) -> None:
    inspection = journey.opened(assignment)
    with pytest.raises(IdentityNotShown):
        journey.found(inspection, journey.team(assignment)[0], "corrected")


def test_the_cap_is_checked_before_notice(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=1)
    every = (StratumRule(code="key", num=1, den=1),)
    rows = [plan_row(no=f"{n:02}", strata=every, redraw=True, visits_a_year=1) for n in (1, 2)]
    plan = journey.prepared(*rows)
    first, second = journey.drawn(plan, "01"), journey.drawn(plan, "02")
    journey.concluded(journey.assignments(first)[0])
    with pytest.raises(FrequencyCapReached) as refused:
        journey.identified(journey.assignments(second)[0])
    assert refused.value.facts["visits"] == 1


def test_a_capped_enterprise_is_not_eligible_in_the_next_frame(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=4)
    every = (StratumRule(code="key", num=1, den=1),)
    rows = [plan_row(no=f"{n:02}", strata=every, redraw=True, visits_a_year=1) for n in (1, 2)]
    plan = journey.prepared(*rows)
    first = journey.drawn(plan, "01")
    for assignment in journey.assignments(first):
        journey.concluded(assignment)
    second = journey.drawn(plan, "02")
    assert assignments_of(journey.office, journey.load(Draw, second)) == []


def test_an_urgent_visit_is_not_counted_and_needs_its_reason(journey: Journey, assignment: str) -> None:
    inspection = journey.opened(assignment)
    leader, lead = journey.call(journey.people.leader), journey.call(journey.team(assignment)[0])
    inspections.approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[])
    inspections.notify_site(journey.office, lead, inspection, urgent=True, reason="群众举报异味")
    assert not list(journey.office.claims.keys("visit"))


def test_the_primary_result_agrees_with_the_findings(journey: Journey, assignment: str) -> None:
    inspection = journey.identified(assignment)
    lead = journey.team(assignment)[0]
    journey.found(inspection, lead, "rectifying")
    record = journey.record(inspection)
    with pytest.raises(ResultDisagrees):
        inspections.conclude_inspection(journey.office, journey.call(lead), inspection, record=record)
    lines = (ItemResult("TY-01", "corrected"), ItemResult("TY-02", "none"))
    right = journey.record(inspection, primary="corrected", lines=lines)
    inspections.conclude_inspection(journey.office, journey.call(lead), inspection, record=right)


def test_the_result_is_due_twenty_working_days_after_the_visit(journey: Journey, assignment: str) -> None:
    inspection: Inspection = journey.load(Inspection, journey.concluded(assignment))
    assert inspection.publication is not None
    # 2 April 2024, then Qingming (4–6 April, 7 April worked) and Labour Day (1–5 May, 28 April worked).
    assert inspection.publication.day == date(2024, 4, 30)


def test_the_reviewer_is_outside_the_team(journey: Journey, assignment: str) -> None:
    inspection = journey.concluded(assignment)
    with pytest.raises(ReviewerOnTeam):
        inspections.review_inspection(
            journey.office, journey.call(journey.team(assignment)[1]), inspection, opinion="同意"
        )


def test_who_was_recused_before_the_visit_was_taken_up_does_not_judge_it(
    journey: Journey, assignment: str
) -> None:
    recusal, inspector = journey.recusal(assignment)
    assignments.grant_recusal(
        journey.office,
        journey.call(journey.people.leader),
        assignment,
        recusal=recusal,
        reason="近亲属在该企业任职",
        decided_as="head",
    )
    inspection = journey.concluded(assignment)
    recused = journey.call(journey.people.inspector(inspector))
    with pytest.raises(ReviewerOnTeam):
        inspections.review_inspection(journey.office, recused, inspection, opinion="完整")
    with pytest.raises(ReviewerOnTeam):
        inspections.return_record(journey.office, recused, inspection, reason="缺照片")


def test_nobody_publishes_in_time_by_saying_so_later(journey: Journey, assignment: str) -> None:
    inspection = journey.reviewed(assignment).id
    reviewed = journey.agency.clock.now()
    journey.agency.clock.advance(days=200)
    call = journey.call(journey.people.officer, occurred_at=reviewed + timedelta(days=1))
    inspections.publish_result(journey.office, call, inspection, channels=["公示系统"])
    (published,) = (one for one in journey.agency.events() if isinstance(one, Inspection.Published))
    assert published.occurred_at == reviewed + timedelta(days=1)
    assert published.published_on == (reviewed + timedelta(days=200)).astimezone(CHINA).date()


def test_a_review_enters_its_findings_in_the_violation_ledger(journey: Journey, assignment: str) -> None:
    answer = journey.reviewed(assignment, finding="rectifying")
    violation: Violation = journey.load(Violation, str(answer.also["violations"][0]))
    assert violation.matter.inspection == answer.id
    assert violation.disposal == "rectifying"


def test_a_returned_record_keeps_its_history(journey: Journey, assignment: str) -> None:
    inspection = journey.concluded(assignment)
    lead = journey.team(assignment)[0]
    call = journey.call(journey.people.second_officer)
    inspections.return_record(journey.office, call, inspection, reason="天气漏记")
    record = journey.record(inspection, weather="多云")
    inspections.conclude_inspection(journey.office, journey.call(lead), inspection, record=record)
    topics = [type(event).__name__ for event in journey.office.workflow.events.get(inspection)]
    assert topics[-3:] == ["Concluded", "Returned", "Concluded"]


def test_a_rectification_is_closed_by_another_on_evidence(journey: Journey, assignment: str) -> None:
    violation = journey.violation(assignment)
    submitter = journey.team(assignment)[0]
    violations.submit_rectification(
        journey.office,
        journey.call(submitter),
        violation,
        note="已整改",
        evidence=[journey.blob()],
        for_enterprise=True,
    )
    with pytest.raises(CloserSubmitted):
        violations.verify_rectification(
            journey.office, journey.call(submitter), violation, note="", evidence=[]
        )
    verifier, closer = journey.people.second_officer, journey.people.leader
    violations.verify_rectification(
        journey.office, journey.call(verifier), violation, note="属实", evidence=[]
    )
    with pytest.raises(ClosingEvidenceMissing):
        violations.close_violation(journey.office, journey.call(closer), violation, evidence=[], note="")
    violations.close_violation(
        journey.office, journey.call(closer), violation, evidence=[journey.blob()], note="销号"
    )
    assert journey.load(Violation, violation).status == "closed"


def test_what_was_corrected_on_the_spot_is_closed_by_none_who_recorded_it(
    journey: Journey, assignment: str
) -> None:
    violation = str(journey.reviewed(assignment, finding="corrected").also["violations"][0])
    lead = journey.team(assignment)[0]
    both = replace(lead, grants=(*lead.grants, *journey.people.officer.grants))
    with pytest.raises(CloserSubmitted):
        violations.close_violation(
            journey.office, journey.call(both), violation, evidence=[journey.blob()], note=""
        )
    officer = journey.call(journey.people.officer)
    violations.close_violation(journey.office, officer, violation, evidence=[journey.blob()], note="")


def test_a_violation_is_referred_by_a_letter_and_not_by_a_word(journey: Journey, assignment: str) -> None:
    violation = str(journey.reviewed(assignment, finding="rectifying").also["violations"][0])
    call = journey.call(journey.people.officer)
    with pytest.raises(DisposalWrong):
        violations.dispose_violation(journey.office, call, violation, disposal="referred", reason="属水务")


def test_an_old_version_of_the_visit_cannot_be_changed(journey: Journey, assignment: str) -> None:
    inspection = journey.opened(assignment)
    call = journey.call(journey.people.leader, expected=7)
    with pytest.raises(Stale):
        inspections.approve_inspection(journey.office, call, inspection, approval_no="1", experts=[])


def test_items_must_be_in_force_on_the_day(journey: Journey) -> None:

    journey.prepared()
    office, officer = journey.office, journey.people.officer
    held = dict(office.claims.keys("item-code", "140100/"))
    item = held["140100/TY-01"]

    facts = journey.load(Item, item).facts
    lapsing = replace(facts, bases=(replace(facts.bases[0], effective_to=date(2024, 4, 2)),))
    items.revise_item(office, journey.call(officer), item, facts=lapsing, reason="法律修订")
    items.publish_catalogue(office, journey.call(journey.people.leader), region="140100")
    plan = next(stream for _, stream in office.claims.keys("plan"))
    assignment = journey.assignments(journey.drawn(plan))[0]
    journey.agency.clock.advance(days=3)
    with pytest.raises(ItemLapsed):
        journey.opened(assignment)


def test_an_order_given_in_time_may_be_recorded_after_its_day(journey: Journey, assignment: str) -> None:
    violation = str(journey.reviewed(assignment, finding="rectifying").also["violations"][0])
    given = journey.agency.clock.now()
    journey.agency.clock.advance(days=60)
    violations.order_rectification(
        journey.office,
        journey.call(journey.people.officer, occurred_at=given),
        violation,
        number="晋环责改〔2024〕9号",
        requirements="恢复运行",
        due_on=None,
    )
    order = journey.load(Violation, violation).order
    assert order.deadline.due < journey.agency.clock.now()
