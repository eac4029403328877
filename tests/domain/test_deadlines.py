"""Deadlines against examples reckoned by hand, and their properties over twenty years of real holidays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.deadlines import Deadline, PeriodRule, PeriodWrong, TimeNaive, day_of, due, due_on, end_of_day
from domain.errors import CalendarMissing
from infrastructure.working_days import ChineseWorkingDays

CALENDAR = ChineseWorkingDays()
COVERED = st.dates(date(2004, 1, 1), date(2026, 7, 31))


def period(unit: str, length: int) -> PeriodRule:
    return PeriodRule(id="a-period", version="2024.1", unit=unit, length=length)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "length", "last_day"),
    [
        ("2024-02-02", 5, "2024-02-08"),  # Sunday 4 February is worked for the Spring Festival
        ("2024-02-08", 5, "2024-02-21"),  # 10 to 17 February are off, Sunday 18 is worked
        ("2024-04-26", 20, "2024-05-27"),  # worked: Sunday 28 April, Saturday 11 May; off: 1 to 5 May
        ("2024-04-03", 1, "2024-04-07"),  # Qingming 4 to 6 April, Sunday 7 is worked
        ("2024-09-27", 3, "2024-10-08"),  # Sunday 29 and Monday 30 September, then the National Day week
        ("2023-12-29", 3, "2024-01-04"),  # over the end of a year; 1 January is off
        ("2020-01-23", 2, "2020-02-04"),  # the Spring Festival that was prolonged to 2 February
        ("2024-06-01", 1, "2024-06-03"),  # from a Saturday
    ],
)
def test_working_days_follow_the_notices(start: str, length: int, last_day: str) -> None:
    deadline = due(period("working-day", length), date.fromisoformat(start), CALENDAR)
    assert deadline.day == date.fromisoformat(last_day)


@pytest.mark.parametrize(
    ("start", "length", "last_day"),
    [
        ("2024-03-01", 30, "2024-04-01"),  # 31 March is a Sunday
        ("2024-09-02", 30, "2024-10-08"),  # ends on 2 October, in the National Day week
        ("2024-01-11", 30, "2024-02-18"),  # ends on New Year's day; the first day worked is a Sunday
        ("2024-05-27", 15, "2024-06-11"),  # the day after the Dragon Boat Festival
        ("2024-04-12", 30, "2024-05-13"),  # ends on Sunday 12 May; Saturday 11 was worked, 12 not
        ("2024-04-11", 30, "2024-05-11"),  # ends on a Saturday that is worked: it stays
        ("2024-02-01", 28, "2024-02-29"),  # a leap year
    ],
)
def test_natural_days_end_on_a_working_day(start: str, length: int, last_day: str) -> None:
    deadline = due(period("natural-day", length), date.fromisoformat(start), CALENDAR)
    assert deadline.day == date.fromisoformat(last_day)


def test_a_deadline_ends_with_its_day_in_shanghai() -> None:
    deadline = due(period("working-day", 1), date(2024, 6, 3), CALENDAR)
    assert deadline.due == datetime(2024, 6, 4, 15, 59, 59, 999_999, tzinfo=UTC)
    assert deadline.due.utcoffset() == timedelta(0)
    assert not deadline.is_past(deadline.due)
    assert deadline.is_past(datetime(2024, 6, 4, 16, 0, tzinfo=UTC))


def test_a_deadline_says_how_it_was_reckoned() -> None:
    deadline = due(period("natural-day", 30), date(2024, 3, 1), CALENDAR)
    assert deadline == Deadline(
        rule="a-period",
        version="2024.1",
        unit="natural-day",
        length=30,
        start=date(2024, 3, 1),
        calendar=CALENDAR.version,
        due=end_of_day(date(2024, 4, 1)),
    )


def test_a_fixed_date_does_not_move() -> None:
    sunday = date(2023, 4, 30)
    deadline = due_on("plan-published", "2024.1", sunday)
    assert (deadline.day, deadline.unit, deadline.length) == (sunday, "date", 0)


@pytest.mark.parametrize("length", [0, -3])
def test_a_period_without_a_day_is_refused(length: int) -> None:
    with pytest.raises(PeriodWrong) as refusal:
        due(period("working-day", length), date(2024, 3, 1), CALENDAR)
    assert refusal.value.facts == {"rule": "a-period", "length": length}


def test_a_period_that_runs_into_a_year_without_notice_is_refused() -> None:
    with pytest.raises(CalendarMissing) as refusal:
        due(period("working-day", 20), date(2026, 12, 20), CALENDAR)
    assert refusal.value.facts["year"] == 2027


def test_the_day_of_a_moment_is_that_of_shanghai() -> None:
    assert day_of(datetime(2024, 4, 30, 15, 59, 59, tzinfo=UTC)) == date(2024, 4, 30)
    assert day_of(datetime(2024, 4, 30, 16, 0, tzinfo=UTC)) == date(2024, 5, 1)
    with pytest.raises(TimeNaive):
        day_of(datetime(2024, 4, 30, 16, 0))


@settings(max_examples=150, deadline=None)
@given(start=COVERED, length=st.integers(1, 60))
def test_exactly_the_working_days_are_counted(start: date, length: int) -> None:
    last = due(period("working-day", length), start, CALENDAR).day
    days = [start + timedelta(days=offset) for offset in range(1, (last - start).days + 1)]
    assert sum(CALENDAR.is_working_day(day) for day in days) == length
    assert CALENDAR.is_working_day(last)


@settings(max_examples=150, deadline=None)
@given(start=COVERED, length=st.integers(1, 120))
def test_only_rest_days_prolong_a_period_of_natural_days(start: date, length: int) -> None:
    last = due(period("natural-day", length), start, CALENDAR).day
    counted = start + timedelta(days=length)
    prolonged = [counted + timedelta(days=offset) for offset in range((last - counted).days)]
    assert CALENDAR.is_working_day(last)
    assert last >= counted
    assert not any(CALENDAR.is_working_day(day) for day in prolonged)


@settings(max_examples=100, deadline=None)
@given(start=COVERED, length=st.integers(1, 40), unit=st.sampled_from(["working-day", "natural-day"]))
def test_a_later_start_or_a_longer_period_never_ends_sooner(start: date, length: int, unit: str) -> None:
    ends = due(period(unit, length), start, CALENDAR).due
    assert due(period(unit, length + 1), start, CALENDAR).due >= ends
    assert due(period(unit, length), start + timedelta(days=1), CALENDAR).due >= ends
