"""When something is due: periods counted in working days or natural days, and fixed dates of a year.

Periods of 2, 3, 5 and 7 days are working days, others natural days (行政处罚法 §85); the rulebook says
which unit a period has. The day something starts is not counted. A period of natural days that ends on
a rest day ends on the next working day. A deadline ends with its day in Asia/Shanghai, which has had no
summer time since 1991 and is UTC+8 all year.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol

import msgspec

from domain.act import CHINA
from domain.errors import Invalid

_LAST_MOMENT = time(23, 59, 59, 999_999, tzinfo=CHINA)
_DAY = timedelta(days=1)


class PeriodWrong(Invalid):
    """A period must be at least one day long; facts: `rule`, `length`."""

    code = "period-wrong"


class TimeNaive(Invalid):
    """A moment without a time zone says nothing; facts: `value`."""

    code = "time-naive"


class Calendar(Protocol):
    """Working days of mainland China with make-up days 调休."""

    @property
    def version(self) -> str:
        """Which notices the calendar holds; kept with every deadline."""
        ...

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked; raises rather than guesses for a year without a notice."""
        ...


class PeriodRule(msgspec.Struct, frozen=True, kw_only=True):
    """A named period of a rulebook. `version` is the rulebook's, `length` is counted in `unit`."""

    id: str
    version: str
    unit: Literal["working-day", "natural-day"]
    length: int


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """The last moment for something, and how it was reckoned, so that anybody can reckon it again.

    `rule` and `version` name the rule in the rulebook. `start` is day 0 in Asia/Shanghai; for a fixed
    date `unit` is `date`, `length` 0 and `start` the date itself. `calendar` is the version of the
    calendar that was asked ("" for a fixed date). `due` is an aware UTC time and still in time.
    """

    rule: str
    version: str
    unit: Literal["working-day", "natural-day", "date"]
    length: int
    start: date
    calendar: str
    due: datetime

    @property
    def day(self) -> date:
        """The last day, in Asia/Shanghai."""
        return day_of(self.due)

    def is_past(self, moment: datetime) -> bool:
        """Whether it is too late at `moment` (an aware time)."""
        return moment > self.due


def due(rule: PeriodRule, start: date, calendar: Calendar) -> Deadline:
    """The deadline of a period that starts on `start` (a day in Asia/Shanghai, itself not counted).

    Raises `PeriodWrong`, and what the calendar raises for a day that no notice covers.
    """
    if rule.length < 1:
        raise PeriodWrong(rule=rule.id, length=rule.length)
    reckon = _working_days_later if rule.unit == "working-day" else _natural_days_later
    return Deadline(
        rule=rule.id,
        version=rule.version,
        unit=rule.unit,
        length=rule.length,
        start=start,
        calendar=calendar.version,
        due=end_of_day(reckon(start, rule.length, calendar)),
    )


def due_on(rule: str, version: str, day: date) -> Deadline:
    """The deadline of a fixed date, such as 30 April. It does not move, whatever day of the week it is."""
    return Deadline(
        rule=rule, version=version, unit="date", length=0, start=day, calendar="", due=end_of_day(day)
    )


def end_of_day(day: date) -> datetime:
    """The last microsecond of a day in Asia/Shanghai, as an aware UTC time."""
    return datetime.combine(day, _LAST_MOMENT).astimezone(UTC)


def day_of(moment: datetime) -> date:
    """The day in Asia/Shanghai at an aware time; `TimeNaive` for any other."""
    if moment.utcoffset() is None:
        raise TimeNaive(value=moment.isoformat())
    return moment.astimezone(CHINA).date()


def _working_days_later(start: date, length: int, calendar: Calendar) -> date:
    day, left = start, length
    while left:
        day += _DAY
        left -= calendar.is_working_day(day)
    return day


def _natural_days_later(start: date, length: int, calendar: Calendar) -> date:
    day = start + _DAY * length
    while not calendar.is_working_day(day):
        day += _DAY
    return day
