"""Erasing personal data: asked by one person, decided by another, while nobody needs it any more."""

from datetime import date, timedelta

import pytest
from hypothesis import given as values
from hypothesis import settings
from hypothesis import strategies as st

from domain.act import Act
from domain.person import (
    GROUNDS,
    OVERRIDING,
    Case,
    ErasureAskedAlready,
    ErasureGroundWrong,
    ErasureNotAsked,
    ErasureOfOneself,
    ErasureReasonMissing,
    ErasureSecondPersonNeeded,
    Need,
    Person,
    PersonErased,
    PersonNeeded,
    PersonRetained,
    PersonStillListed,
    left_by,
    retain_until,
)
from tests.builders import CHEN, CITY, DEPUTY, LEADER, PLANNER, TODAY, act, stream
from tests.scenario import given, happened, when_begun

ID = stream("person")
CASE = Case(kind="inspector", holder=CHEN, region=CITY)
SITE = Case(kind="site", holder=stream("site"), region=CITY)
FREE = Need(listed=False, retain_until=TODAY)
NOBODY: frozenset[str] = frozenset()
FACTS = {"reason": "退休满五年", "rulebook": "2024.1"}


def asking(
    ground: str = "retention-over", *, case: Case = CASE, need: Need = FREE, reason: str = "退休满五年"
) -> Person:
    """The planner's request."""
    return Person.begin_erasure(
        act(PLANNER), id=ID, case=case, ground=ground, reason=reason, need=need, rulebook="2024.1"
    )


def erasing(
    person: Person,
    by: Act | None = None,
    *,
    need: Need = FREE,
    own: frozenset[str] = NOBODY,
    originals: tuple[str, ...] = (),
) -> None:
    """The leader's approval."""
    person.erase(
        by or act(LEADER), case=person.case, need=need, rulebook="2024.1", own=own, originals=originals
    )


def asking_again(person: Person) -> None:
    """The planner asks once more."""
    person.ask_again(act(PLANNER), case=CASE, ground="other-law", reason="依法", need=FREE, rulebook="2024.1")


def refusing(person: Person) -> None:
    """The leader's refusal."""
    person.refuse(act(LEADER), reason="尚有用处", own=NOBODY)


def test_a_request_tells_ground_and_day_but_nothing_of_the_person() -> None:
    when_begun(asking).then(
        happened(Person.ErasureAsked, case=CASE, ground="retention-over", retain_until=TODAY, **FACTS)
    )


def test_a_second_person_erases() -> None:
    originals = (stream("intake"),)
    person = (
        given(asking)
        .when(lambda one: erasing(one, originals=originals))
        .then(
            happened(
                Person.Erased,
                case=CASE,
                ground="retention-over",
                asked_by=(PLANNER,),
                retain_until=TODAY,
                rulebook="2024.1",
                originals=originals,
                erased_on=TODAY,
            )
        )
    )
    assert (person.status, person.erased_on) == ("erased", TODAY)


def test_who_asked_does_not_decide_nor_a_deputy_on_either_side() -> None:
    for by in (act(PLANNER), act(DEPUTY, on_behalf_of=PLANNER), act(PLANNER, on_behalf_of=LEADER)):
        given(asking).when(lambda one, by=by: erasing(one, by)).refused(ErasureSecondPersonNeeded)  # type: ignore[misc]


def test_nobody_decides_on_his_own_data() -> None:
    own = frozenset({LEADER})
    given(asking).when(lambda one: erasing(one, own=own)).refused(ErasureOfOneself)
    given(asking).when(lambda one: erasing(one, act(DEPUTY, on_behalf_of=LEADER), own=own)).refused(
        ErasureOfOneself
    )
    given(asking).when(lambda one: one.refuse(act(LEADER), reason="否", own=own)).refused(ErasureOfOneself)


def test_a_refusal_keeps_the_data_and_another_request_may_follow() -> None:
    given(asking).when(refusing).then(happened(Person.ErasureRefused, case=CASE, reason="尚有用处"))
    given(asking, refusing).when(erasing).refused(ErasureNotAsked, person=ID)
    given(asking, refusing).when(asking_again).then(
        happened(
            Person.ErasureAskedAgain,
            case=CASE,
            ground="other-law",
            reason="依法",
            retain_until=TODAY,
            rulebook="2024.1",
        )
    )
    given(asking, refusing, asking_again).when(erasing)


def test_one_request_at_a_time() -> None:
    given(asking).when(asking_again).refused(ErasureAskedAlready, person=ID)


def test_what_is_erased_stays_erased() -> None:
    for decide in (erasing, refusing, asking_again):
        given(asking, erasing).when(decide).refused(PersonErased, person=ID, erased_on=TODAY)


@pytest.mark.parametrize("ground", [ground for ground in GROUNDS if ground not in OVERRIDING])
def test_data_is_kept_as_long_as_the_law_asks(ground: str) -> None:
    need = Need(listed=False, retain_until=TODAY + timedelta(days=1))
    when_begun(lambda: asking(ground, need=need)).refused(
        PersonRetained, retain_until=need.retain_until, ground=ground
    )


@pytest.mark.parametrize("ground", OVERRIDING)
def test_what_should_not_be_here_goes_at_once(ground: str) -> None:
    need = Need(listed=False, retain_until=TODAY + timedelta(days=1000))
    given(lambda: asking(ground, need=need)).when(lambda one: erasing(one, need=need))


def test_whoever_still_acts_is_not_erased() -> None:
    need = Need(listed=True, retain_until=None)
    for ground in GROUNDS:
        when_begun(lambda ground=ground: asking(ground, need=need)).refused(  # type: ignore[misc]
            PersonStillListed, kind="inspector", holder=CHEN
        )


def test_a_contact_may_go_while_the_site_stays_but_no_time_is_over_then() -> None:
    need = Need(listed=True, retain_until=None)
    given(lambda: asking("consent-withdrawn", case=SITE, need=need)).when(lambda one: erasing(one, need=need))
    when_begun(lambda: asking(case=SITE, need=need)).refused(
        PersonStillListed, kind="site", holder=SITE.holder
    )


def test_open_matters_are_finished_first_also_between_request_and_approval() -> None:
    need = Need(listed=False, retain_until=TODAY, matters=(stream("inspection"),))
    for ground in GROUNDS:
        when_begun(lambda ground=ground: asking(ground, need=need)).refused(  # type: ignore[misc]
            PersonNeeded, matters=need.matters
        )
    given(asking).when(lambda one: erasing(one, need=need)).refused(PersonNeeded, matters=need.matters)


def test_a_request_has_a_ground_of_the_law_and_a_reason() -> None:
    when_begun(lambda: asking("tidy")).refused(ErasureGroundWrong, "/ground", ground="tidy", known=GROUNDS)
    when_begun(lambda: asking(reason=" ")).refused(ErasureReasonMissing, "/reason")
    given(asking).when(lambda one: one.refuse(act(LEADER), reason="", own=NOBODY)).refused(
        ErasureReasonMissing, "/reason"
    )


def test_years_end_on_the_same_day_or_the_first_of_march() -> None:
    assert retain_until(date(2024, 4, 1), 5) == date(2029, 4, 1)
    assert retain_until(date(2024, 2, 29), 5) == date(2029, 3, 1)
    assert retain_until(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert retain_until(date(2024, 4, 1), 0) == date(2024, 4, 1)


@settings(max_examples=300, deadline=None)
@values(
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    st.integers(0, 30),
)
def test_who_left_by_the_day_is_who_need_not_be_kept(left: date, day: date, years: int) -> None:
    assert (left <= left_by(day, years)) == (retain_until(left, years) <= day)
