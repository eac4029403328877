"""What read models tell of re-checks, and that the statistics stay true when a closing failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection

from application import draws
from infrastructure.chance import SystemChance
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from projections.draws import get_draw, list_draws
from projections.rechecks import get_recheck, list_rechecks, rechecks_of
from projections.statistics_report import quarterly
from projections.timeline import list_timeline
from projections.violation_ledger import get_violation, list_violations
from tests.ledger import ORIGIN
from tests.office import Agency
from tests.recheck_story import RecheckStory


@pytest.fixture
def story(sqlite_agency: Agency) -> RecheckStory:
    return RecheckStory(sqlite_agency)


@contextmanager
def views(story: RecheckStory) -> Iterator[Connection]:
    """The read models at the head of the log."""
    runner = ProjectionRunner(story.journey.agency.store, EventMapper(SystemChance()), log=ORIGIN)
    try:
        runner.catch_up()
        with runner.views.reading() as connection:
            yield connection
    finally:
        runner.close()


def test_before_the_opening_only_the_team_sees_it(story: RecheckStory) -> None:
    violation = story.closed()
    story.next_quarter()
    [recheck] = story.drawn()
    member = story.member(recheck).inspector
    with views(story) as connection:
        assert list_rechecks(connection) == []
        [mine] = rechecks_of(connection, member)
        assert (mine.id, mine.violation, mine.outcome) == (recheck, violation, "")
        told = [one.stream for one in list_timeline(connection, violation)]
        assert recheck not in told
        assert recheck in [one.stream for one in list_timeline(connection, violation, sealed=True)]
        found = get_draw(connection, story.draw)
        assert found is not None
        assert (found.plan, found.plan_row) == ("", "recheck/140100/2024Q2")
    story.carried_out(recheck, "sustained")
    draws.open_draw(story.office, story.call(story.people.officer), story.draw)
    with views(story) as connection:
        [shown] = list_rechecks(connection, ["140000"], period="2024Q2", outcome="sustained")
        assert shown == get_recheck(connection, recheck)
        assert rechecks_of(connection, member) == []
        assert rechecks_of(connection, member, ended=True) == [shown]
        assert [one.id for one in list_draws(connection, plan_row="recheck/140100/2024Q2")] == [story.draw]


def test_a_failed_closing_stands_in_the_ledger_and_the_order_is_open_again(story: RecheckStory) -> None:
    violation = story.closed()
    story.next_quarter()
    [recheck] = story.drawn()
    clock = story.journey.agency.clock
    with views(story) as connection:
        before = sum(cell.orders_closed for cell in quarterly(connection, "2024Q2", now=clock.now()))
    story.carried_out(recheck, "reopened", due_on=date(2024, 8, 1))
    with views(story) as connection:
        row = get_violation(connection, violation)
        assert row is not None
        assert (row.state, row.closed_on, row.closed_by) == ("ordered", None, "")
        assert (row.recheck_outcome, row.failed_closings) == ("reopened", 1)
        assert list_violations(connection, state="closed") == []
        cells = quarterly(connection, "2024Q2", now=clock.now())
        late = quarterly(connection, "2024Q2", now=clock.now() + timedelta(days=60))
    assert before == 1
    assert [sum(getattr(cell, name) for cell in cells) for name in ("orders_closed", "orders_open")] == [0, 1]
    assert sum(cell.orders_overdue for cell in late) == 1


def test_a_recheck_adds_nothing_to_what_was_drawn(story: RecheckStory) -> None:
    story.closed()
    story.next_quarter()
    now = story.journey.agency.clock.now()
    with views(story) as connection:
        before = quarterly(connection, "2024Q2", now=now)
    story.drawn()
    with views(story) as connection:
        assert quarterly(connection, "2024Q2", now=now) == before


def test_what_had_no_order_counts_as_to_be_rectified(story: RecheckStory) -> None:
    story.corrected(0)
    story.next_quarter()
    [recheck] = story.drawn()
    story.carried_out(recheck, "reopened")
    now = story.journey.agency.clock.now()
    with views(story) as connection:
        cells = quarterly(connection, "2024Q2", now=now)
    disposals = {code: sum(cell.disposals[code] for cell in cells) for code in ("corrected", "rectifying")}
    assert disposals == {"corrected": 0, "rectifying": 1}
