"""A sealed re-check formed again from the violations' own events."""

from collections.abc import Callable

import msgspec
import pytest

from application.draw_rows import row_of
from application.sealing import counts_of, sealed_files
from domain.draw import Draw
from domain.drawing.lines import Inspector, Site
from domain.ledger.finding import Finding
from infrastructure.blobs import FolderBlobs
from infrastructure.chance import SystemChance
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.replay_check.check import check_replay
from tests.infrastructure.replay_check.owner import Event, rewrite, tidy, with_state
from tests.ledger import ORIGIN
from tests.office import Agency
from tests.recheck_story import RecheckStory

Change = Callable[[list[Site], list[Inspector]], None]


@pytest.fixture
def story(agency: Agency) -> RecheckStory:
    story = RecheckStory(agency)
    story.closed(0)
    story.corrected(1)
    story.next_quarter()
    story.sealed()
    return story


def checked(story: RecheckStory) -> list[Finding]:
    """What the whole check finds, with read models at the head."""
    store = story.journey.agency.store
    mapper = EventMapper(SystemChance())
    runner = ProjectionRunner(store, mapper, log=ORIGIN)
    runner.catch_up()
    runner.close()
    blobs = story.office.blobs
    assert isinstance(blobs, FolderBlobs)
    return list(check_replay(store, mapper, blobs, log=ORIGIN).kept)


def resealed(story: RecheckStory, change: Change) -> list[Finding]:
    """What is found once other lines stand in the seal, with rules and hashes to fit."""
    draw: Draw = story.journey.load(Draw, story.draw)
    assert draw.frozen is not None
    frame, pool = story.frame(), story.pool()
    change(frame, pool)
    row = row_of(story.office.workflow.load, draw)
    files = sealed_files(draw, row, draw.frozen.as_of, frame, pool)
    put = story.office.blobs.put
    named = {
        "rules_hash": files.rules_hash.hex(),
        "rules": put(files.rules_json),
        "frame": put(files.frame_jsonl),
        "pool": put(files.pool_jsonl),
        "strata": msgspec.to_builtins(counts_of(files)),
    }
    store = story.journey.agency.store
    place = next(
        row.idx for row in store.recorder.rows() if (row.stream, row.topic) == (draw.id, Draw.Sealed.TOPIC)
    )

    def rewritten(events: list[Event]) -> list[Event]:
        seal = msgspec.json.decode(events[place]["state"])["seal"] | named
        return [*events[:place], with_state(events[place], seal=seal), *events[place + 1 :]]

    rewrite(store, rewritten)
    tidy(store)
    return checked(story)


def test_what_was_sealed_is_what_the_log_gives(story: RecheckStory) -> None:
    assert checked(story) == []


def test_a_closing_left_out_of_the_drum(story: RecheckStory) -> None:
    gone: list[Site] = []
    [finding] = resealed(story, lambda frame, pool: gone.append(frame.pop(0)))
    assert (finding.code, finding.params["row"]) == ("frame.differs", "missing")
    assert finding.params["id"] == gone[0].id


def test_a_closing_made_out_not_to_be_eligible(story: RecheckStory) -> None:
    def change(frame: list[Site], pool: list[Inspector]) -> None:
        frame[0] = frame[0]._replace(eligible=False, reason="referred")

    [finding] = resealed(story, change)
    assert (finding.code, finding.params["columns"]) == ("frame.differs", "eligible, reason")


def test_a_conflict_of_who_found_it_left_out(story: RecheckStory) -> None:
    def change(frame: list[Site], pool: list[Inspector]) -> None:
        number = next(number for number, one in enumerate(pool) if one.conflicts)
        pool[number] = pool[number]._replace(conflicts=())

    [finding] = resealed(story, change)
    assert (finding.code, finding.params["columns"]) == ("pool.differs", "conflicts")
