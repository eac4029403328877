"""The re-check lottery: closed violations of a quarter drawn again, by the code that draws sites."""

from datetime import date

import pytest

from application import accounts, draws, rechecks, violations
from application.authorisation import Actor, PermissionMissing
from application.draws import DrawStillOpen
from application.frames import FrameEmpty
from application.readings import sealed_draw
from application.recheck_tasks import RecheckSealed
from application.referrals import refer_violation
from domain.draw import Draw
from domain.drawing.bundle import read_bundle
from domain.errors import ClaimTaken
from domain.inspection import Inspection
from domain.recheck import Recheck, RecheckDone, RecheckEvidenceMissing, RecheckNotYours
from domain.recheck_terms import RecheckPeriodRunning, RecheckPeriodWrong
from domain.referral import Letter
from domain.violation import RecheckDeadlineWrong, Violation
from tests.office import Agency
from tests.recheck_story import VALUE, RecheckStory


@pytest.fixture
def story(sqlite_agency: Agency) -> RecheckStory:
    return RecheckStory(sqlite_agency)


def test_a_closed_violation_is_drawn_looked_at_and_its_closing_sustained(agency: Agency) -> None:
    story = RecheckStory(agency)
    violation = story.closed()
    before = agency.size()
    story.next_quarter()
    [recheck] = story.drawn()
    assert violation not in {event.originator_id for event in agency.events(before)}
    story.carried_out(recheck, "sustained")
    draws.open_draw(story.office, story.call(story.people.officer), story.draw)
    found: Violation = story.journey.load(Violation, violation)
    assert (found.status, found.rechecked) == ("closed", True)
    bundle = read_bundle(draws.bundle_opener(story.office, story.journey.load(Draw, story.draw)).__getitem__)
    assert [site.id for site in bundle.sample] == [violation]


def test_two_of_a_hundred_are_drawn_and_at_least_one(story: RecheckStory) -> None:
    story.closed(0)
    story.corrected(1)
    story.next_quarter()
    story.sealed()
    [stratum] = story.journey.load(Draw, story.draw).frozen.strata
    assert (stratum.code, stratum.size, stratum.eligible, stratum.sample) == ("closed", 2, 2, 1)


def test_whoever_had_to_do_with_the_violation_cannot_sit(story: RecheckStory) -> None:
    violation = story.corrected(0)
    story.next_quarter()
    inspection: Inspection = story.journey.load(
        Inspection, story.journey.load(Violation, violation).matter.inspection
    )
    story.sealed()
    barred = {officer.ref for officer in story.pool() if violation in officer.conflicts}
    assert barred == set(inspection.seated)


def test_an_officer_who_closed_it_by_an_account_of_his_own_cannot_sit(story: RecheckStory) -> None:
    journey, admin = story.journey, story.people.administrator
    closer = journey.officers[-1]
    account = accounts.open_account(
        story.office, story.call(admin), person={"name": "陈"}, login="chen", password="a long password"
    ).id
    accounts.link_inspector(story.office, story.call(admin), account, inspector=closer)
    found = journey.reviewed(story.tasks[0], finding="corrected").also["violations"]
    violation = str(found[0])
    chen = Actor(account=account, grants=story.people.leader.grants)
    violations.close_violation(
        story.office, story.call(chen), violation, evidence=[journey.blob()], note="闭环"
    )
    story.next_quarter()
    story.sealed()
    assert closer in {officer.ref for officer in story.pool() if violation in officer.conflicts}


def test_what_was_drawn_or_looked_at_before_is_named_but_not_drawn_again(story: RecheckStory) -> None:
    violation = story.closed(0)
    region = story.journey.load(Violation, violation).matter.region
    story.next_quarter()
    [recheck] = story.drawn()
    with pytest.raises(ClaimTaken) as refused:
        story.announced()
    assert refused.value.facts["kind"] == "live-draw"
    city, story.draw = story.draw, story.announced(region=region)
    story.journey.committed(story.draw)
    position = story.journey.sealed(story.draw)
    assert [(line.id, line.reason) for line in story.frame()] == [(violation, "drawn")]
    story.journey.revealed(story.draw, position)
    story.journey.observed(story.draw, VALUE[::-1])
    draws.complete(story.office, story.call(story.people.officer), story.draw)
    with pytest.raises(RecheckSealed):
        draws.open_draw(story.office, story.call(story.people.officer), story.draw)
    story.carried_out(recheck, "sustained")
    for draw in (city, story.draw):
        draws.open_draw(story.office, story.call(story.people.officer), draw)


def test_what_was_referred_is_named_but_not_drawn(story: RecheckStory) -> None:
    journey = story.journey
    found = journey.reviewed(story.tasks[0], finding="case").also["violations"]
    violation = str(found[0])
    letter = Letter(number="晋环移 1", document=journey.blob(), addressee="城管局", reason="职权范围")
    refer_violation(story.office, story.call(story.people.leader), violation=violation, letter=letter)
    violations.close_violation(
        story.office,
        story.call(story.people.second_leader),
        violation,
        evidence=[journey.blob()],
        note="已移送",
    )
    story.next_quarter()
    story.sealed()
    assert [(line.id, line.eligible, line.reason) for line in story.frame()] == [
        (violation, False, "referred")
    ]


def test_frames_of_regions_within_each_other_wait_for_each_other(story: RecheckStory) -> None:
    region = story.journey.load(Violation, story.closed(0)).matter.region
    story.next_quarter()
    story.sealed()
    draw = story.announced(region=region)
    story.journey.committed(draw)
    with pytest.raises(ClaimTaken) as refused:
        story.journey.sealed(draw)
    assert refused.value.facts["kind"] == "open-frame"


def test_a_second_attempt_keeps_frame_and_pool(story: RecheckStory) -> None:
    story.closed(0)
    story.next_quarter()
    story.sealed()
    first = story.draw
    draws.ask_void_draw(story.office, story.call(story.people.leader), first, ground="主持人回避")
    draws.void_draw(story.office, story.call(story.people.discipline), first)
    story.sealed()
    before, after = story.journey.load(Draw, first).frozen, story.journey.load(Draw, story.draw).frozen
    assert (before.frame, before.pool, before.as_of) == (after.frame, after.pool, after.as_of)


def test_a_quarter_that_is_not_over_is_not_drawn(story: RecheckStory) -> None:
    story.closed()
    with pytest.raises(RecheckPeriodRunning):
        story.announced()
    with pytest.raises(RecheckPeriodWrong):
        story.announced(period="2024")


def test_a_quarter_without_closings_has_no_frame(story: RecheckStory) -> None:
    story.next_quarter()
    draw = story.announced()
    story.journey.committed(draw)
    with pytest.raises(FrameEmpty):
        story.journey.sealed(draw)


def test_only_who_runs_draws_there_announces_one(story: RecheckStory) -> None:
    story.next_quarter()
    with pytest.raises(PermissionMissing):
        story.announced(region="140200")


def test_a_failed_closing_opens_the_violation_with_a_new_date(story: RecheckStory) -> None:
    violation = story.closed()
    story.next_quarter()
    [recheck] = story.drawn()
    answer = story.carried_out(recheck, "reopened", due_on=date(2024, 8, 1))
    found: Violation = story.journey.load(Violation, violation)
    assert answer.also == {"violation_status": "ordered"}
    assert found.order is not None
    assert found.order.deadline.start == date(2024, 8, 1)
    assert (found.status, found.closings) == ("ordered", 1)


def test_without_an_order_a_failed_closing_asks_for_one(story: RecheckStory) -> None:
    violation = story.corrected(0)
    story.next_quarter()
    [recheck] = story.drawn()
    with pytest.raises(RecheckDeadlineWrong):
        story.carried_out(recheck, "reopened", due_on=date(2024, 8, 1))
    story.carried_out(recheck, "reopened")
    found: Violation = story.journey.load(Violation, violation)
    assert (found.status, found.disposal) == ("open", "rectifying")


def test_only_the_drawn_team_records_it_once_and_with_evidence(story: RecheckStory) -> None:
    story.closed()
    story.next_quarter()
    [recheck] = story.drawn()
    members = story.journey.load(Recheck, recheck).members
    other = story.people.inspector(next(one for one in story.journey.officers if one not in members))
    with pytest.raises(RecheckNotYours):
        rechecks.carry_out_recheck(
            story.office,
            story.call(other),
            recheck,
            outcome="sustained",
            note="看过",
            evidence=[story.journey.blob()],
        )
    with pytest.raises(RecheckEvidenceMissing):
        story.carried_out(recheck, "sustained", evidence=[])
    story.carried_out(recheck, "sustained")
    with pytest.raises(RecheckDone):
        story.carried_out(recheck, "sustained")


def test_the_bundle_is_opened_when_all_were_looked_at(story: RecheckStory) -> None:
    story.closed()
    story.next_quarter()
    [recheck] = story.drawn()
    assert sealed_draw(story.office, recheck) == story.draw
    with pytest.raises(DrawStillOpen):
        draws.open_draw(story.office, story.call(story.people.officer), story.draw)
    story.carried_out(recheck, "impossible")
    draws.open_draw(story.office, story.call(story.people.officer), story.draw)
    assert sealed_draw(story.office, recheck) == ""
