"""What an auditor reads of the timeline: in either order, by region and request, streams with their place."""

from datetime import timedelta

import pytest

from projections import timeline
from projections.histories import Scope, list_concerned, list_history, list_request
from tests import stages
from tests.builders import CITY, NOW, PLANNER, USCC, later, stream
from tests.projections.tale import Shelf, Tale

ALL = Scope(regions=None, home=True, sealed=True)


@pytest.fixture
def told(tale: Tale) -> Tale:
    """A site that was assessed late, a plan, a draw and an assignment of it."""
    site = tale.tell(stages.registered_site())
    tale.tell(stages.published_plan())
    tale.tell(stages.announcing()())
    tale.tell(stages.made_assignment())
    early = later(hours=-5)
    tale.tell(site, lambda one: one.assess(early, risk_class="B", assessed_on=early.day, source="评估"))
    return tale


def test_a_late_event_stands_last_in_the_log_and_first_in_the_order_of_happening(
    told: Tale, shelf: Shelf
) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        by_log = list_history(connection, USCC, ALL)
        by_happened = list_history(connection, USCC, ALL, by_happened=True)
        assert by_log[-1].topic == by_happened[0].topic == "site.assessed.v1"
        assert sorted(by_log, key=lambda one: (one.occurred_at, one.idx)) == by_happened
        for whole, switch in ((by_log, False), (by_happened, True)):
            paged, after = [], None
            while page := list_history(connection, USCC, ALL, by_happened=switch, after=after, limit=1):
                paged += page
                after = page[-1].idx
            assert paged == whole


def test_both_times_cut_a_history(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        whole = list_history(connection, USCC, ALL)
        for one in whole:
            for at, known in ((one.occurred_at, None), (None, one.recorded_at), (one.occurred_at, NOW)):
                scope = Scope(regions=None, home=True, sealed=True, at=at, as_recorded_at=known)
                assert list_history(connection, USCC, scope) == [
                    entry
                    for entry in whole
                    if (at is None or entry.occurred_at <= at)
                    and (known is None or entry.recorded_at <= known)
                ]


def test_regions_cut_a_history_and_what_has_none_is_for_the_home_s_auditors(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        here = Scope(regions=(CITY,), home=False, sealed=True)
        assert list_history(connection, USCC, here) == list_history(connection, USCC, ALL)
        for regions in ((), ("140200",)):
            assert list_history(connection, USCC, Scope(regions=regions, home=True, sealed=True)) == []


def test_who_acted_is_a_subject(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        deeds = list_history(connection, PLANNER, ALL, limit=1000)
    assert deeds
    assert [one.idx for one in deeds] == [
        one.idx for one in told.recorded if PLANNER in (one.event.by, one.event.on_behalf_of)
    ]


def test_a_request_has_the_events_of_all_its_streams(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        found = list_request(connection, "request-1", ALL, limit=1000)
        assert [one.idx for one in found] == [one.idx for one in told.recorded]
        assert list_request(connection, "request-1", ALL, after=found[2].idx, limit=2) == found[3:5]
        assert list_request(connection, "request-2", ALL) == []


def test_streams_come_in_the_order_in_which_they_came_to_concern_the_subject(
    told: Tale, shelf: Shelf
) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        whole = list_concerned(connection, USCC, ALL)
        assert [one.stream for one in whole] == [stream("site"), stream("assignment")]
        assert [one.draw for one in whole] == ["", stream("draw")]
        assert list_concerned(connection, USCC, ALL, after=whole[0].idx) == whole[1:]
        open_only = Scope(regions=None, home=True)
        assert [one.stream for one in list_concerned(connection, USCC, open_only)] == [stream("site")]
        let_in = Scope(regions=None, home=True, sealed=(stream("draw"),))
        assert list_concerned(connection, USCC, let_in) == whole
        other = Scope(regions=None, home=True, sealed=("draw-" + "0" * 32,))
        assert list_concerned(connection, USCC, other) == whole[:1]
        early = Scope(regions=None, home=True, sealed=True, as_recorded_at=NOW - timedelta(days=1))
        assert list_concerned(connection, USCC, early) == []
