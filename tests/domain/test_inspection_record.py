"""The record of an inspection: complete, signed, true to its findings; and a team that changes before it."""

from datetime import timedelta
from typing import Any

import pytest

from domain.deadlines import due_on
from domain.inspection import (
    IdentityNotShown,
    Inspection,
    InspectionStatusWrong,
    OfficersTooFew,
    RecordIncomplete,
    SeatWrong,
    TimesWrong,
)
from domain.results import ResultDisagrees, ResultLinesWrong
from domain.values import Holding, ItemResult
from tests.builders import (
    CHEN,
    EXPERT,
    NOW,
    RECORDER,
    TEAM,
    WANG,
    ZHAO,
    act,
    deadline,
    record,
    stream,
    visit,
)
from tests.domain.visits import (
    AT_SITE,
    READY,
    concluding,
    seat_changed,
    showing,
    withdrawing,
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

# --- the record ------------------------------------------------------------------------------


def test_the_record_is_completed_and_its_publication_is_due() -> None:
    inspection = (
        given(opened_inspection, *READY)
        .when(concluded)
        .then(happened(Inspection.Concluded, record=record(), publication=deadline()))
    )
    assert (inspection.status, inspection.result) == ("concluded", record())
    assert inspection.publication == due_on("result-published", "2024.1", deadline().start)


def incomplete(field: str, **change: Any) -> tuple[dict[str, Any], Any, str, dict[str, Any]]:
    """A record that lacks a part."""
    return change, RecordIncomplete, f"/{field}", {"field": field}


RECORD_FAULTS: list[tuple[dict[str, Any], Any, str, dict[str, Any]]] = [
    incomplete("place", place=""),
    incomplete("weather", weather=""),
    incomplete("present", present=""),
    incomplete("refusal", party_signed=False, refusal=""),
    incomplete("signed_by", signed_by=(CHEN,)),
    incomplete("signed_by", signed_by=(CHEN, EXPERT)),
    incomplete("signed_by", signed_by=(CHEN, WANG, ZHAO)),
    (
        {"ended_at": NOW - timedelta(hours=1)},
        TimesWrong,
        "/ended_at",
        {"started_at": NOW, "ended_at": NOW - timedelta(hours=1)},
    ),
    (
        {"ended_at": NOW + timedelta(hours=4)},
        TimesWrong,
        "/ended_at",
        {"started_at": NOW, "ended_at": NOW + timedelta(hours=4)},
    ),
    (
        {"lines": (ItemResult("SX-01", "corrected"),)},
        ResultLinesWrong,
        "/lines",
        {"missing": ["SX-02"], "extra": []},
    ),
    (
        {"primary": "none"},
        ResultDisagrees,
        "/primary",
        {"primary": "none", "item": "", "code": "corrected"},
    ),
]


@pytest.mark.parametrize(("change", "error", "pointer", "facts"), RECORD_FAULTS)
def test_a_record_that_lacks_or_contradicts_something_is_refused(
    change: dict[str, Any], error: Any, pointer: str, facts: dict[str, Any]
) -> None:
    given(opened_inspection, *READY).when(concluding(**change)).refused(error, pointer, **facts)


def test_a_party_may_refuse_to_sign_and_the_expert_may_sign_too() -> None:
    kept = record(party_signed=False, refusal="当事人拒签", signed_by=(CHEN, WANG, EXPERT))
    given(opened_inspection, *READY).when(
        concluding(party_signed=False, refusal="当事人拒签", signed_by=(CHEN, WANG, EXPERT))
    ).then(happened(Inspection.Concluded, record=kept, publication=deadline()))


def test_signing_officers_are_those_who_showed_their_certificates() -> None:
    third = (*TEAM, Holding("third", ZHAO))

    def of_three() -> Inspection:
        return Inspection.open(act(RECORDER), id=stream("inspection"), visit=visit(), team=third)

    given(of_three, *READY).when(concluding(signed_by=(CHEN, ZHAO))).refused(
        RecordIncomplete, "/signed_by", field="signed_by"
    )


# --- a seat changes --------------------------------------------------------------------------


def test_a_substitute_shows_his_certificate_too() -> None:
    inspection = (
        given(opened_inspection, *READY)
        .when(seat_changed())
        .then(happened(Inspection.SeatChanged, seat="lead", inspector=ZHAO))
    )
    assert (inspection.status, inspection.officers()) == ("notified", {ZHAO, WANG})
    given(opened_inspection, *READY, seat_changed()).when(concluding()).refused(
        IdentityNotShown, status="notified"
    )


def test_before_identity_a_change_of_seat_keeps_the_step() -> None:
    outcome = given(opened_inspection, visit_approved).when(seat_changed())
    assert outcome.after is not None
    assert outcome.after.status == "approved"


def test_with_an_empty_seat_the_visit_does_not_go_on() -> None:
    given(opened_inspection, visit_approved, notified).when(seat_changed(None)).then(
        happened(Inspection.SeatChanged, seat="lead", inspector=None)
    )
    given(opened_inspection, visit_approved, notified, seat_changed(None)).when(
        showing(inspector=WANG)
    ).refused(OfficersTooFew, officers=1, needed=2)


@pytest.mark.parametrize(("inspector", "seat"), [(ZHAO, "driver"), (WANG, "lead")])
def test_a_seat_that_is_not_there_or_an_inspector_who_sits_already_is_refused(
    inspector: str, seat: str
) -> None:
    given(opened_inspection).when(seat_changed(inspector, seat)).refused(SeatWrong, "/seat", seat=seat)


@pytest.mark.parametrize(
    ("steps", "status"),
    [((*READY, concluded), "concluded"), ((*READY, concluded, reviewed), "reviewed")],
)
def test_no_seat_changes_after_the_record_is_complete(steps: Any, status: str) -> None:
    given(opened_inspection, *steps).when(seat_changed()).refused(
        InspectionStatusWrong, status=status, needed="notified"
    )


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    ((visit_approved,), visit_approved, "approved", "opened"),
    ((), notified, "opened", "approved"),
    ((visit_approved, notified), notified, "notified", "approved"),
    ((visit_approved,), identified, "approved", "notified"),
    (AT_SITE, identified, "identified", "notified"),
    ((*READY, concluded), evidence_added, "concluded", "identified"),
    ((*READY, concluded), found, "concluded", "identified"),
    ((*READY, concluded), withdrawing(), "concluded", "identified"),
    ((*READY, concluded), concluded, "concluded", "identified"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(opened_inspection, *steps).when(decide).refused(InspectionStatusWrong, status=status, needed=needed)
