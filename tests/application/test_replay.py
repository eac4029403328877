"""Replay tells any stream, as of when it happened and as of when it was recorded."""

from datetime import datetime, timedelta

import pytest

from api.telling import sentences, tell
from application.draws import complete
from application.inspections import approve_inspection
from application.replay import Story, replay
from domain.access import ReadingReasonMissing
from domain.errors import NotFound
from domain.events import topics
from tests.journey import Journey
from tests.office import SHANXI, Agency


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    return Journey(sqlite_agency)


def told(journey: Journey, stream: str, **moments: datetime) -> Story:
    """The story as an auditor reads it, who says why."""
    auditor = journey.call(journey.people.auditor)
    recorder = journey.agency.store.recorder
    return replay(
        journey.office, auditor, stream, history=recorder, home=SHANXI, reason="专项检查", **moments
    )


def test_every_event_of_the_main_path_is_told_in_both_languages(journey: Journey) -> None:
    draw = journey.completed_draw()
    journey.published(journey.assignments(draw)[0], finding="corrected")
    streams = {row.stream for row in journey.agency.store.recorder.rows()}
    for stream in streams:
        story = told(journey, stream)
        for one in story.events:
            for language in ("zh", "en"):
                assert "{" not in tell(one.topic, one.facts, language).replace("{'", "")
        assert story.state


def test_there_is_a_sentence_for_every_topic_in_both_languages() -> None:
    assert sentences().keys() == topics().keys()
    assert all(words.keys() == {"zh", "en"} for words in sentences().values())


def test_a_late_entry_shows(journey: Journey) -> None:
    inspection = journey.opened(journey.assignments(journey.completed_draw())[0])
    happened = journey.agency.clock.now()
    journey.agency.clock.advance(days=3)

    leader = journey.call(journey.people.leader, occurred_at=happened)
    approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[])
    story = told(journey, inspection)
    assert [one.late for one in story.events] == [False, True]
    assert story.events[1].delay >= timedelta(days=3)


def test_the_state_is_that_of_the_moment(journey: Journey) -> None:
    assignment = journey.assignments(journey.completed_draw())[0]
    inspection = journey.opened(assignment)
    then = journey.agency.clock.now()
    journey.agency.clock.advance(hours=1)

    approve_inspection(
        journey.office, journey.call(journey.people.leader), inspection, approval_no="1", experts=[]
    )
    now = told(journey, inspection)
    before = told(journey, inspection, at=then)
    known = told(journey, inspection, as_recorded_at=then)
    assert now.state["status"] == "approved"
    assert before.state["status"] == known.state["status"] == "opened"


def test_a_stream_that_had_not_begun_is_not_found(journey: Journey) -> None:
    draw = journey.completed_draw()
    early = journey.agency.clock.now() - timedelta(days=400)
    with pytest.raises(NotFound):
        told(journey, draw, at=early)


@pytest.mark.parametrize("reached", ["revealed", "observed", "completed", "assignment", "inspection"])
def test_what_a_sealed_draw_decided_is_replayed_with_a_recorded_reason(
    journey: Journey, reached: str
) -> None:
    """From the last secret on whoever sees them and the value knows the result before anybody else."""
    draw = journey.announced(journey.prepared())
    journey.committed(draw)
    journey.revealed(draw, journey.sealed(draw))
    if reached != "revealed":
        journey.observed(draw)
    stream = draw
    if reached in ("completed", "assignment", "inspection"):
        complete(journey.office, journey.call(journey.people.officer), draw)
    if reached in ("assignment", "inspection"):
        stream = journey.assignments(draw)[0]
        stream = journey.opened(stream) if reached == "inspection" else stream
    auditor = journey.call(journey.people.auditor)
    with pytest.raises(ReadingReasonMissing):
        replay(journey.office, auditor, stream, history=journey.agency.store.recorder, home=SHANXI)
    assert journey.agency.topics()[-1] != "access.recorded.v1"
    assert told(journey, stream).events
    assert journey.agency.topics()[-1] == "access.recorded.v1"
