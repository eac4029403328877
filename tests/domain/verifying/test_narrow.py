"""Narrow seats of a bundle: as many told as the report lists, and a second person's word before a reveal."""

from hashlib import sha256

import pytest

from domain.drawing.lines import read_frame, read_pool
from domain.drawing.narrow import NARROW_FILE, find_narrow, write_narrow
from domain.drawing.rules import read_rules
from domain.drawing.verify import Verdict
from domain.verifying.bundle import verify_draw
from tests.domain.verifying.story import Event, Story
from tests.domain.verifying.test_bundle import NOW

FOUND, APPROVED = "draw.narrow-seats-found.v1", "draw.narrow-seats-approved.v1"


def narrow_story() -> Story:
    """A draw whose pool is narrow, with its report in the bundle and the second person's word."""
    story = Story("edge")
    files = story.files
    team = read_rules(files["rules.json"]).team
    seats = list(find_narrow(team, read_frame(files["frame.jsonl"]), read_pool(files["pool.jsonl"])))
    assert seats
    files[NARROW_FILE] = b"".join(write_narrow(seats))
    seal = story.event("draw.sealed.v1").facts["seal"]
    seal["reports"] = {"narrow-seats": sha256(files[NARROW_FILE]).hexdigest()}
    place = 1 + story.events.index(story.event("draw.sealed.v1"))
    told = {"sites": len({one.id for one in seats}), "seats": len(seats)}
    approval = Event(APPROVED, 4, reason="only two are certified")
    approval.facts["by"] = "account-2"
    story.events[place:place] = [Event(FOUND, 3, **told), approval]
    publish(story)
    return story


def publish(story: Story) -> None:
    report = story.files[NARROW_FILE]
    story.publish()
    story.files[NARROW_FILE] = report


def verdict(story: Story) -> Verdict:
    return verify_draw(story, story.files.keys(), now=NOW, policy=story.policy)


def broken(story: Story) -> tuple[str, str]:
    found = verdict(story).broken
    assert found is not None
    return found.rule, found.file


def test_narrow_seats_that_were_approved_are_sound() -> None:
    found = verdict(narrow_story())
    assert found.sound, found.broken
    assert "narrow-seats" in found.checked


def test_a_reveal_without_approval_is_found() -> None:
    story = narrow_story()
    story.events.remove(story.event(APPROVED))
    publish(story)
    assert broken(story)[0] == "narrow-unapproved"


def test_an_approval_after_the_first_reveal_is_too_late() -> None:
    story = narrow_story()
    approval = story.event(APPROVED)
    story.events.remove(approval)
    story.events.insert(story.events.index(story.event("draw.revealed.v1")) + 1, approval)
    approval.minute = 5
    publish(story)
    assert broken(story)[0] == "narrow-unapproved"


def test_who_sealed_it_does_not_approve() -> None:
    story = narrow_story()
    story.event(APPROVED).facts["by"] = story.event("draw.sealed.v1").facts.get("by", "account-1")
    publish(story)
    assert broken(story)[0] == "narrow-unapproved"


def test_a_seat_left_out_of_the_report() -> None:
    story = narrow_story()
    story.files[NARROW_FILE] = story.files[NARROW_FILE].partition(b"\n")[2]
    assert broken(story) == ("narrow-seats-differ", NARROW_FILE)


@pytest.mark.parametrize("field", ["sites", "seats"])
def test_an_event_that_tells_fewer(field: str) -> None:
    story = narrow_story()
    story.event(FOUND).facts[field] -= 1
    publish(story)
    assert broken(story) == ("step-differs-narrow_seats", NARROW_FILE)


def test_narrow_seats_that_no_event_tells() -> None:
    story = narrow_story()
    story.events.remove(story.event(FOUND))
    publish(story)
    assert broken(story) == ("step-differs-narrow_seats", NARROW_FILE)


def test_a_report_that_the_seal_does_not_name() -> None:
    story = narrow_story()
    story.event("draw.sealed.v1").facts["seal"]["reports"] = {}
    publish(story)
    assert broken(story)[0] == "step-differs-reports"
