"""A violation: rectified, seen by a second person, closed on evidence."""

from datetime import date, timedelta
from typing import Any

import pytest

from domain.violation import (
    CloserSubmitted,
    ClosingEvidenceMissing,
    DisposalWrong,
    DueInPast,
    OrderIncomplete,
    Violation,
    ViolationStatusWrong,
)
from tests.builders import (
    CLOSER,
    DEPUTY,
    LEADER,
    PLANNER,
    SUBMITTER,
    TODAY,
    act,
    deadline,
    digest,
    matter,
    order,
)
from tests.scenario import given, happened, when_begun
from tests.stages import handed_in, opened_violation, ordered, verified

LATER = deadline(date(2024, 6, 1))
PAST = deadline(TODAY - timedelta(days=1))


def lenient() -> Violation:
    """A violation that is let off with a warning."""
    return opened_violation("lenient")


def ordering(**fields: Any) -> Any:
    """An order with some fields set."""
    return lambda violation: violation.order_rectification(act(), order=order(**fields))


def returning(by: Any = None, until: Any = LATER) -> Any:
    """It is not done."""
    return lambda violation: violation.return_rectification(
        by or act(CLOSER), reason="监测仍不足", deadline=until
    )


def verifying(by: Any = None) -> Any:
    """It is done."""
    return lambda violation: violation.verify_rectification(
        by or act(CLOSER), note="属实", evidence=[digest(3)]
    )


def disposing(disposal: str, reason: str = "情节轻微") -> Any:
    """The violation goes another way."""
    return lambda violation: violation.dispose(act(), disposal=disposal, reason=reason)


def closing(by: Any = None, evidence: tuple[str, ...] = (digest(4),)) -> Any:
    """The violation is closed."""
    return lambda violation: violation.close(by or act(CLOSER), evidence=evidence, note="闭环")


@pytest.mark.parametrize("disposal", ["corrected", "rectifying", "lenient", "case", "referred"])
def test_a_reviewed_finding_becomes_a_row_of_the_ledger(disposal: str) -> None:
    violation = when_begun(lambda: opened_violation(disposal)).then(
        happened(Violation.Opened, matter=matter(), disposal=disposal, owner=PLANNER, evidence=(digest(),))
    )
    assert (violation.status, violation.disposal) == ("open", disposal)


def test_a_finding_has_one_of_the_known_disposals() -> None:
    when_begun(lambda: opened_violation("forgotten")).refused(
        DisposalWrong, "/disposal", disposal="forgotten"
    )


def test_the_enterprise_is_ordered_to_rectify() -> None:
    violation = (
        given(opened_violation).when(ordered).then(happened(Violation.RectificationOrdered, order=order()))
    )
    assert (violation.status, violation.order) == ("ordered", order())


@pytest.mark.parametrize("field", ["number", "requirements"])
def test_an_order_has_a_number_and_says_what_it_asks(field: str) -> None:
    given(opened_violation).when(ordering(**{field: ""})).refused(OrderIncomplete, f"/{field}", field=field)


def test_an_order_leaves_time() -> None:
    given(opened_violation).when(ordering(deadline=PAST)).refused(DueInPast, "/due_on", due=PAST.due)


def test_only_what_is_to_be_rectified_is_ordered() -> None:
    given(lenient).when(ordered).refused(DisposalWrong, "/disposal", disposal="lenient")


def test_an_officer_may_hand_in_for_the_enterprise_and_the_record_says_so() -> None:
    violation = (
        given(opened_violation, ordered)
        .when(handed_in)
        .then(
            happened(
                Violation.RectificationSubmitted,
                note="已整改",
                evidence=(digest(2),),
                for_enterprise=True,
            )
        )
    )
    assert violation.status == "submitted"


def test_a_returned_rectification_has_a_new_deadline() -> None:
    violation = (
        given(opened_violation, ordered, handed_in)
        .when(returning())
        .then(happened(Violation.RectificationReturned, reason="监测仍不足", deadline=LATER))
    )
    assert (violation.status, violation.order) == ("ordered", order(deadline=LATER))


def test_a_rectification_is_not_returned_to_a_day_that_has_passed() -> None:
    given(opened_violation, ordered, handed_in).when(returning(until=PAST)).refused(
        DueInPast, "/due_on", due=PAST.due
    )


def test_a_second_person_sees_that_it_is_done_and_closes() -> None:
    violation = (
        given(opened_violation, ordered, handed_in)
        .when(verified)
        .then(happened(Violation.RectificationVerified, note="属实", evidence=(digest(3),)))
    )
    assert violation.status == "verified"
    violation = (
        given(opened_violation, ordered, handed_in, verified)
        .when(closing())
        .then(happened(Violation.Closed, evidence=(digest(4),), note="闭环", closed_on=TODAY))
    )
    assert violation.status == "closed"


@pytest.mark.parametrize("deciding", [verifying, returning, closing])
@pytest.mark.parametrize(
    "by",
    [act(SUBMITTER), act(DEPUTY, on_behalf_of=SUBMITTER), act(SUBMITTER, on_behalf_of=CLOSER)],
)
def test_whoever_handed_in_decides_nothing(deciding: Any, by: Any) -> None:
    steps = (ordered, handed_in) if deciding is not closing else (ordered, handed_in, verified)
    given(opened_violation, *steps).when(deciding(by)).refused(CloserSubmitted)


def handed_in_by_deputy(violation: Violation) -> None:
    """A deputy of the closer hands in."""
    violation.submit_rectification(
        act(DEPUTY, on_behalf_of=CLOSER), note="已整改", evidence=[], for_enterprise=True
    )


@pytest.mark.parametrize("deciding", [verifying, returning])
def test_for_whom_a_deputy_handed_in_decides_nothing(deciding: Any) -> None:
    given(opened_violation, ordered, handed_in_by_deputy).when(deciding(act(CLOSER))).refused(CloserSubmitted)


def test_whoever_ever_handed_in_does_not_close_though_another_did_last() -> None:
    given(opened_violation, ordered, handed_in, returning(), handed_in_by_deputy, verifying(act())).when(
        closing(act(SUBMITTER))
    ).refused(CloserSubmitted)


def test_nothing_is_closed_without_evidence() -> None:
    given(opened_violation, ordered, handed_in, verified).when(closing(evidence=())).refused(
        ClosingEvidenceMissing, "/evidence"
    )


def test_what_is_to_be_rectified_is_closed_only_when_it_is_verified() -> None:
    given(opened_violation, ordered, handed_in).when(closing()).refused(
        ViolationStatusWrong, status="submitted", needed="verified"
    )
    given(opened_violation).when(closing()).refused(ViolationStatusWrong, status="open", needed="verified")


def test_what_is_lenient_is_closed_on_evidence_too() -> None:
    given(lenient).when(closing(evidence=())).refused(ClosingEvidenceMissing, "/evidence")
    given(lenient).when(closing()).then(
        happened(Violation.Closed, evidence=(digest(4),), note="闭环", closed_on=TODAY)
    )


def test_a_violation_goes_another_way_with_a_reason() -> None:
    violation = (
        given(opened_violation)
        .when(disposing("case"))
        .then(happened(Violation.Disposed, disposal="case", reason="情节轻微"))
    )
    assert violation.disposal == "case"


@pytest.mark.parametrize("by", [act(), act(DEPUTY, on_behalf_of=PLANNER), act(PLANNER, on_behalf_of=LEADER)])
def test_who_sent_it_another_way_does_not_close_it(by: Any) -> None:
    given(opened_violation, disposing("lenient")).when(closing(by)).refused(CloserSubmitted)


@pytest.mark.parametrize(
    ("disposal", "reason"), [("rectifying", "同前"), ("forgotten", "无"), ("lenient", "")]
)
def test_the_other_way_is_another_and_has_a_reason(disposal: str, reason: str) -> None:
    given(opened_violation).when(disposing(disposal, reason)).refused(
        DisposalWrong, "/disposal", disposal=disposal
    )


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    ((ordered,), ordered, "ordered", "open"),
    ((), handed_in, "open", "ordered"),
    ((ordered, handed_in), handed_in, "submitted", "ordered"),
    ((ordered,), verified, "ordered", "submitted"),
    ((ordered,), returning(), "ordered", "submitted"),
    ((ordered, handed_in, verified), verified, "verified", "submitted"),
    ((ordered, handed_in, verified, closing()), closing(), "closed", "verified"),
    ((ordered, handed_in, verified, closing()), disposing("case"), "closed", "open"),
    ((disposing("case"), closing()), closing(), "closed", "open"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(opened_violation, *steps).when(decide).refused(ViolationStatusWrong, status=status, needed=needed)
