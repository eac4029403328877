"""Draws through the application: what steers them is refused, what repeats them follows the rules."""

from typing import Any

import pytest

from application import draws, plans, sealing, sites
from application.authorisation import PermissionMissing
from application.draws import DrawStillOpen, bundle_opener
from application.earlier_draws import EarlierDrawSealed, require_earlier_opened
from application.frames import FrameEmpty, PoolEmpty
from application.ports import Quiet
from application.readings import DrawSealed
from application.sealing import FrameOutdated
from application.workflow import Beside
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_refusals import DrawStatusWrong
from domain.drawing.bundle import read_bundle
from domain.errors import ClaimTaken, ReceiptWrong, RegistryMoved, Stale
from domain.plan import PlanStatusWrong, StratumRule
from tests.journey import Journey, plan_row, provenance, site_facts
from tests.office import Agency


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    return Journey(sqlite_agency)


def test_a_draw_starts_from_a_published_plan_only(journey: Journey) -> None:
    journey.catalogue()

    call = journey.call(journey.people.officer)
    plan = plans.draft_plan(
        journey.office, call, region="140100", year=2024, department="生态环境", title="计划"
    ).id
    plans.set_plan_row(journey.office, call, plan, row=plan_row())
    with pytest.raises(PlanStatusWrong):
        journey.announced(plan)


def test_a_plan_row_has_one_live_draw(journey: Journey) -> None:
    plan = journey.prepared()
    journey.announced(plan)
    size = journey.agency.size()
    with pytest.raises(ClaimTaken) as refused:
        journey.announced(plan)
    assert refused.value.facts["kind"] == "live-draw"
    assert journey.agency.size() == size


def test_draw_numbers_and_attempts_have_no_gaps(journey: Journey) -> None:
    plan = journey.prepared(plan_row(), plan_row(no="02"))
    first = journey.announced(plan, "01")
    journey.announced(plan, "02")
    call = journey.call(journey.people.leader)
    draws.ask_void_draw(journey.office, call, first, ground="公告有误")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), first)
    again: Draw = journey.load(Draw, journey.announced(plan, "01"))
    assert (again.draw_no, again.attempt, again.previous) == (3, 2, first)


def test_the_second_attempt_draws_from_the_same_frame(journey: Journey) -> None:
    plan = journey.prepared()
    first = journey.announced(plan)
    journey.committed(first)
    journey.sealed(first)
    draws.ask_void_draw(journey.office, journey.call(journey.people.leader), first, ground="主持人回避")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), first)
    journey.site(90, "key")
    second = journey.announced(plan)
    journey.committed(second)
    journey.sealed(second)
    before, after = journey.load(Draw, first).frozen, journey.load(Draw, second).frozen
    assert (before.frame, before.pool, before.as_of) == (after.frame, after.pool, after.as_of)


def test_a_named_reason_makes_a_fresh_frame(journey: Journey) -> None:
    plan = journey.prepared()
    first = journey.announced(plan)
    journey.committed(first)
    journey.sealed(first)
    draws.ask_void_draw(journey.office, journey.call(journey.people.leader), first, ground="漏登企业")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), first)
    journey.site(90, "key")
    second = journey.announced(plan)
    journey.committed(second)
    sealing.seal(journey.office, journey.call(journey.people.officer), second, frame_reason="补登 1 家")
    before, after = journey.load(Draw, first).frozen, journey.load(Draw, second).frozen
    assert after.as_of > before.as_of
    assert after.frame_reason == "补登 1 家"


def test_a_seal_is_refused_when_a_registry_moved_after_the_reading(journey: Journey) -> None:
    plan = journey.prepared()
    draw = journey.announced(plan)
    journey.committed(draw)
    since = journey.agency.size() - 1
    journey.site(91, "key")
    loaded: Draw = journey.load(Draw, draw)
    loaded.ask_void(journey.call(journey.people.leader).act, ground="任何事件")
    with pytest.raises(RegistryMoved):
        journey.office.workflow.commit(
            journey.call(journey.people.leader),
            loaded,
            beside=Beside(quiet=Quiet(since=since, prefixes=("site.", "inspector."))),
        )


def test_overlapping_frames_of_a_year_wait_for_each_other(journey: Journey) -> None:
    plan = journey.prepared(plan_row(), plan_row(no="02"))
    first, second = journey.announced(plan, "01"), journey.announced(plan, "02")
    journey.committed(first)
    journey.committed(second)
    journey.sealed(first)
    with pytest.raises(ClaimTaken) as refused:
        journey.sealed(second)
    assert refused.value.facts["kind"] == "open-frame"


@pytest.mark.parametrize("wide_first", [True, False])
def test_frames_of_a_city_and_of_its_district_wait_for_each_other(journey: Journey, wide_first: bool) -> None:
    city = journey.prepared()
    district = journey.plan(plan_row(areas=("140105",)), region="140105")
    first, second = (city, district) if wide_first else (district, city)
    one, other = journey.announced(first), journey.announced(second)
    journey.committed(one)
    journey.committed(other)
    journey.sealed(one)
    with pytest.raises(ClaimTaken) as refused:
        journey.sealed(other)
    assert (refused.value.facts["kind"], refused.value.facts["holder"]) == ("open-frame", one)


def test_a_frame_is_not_kept_when_its_sites_were_drawn_meanwhile(journey: Journey) -> None:
    everything = (StratumRule(code="key", num=1, den=1),)
    plan = journey.prepared(plan_row(strata=everything), plan_row(no="02", strata=everything))
    first = journey.announced(plan)
    journey.committed(first)
    journey.sealed(first)
    draws.ask_void_draw(journey.office, journey.call(journey.people.leader), first, ground="主持人回避")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), first)
    drawn = journey.assignments(journey.drawn(plan, "02"))
    second = journey.announced(plan)
    journey.committed(second)
    with pytest.raises(FrameOutdated) as refused:
        journey.sealed(second)
    assert refused.value.facts == {"sites": len(drawn)}
    sealing.seal(journey.office, journey.call(journey.people.officer), second, frame_reason="已在他次抽中")
    assert sum(one.eligible for one in journey.load(Draw, second).frozen.strata) == 0


@pytest.mark.parametrize("moved", ["visit", "replacement"])
def test_a_frame_is_that_of_its_position_whoever_is_visited_or_drawn_meanwhile(
    journey: Journey, moved: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = journey.prepared(plan_row(), plan_row(no="02"))
    assignment = journey.assignments(journey.drawn(plan))[0]
    inspection = journey.opened(assignment) if moved == "visit" else ""
    draw = journey.announced(plan, "02")
    journey.committed(draw)
    snapshot = journey.office.registries.snapshot
    events: list[int] = []

    def move(areas: Any) -> Any:
        found = snapshot(areas)
        if not events:
            events.append(journey.agency.size())
            (journey.notified if inspection else journey.voided)(inspection or assignment)
        return found

    monkeypatch.setattr(journey.office.registries, "snapshot", move)
    journey.sealed(draw)
    assert journey.load(Draw, draw).frozen.as_of > events[0]


def test_a_site_drawn_this_year_stays_in_the_frame_as_not_eligible(journey: Journey) -> None:
    plan = journey.prepared(plan_row(), plan_row(no="02"))
    first = journey.drawn(plan, "01")
    drawn = {journey.load_site(one) for one in journey.assignments(first)}
    second = journey.drawn(plan, "02")
    frame = read_bundle(bundle_opener(journey.office, journey.load(Draw, second)).__getitem__).frame
    assert {site.id for site in frame if site.reason == "drawn"} == drawn
    assert drawn.isdisjoint(journey.load_site(one) for one in journey.assignments(second))


def test_a_row_may_allow_a_site_to_be_drawn_again(journey: Journey) -> None:
    everything = (StratumRule(code="key", num=1, den=1),)
    rows = (plan_row(strata=everything), plan_row(no="02", strata=everything, redraw=True))
    plan = journey.prepared(*rows)
    first, second = journey.drawn(plan, "01"), journey.drawn(plan, "02")
    assert {journey.load_site(one) for one in journey.assignments(first)} == {
        journey.load_site(one) for one in journey.assignments(second)
    }


def test_a_relation_keeps_an_officer_from_the_enterprise_s_sites(journey: Journey) -> None:
    journey.catalogue()
    journey.registries()
    related = journey.officer(99, related=[site_facts(0).uscc])
    draw = journey.drawn(journey.plan())
    pool = read_bundle(bundle_opener(journey.office, journey.load(Draw, draw)).__getitem__).pool
    assert pool is not None
    assert {one.ref: one.conflicts for one in pool}[related] == (journey.sites[0],)


def test_an_empty_frame_or_pool_is_refused(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=0, officers=0)
    draw = journey.announced(journey.prepared())
    journey.committed(draw)
    with pytest.raises(FrameEmpty):
        journey.sealed(draw)
    journey.site(0, "key")
    with pytest.raises(PoolEmpty):
        journey.sealed(draw)


def test_a_reveal_needs_the_receipt_of_the_seal(journey: Journey) -> None:
    draw = journey.announced(journey.prepared())
    journey.committed(draw)
    position = journey.sealed(draw)
    with pytest.raises(ReceiptWrong):
        journey.revealed(draw, position - 1)


def test_the_steps_have_one_order(journey: Journey) -> None:
    draw = journey.announced(journey.prepared())
    with pytest.raises(DrawStatusWrong):
        journey.sealed(draw)
    with pytest.raises(DrawStatusWrong):
        draws.complete(journey.office, journey.call(journey.people.officer), draw)


def test_a_sealed_result_is_read_with_a_recorded_reason(journey: Journey) -> None:
    draw = journey.completed_draw()
    with pytest.raises(DrawSealed):
        draws.read_opened(journey.office, draw)
    with pytest.raises(PermissionMissing):
        draws.read_sealed(journey.office, journey.call(journey.people.officer), draw, reason="好奇")
    call = journey.call(journey.people.auditor)
    files = draws.read_sealed(journey.office, call, draw, reason="专项检查")
    assert "teams.jsonl" in files
    assert journey.agency.topics()[-1] == "access.recorded.v1"


def test_the_public_order_of_assignments_does_not_tell_stratum_and_rank(journey: Journey) -> None:
    journey.completed_draw(plan_row(strata=(StratumRule(code="general", num=1, den=1),)))
    made = [one for one in journey.agency.events() if isinstance(one, Assignment.Made)]
    assert len(made) == 16
    assert [one.originator_id for one in made] == sorted(one.originator_id for one in made)
    assert [one.task.rank for one in made] != sorted(one.task.rank for one in made)


def test_a_draw_opens_when_nothing_can_be_replaced_any_more(journey: Journey) -> None:
    draw = journey.completed_draw()
    with pytest.raises(DrawStillOpen) as refused:
        draws.open_draw(journey.office, journey.call(journey.people.officer), draw)
    assert refused.value.facts["assignments"] == len(journey.assignments(draw))


def test_a_confidential_stratum_s_frame_is_not_public(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=3)
    strata = (StratumRule(code="key", num=1, den=1, confidential=True),)
    draw = journey.completed_draw(plan_row(strata=strata))
    for assignment in journey.assignments(draw):
        journey.published(assignment)
    draws.open_draw(journey.office, journey.call(journey.people.officer), draw)
    assert "frame.jsonl" not in draws.read_opened(journey.office, draw)


def test_completing_twice_makes_no_second_assignments(journey: Journey) -> None:
    draw = journey.completed_draw()
    size = journey.agency.size()
    with pytest.raises(DrawStatusWrong):
        draws.complete(journey.office, journey.call(journey.people.officer), draw)
    stale = journey.call(journey.people.officer, expected=1)
    with pytest.raises(Stale):
        draws.complete(journey.office, stale, draw)
    assert journey.agency.size() == size


def test_removed_sites_leave_the_next_frame(journey: Journey) -> None:
    plan = journey.prepared()
    gone = journey.sites[0]
    sites.remove_site(
        journey.office,
        journey.call(journey.people.officer),
        gone,
        ground="closed",
        provenance=provenance(),
    )
    draw = journey.drawn(plan)
    frame = read_bundle(bundle_opener(journey.office, journey.load(Draw, draw)).__getitem__).frame
    assert gone not in {site.id for site in frame}


def test_a_draw_is_opened_after_those_whose_sites_its_frame_leaves_out(journey: Journey) -> None:
    plan = journey.prepared(plan_row(), plan_row(no="02", period="2024Q3"))
    first = journey.drawn(plan, "01")
    second = journey.announced(plan, "02")
    journey.committed(second)
    journey.sealed(second)
    office = journey.agency.office
    require_earlier_opened(office, journey.load(Draw, first))
    with pytest.raises(EarlierDrawSealed) as refusal:
        require_earlier_opened(office, journey.load(Draw, second))
    assert refusal.value.facts == {"draws": [first]}
