"""Recusals and void sites: draw, assignment and inspection change together, as the succession has it."""

import pytest

from application import assignments, draws
from application.assignments import (
    BlobUnknown,
    DeciderRankWrong,
    InspectionOpened,
    RecusalNotOwn,
    declare_recusal,
    grant_recusal,
    refuse_recusal,
    void_site,
)
from application.authorisation import LEADER, Actor, Grant, PermissionMissing
from domain.assignment import Assignment, DeciderInvolved, RecusalDecided
from domain.draw import Draw
from domain.inspection import Inspection
from tests.journey import Journey
from tests.office import Agency


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    return Journey(sqlite_agency)


@pytest.fixture
def assignment(journey: Journey) -> str:
    return journey.assignments(journey.completed_draw())[0]


def grant(journey: Journey, assignment: str, recusal: str) -> None:
    call = journey.call(journey.people.leader)
    grant_recusal(journey.office, call, assignment, recusal=recusal, reason="属实", decided_as="head")


def test_a_granted_recusal_follows_the_succession(journey: Journey, assignment: str) -> None:
    task = journey.load(Assignment, assignment).task
    expected = draws.standing_of(journey.office, journey.load(Draw, task.draw))
    recusal, inspector = journey.recusal(assignment)
    change = expected.recuse(task.site, inspector)
    grant(journey, assignment, recusal)
    team = journey.load(Assignment, assignment).team
    assert team[change.seat] == change.substitute
    assert inspector not in team.values()
    assert journey.load(Draw, task.draw).changes[-1]["substitute"] == change.substitute


def test_a_recused_inspector_is_barred_for_good(journey: Journey, assignment: str) -> None:
    barred = set()
    for _ in range(4):
        recusal, inspector = journey.recusal(assignment)
        grant(journey, assignment, recusal)
        barred.add(inspector)
        assert barred.isdisjoint(journey.load(Assignment, assignment).team.values())


def test_a_recusal_granted_during_the_visit_changes_the_visit_s_team(
    journey: Journey, assignment: str
) -> None:
    inspection = journey.identified(assignment)
    recusal, inspector = journey.recusal(assignment)
    grant(journey, assignment, recusal)
    visit: Inspection = journey.load(Inspection, inspection)
    assert inspector not in visit.officers()
    assert visit.team == journey.load(Assignment, assignment).team
    assert visit.status == "notified"


def test_a_refused_recusal_changes_nothing_but_is_kept(journey: Journey, assignment: str) -> None:
    before = journey.load(Assignment, assignment).team
    recusal, _ = journey.recusal(assignment)
    call = journey.call(journey.people.leader)
    refuse_recusal(journey.office, call, assignment, recusal=recusal, reason="不影响", decided_as="head")
    loaded = journey.load(Assignment, assignment)
    assert loaded.team == before
    assert loaded.recusals[recusal].status == "refused"
    with pytest.raises(RecusalDecided):
        grant(journey, assignment, recusal)


def test_self_means_oneself(journey: Journey, assignment: str) -> None:
    one, other = journey.team(assignment)
    with pytest.raises(RecusalNotOwn):
        declare_recusal(
            journey.office,
            journey.call(one),
            assignment,
            inspector=other.inspector,
            ground="party",
            origin="self",
            detail="",
        )


def test_only_a_leader_decides_and_never_his_own_declaration(journey: Journey, assignment: str) -> None:
    recusal, _ = journey.recusal(assignment)
    officer = journey.call(journey.people.officer)
    with pytest.raises(PermissionMissing):
        refuse_recusal(journey.office, officer, assignment, recusal=recusal, reason="", decided_as="head")
    leader = journey.call(journey.people.leader)
    with pytest.raises(DeciderRankWrong):
        refuse_recusal(journey.office, leader, assignment, recusal=recusal, reason="", decided_as="clerk")


def test_whom_a_recusal_is_about_does_not_decide_it(journey: Journey, assignment: str) -> None:
    recusal, _ = journey.recusal(assignment)
    declarer = journey.team(assignment)[0]

    promoted = Actor(
        account=declarer.account,
        grants=(*declarer.grants, Grant(LEADER, "140100")),
        inspector=declarer.inspector,
    )
    with pytest.raises(DeciderInvolved):
        refuse_recusal(
            journey.office,
            journey.call(promoted),
            assignment,
            recusal=recusal,
            reason="x",
            decided_as="head",
        )


def test_a_void_site_is_replaced_by_the_next_in_reserve(journey: Journey, assignment: str) -> None:
    task = journey.load(Assignment, assignment).task
    expected = draws.standing_of(journey.office, journey.load(Draw, task.draw)).void(task.site)
    call = journey.call(journey.people.officer)
    answer = void_site(journey.office, call, assignment, ground="closed", evidence=[journey.blob()])
    follower = journey.load(Assignment, str(answer.also["replacement"]))
    assert follower.task.site == expected.replacement
    assert follower.task.replaces == assignment
    assert follower.team == {seated.seat: seated.inspector for seated in expected.seats}
    assert journey.load(Assignment, assignment).status == "void"


def test_a_void_needs_evidence_that_was_uploaded(journey: Journey, assignment: str) -> None:
    call = journey.call(journey.people.officer)
    with pytest.raises(BlobUnknown):
        void_site(journey.office, call, assignment, ground="closed", evidence=["0" * 64])


def test_a_site_that_is_being_inspected_is_not_voided(journey: Journey, assignment: str) -> None:
    journey.opened(assignment)
    call = journey.call(journey.people.officer)
    with pytest.raises(InspectionOpened):
        void_site(journey.office, call, assignment, ground="closed", evidence=[journey.blob()])


def test_a_spent_reserve_replaces_nothing(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=1)
    assignment = journey.assignments(journey.completed_draw())[0]
    call = journey.call(journey.people.officer)
    answer = assignments.void_site(
        journey.office, call, assignment, ground="moved", evidence=[journey.blob()]
    )
    assert answer.also["replacement"] == ""
