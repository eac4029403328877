"""A re-check: announced when its quarter is over, carried out once, and what it does to the violation."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.draw import Draw
from domain.draw_refusals import ContributorsWrong, SourceKnown
from domain.recheck import (
    DrawnClosing,
    Recheck,
    RecheckDone,
    RecheckEvidenceMissing,
    RecheckOutcomeWrong,
)
from domain.recheck_draw import announce_recheck
from domain.recheck_terms import (
    RecheckPeriodRunning,
    RecheckPeriodWrong,
    recheck_key,
    recheck_row,
    recheck_terms,
)
from domain.violation import DueInPast, RecheckDeadlineWrong, Violation, ViolationStatusWrong
from tests import builders as b
from tests.scenario import given, happened, when_begun
from tests.stages import handed_in, opened_violation, ordered, verified

LATER = b.deadline(date(2024, 6, 1))
TASK = DrawnClosing(
    draw=b.stream("draw"),
    draw_no=1,
    region=b.CITY,
    period="2024Q1",
    violation=b.stream("violation"),
    closing=1,
    rank=1,
)


def closed(violation: Violation) -> None:
    violation.close(b.act(b.CLOSER), evidence=[b.digest(3)], note="闭环")


def drawn() -> Recheck:
    return Recheck.draw(b.act(), id=b.stream("recheck"), task=TASK, team=b.TEAM)


def found(outcome: str, deadline: Any = None) -> dict[str, Any]:
    return {
        "recheck": b.stream("recheck"),
        "outcome": outcome,
        "note": "看过",
        "evidence": (b.digest(4),),
        "deadline": deadline,
    }


def looking(outcome: str, deadline: Any = None) -> Any:
    return lambda violation: violation.record_recheck(b.act(b.LEADER), **found(outcome, deadline))


def announcing(**fields: Any) -> Any:
    facts: dict[str, Any] = {
        "id": b.stream("draw"),
        "log": b.ORIGIN,
        "draw_no": 1,
        "attempt": 1,
        "previous": "",
        "region": b.CITY,
        "period": "2024Q1",
        "terms": recheck_terms("2024Q1", 2),
        "contributors": b.contributors(),
        "public_source": {"kind": "dice", "rolls": 20},
        "rulebook": "2024.1",
    }
    at = fields.pop("at", b.NOW)
    return lambda: announce_recheck(b.act(at=at), **{**facts, **fields})


def test_the_terms_are_a_quarter_and_two_of_a_hundred() -> None:
    terms = recheck_terms("2024Q4", 2)
    assert (terms.first_day, terms.last_day, terms.num, terms.den) == (
        date(2024, 10, 1),
        date(2024, 12, 31),
        2,
        100,
    )
    row = recheck_row(terms, b.CITY, "2024Q4")
    assert (row.areas, [one.code for one in row.strata], row.last_day()) == (
        (b.CITY,),
        ["closed"],
        date(2024, 12, 31),
    )


@pytest.mark.parametrize("period", ["", "2024", "2024Q5", "2024Q10", "1999Q1"])
def test_what_is_no_quarter_is_refused(period: str) -> None:
    with pytest.raises(RecheckPeriodWrong):
        recheck_terms(period, 2)


def test_a_recheck_is_announced_as_a_draw_without_a_plan() -> None:
    facts = {
        "log": b.ORIGIN,
        "draw_no": 1,
        "attempt": 1,
        "previous": "",
        "plan_row": "recheck/140100/2024Q1",
        "period": "2024Q1",
        "region": b.CITY,
        "terms": recheck_terms("2024Q1", 2),
        "contributors": b.contributors(),
        "public_source": {"kind": "dice", "rolls": 20},
        "rulebook": "2024.1",
    }
    draw = when_begun(announcing()).then(happened(Draw.RecheckAnnounced, **facts))
    assert isinstance(draw, Draw)
    assert (draw.plan, draw.plan_row, draw.status) == ("", recheck_key(b.CITY, "2024Q1"), "announced")


def test_a_quarter_is_over_when_its_last_day_is_in_china() -> None:
    last = datetime(2024, 3, 31, 15, 59, tzinfo=UTC)
    terms = recheck_terms("2024Q1", 2)
    when_begun(announcing(at=last)).refused(
        RecheckPeriodRunning, "/period", period="2024Q1", last_day=terms.last_day
    )
    when_begun(announcing(at=datetime(2024, 3, 31, 16, 0, tzinfo=UTC)))


def test_it_has_the_same_contributors_and_a_source_to_come() -> None:
    when_begun(announcing(contributors=b.contributors()[:1])).refused(
        ContributorsWrong, "/contributors", parties=["agency"]
    )
    known = {"kind": "drand-quicknet", "round": 1}
    with pytest.raises(SourceKnown):
        announcing(public_source=known)()


def test_a_recheck_is_carried_out_once_with_a_note_and_evidence() -> None:
    def carrying(**fields: Any) -> Any:
        facts = {"outcome": "sustained", "note": "看过", "evidence": (b.digest(),), **fields}
        return lambda recheck: recheck.carry_out(b.act(), **facts)

    done = happened(Recheck.CarriedOut, outcome="sustained", note="看过", evidence=(b.digest(),))
    given(drawn).when(carrying()).then(done)
    given(drawn, carrying()).when(carrying()).refused(RecheckDone)
    given(drawn).when(carrying(outcome="fine")).refused(RecheckOutcomeWrong, "/outcome", outcome="fine")
    for field, value in (("note", " "), ("evidence", ())):
        given(drawn).when(carrying(**{field: value})).refused(
            RecheckEvidenceMissing, f"/{field}", field=field
        )


@pytest.mark.parametrize("outcome", ["sustained", "impossible"])
def test_a_closing_that_held_stays_closed(outcome: str) -> None:
    told = happened(Violation.RecheckRecorded, **found(outcome), disposal="rectifying")
    violation = (
        given(opened_violation, ordered, handed_in, verified, closed).when(looking(outcome)).then(told)
    )
    assert (violation.status, violation.rechecked) == ("closed", True)


def test_a_failed_closing_brings_the_order_back_with_a_new_date() -> None:
    case = given(opened_violation, ordered, handed_in, verified, closed)
    told = happened(Violation.RecheckRecorded, **found("reopened", LATER), disposal="rectifying")
    violation = case.when(looking("reopened", LATER)).then(told)
    assert violation.order is not None
    assert (violation.status, violation.order.deadline) == ("ordered", LATER)


def test_it_can_be_closed_again_and_that_closing_is_another_one() -> None:
    again = given(
        opened_violation,
        ordered,
        handed_in,
        verified,
        closed,
        looking("reopened", LATER),
        handed_in,
        verified,
        closed,
    ).aggregate
    assert (again.closings, again.rechecked, again.status) == (2, False, "closed")


def test_what_had_no_order_is_to_be_rectified_after_all() -> None:
    case = given(lambda: opened_violation("corrected"), closed)
    told = happened(Violation.RecheckRecorded, **found("reopened"), disposal="rectifying")
    violation = case.when(looking("reopened")).then(told)
    assert violation.status == "open"


def test_only_an_order_that_stands_again_has_a_date_which_lies_ahead() -> None:
    case = (opened_violation, ordered, handed_in, verified, closed)
    given(*case).when(looking("reopened")).refused(RecheckDeadlineWrong, "/due_on", due="")
    given(*case).when(looking("sustained", LATER)).refused(RecheckDeadlineWrong, "/due_on", due=LATER.due)
    past = b.deadline(date(2024, 3, 1))
    given(*case).when(looking("reopened", past)).refused(DueInPast, "/due_on", due=past.due)


def test_only_what_is_closed_is_rechecked() -> None:
    given(opened_violation, ordered).when(looking("sustained")).refused(
        ViolationStatusWrong, status="ordered", needed="closed"
    )
