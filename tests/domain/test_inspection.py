"""An inspection at the site: each step in its order, each by an officer of the team."""

from datetime import timedelta
from typing import Any

import pytest

from domain.inspection import (
    EvidenceUnknown,
    Finding,
    FindingUnknown,
    FindingWrong,
    IdentityNotShown,
    Inspection,
    ItemNotOfTask,
    NotInTeam,
    OfficersTooFew,
    RecordIncomplete,
    RightsNotTold,
    TimesWrong,
    UrgencyReasonMissing,
)
from domain.values import Holding
from tests.builders import (
    CHEN,
    EXPERT,
    LEADER,
    NOW,
    RECORDER,
    TEAM,
    USCC,
    WANG,
    ZHAO,
    act,
    digest,
    evidence,
    stream,
    visit,
)
from tests.domain.visits import (
    AT_SITE,
    READY,
    adding,
    concluding,
    finding,
    showing,
    withdrawing,
)
from tests.scenario import given, happened, when_begun
from tests.stages import (
    evidence_added,
    found,
    notified,
    opened_inspection,
    visit_approved,
)

# --- before the visit ------------------------------------------------------------------------


def test_the_team_takes_its_task_up() -> None:
    inspection = when_begun(opened_inspection).then(happened(Inspection.Opened, visit=visit(), team=TEAM))
    assert (inspection.status, inspection.officers()) == ("opened", {CHEN, WANG})


@pytest.mark.parametrize("holder", [None, CHEN])
def test_nobody_goes_alone(holder: str | None) -> None:
    alone = (Holding("lead", CHEN), Holding("officer", holder))
    when_begun(lambda: Inspection.open(act(), id=stream("inspection"), visit=visit(), team=alone)).refused(
        OfficersTooFew, officers=1, needed=2
    )


def test_a_visit_has_a_mode_and_items() -> None:
    when_begun(
        lambda: Inspection.open(act(), id=stream("inspection"), visit=visit(mode="by-phone"), team=TEAM)
    ).refused(FindingWrong, "/mode", field="mode", value="by-phone")
    when_begun(
        lambda: Inspection.open(act(), id=stream("inspection"), visit=visit(items=()), team=TEAM)
    ).refused(RecordIncomplete, "/items", field="items")


def test_the_head_approves_and_names_the_experts() -> None:
    inspection = (
        given(opened_inspection)
        .when(visit_approved)
        .then(happened(Inspection.Approved, approval_no="并环检〔2024〕1号", experts=(EXPERT,)))
    )
    assert inspection.members() == {CHEN, WANG, EXPERT}
    assert inspection.officers() == {CHEN, WANG}


def test_an_approval_has_a_number_and_no_officer_comes_as_an_expert() -> None:
    given(opened_inspection).when(
        lambda inspection: inspection.approve(act(LEADER), approval_no="", experts=[])
    ).refused(RecordIncomplete, "/approval_no", field="approval_no")
    given(opened_inspection).when(
        lambda inspection: inspection.approve(act(LEADER), approval_no="1", experts=[CHEN])
    ).refused(FindingWrong, "/experts", field="experts", value=CHEN)


def test_the_site_is_told_and_the_visit_counted() -> None:
    inspection = (
        given(opened_inspection, visit_approved)
        .when(notified)
        .then(happened(Inspection.Notified, urgent=False, reason="", visit_slot=f"2024/{USCC}/1"))
    )
    assert inspection.status == "notified"


def notifying(urgent: bool, reason: str) -> Any:
    """A notice that is not counted."""
    return lambda inspection: inspection.notify(act(RECORDER), urgent=urgent, reason=reason, visit_slot="")


def test_without_notice_there_is_an_urgent_reason() -> None:
    given(opened_inspection, visit_approved).when(notifying(True, "")).refused(
        UrgencyReasonMissing, "/reason"
    )
    given(opened_inspection, visit_approved).when(notifying(True, "群众举报异味")).then(
        happened(Inspection.Notified, urgent=True, reason="群众举报异味", visit_slot="")
    )


# --- identity --------------------------------------------------------------------------------


def test_two_certified_officers_show_who_they_are() -> None:
    inspection = (
        given(opened_inspection, visit_approved, notified)
        .when(showing(certified=(WANG, CHEN, EXPERT, ZHAO)))
        .then(happened(Inspection.IdentityShown, officers=(CHEN, WANG), rights_told=True, purpose_told=True))
    )
    assert inspection.status == "identified"


@pytest.mark.parametrize("certified", [(), (CHEN,), (CHEN, EXPERT), (CHEN, ZHAO)])
def test_fewer_than_two_certified_officers_of_the_team_are_too_few(certified: tuple[str, ...]) -> None:
    given(opened_inspection, visit_approved, notified).when(showing(certified=certified)).refused(
        OfficersTooFew, officers=len({CHEN} & set(certified)), needed=2
    )


@pytest.mark.parametrize("untold", ["rights_told", "purpose_told"])
def test_purpose_and_rights_are_told(untold: str) -> None:
    given(opened_inspection, visit_approved, notified).when(
        showing(CHEN, (CHEN, WANG), **{untold: False})
    ).refused(RightsNotTold, "/rights_told")


# --- findings and evidence -------------------------------------------------------------------


def test_evidence_is_added_once() -> None:
    added = happened(Inspection.EvidenceAdded, evidence=evidence())
    given(opened_inspection, *AT_SITE).when(evidence_added).then(added)
    given(opened_inspection, *AT_SITE, evidence_added).when(evidence_added).then()


def test_evidence_has_a_kind_and_was_not_taken_later() -> None:
    given(opened_inspection, *AT_SITE).when(adding(kind="rumour")).refused(
        FindingWrong, "/kind", field="kind", value="rumour"
    )
    tomorrow = NOW + timedelta(days=1)
    given(opened_inspection, *AT_SITE).when(adding(taken_at=tomorrow)).refused(
        TimesWrong, "/taken_at", started_at=tomorrow, ended_at=NOW
    )


def standing(no: int, item: str = "SX-01") -> Finding:
    """A finding as it stands in the record."""
    return Finding(
        no=no,
        item=item,
        category="permit",
        description="自行监测频次不足",
        disposal="rectifying",
        evidence=(digest(),),
    )


def test_a_problem_is_found_on_an_item_of_the_task() -> None:
    inspection = (
        given(opened_inspection, *AT_SITE, evidence_added)
        .when(found)
        .then(happened(Inspection.FindingRecorded, finding=standing(1)))
    )
    assert inspection.findings == {1: standing(1)}


FINDING_FAULTS: list[tuple[dict[str, Any], Any, str, dict[str, Any]]] = [
    ({"item": "SX-09"}, ItemNotOfTask, "/item", {"item": "SX-09"}),
    ({"disposal": "fined"}, FindingWrong, "/disposal", {"field": "disposal", "value": "fined"}),
    ({"description": ""}, FindingWrong, "/description", {"field": "description", "value": ""}),
    ({"category": ""}, FindingWrong, "/category", {"field": "category", "value": ""}),
    ({"evidence": [digest(5)]}, EvidenceUnknown, "/evidence", {"digest": digest(5)}),
]


@pytest.mark.parametrize(("change", "error", "pointer", "facts"), FINDING_FAULTS)
def test_a_finding_that_says_too_little_is_refused(
    change: dict[str, Any], error: Any, pointer: str, facts: dict[str, Any]
) -> None:
    given(opened_inspection, *AT_SITE, evidence_added).when(finding(**change)).refused(
        error, pointer, **facts
    )


def test_a_finding_is_withdrawn_with_its_reason_and_its_number_is_not_used_again() -> None:
    inspection = (
        given(opened_inspection, *READY)
        .when(withdrawing())
        .then(happened(Inspection.FindingWithdrawn, no=1, reason="误记"))
    )
    assert inspection.findings == {}
    given(opened_inspection, *READY, withdrawing()).when(found).then(
        happened(Inspection.FindingRecorded, finding=standing(2))
    )


def test_only_a_standing_finding_is_withdrawn_and_only_with_a_reason() -> None:
    given(opened_inspection, *READY).when(withdrawing(2)).refused(FindingUnknown, "/no", finding=2)
    given(opened_inspection, *READY, withdrawing()).when(withdrawing()).refused(
        FindingUnknown, "/no", finding=1
    )
    given(opened_inspection, *READY).when(withdrawing(reason="")).refused(
        FindingWrong, "/reason", field="reason", value=""
    )


WORK: list[Any] = [evidence_added, found, withdrawing(), concluding()]


@pytest.mark.parametrize("decide", WORK)
@pytest.mark.parametrize(
    ("steps", "status"),
    [((), "opened"), ((visit_approved,), "approved"), ((visit_approved, notified), "notified")],
)
def test_nothing_is_found_before_identity_was_shown(decide: Any, steps: Any, status: str) -> None:
    given(opened_inspection, *steps).when(decide).refused(IdentityNotShown, status=status)


@pytest.mark.parametrize("outsider", [ZHAO, EXPERT, ""])
@pytest.mark.parametrize("decide", ["evidence", "finding", "withdraw", "conclude", "identity"])
def test_only_officers_of_the_team_record(decide: str, outsider: str) -> None:
    steps = READY if decide != "identity" else (visit_approved, notified)
    decisions = {
        "evidence": adding(inspector=outsider),
        "finding": finding(inspector=outsider),
        "withdraw": withdrawing(inspector=outsider),
        "conclude": concluding(inspector=outsider),
        "identity": showing(inspector=outsider),
    }
    given(opened_inspection, *steps).when(decisions[decide]).refused(NotInTeam, inspector=outsider)
