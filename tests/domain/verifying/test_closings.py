"""A re-check's frame and pool from raw events: what the service sealed, and lines that are not so."""

import json
from collections.abc import Iterator

import pytest

from domain.draw import Draw
from domain.ledger.entry import parse_entry
from domain.verifying.closings import ClosingFold
from domain.verifying.errors import WrongHistory
from domain.verifying.log import Logged, draws_of
from tests.office import Agency
from tests.recheck_story import RecheckStory


def logged(agency: Agency) -> Iterator[Logged]:
    """The log as an export with states tells it."""
    for row in agency.store.recorder.rows():
        yield Logged(parse_entry(row.entry), json.loads(row.state))


def sealed(agency: Agency) -> tuple[RecheckStory, ClosingFold, bytes]:
    """A sealed re-check, the fold up to it, and the pool's bytes."""
    story = RecheckStory(agency)
    story.closed(0)
    story.corrected(1)
    story.next_quarter()
    story.sealed()
    draw: Draw = story.journey.load(Draw, story.draw)
    assert draw.frozen is not None
    fold = ClosingFold(draw.draw_no, draw.frozen.as_of)
    for _ in fold.follow(draws_of(logged(agency))):
        pass
    return story, fold, story.office.blobs.read(draw.frozen.pool)


def test_the_raw_events_give_what_was_sealed_and_nothing_else(sqlite_agency: Agency) -> None:
    story, fold, pool = sealed(sqlite_agency)
    frame, officers = story.frame(), story.pool()
    assert fold.applies
    assert not fold.untold
    fold.check_frame(frame)
    fold.check_pool(frame, officers, pool)
    with pytest.raises(WrongHistory) as wrong:
        fold.check_frame(frame[1:])
    assert (wrong.value.rule, wrong.value.line) == ("frame-not-of-registry", 1)
    changed = [frame[0]._replace(eligible=False, reason="referred"), *frame[1:]]
    with pytest.raises(WrongHistory):
        fold.check_frame(changed)
    number = next(number for number, one in enumerate(officers) if one.conflicts)
    officers[number] = officers[number]._replace(conflicts=())
    with pytest.raises(WrongHistory) as wrong:
        fold.check_pool(frame, officers, pool)
    assert (wrong.value.rule, wrong.value.line) == ("pool-not-of-registry", number + 1)


def test_a_pool_that_no_seal_names(sqlite_agency: Agency) -> None:
    story, fold, _ = sealed(sqlite_agency)
    with pytest.raises(WrongHistory):
        fold.check_pool(story.frame(), story.pool(), b"")


def test_states_that_are_not_at_hand_are_said(sqlite_agency: Agency) -> None:
    story, fold, _ = sealed(sqlite_agency)
    again = ClosingFold(fold.draw_no, fold.as_of)
    for event in draws_of(logged(story.journey.agency)):
        again.take(event if event.entry.topic != "violation.closed.v1" else Logged(event.entry, None))
    assert again.untold
