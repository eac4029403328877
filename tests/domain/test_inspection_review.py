"""After the record: a second person reviews it, then its result is public or lawfully withheld."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from domain.act import Act
from domain.inspection import (
    Inspection,
    InspectionStatusWrong,
    RecordIncomplete,
    ReviewerOnTeam,
    TimesWrong,
    WithholdGroundWrong,
)
from tests.builders import (
    CHEN,
    DEPUTY,
    EXPERT,
    LEADER,
    RECORDER,
    REVIEWER,
    SUBMITTER,
    TODAY,
    WANG,
    ZHAO,
    act,
    deadline,
    digest,
    evidence,
    later,
    record,
)
from tests.scenario import given, happened
from tests.stages import (
    concluded,
    evidence_added,
    found,
    identified,
    notified,
    opened_inspection,
    reviewed,
    visit_approved,
)

READY = (visit_approved, notified, identified, evidence_added, found)
DONE = (*READY, concluded)
LATE = later(hours=5).at
LATE_REVIEWER, LATE_RECORDER, LATE_LEADER = (act(by, at=LATE) for by in (REVIEWER, RECORDER, LEADER))


def reviewing(by: Any = None, inspector: str = "") -> Any:
    """Somebody reviews the record."""
    return lambda inspection: inspection.review(by or LATE_REVIEWER, inspector=inspector, opinion="同意")


def returning(by: Any = None, inspector: str = "") -> Any:
    """Somebody sends the record back."""
    return lambda inspection: inspection.send_back(by or LATE_REVIEWER, inspector=inspector, reason="缺照片")


def publishing(*channels: str) -> Any:
    """The result is made public."""
    return lambda inspection: inspection.publish(
        act(RECORDER, at=LATE), published_on=TODAY, channels=channels
    )


def withholding(ground: str = "trade-secret", reason: str = "涉及商业秘密") -> Any:
    """The result is kept from the public."""
    return lambda inspection: inspection.withhold(LATE_LEADER, ground=ground, reason=reason)


def test_a_second_person_finds_the_record_in_order() -> None:
    inspection = (
        given(opened_inspection, *DONE).when(reviewing()).then(happened(Inspection.Reviewed, opinion="同意"))
    )
    assert inspection.status == "reviewed"


def test_a_returned_record_can_be_completed_again_and_keeps_its_history() -> None:
    inspection = (
        given(opened_inspection, *DONE).when(returning()).then(happened(Inspection.Returned, reason="缺照片"))
    )
    assert inspection.status == "identified"
    assert set(inspection.findings) == {1}
    again = given(opened_inspection, *DONE, returning(later(REVIEWER, hours=3)), concluded).when(reviewing())
    assert again.refusal is None


@pytest.mark.parametrize("deciding", [reviewing, returning])
@pytest.mark.parametrize("inspector", [CHEN, WANG, EXPERT])
def test_nobody_of_the_team_reviews(deciding: Any, inspector: str) -> None:
    given(opened_inspection, *DONE).when(deciding(inspector=inspector)).refused(ReviewerOnTeam)


@pytest.mark.parametrize("deciding", [reviewing, returning])
@pytest.mark.parametrize(
    "by",
    [
        LATE_RECORDER,
        act(DEPUTY, at=LATE, on_behalf_of=RECORDER),
        act(RECORDER, at=LATE, on_behalf_of=LEADER),
    ],
)
def test_nobody_reviews_what_he_or_his_principal_recorded(deciding: Any, by: Any) -> None:
    given(opened_inspection, *DONE).when(deciding(by)).refused(ReviewerOnTeam)


def test_a_recused_inspector_does_not_review() -> None:
    def recused(inspection: Inspection) -> None:
        inspection.change_seat(act(LEADER), seat="lead", inspector=ZHAO)

    def by_wang(inspection: Inspection) -> None:
        inspection.show_identity(
            act(SUBMITTER), inspector=WANG, certified=[WANG, ZHAO], rights_told=True, purpose_told=True
        )

    def clean_record(inspection: Inspection) -> None:
        inspection.conclude(
            later(SUBMITTER, hours=3),
            inspector=WANG,
            record=record(signed_by=(WANG, ZHAO)),
            publication=deadline(),
        )

    steps = (*READY, recused, by_wang, clean_record)
    given(opened_inspection, *steps).when(reviewing(inspector=CHEN)).refused(ReviewerOnTeam)
    given(opened_inspection, *steps).when(reviewing(inspector=ZHAO)).refused(ReviewerOnTeam)


def shown(inspection: Inspection, by: Act) -> None:
    inspection.show_identity(by, inspector=CHEN, certified=[CHEN, WANG], rights_told=True, purpose_told=True)


def photographed(inspection: Inspection, by: Act) -> None:
    inspection.add_evidence(by, inspector=CHEN, evidence=evidence())


def problem_found(inspection: Inspection, by: Act) -> None:
    inspection.record_finding(
        by,
        inspector=CHEN,
        item="SX-01",
        category="permit",
        description="自行监测频次不足",
        disposal="rectifying",
        evidence=[digest()],
    )


def last_withdrawn(inspection: Inspection, by: Act) -> None:
    inspection.withdraw_finding(by, inspector=CHEN, no=2, reason="误记")


def record_completed(inspection: Inspection, by: Act) -> None:
    inspection.conclude(by, inspector=CHEN, record=record(), publication=deadline())


PARTS = (shown, photographed, problem_found, problem_found, last_withdrawn, record_completed)


@pytest.mark.parametrize("reviewer", [DEPUTY, SUBMITTER])
@pytest.mark.parametrize("part", range(len(PARTS)))
def test_neither_a_deputy_who_recorded_any_part_nor_his_principal_reviews(part: int, reviewer: str) -> None:
    at = later(hours=3).at

    def recorded(inspection: Inspection) -> None:
        for number, record_part in enumerate(PARTS):
            deputy = act(DEPUTY, at=at, on_behalf_of=SUBMITTER)
            record_part(inspection, deputy if number == part else act(RECORDER, at=at))

    given(opened_inspection, visit_approved, notified, recorded).when(
        reviewing(act(reviewer, at=LATE))
    ).refused(ReviewerOnTeam)


def test_a_reviewed_result_is_made_public() -> None:
    inspection = (
        given(opened_inspection, *DONE, reviewed)
        .when(publishing("site", "credit-publicity"))
        .then(happened(Inspection.Published, published_on=TODAY, channels=("site", "credit-publicity")))
    )
    assert inspection.status == "published"


def test_a_publication_names_its_channels() -> None:
    given(opened_inspection, *DONE, reviewed).when(publishing()).refused(
        RecordIncomplete, "/channels", field="channels"
    )


def test_a_result_is_withheld_on_a_lawful_ground() -> None:
    inspection = (
        given(opened_inspection, *DONE, reviewed)
        .when(withholding())
        .then(happened(Inspection.Withheld, ground="trade-secret", reason="涉及商业秘密"))
    )
    assert inspection.status == "withheld"


@pytest.mark.parametrize(("ground", "reason"), [("shame", "难看"), ("trade-secret", "")])
def test_a_result_is_not_withheld_for_anything_else(ground: str, reason: str) -> None:
    given(opened_inspection, *DONE, reviewed).when(withholding(ground, reason)).refused(
        WithholdGroundWrong, "/ground", ground=ground
    )


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    (READY, reviewing(), "identified", "concluded"),
    (READY, returning(), "identified", "concluded"),
    ((*DONE, reviewed), reviewing(), "reviewed", "concluded"),
    ((*DONE, reviewed), returning(), "reviewed", "concluded"),
    (DONE, publishing("site"), "concluded", "reviewed"),
    (DONE, withholding(), "concluded", "reviewed"),
    ((*DONE, reviewed, publishing("site")), withholding(), "published", "reviewed"),
    ((*DONE, reviewed, withholding()), publishing("site"), "withheld", "reviewed"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(opened_inspection, *steps).when(decide).refused(InspectionStatusWrong, status=status, needed=needed)


CHAIN = ((), DONE[:1], DONE[:2], DONE[:3], DONE)


@pytest.mark.parametrize("reached", range(len(CHAIN)))
def test_a_step_did_not_happen_before_the_one_that_led_to_it(reached: int) -> None:
    """Or a certificate that has expired since would do, and an item that was in force then."""
    before = given(opened_inspection, *CHAIN[reached]).aggregate
    told = Act(by=LEADER, at=LATE, occurred_at=before.since - timedelta(seconds=1))
    steps: tuple[Callable[[Inspection], None], ...] = (
        lambda one: one.approve(told, approval_no="1", experts=[]),
        lambda one: one.notify(told, urgent=False, reason="", visit_slot=""),
        lambda one: shown(one, told),
        lambda one: problem_found(one, told),
        lambda one: one.review(told, inspector="", opinion="同意"),
    )
    given(opened_inspection, *CHAIN[reached]).when(steps[reached]).refused(
        TimesWrong, "/occurred_at", started_at=before.since, ended_at=told.occurred_at
    )


def test_a_visit_did_not_begin_before_its_notice() -> None:
    early = record(started_at=later(minutes=-1).at)
    given(opened_inspection, *READY).when(
        lambda one: one.conclude(
            later(RECORDER, hours=3), inspector=CHEN, record=early, publication=deadline()
        )
    ).refused(TimesWrong, "/ended_at", started_at=early.started_at, ended_at=early.ended_at)
