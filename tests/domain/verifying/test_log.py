"""What a whole log shows of its draws."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.ledger.entry import Entry, format_at
from domain.verifying.errors import WrongHistory
from domain.verifying.log import LogCheck, Logged, draws_of

BEGINNING = datetime(2024, 4, 1, 1, 0, tzinfo=UTC)
SOURCE = {"kind": "lottery", "name": "双色球", "issue": "2024040", "at": "2024-04-02T21:15:00+08:00"}
NEXT = {**SOURCE, "issue": "2024041", "at": "2024-04-04T21:15:00+08:00"}
BEFORE, AFTER = 60, 60 * 40
"""Minutes after the beginning: before and after the first lottery."""

Told = tuple[str, int, str, int, dict[str, Any] | None]


def announced(
    draw: int, *, row: str = "p/01", attempt: int = 1, source: Any = SOURCE, minute: int = 0
) -> Told:
    facts = {
        "draw_no": draw,
        "attempt": attempt,
        "plan_row": row,
        "public_source": source,
        "contributors": [{"party": "agency"}, {"party": "discipline"}],
    }
    return f"draw-{draw}", 1, "draw.announced.v1", minute, facts


def step(draw: int, kind: str, minute: int, **facts: Any) -> Told:
    return f"draw-{draw}", 2, f"draw.{kind}.v1", minute, facts


def other(topic: str, minute: int = 1) -> Told:
    return "site-1", 1, topic, minute, {"task": {"draw": "draw-0"}, "team": []}


def whole(
    draw: int, *, row: str = "p/01", source: Any = SOURCE, start: int = 0, as_of: int = -1
) -> list[Told]:
    """A draw that went well; `start` are minutes to add."""
    return [
        announced(draw, row=row, source=source, minute=start),
        step(draw, "sealed", start + 1, seal={"as_of": as_of}),
        step(draw, "revealed", start + 2),
        step(draw, "revealed", start + 3),
        step(draw, "public-value-observed", start + AFTER),
        step(draw, "completed", start + AFTER + 1),
    ]


def logged(told: list[Told]) -> list[Logged]:
    """Events in order; times as told, positions counted."""
    return [
        Logged(
            Entry(format_at(BEGINNING + timedelta(minutes=minute)), idx, "", "0" * 64, stream, topic, ver),
            facts,
        )
        for idx, (stream, ver, topic, minute, facts) in enumerate(told)
    ]


def check(told: list[Told], *, days: int = 60, is_working_day: Callable[[date], bool] | None = None) -> str:
    """The rule that is broken, or ""."""
    judge = LogCheck(now=BEGINNING + timedelta(days=days), is_working_day=is_working_day)
    try:
        judge.run(draws_of(logged(told)))
    except WrongHistory as error:
        return error.rule
    return ""


def test_a_log_in_which_all_is_well() -> None:
    voided = [
        announced(2, row="p/02", source=NEXT, minute=3000),
        step(2, "voided", 3001, reroll_warning=False),
        announced(3, row="p/02", attempt=2, source={"kind": "dice", "rolls": 20}, minute=3002),
    ]
    assert check([*whole(1), other("item.drafted.v1"), *voided]) == ""


def test_numbers_have_no_gap() -> None:
    assert check(whole(2)) == "draw-number-gap"
    assert check([*whole(1), *whole(3, row="p/02", source=NEXT, start=3000)]) == "draw-number-gap"


def test_attempts_have_no_gap() -> None:
    assert check([announced(1, attempt=2)]) == "attempt-gap"


def test_a_plan_row_has_one_live_draw() -> None:
    assert check([*whole(1), announced(2, attempt=2, source=NEXT)]) == "two-live-draws"


@pytest.mark.parametrize("end", ["voided", "attempt-ended"])
def test_a_draw_that_ended_gives_way_to_the_next_attempt(end: str) -> None:
    told = [announced(1), step(1, end, 2, reroll_warning=False), announced(2, attempt=2, source=NEXT)]
    assert check(told) == ""


def test_a_source_serves_one_draw() -> None:
    again = {**SOURCE, "name": "双 色 球", "issue": "02024040"}
    assert check([*whole(1), announced(2, row="p/02", source=again)]) == "source-used-twice"


def test_dice_are_rolled_anew() -> None:
    dice = {"kind": "dice", "rolls": 20}
    assert check([announced(1, source=dice), announced(2, row="p/02", source=dice)]) == ""


def test_a_seal_comes_before_the_source() -> None:
    assert check([announced(1), step(1, "sealed", AFTER, seal={"as_of": -1})]) == "seal-after-source"


@pytest.mark.parametrize("topic", ["site.changed.v1", "inspector.registered.v1", "assignment.made.v1"])
def test_nothing_of_the_registries_lies_before_the_seal(topic: str) -> None:
    told = [announced(1), other(topic), step(1, "sealed", 3, seal={"as_of": 0})]
    assert check(told) == "registry-after-as-of"
    told[2] = step(1, "sealed", 3, seal={"as_of": 1})
    assert check(told) == ""


@pytest.mark.parametrize("topic", ["violation.closed.v1", "recheck.drawn.v1", "site.changed.v1"])
def test_nothing_of_the_closings_lies_before_the_seal_of_a_recheck(topic: str) -> None:
    begun = announced(1, row="recheck/140100/2024Q1")
    told = [(*begun[:2], "draw.recheck-announced.v1", *begun[3:]), other(topic)]
    assert check([*told, step(1, "sealed", 3, seal={"as_of": 0})]) == "registry-after-as-of"
    assert check([*told, step(1, "sealed", 3, seal={"as_of": 1})]) == ""


def test_a_recheck_is_not_made_of_visits_nor_another_draw_of_closings() -> None:
    begun = announced(1, row="recheck/140100/2024Q1")
    told = [(*begun[:2], "draw.recheck-announced.v1", *begun[3:]), other("inspection.notified.v1")]
    assert check([*told, step(1, "sealed", 3, seal={"as_of": 0})]) == ""
    told = [begun, other("violation.closed.v1")]
    assert check([*told, step(1, "sealed", 3, seal={"as_of": 0})]) == ""


def test_a_recheck_has_its_number_among_all_draws() -> None:
    second = announced(3, row="recheck/140100/2024Q1", source=NEXT, minute=3000)
    assert check([*whole(1), (*second[:2], "draw.recheck-announced.v1", *second[3:])]) == "draw-number-gap"


def test_a_repeated_attempt_may_keep_its_earlier_frame() -> None:
    told = [
        announced(1),
        step(1, "sealed", 1, seal={"as_of": -1}),
        step(1, "voided", 2, reroll_warning=False),
        other("site.changed.v1", 3),
        announced(2, attempt=2, source=NEXT, minute=4),
        step(2, "sealed", 5, seal={"as_of": -1}),
    ]
    assert check(told) == ""


def test_a_void_after_the_source_bears_its_warning() -> None:
    told = [announced(1), step(1, "voided", AFTER, reroll_warning=False)]
    assert check(told) == "void-after-source"
    assert check([told[0], step(1, "voided", AFTER, reroll_warning=True)]) == ""
    assert check([told[0], step(1, "voided", BEFORE, reroll_warning=False)]) == ""


def test_a_draw_whose_value_exists_is_not_voided() -> None:
    told = [*whole(1)[:5], step(1, "voided", AFTER + 2, reroll_warning=True)]
    assert check(told) == "void-after-value"


def test_the_time_of_dice_is_when_all_have_revealed() -> None:
    told = [
        announced(1, source={"kind": "dice", "rolls": 20}),
        step(1, "revealed", 2),
        step(1, "revealed", 3),
        step(1, "voided", 4, reroll_warning=False),
    ]
    assert check(told) == "void-after-source"
    assert check([*told[:2], told[3]]) == ""


def weekdays(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(("days", "rule"), [(2, ""), (5, "not-completed-in-time")])
def test_a_value_leads_to_a_result_within_two_working_days(days: int, rule: str) -> None:
    """The value is observed on Wednesday, 3 April, about one in the morning in China."""
    late = whole(1)
    late[5] = step(1, "completed", AFTER + days * 24 * 60)
    assert check(late, is_working_day=weekdays) == rule
    assert check(late[:5], days=1 + days, is_working_day=weekdays) == rule


def test_without_a_calendar_only_what_is_late_on_any_is_late() -> None:
    assert check(whole(1)[:5], days=12) == ""
    assert check(whole(1)[:5], days=16) == "not-completed-in-time"


@pytest.mark.parametrize("facts", [None, {}, {"public_source": {"kind": "horoscope"}}])
def test_a_draw_that_the_log_does_not_tell_is_said_to_be_so(facts: dict[str, Any] | None) -> None:
    assert check([("draw-1", 1, "draw.announced.v1", 0, facts)]) == "draw-untold"


def test_a_step_of_a_draw_that_was_never_announced() -> None:
    assert check([step(1, "sealed", 1, seal={"as_of": 0})]) == "draw-untold"


def supplement(
    draw: int, of: int, *, seats: list[str] | None = None, round: int = 1, attempt: int = 1, row: str = "p/01"
) -> Told:
    """A supplementary draw of the second seats, announced."""
    stream, ver, _, _, facts = announced(draw, row=row, attempt=attempt, source=THIRD)
    missing = {"seats": ["second"] if seats is None else seats, "round": round}
    told = {**(facts or {}), "supplements": of, "missing": missing}
    return stream, ver, "draw.supplement-announced.v1", AFTER + 10 + draw, told


def made(draw: int, site: int, second: str | None) -> Told:
    """An assignment of the draw."""
    team = [{"seat": "lead", "inspector": "i1"}, {"seat": "second", "inspector": second}]
    facts = {"task": {"draw": f"draw-{draw}"}, "team": team}
    return f"assignment-{site}", 1, "assignment.made.v1", AFTER + 1, facts


THIRD = {**SOURCE, "issue": "2024042", "at": "2024-04-30T21:15:00+08:00"}


def test_a_supplement_of_a_row_lives_beside_its_draw() -> None:
    assert check([*whole(1), made(1, 1, None), supplement(2, 1)]) == ""


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ([supplement(2, 7)], "supplement-of-nothing"),
        ([supplement(2, 1, row="p/02")], "supplement-of-nothing"),
        ([supplement(2, 1, seats=["lead"])], "supplement-not-needed"),
        ([supplement(2, 1, round=2)], "attempt-gap"),
        ([supplement(2, 1, attempt=2)], "attempt-gap"),
        ([supplement(2, 1), supplement(3, 1, attempt=2)], "two-live-draws"),
    ],
)
def test_a_supplement_of_what_is_not_empty_shows(told: list[Told], rule: str) -> None:
    assert check([*whole(1), made(1, 1, None), *told]) == rule


@pytest.mark.parametrize(
    "change",
    [
        ("assignment.seat-filled.v1", {"seat": "second", "inspector": "i2", "draw": "draw-9"}),
        ("assignment.site-voided.v1", {}),
    ],
)
def test_what_was_filled_or_void_needs_no_supplement(change: tuple[str, dict[str, Any]]) -> None:
    later = ("assignment-1", 2, change[0], AFTER + 2, change[1])
    assert check([*whole(1), made(1, 1, None), later, supplement(2, 1)]) == "supplement-not-needed"


def test_a_recusal_may_empty_a_seat_and_untold_states_are_not_judged() -> None:
    facts = {"seat": "second", "substitute": None}
    freed = ("assignment-1", 2, "assignment.recusal-granted.v1", AFTER + 2, facts)
    assert check([*whole(1), made(1, 1, "i2"), freed, supplement(2, 1)]) == ""
    assert check([*whole(1), (*made(1, 1, "i2")[:4], None), supplement(2, 1)]) == ""
