"""A referral: letter, receipt, reply."""

from typing import Any

import pytest

from domain.referral import Referral, ReferralIncomplete, ReferralStatusWrong, ViolationClosed
from domain.violation import Violation
from tests.builders import CITY, CLOSER, LEADER, TODAY, act, digest, letter, stream
from tests.scenario import given, happened, when_begun
from tests.stages import opened_violation, received, sent_referral


def replying(accepted: bool) -> Any:
    """The other department answers."""
    return lambda referral: referral.reply(act(), accepted=accepted, note="已收悉")


def closed_violation() -> Violation:
    """A violation that is closed."""
    violation = opened_violation("lenient")
    violation.close(act(CLOSER), evidence=[digest()], note="")
    return violation


def sending(violation: Violation, **fields: Any) -> Any:
    """A letter with some fields set."""
    return lambda: Referral.send(
        act(LEADER), id=stream("referral"), violation=violation, letter=letter(**fields)
    )


def test_a_letter_goes_out() -> None:
    referral = when_begun(sent_referral).then(
        happened(Referral.Sent, violation=stream("violation"), region=CITY, letter=letter(), sent_on=TODAY)
    )
    assert referral.status == "sent"


@pytest.mark.parametrize("field", ["number", "document", "addressee", "reason"])
def test_a_letter_lacks_nothing(field: str) -> None:
    when_begun(sending(opened_violation(), **{field: ""})).refused(
        ReferralIncomplete, f"/{field}", field=field
    )


def test_a_closed_violation_is_not_referred() -> None:
    when_begun(sending(closed_violation())).refused(ViolationClosed, violation=stream("violation"))


def test_the_other_department_signs() -> None:
    referral = (
        given(sent_referral)
        .when(received)
        .then(happened(Referral.Received, receipt=digest(10), received_on=TODAY))
    )
    assert referral.status == "received"


def test_a_receipt_is_a_document() -> None:
    given(sent_referral).when(lambda referral: referral.receive(act(), receipt="")).refused(
        ReferralIncomplete, "/receipt", field="receipt"
    )


@pytest.mark.parametrize(("accepted", "status"), [(True, "accepted"), (False, "refused")])
def test_the_other_department_replies(accepted: bool, status: str) -> None:
    referral = (
        given(sent_referral, received)
        .when(replying(accepted))
        .then(
            happened(
                Referral.Replied,
                accepted=accepted,
                note="已收悉",
                replied_on=TODAY,
                violation=stream("violation"),
            )
        )
    )
    assert referral.status == status


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    ((), replying(True), "sent", "received"),
    ((received,), received, "received", "sent"),
    ((received, replying(True)), replying(True), "accepted", "received"),
    ((received, replying(False)), replying(True), "refused", "received"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(sent_referral, *steps).when(decide).refused(ReferralStatusWrong, status=status, needed=needed)
