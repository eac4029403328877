"""The main path through the application layer, on both engines."""

from application.draws import bundle_opener, open_draw, read_opened
from domain.assignment import Assignment
from domain.draw import Draw
from domain.drawing.bundle import read_bundle, redraw
from tests.journey import Journey
from tests.office import Agency


def test_a_quarter_goes_from_the_draw_to_the_opened_bundle(agency: Agency) -> None:
    journey = Journey(agency, sites=12)
    draw = journey.completed_draw()
    assignments = journey.assignments(draw)
    assert len(assignments) == 2 + 2
    for number, assignment in enumerate(assignments):
        journey.published(assignment, finding="corrected" if number == 0 else "")
    open_draw(journey.office, journey.call(journey.people.officer), draw)
    assert read_opened(journey.office, draw).keys() == {
        "frame.jsonl",
        "rules.json",
        "seed.json",
        "sample.jsonl",
        "SHA256SUMS",
    }


def test_the_bundle_can_be_drawn_again(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency)
    loaded = journey.load(Draw, journey.completed_draw())
    bundle = read_bundle(bundle_opener(journey.office, loaded).__getitem__)
    assert [drawn.id for drawn in redraw(bundle).sample] == [
        journey.load(Assignment, assignment).task.site for assignment in journey.assignments(loaded.id)
    ]
