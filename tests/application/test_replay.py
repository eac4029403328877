"""Replay tells any stream, as of when it happened and as of when it was recorded."""

from datetime import timedelta

import pytest

from api.telling import sentences, tell
from application.inspections import approve_inspection
from application.replay import replay
from domain.errors import NotFound
from domain.events import topics
from tests.journey import Journey
from tests.office import Agency


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    return Journey(sqlite_agency)


def test_every_event_of_the_main_path_is_told_in_both_languages(journey: Journey) -> None:
    draw = journey.completed_draw()
    journey.published(journey.assignments(draw)[0], finding="corrected")
    auditor = journey.call(journey.people.auditor)
    streams = {row.stream for row in journey.agency.store.recorder.rows()}
    for stream in streams:
        story = replay(journey.office, auditor, stream, moments=journey.agency.store.recorder)
        for told in story.events:
            for language in ("zh", "en"):
                assert "{" not in tell(told.topic, told.facts, language).replace("{'", "")
        assert story.state


def test_there_is_a_sentence_for_every_topic_in_both_languages() -> None:
    assert sentences().keys() == topics().keys()
    assert all(told.keys() == {"zh", "en"} for told in sentences().values())


def test_a_late_entry_shows(journey: Journey) -> None:
    inspection = journey.opened(journey.assignments(journey.completed_draw())[0])
    happened = journey.agency.clock.now()
    journey.agency.clock.advance(days=3)

    leader = journey.call(journey.people.leader, occurred_at=happened)
    approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[])
    story = replay(
        journey.office,
        journey.call(journey.people.auditor),
        inspection,
        moments=journey.agency.store.recorder,
    )
    assert [told.late for told in story.events] == [False, True]
    assert story.events[1].delay >= timedelta(days=3)


def test_the_state_is_that_of_the_moment(journey: Journey) -> None:
    assignment = journey.assignments(journey.completed_draw())[0]
    inspection = journey.opened(assignment)
    then = journey.agency.clock.now()
    journey.agency.clock.advance(hours=1)

    approve_inspection(
        journey.office, journey.call(journey.people.leader), inspection, approval_no="1", experts=[]
    )
    auditor = journey.call(journey.people.auditor)
    moments = journey.agency.store.recorder
    now = replay(journey.office, auditor, inspection, moments=moments)
    before = replay(journey.office, auditor, inspection, moments=moments, at=then)
    known = replay(journey.office, auditor, inspection, moments=moments, as_recorded_at=then)
    assert now.state["status"] == "approved"
    assert before.state["status"] == known.state["status"] == "opened"


def test_a_stream_that_had_not_begun_is_not_found(journey: Journey) -> None:
    draw = journey.completed_draw()
    auditor = journey.call(journey.people.auditor)
    early = journey.agency.clock.now() - timedelta(days=400)
    with pytest.raises(NotFound):
        replay(journey.office, auditor, draw, moments=journey.agency.store.recorder, at=early)
