"""Events and states of many streams, as of any moment; what a sealed draw decided is left out where asked."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from application.assignments import declare_recusal
from application.authorisation import AUDITOR
from application.inspections import approve_inspection
from application.jurisdiction import REGIONS as OWN
from application.jurisdiction import region_of
from application.replay import LATE_AFTER, Moment, Story, replay
from application.retelling import retell, stand_of, telling
from application.sites import assess_site
from application.unfolding import plain_state
from domain.assignment import Assignment
from domain.draw import Draw
from domain.errors import DomainError, NotFound
from domain.events import AGGREGATES
from domain.inspection import Inspection
from infrastructure.event_store.recorder import Row
from projections.timeline_subjects import REGIONS
from tests.examples_of_events import examples
from tests.journey import SECRETS, Journey
from tests.office import DATONG, SHANXI, TAIYUAN, Agency, actor


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    """A walk on SQLite."""
    return Journey(sqlite_agency)


class Mentioned(msgspec.Struct, frozen=True):
    """What a read model would know of an event."""

    idx: int
    stream: str
    version: int


def mentioned(journey: Journey, *kinds: str) -> list[Mentioned]:
    """All events of streams of these kinds, or of all."""
    rows = journey.agency.store.recorder.rows()
    return [Mentioned(row.idx, row.stream, row.ver) for row in rows if row.stream.startswith(kinds or ("",))]


def story(journey: Journey, stream: str, **moments: Any) -> Story:
    """The story as an auditor reads it."""
    auditor = journey.call(journey.people.auditor)
    history = journey.agency.store.recorder
    return replay(journey.office, auditor, stream, history=history, home=SHANXI, reason="专项检查", **moments)


def walked(journey: Journey) -> list[Row]:
    """A history in which much was told late: to each command its own hour of the days before."""
    draw = journey.completed_draw()
    for number, assignment in enumerate(journey.assignments(draw)[:2]):
        journey.published(assignment, finding="corrected" if number else "")
    for number, site in enumerate(journey.sites[:3]):
        for hours in (50, 3, 400):
            call = journey.call(
                journey.people.officer,
                occurred_at=journey.agency.clock.now() - timedelta(hours=hours + number),
            )
            day = call.act.day
            assess_site(journey.office, call, site, risk_class="ABC"[number], assessed_on=day, source="评估")
            journey.agency.clock.advance(minutes=7)
    return list(journey.agency.store.recorder.rows())


def test_every_prefix_by_either_time_has_a_state(journey: Journey) -> None:
    rows = walked(journey)
    by_stream: dict[str, list[Row]] = {}
    for row in rows:
        by_stream.setdefault(row.stream, []).append(row)
    longest = sorted(by_stream, key=lambda one: len(by_stream[one]), reverse=True)[:8]
    late = [one for one in by_stream if one in journey.sites[:3]]
    for stream in {*longest, *late}:
        whole = story(journey, stream).events
        for one in whole:
            for moments in (
                {"at": one.occurred_at},
                {"as_recorded_at": one.recorded_at},
                {"at": one.occurred_at, "as_recorded_at": one.recorded_at},
            ):
                told = story(journey, stream, **moments)
                assert one in told.events
                assert [event.version for event in told.events] == [
                    event.version
                    for event in whole
                    if event.occurred_at <= moments.get("at", event.occurred_at)
                    and event.recorded_at <= moments.get("as_recorded_at", event.recorded_at)
                ]
                assert told.state or told.events[0].version > 1


def test_a_state_takes_late_events_in_the_order_of_the_log(journey: Journey) -> None:
    site, officer = journey.site(1, "key"), journey.people.officer
    registered = journey.agency.clock.now()
    journey.agency.clock.advance(days=10)
    for days, grade in ((1, "B"), (5, "C")):
        call = journey.call(officer, occurred_at=registered + timedelta(days=days))
        day = call.act.day
        assess_site(journey.office, call, site, risk_class=grade, assessed_on=day, source="评估")
    assert story(journey, site).state["risk_class"] == "C"
    assert story(journey, site, at=registered + timedelta(days=2)).state["risk_class"] == "B"
    third, fourth = story(journey, site).events[1:]
    assert (third.late, fourth.late) == (True, True)
    assert third.delay == timedelta(days=9)


def test_what_is_recorded_after_exactly_a_day_is_not_late(journey: Journey) -> None:
    site = journey.site(1, "key")
    journey.agency.clock.advance(days=2)
    now = journey.agency.clock.now()
    for delay in (LATE_AFTER, LATE_AFTER + timedelta(microseconds=1)):
        call = journey.call(journey.people.officer, occurred_at=now - delay)
        grade = "B" if delay == LATE_AFTER else "C"
        assess_site(journey.office, call, site, risk_class=grade, assessed_on=call.act.day, source="评估")
    assert [one.late for one in story(journey, site).events] == [False, False, True]


def test_what_is_said_to_be_older_than_its_stream_has_no_state_yet(journey: Journey) -> None:
    site = journey.site(1, "key")
    before = journey.agency.clock.now() - timedelta(days=1)
    call = journey.call(journey.people.officer, occurred_at=before)
    assess_site(journey.office, call, site, risk_class="B", assessed_on=call.act.day, source="评估")
    told = story(journey, site, at=before)
    assert ([one.version for one in told.events], told.state, told.kind) == ([2], {}, "site")
    with pytest.raises(NotFound):
        story(journey, site, at=before - timedelta(seconds=1))


def test_changes_of_a_page_are_those_of_the_whole_story(journey: Journey) -> None:
    draw = journey.completed_draw()
    inspection = journey.published(journey.assignments(draw)[0], finding="corrected").id
    history = journey.agency.store.recorder
    entries = mentioned(journey, "inspection-", "assignment-", "plan-")
    told = retell(journey.office, entries, history=history, full=True)
    assert [one.idx for one in told] == [one.idx for one in entries]
    for page in ([entry] for entry in entries):
        (one,) = retell(journey.office, page, history=history, full=True)
        assert one == told[entries.index(page[0])]
    own = [one for one in told if one.stream == inspection]
    assert [one.changes for one in own] == [one.changes for one in story(journey, inspection).events]
    approved = next(one for one in own if one.topic == "inspection.approved.v1")
    assert ("status", "opened", "approved") in [(c.field, c.before, c.after) for c in approved.changes]
    assert all(not one.changes for one in retell(journey.office, entries, history=history))


def test_states_are_those_that_are_stored(journey: Journey) -> None:
    draw = journey.completed_draw()
    assignment = journey.assignments(draw)[0]
    inspection = journey.opened(assignment)
    then = journey.agency.clock.now()
    journey.agency.clock.advance(hours=1)
    leader = journey.call(journey.people.leader)
    approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[])
    history, streams = journey.agency.store.recorder, [assignment, inspection]
    now = list(stand_of(journey.office, streams, history=history))
    assert [(one.kind, one.version) for one in now] == [("assignment", 1), ("inspection", 2)]
    assert [one.state for one in now] == [
        plain_state(journey.load(Assignment, assignment)),
        plain_state(journey.load(Inspection, inspection)),
    ]
    before = list(stand_of(journey.office, streams, history=history, moment=Moment(at=then)))
    assert [one.version for one in before] == [1, 1]
    assert before[1].state["status"] == "opened"


def test_of_a_sealed_draw_only_what_everybody_knows_is_told(journey: Journey) -> None:
    draw = journey.completed_draw()
    office, history = journey.office, journey.agency.store.recorder
    declare_recusal(
        office,
        journey.call(journey.people.officer),
        journey.assignments(draw)[0],
        inspector=_seated(journey, draw),
        ground="party",
        origin="agency",
        detail="",
    )
    withheld = telling(office, {draw, journey.sites[0]})
    assert withheld == {draw}
    entries = mentioned(journey, "draw-")
    told = retell(office, entries, history=history, full=True, withheld=withheld)
    found: Draw = journey.load(Draw, draw)
    text = msgspec.json.encode(told).decode()
    assert found.result is not None
    for secret in (*(one.hex() for one in SECRETS.values()), found.result.sample, found.result.seed):
        assert secret not in text
        assert secret in msgspec.json.encode(retell(office, entries, history=history)).decode()
    assert {one.sealed for one in told} == {True}
    (stand,) = stand_of(office, [draw], history=history, withheld=withheld)
    assert (stand.sealed, stand.state) == (True, {})


def _seated(journey: Journey, draw: str) -> str:
    team: dict[str, str | None] = journey.load(Assignment, journey.assignments(draw)[0]).team
    return next(holder for holder in team.values() if holder)


def test_a_region_is_the_same_for_a_state_and_for_a_read_model() -> None:
    for topic, example in examples().items():
        kind = next(one for one in AGGREGATES if topic.startswith(f"{one.TOPIC}."))
        if example.originator_version != 1:
            continue
        made: Any = example.mutate(None)
        known = REGIONS.get(type(example))
        assert region_of(made, "000000") == ((known(example) if known else "") or "000000"), topic
        assert (kind in OWN) == (known is not None), topic


def test_an_auditor_of_another_city_replays_nothing_here(journey: Journey) -> None:
    site = journey.site(1, "key")
    history = journey.agency.store.recorder
    office = journey.office
    founding = next(history.rows()).stream
    cases = {
        (DATONG, site): False,
        (TAIYUAN, site): True,
        (TAIYUAN, founding): False,
        (SHANXI, founding): True,
    }
    for (region, stream), allowed in cases.items():
        call = journey.call(actor(f"auditor-{region}", AUDITOR, region))
        try:
            replay(office, call, stream, history=history, home=SHANXI)
            refused = ""
        except DomainError as error:
            refused = error.code
        assert refused == ("" if allowed else "permission-missing"), (region, stream)
