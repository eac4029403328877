"""Supplementary draws: whole draws of their own, which fill the seats that an earlier one left unfilled."""

import dataclasses
from typing import Any, cast

import pytest
from msgspec.structs import replace

from application import draws, inspectors, supplements
from application.assignments import grant_recusal, void_site
from application.draws import DrawStillOpen, SupplementOpensLater
from application.missing_seats import NothingMissing, SupplementRunning
from application.readings import tells
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_refusals import SupplementWrong, WideningReasonMissing
from domain.draw_values import Contributor
from domain.drawing.bundle import read_bundle
from domain.drawing.errors import DrawingError
from domain.drawing.supplement import check_supplement
from domain.drawing.verify import read_files, verify_bundle
from domain.errors import ClaimTaken
from infrastructure.blobs import FolderBlobs
from infrastructure.event_store.mapper import EventMapper
from infrastructure.replay_check.seals import check_seals
from tests.fakes import SeededChance
from tests.journey import Journey, officer_facts, plan_row, provenance
from tests.office import TAIYUAN, Agency

LENT = "140181"
"""A region beyond the row's, inside the city."""

ROW_AREAS = ("140105", "140106", "140107")


def widened(journey: Journey, draw: str, **fields: Any) -> str:
    """The supplementary draw of the second seat, announced; officers of another region come as well."""
    facts: dict[str, Any] = {
        "seats": ["second"],
        "areas": [LENT],
        "reason": "本区持证人员不足",
        "public_source": {"kind": "dice", "rolls": 20},
        **fields,
    }
    people = journey.people
    contributors = (
        Contributor("agency", people.officer.account),
        Contributor("discipline", people.discipline.account),
    )
    call = journey.call(people.officer)
    return supplements.announce_supplement(journey.office, call, draw, contributors=contributors, **facts).id


def sealed(journey: Journey, draw: str) -> int:
    """Committed and sealed."""
    journey.committed(draw)
    return journey.sealed(draw)


def completed(journey: Journey, draw: str, position: int, value: str) -> Any:
    """From the seal to the result."""
    journey.revealed(draw, position)
    journey.observed(draw, value=value)
    return draws.complete(journey.office, journey.call(journey.people.officer), draw).also


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    """An agency with one officer in the row's areas, and three of elsewhere."""
    return Journey(sqlite_agency, sites=9, officers=0)


def officer(journey: Journey, number: int, *areas: str) -> str:
    """An officer of those areas, certified in the whole city."""
    facts = replace(officer_facts(number), areas=areas)
    call = journey.call(journey.people.officer)
    person = {"name": f"执法{number}", "certificate_no": f"1401-{number:04}"}
    return inspectors.register_inspector(
        journey.office, call, region=TAIYUAN, person=person, facts=facts, provenance=provenance()
    ).id


def drawn(journey: Journey) -> str:
    """A draw whose second seats are all empty: one officer alone works in the row's areas."""
    journey.catalogue()
    journey.registries()
    journey.officers = [officer(journey, 0, *ROW_AREAS)]
    draw = journey.drawn(journey.plan(plan_row(areas=ROW_AREAS)))
    journey.officers += [officer(journey, number, LENT) for number in (1, 3, 5)]
    assert all(journey.load(Assignment, one).missing == ("second",) for one in journey.assignments(draw))
    return draw


def filled(journey: Journey, draw: str) -> str:
    """A supplementary draw of all second seats, completed."""
    supplement = widened(journey, draw)
    assert completed(journey, supplement, sealed(journey, supplement), f"{2:020}")["unfilled"] == 0
    return supplement


def test_a_supplement_fills_the_seats_by_a_whole_draw_of_its_own(agency: Agency) -> None:
    journey = Journey(agency, sites=9, officers=0)
    first = drawn(journey)
    supplement = filled(journey, first)
    assignments = [journey.load(Assignment, one) for one in journey.assignments(first)]
    assert {one.drawn_by("second") for one in assignments} == {supplement}
    assert {one.team["second"] for one in assignments} <= set(journey.officers[1:])
    files = draws.bundle_opener(journey.office, journey.load(Draw, supplement))
    bundle = read_bundle(files.__getitem__)
    assert (bundle.rules.supplements, [one.seat for one in bundle.rules.team]) == (1, ["second"])
    assert {site.id for site in bundle.frame} == {one.task.site for one in assignments}
    assert {stratum.rate for stratum in bundle.rules.strata} == {(1, 1)}
    assert verify_bundle(files.__getitem__).sound
    holder = next(line for line in bundle.pool or () if line.ref == journey.officers[0])
    assert set(holder.conflicts) == {one.task.site for one in assignments}


def test_the_frame_is_held_against_the_earlier_bundle(journey: Journey) -> None:
    first = drawn(journey)
    supplement = filled(journey, first)
    ours, theirs = (
        read_files(draws.bundle_opener(journey.office, journey.load(Draw, one)).__getitem__)
        for one in (supplement, first)
    )
    assert check_supplement(ours, theirs)
    assert not check_supplement(ours, dataclasses.replace(theirs, pool=None))
    for change, rule in (
        ({"draw_no": 7}, "supplement-of-another"),
        ({"team": theirs.rules.team[:1]}, "supplement-team"),
    ):
        other = dataclasses.replace(theirs, rules=dataclasses.replace(theirs.rules, **change))
        with pytest.raises(DrawingError) as wrong:
            check_supplement(ours, other)
        assert wrong.value.rule == rule
    assert ours.frame is not None
    strange = [*ours.frame, ours.frame[0]._replace(id="site-of-nobody")]
    elsewhere = [ours.frame[0]._replace(area="140999"), *ours.frame[1:]]
    undrawn = next(site for site in theirs.frame or () if site.id not in {one.id for one in ours.frame})
    full = [*ours.frame, undrawn._replace(eligible=True, reason="")]
    for frame, rule in (
        (strange, "supplement-line"),
        (elsewhere, "supplement-line"),
        (full, "supplement-site"),
    ):
        with pytest.raises(DrawingError) as wrong:
            check_supplement(dataclasses.replace(ours, frame=frame), theirs)
        assert wrong.value.rule == rule


def test_who_follows_on_a_filled_seat_is_said_by_the_supplement(journey: Journey) -> None:
    first = drawn(journey)
    supplement = filled(journey, first)
    assignment = journey.assignments(first)[0]
    found = journey.load(Assignment, assignment)
    standing = draws.standing_of(journey.office, journey.load(Draw, supplement))
    expected = standing.recuse(found.task.site, found.team["second"] or "").substitute
    recusal, _ = journey.recusal(assignment, 1)
    call = journey.call(journey.people.leader)
    grant_recusal(journey.office, call, assignment, recusal=recusal, reason="属实", decided_as="head")
    assert expected is not None
    assert journey.load(Assignment, assignment).team["second"] == expected
    assert len(journey.load(Draw, supplement).changes) == 1
    assert journey.load(Draw, first).changes == []


def test_while_it_runs_nothing_changes_at_its_sites(journey: Journey) -> None:
    first = drawn(journey)
    supplement = widened(journey, first)
    position = sealed(journey, supplement)
    assignment = journey.assignments(first)[0]
    recusal, _ = journey.recusal(assignment)
    call = journey.call(journey.people.leader)
    with pytest.raises(SupplementRunning):
        grant_recusal(journey.office, call, assignment, recusal=recusal, reason="属实", decided_as="head")
    journey.void_asked(assignment)
    with pytest.raises(SupplementRunning):
        void_site(journey.office, call, assignment)
    completed(journey, supplement, position, f"{2:020}")
    assert void_site(journey.office, call, assignment).also["replacement"]


def test_one_live_supplement_for_each_set_of_seats(journey: Journey) -> None:
    first = drawn(journey)
    widened(journey, first)
    with pytest.raises(ClaimTaken):
        widened(journey, first)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"seats": ["lead"]}, NothingMissing),
        ({"seats": ["second", "lead"]}, SupplementWrong),
        ({"seats": ["third"]}, SupplementWrong),
        ({"seats": []}, SupplementWrong),
        ({"reason": " "}, WideningReasonMissing),
    ],
)
def test_what_is_not_missing_is_not_drawn(
    journey: Journey, fields: dict[str, Any], refusal: type[Exception]
) -> None:
    first = drawn(journey)
    with pytest.raises(refusal):
        widened(journey, first, **fields)


def test_a_supplement_is_not_supplemented_and_opens_with_its_draw(journey: Journey) -> None:
    first = drawn(journey)
    running = widened(journey, first)
    for assignment in journey.assignments(first):
        journey.voided(assignment)
    with pytest.raises(DrawStillOpen):
        draws.open_draw(journey.office, journey.call(journey.people.officer), first)
    with pytest.raises(SupplementOpensLater):
        draws.open_draw(journey.office, journey.call(journey.people.officer), running)


def test_a_site_whose_second_seat_came_by_supplement_can_be_inspected_and_opened(journey: Journey) -> None:
    first = drawn(journey)
    supplement = filled(journey, first)
    for assignment in journey.assignments(first):
        journey.published(assignment)
    draws.open_draw(journey.office, journey.call(journey.people.officer), first)
    assert [journey.load(Draw, one).status for one in (first, supplement)] == ["opened", "opened"]


def test_the_log_gives_the_sealed_lines_again(agency: Agency) -> None:
    journey = Journey(agency, sites=9, officers=0)
    filled(journey, drawn(journey))
    mapper, blobs = EventMapper(SeededChance()), cast(FolderBlobs, agency.office.blobs)
    found = check_seals(agency.store, mapper, blobs, agency.size(), lambda _: None)
    assert found.kept == []


def test_before_the_opening_its_frame_is_nobody_s_to_read(journey: Journey) -> None:
    supplement = widened(journey, drawn(journey))
    assert not tells(journey.load(Draw, supplement))
    sealed(journey, supplement)
    assert tells(journey.load(Draw, supplement))
