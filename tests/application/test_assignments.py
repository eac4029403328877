"""Recusals and void sites: draw, assignment and inspection change together, as the succession has it."""

import pytest
from msgspec.structs import replace

from application import accounts, assignments, draws
from application.assignments import (
    InspectionOpened,
    ask_void,
    declare_recusal,
    grant_recusal,
    refuse_recusal,
)
from application.authorisation import ENTERPRISE, LEADER, Actor, Grant, PermissionMissing
from application.evidence import BlobUnknown
from application.recusals import DeciderRankWrong, RecusalNotOfSite, RecusalNotOwn
from domain.assignment import Assignment
from domain.draw import Draw
from domain.errors import NotFound
from domain.inspection import Inspection
from domain.recusal import DeciderInvolved, MinutesMissing, NotDeclarer, RecusalDecided
from domain.voiding import VoidNeedsTwo
from tests.journey import DISTRICTS, Journey
from tests.office import Agency, actor
from tests.usccs import uscc


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
    answer = journey.voided(assignment)
    follower = journey.load(Assignment, str(answer.also["replacement"]))
    assert follower.task.site == expected.replacement
    assert follower.task.replaces == assignment
    assert follower.team == {seated.seat: seated.inspector for seated in expected.seats}
    assert journey.load(Assignment, assignment).status == "void"


def test_a_void_needs_evidence_that_was_uploaded(journey: Journey, assignment: str) -> None:
    call = journey.call(journey.people.officer)
    with pytest.raises(BlobUnknown):
        ask_void(journey.office, call, assignment, ground="closed", evidence=["0" * 64])


def test_a_site_that_is_being_inspected_is_not_voided(journey: Journey, assignment: str) -> None:
    journey.opened(assignment)
    call = journey.call(journey.people.officer)
    with pytest.raises(InspectionOpened):
        ask_void(journey.office, call, assignment, ground="closed", evidence=[journey.blob()])


def test_a_spent_reserve_replaces_nothing(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, sites=1)
    assignment = journey.assignments(journey.completed_draw())[0]
    answer = journey.voided(assignment)
    assert (answer.also["replacement"], answer.also["reserve_spent"]) == ("", True)


def test_nobody_voids_alone(journey: Journey, assignment: str) -> None:
    journey.void_asked(assignment)
    with pytest.raises(VoidNeedsTwo):
        assignments.void_site(journey.office, journey.call(journey.people.officer), assignment)
    refuse = journey.call(journey.people.second_officer)
    assignments.refuse_void(journey.office, refuse, assignment, reason="仍在生产")
    assert journey.load(Assignment, assignment).status == "assigned"
    assert journey.voided(assignment).also["replacement"]


def test_a_visit_that_began_meanwhile_stops_the_void(journey: Journey, assignment: str) -> None:
    journey.void_asked(assignment)
    journey.opened(assignment)
    with pytest.raises(InspectionOpened):
        assignments.void_site(journey.office, journey.call(journey.people.leader), assignment)


def firm(uscc: str, name: str = "firm") -> Actor:
    """An account of an enterprise."""
    return replace(actor(name, ENTERPRISE, DISTRICTS[0]), enterprise=uscc)


def by_site(journey: Journey, assignment: str, who: Actor, *, origin: str = "site") -> str:
    """The site asks for the recusal of the team's first officer."""
    inspector = journey.team(assignment)[0].inspector
    answer = declare_recusal(
        journey.office,
        journey.call(who),
        assignment,
        inspector=inspector,
        ground="direct-interest",
        origin=origin,
        detail="",
    )
    return str(answer.also["recusal"])


def test_a_site_asks_for_a_recusal_once_it_was_told_and_only_at_its_own(
    journey: Journey, assignment: str
) -> None:
    own = firm(journey.load(Assignment, assignment).task.uscc)
    with pytest.raises(NotFound):
        by_site(journey, assignment, own)
    inspection = journey.opened(assignment)
    with pytest.raises(NotFound):
        by_site(journey, assignment, own)
    journey.notified(inspection)
    with pytest.raises(NotFound):
        by_site(journey, assignment, firm(uscc(999)))
    with pytest.raises(RecusalNotOfSite):
        by_site(journey, assignment, own, origin="agency")
    recusal = by_site(journey, assignment, own)
    with pytest.raises(NotDeclarer):
        withdraw(journey, assignment, recusal, firm(own.enterprise, "firm-2"))
    withdraw(journey, assignment, recusal, own)
    kept = journey.load(Assignment, assignment).recusals[recusal]
    assert (kept.status, kept.origin) == ("withdrawn", "site")


def withdraw(journey: Journey, assignment: str, recusal: str, who: Actor) -> None:
    """Take the declaration back."""
    call = journey.call(who)
    assignments.withdraw_recusal(journey.office, call, assignment, recusal=recusal, reason="弄错了人")


def test_the_agency_finds_what_an_inspector_only_declares_of_himself(
    journey: Journey, assignment: str
) -> None:
    with pytest.raises(PermissionMissing):
        by_site(journey, assignment, journey.team(assignment)[1], origin="agency")
    recusal = by_site(journey, assignment, journey.people.officer, origin="agency")
    assert journey.load(Assignment, assignment).recusals[recusal].origin == "agency"


def test_on_who_is_in_charge_the_collective_decides_with_its_minutes(
    journey: Journey, assignment: str
) -> None:
    recusal, inspector = journey.recusal(assignment)
    lead_by(journey, inspector)
    with pytest.raises(DeciderRankWrong) as refused:
        grant(journey, assignment, recusal)
    assert refused.value.facts == {"decided_as": "head", "needed": "collective"}
    for minutes, refusal in (("", MinutesMissing), ("0" * 64, BlobUnknown)):
        with pytest.raises(refusal):
            collectively(journey, assignment, recusal, minutes)
    collectively(journey, assignment, recusal, journey.office.blobs.put(b"minutes"))
    assert journey.load(Assignment, assignment).recusals[recusal].status == "granted"


def collectively(journey: Journey, assignment: str, recusal: str, minutes: str) -> None:
    """A leader records what the collective decided."""
    grant_recusal(
        journey.office,
        journey.call(journey.people.leader),
        assignment,
        recusal=recusal,
        reason="属实",
        decided_as="collective",
        minutes=minutes,
    )


def lead_by(journey: Journey, inspector: str) -> None:
    """The inspector's account is that of a person in charge."""
    office, admin = journey.office, journey.people.administrator
    id = accounts.open_account(
        office, journey.call(admin), person={"name": "负责人"}, login="", password=""
    ).id
    accounts.link_inspector(office, journey.call(admin), id, inspector=inspector)
    accounts.give_role(office, journey.call(admin), id, role=LEADER, region="140100", until=None)


def test_nobody_decides_on_the_head_as_the_head_who_need_not_lead(journey: Journey, assignment: str) -> None:
    recusal, _ = journey.recusal(assignment)
    with pytest.raises(DeciderRankWrong):
        collectively(journey, assignment, recusal, journey.office.blobs.put(b"minutes"))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_recusals_at_different_sites_steers_nothing(
    journey: Journey, order: tuple[int, ...]
) -> None:
    drawn = journey.assignments(journey.completed_draw())[:3]
    standing = draws.standing_of(journey.office, journey.load(Draw, draw_of(journey, drawn[0])))
    sites = [journey.load_site(one) for one in drawn]
    gone = [journey.team(one)[0].inspector for one in drawn]
    alone = [standing.recuse(site, who).substitute for site, who in zip(sites, gone, strict=True)]
    for number in order:
        recusal, _ = journey.recusal(drawn[number])
        grant(journey, drawn[number], recusal)
    assert [journey.load(Assignment, one).team["lead"] for one in drawn] == alone


def draw_of(journey: Journey, assignment: str) -> str:
    """The draw that made it."""
    return str(journey.load(Assignment, assignment).task.draw)
