"""Who does something and when: what every event is stamped with."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.act import Act, OccurredLater, persons_of
from domain.plan import Plan
from tests.builders import DEPUTY, LEADER, NOW, PLANNER, act, stream
from tests.scenario import given
from tests.stages import drafted_plan, row_set


def test_an_act_counts_in_days_of_china() -> None:
    late = datetime(2024, 3, 31, 16, 0, tzinfo=UTC)
    assert act(at=late).day == date(2024, 4, 1)
    assert act(at=late - timedelta(microseconds=1)).day == date(2024, 3, 31)


def test_nothing_is_recorded_before_it_happened() -> None:
    happens = NOW + timedelta(microseconds=1)
    with pytest.raises(OccurredLater) as refusal:
        Act(by=PLANNER, at=NOW, occurred_at=happens)
    assert refusal.value.facts == {"occurred_at": happens, "at": NOW}


def test_a_deed_may_be_recorded_later_and_keeps_both_times() -> None:
    before = Act(by=PLANNER, at=NOW, occurred_at=NOW - timedelta(days=3))
    assert before.day == date(2024, 3, 29)
    assert before.stamp()["timestamp"] == NOW
    assert before.taken_on == date(2024, 4, 1)


def test_a_deputy_and_his_principal_count_together() -> None:
    assert act(PLANNER).persons == {PLANNER}
    assert act(DEPUTY, on_behalf_of=PLANNER).persons == persons_of(DEPUTY, PLANNER) == {DEPUTY, PLANNER}


def test_every_event_is_stamped_by_its_act() -> None:
    deed = Act(
        by=DEPUTY,
        at=NOW,
        occurred_at=NOW - timedelta(hours=1),
        on_behalf_of=LEADER,
        correlation_id="request-7",
        causation_id="event-9",
    )
    outcome = given(drafted_plan, row_set).when(lambda plan: plan.submit(deed))
    (event,) = outcome.events
    assert isinstance(event, Plan.Submitted)
    assert (event.originator_id, event.originator_version) == (stream("plan"), 3)
    assert (event.timestamp, event.occurred_at) == (deed.at, deed.occurred_at)
    assert (event.by, event.on_behalf_of) == (DEPUTY, LEADER)
    assert (event.correlation_id, event.causation_id) == ("request-7", "event-9")
