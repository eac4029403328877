"""The report of changes that is sealed with a frame: who is on it, in which order, with which flags."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from application import draws, inspectors, sealing, sites
from application.seal_reports import CHANGES, NARROW, open_report, read_lines
from domain.draw import Draw
from domain.draw_refusals import NarrowSeatsUnapproved, SealerApproves
from domain.drawing.canonical import encode_lines
from domain.errors import NotFound
from tests.journey import Journey, officer_facts, provenance, site_facts
from tests.office import Agency


@pytest.fixture
def journey(agency: Agency) -> Journey:
    """Registries of April, before a first draw in June."""
    walked = Journey(agency, sites=9, officers=8)
    walked.prepared()
    agency.clock.advance(days=60)
    return walked


def plan_of(journey: Journey) -> str:
    [(_, plan)] = journey.office.claims.keys("plan")
    return plan


def sealed(journey: Journey) -> str:
    draw = journey.announced(plan_of(journey))
    journey.committed(draw)
    journey.sealed(draw)
    return draw


def lines(journey: Journey, draw: str, kind: str = CHANGES) -> list[dict[str, Any]]:
    frozen = journey.load(Draw, draw).frozen
    raw = journey.office.blobs.read(frozen.reports[kind])
    found = [json.loads(line) for line in raw.splitlines()]
    assert encode_lines(found) == raw
    return found


def change(journey: Journey, number: int, **facts: Any) -> None:
    call = journey.call(journey.people.officer)
    before = site_facts(number, stratum="key" if number % 3 == 0 else "general")
    after = replace(before, **facts)
    sites.change_site(journey.office, call, journey.sites[number], facts=after, provenance=provenance())


def remove(journey: Journey, number: int) -> None:
    call = journey.call(journey.people.second_officer)
    id = journey.sites[number]
    sites.remove_site(journey.office, call, id, ground="closed", provenance=provenance())


def test_late_removals_of_special_sites_come_first(journey: Journey) -> None:
    change(journey, 1, stratum="special")
    change(journey, 2, credit="red")
    change(journey, 4, name="renamed")
    journey.agency.clock.advance(days=20)
    remove(journey, 3)
    remove(journey, 2)
    change(journey, 1, stratum="general")
    draw = sealed(journey)
    found = lines(journey, draw)
    told = [(one["kind"], one["id"], "special-removed" in one["flags"]) for one in found[:3]]
    ids = journey.sites
    assert told == [
        ("site-removed", ids[2], True),
        ("site-changed", ids[1], True),
        ("site-removed", ids[3], False),
    ]
    assert found[0]["flags"] == ["last-30-days", "late", "since-last-draw", "special-removed"]
    assert found[0]["by"] == journey.people.second_officer.account
    assert (found[0]["reason"], found[0]["source"]) == (provenance().reason, provenance().source)
    assert (found[0]["before"]["credit"], found[0]["after"]) == ("red", None)
    assert found[1]["what"] == ["stratum"]
    counts = journey.load(Draw, draw).frozen.registry_changes
    assert (counts.changes, counts.late) == (len(found), 3)
    assert (counts.special_removed, counts.late_special_removed) == (2, 2)
    assert ids[4] not in {one["id"] for one in found if one["kind"] == "site-changed"}


def test_the_rest_follows_in_the_order_of_the_log(journey: Journey) -> None:
    rest = [one for one in lines(journey, sealed(journey)) if "late" not in one["flags"]]
    assert len(rest) == 17
    assert [one["idx"] for one in rest] == sorted(one["idx"] for one in rest)
    assert {tuple(one["flags"]) for one in rest} == {("since-last-draw",)}


def test_changes_of_inspectors_are_told(journey: Journey) -> None:
    call = journey.call(journey.people.officer)
    facts = officer_facts(0, related=[site_facts(1).uscc])
    inspectors.change_inspector(
        journey.office, call, journey.officers[0], facts=facts, provenance=provenance()
    )
    [first, *_] = lines(journey, sealed(journey))
    assert (first["kind"], first["what"]) == ("inspector-changed", ["relations"])
    assert first["after"]["relations"] == [{"ground": "near-relative", "uscc": site_facts(1).uscc}]


def test_a_repeated_attempt_keeps_the_report_with_the_frame(journey: Journey) -> None:
    first = sealed(journey)
    draws.ask_void_draw(journey.office, journey.call(journey.people.leader), first, ground="主持人回避")
    draws.void_draw(journey.office, journey.call(journey.people.discipline), first)
    remove(journey, 1)
    second = sealed(journey)
    before, after = journey.load(Draw, first).frozen, journey.load(Draw, second).frozen
    assert before.reports == after.reports
    assert before.registry_changes == after.registry_changes


def test_a_report_is_read_with_a_reason_that_is_recorded(journey: Journey) -> None:
    draw = sealed(journey)
    call = journey.call(journey.people.auditor)
    with open_report(journey.office, call, draw, CHANGES, reason="季度核查") as report:
        [second] = read_lines(report, after=1, limit=1)
    assert (second.idx, second.line) == (2, lines(journey, draw)[1])
    assert journey.agency.topics()[-1] == "access.recorded.v1"
    with pytest.raises(NotFound):
        open_report(journey.office, call, draw, "frame", reason="季度核查")


def test_a_pool_of_two_waits_for_a_second_person(agency: Agency) -> None:
    journey = Journey(agency, sites=4, officers=4)
    plan = journey.prepared()
    draw = journey.announced(plan)
    journey.committed(draw)
    answer = sealing.seal(journey.office, journey.call(journey.people.officer), draw)
    found = lines(journey, draw, NARROW)
    assert answer.also["narrow_seats"] == {"sites": 4, "seats": 4}
    assert {one["seat"] for one in found} == {"lead"}
    assert found[0]["may_sit"] == sorted([journey.officers[0], journey.officers[2]])
    sealing.publish_seal(journey.office, answer)
    position = agency.store.recorder.locate(
        draw, draws.seal_version(journey.office, journey.load(Draw, draw))
    )
    assert position is not None
    with pytest.raises(NarrowSeatsUnapproved):
        journey.revealed(draw, position)
    officer = replace(journey.people.leader, account=journey.people.officer.account)
    with pytest.raises(SealerApproves):
        sealing.approve_narrow_seats(journey.office, journey.call(officer), draw, reason="人少")
    journey.approved_narrow(draw)
    journey.revealed(draw, position)
    assert journey.load(Draw, draw).status == "revealed"
