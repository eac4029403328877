"""Recusals declared before a draw: a granted one is a conflict in every pool that is sealed after it."""

from typing import Any

import pytest
from msgspec.structs import replace

from application import accounts, inspectors, recusals, sealing
from application.authorisation import ENTERPRISE, Actor, PermissionMissing
from application.recusals import DeciderRankWrong, RecusalNotOfSite, RecusalNotOwn
from domain.account import EnterpriseHeld
from domain.draw import Draw
from domain.drawing.lines import Inspector as Line
from domain.drawing.lines import read_pool
from domain.inspector import Inspector, RelationKnown
from domain.recusal import DeciderInvolved, NotDeclarer, RecusalPending
from tests.journey import DISTRICTS, Journey, officer_facts, provenance, site_facts
from tests.office import DATONG, Agency, actor

FIRM = site_facts(3).uscc


def declared(journey: Journey, inspector: str, by: Actor, *, origin: str = "self", uscc: str = FIRM) -> str:
    """Somebody says that the inspector must not go to the enterprise."""
    answer = recusals.declare_barring(
        journey.office,
        journey.call(by),
        inspector,
        uscc=uscc,
        ground="near-relative",
        origin=origin,
        detail="",
    )
    return str(answer.also["recusal"])


def decided(journey: Journey, inspector: str, recusal: str, verb: Any = recusals.grant_barring) -> None:
    """The head decides."""
    call = journey.call(journey.people.leader)
    verb(journey.office, call, inspector, recusal=recusal, reason="属实", decided_as="head")


def sealed_pool(journey: Journey, plan: str) -> dict[str, Line]:
    """The pool of a draw that is sealed now, by inspector."""
    draw = journey.announced(plan)
    journey.committed(draw)
    journey.sealed(draw)
    frozen = journey.load(Draw, draw).frozen
    return {line.ref: line for line in read_pool(journey.office.blobs.read(frozen.pool))}


def test_a_granted_recusal_is_among_the_conflicts_of_the_next_pool(agency: Agency) -> None:
    journey = Journey(agency)
    plan = journey.prepared()
    barred, refused, pending, withdrawn = journey.officers[:4]
    decided(journey, barred, declared(journey, barred, journey.people.inspector(barred)))
    no = declared(journey, refused, journey.people.officer, origin="agency")
    decided(journey, refused, no, recusals.refuse_barring)
    declared(journey, pending, firm(), origin="site")
    back = declared(journey, withdrawn, firm(), origin="site")
    recusals.withdraw_barring(
        journey.office, journey.call(firm()), withdrawn, recusal=back, reason="弄错了人"
    )
    pool = sealed_pool(journey, plan)
    assert pool[barred].conflicts == (journey.sites[3],)
    assert all(pool[one].conflicts == () for one in (refused, pending, withdrawn))
    kept = {one: list(journey.load(Inspector, one).recusals.values()) for one in (refused, withdrawn)}
    assert [one.status for found in kept.values() for one in found] == ["refused", "withdrawn"]


def firm(uscc: str = FIRM, name: str = "firm") -> Actor:
    """An account of an enterprise."""
    return replace(actor(name, ENTERPRISE, DISTRICTS[0]), enterprise=uscc)


@pytest.fixture
def journey(sqlite_agency: Agency) -> Journey:
    journey = Journey(sqlite_agency, officers=3)
    journey.registries()
    return journey


def test_only_a_granted_one_holds_a_seal_off(sqlite_agency: Agency) -> None:
    journey = Journey(sqlite_agency, officers=1)
    journey.registries()
    one = journey.officers[0]
    recusal = declared(journey, one, journey.people.inspector(one))
    moved = [topic for topic in sqlite_agency.topics() if topic.startswith(sealing.FRAME_TOPICS)]
    decided(journey, one, recusal)
    now = [topic for topic in sqlite_agency.topics() if topic.startswith(sealing.FRAME_TOPICS)]
    assert now == [*moved, "inspector.recusal-granted.v1"]


def test_what_was_granted_outlives_a_change_of_the_registry(journey: Journey) -> None:
    one = journey.officers[0]
    decided(journey, one, declared(journey, one, journey.people.inspector(one)))
    facts = replace(officer_facts(0), unit="小店分局")
    call = journey.call(journey.people.officer)
    inspectors.change_inspector(journey.office, call, one, facts=facts, provenance=provenance())
    found = journey.load(Inspector, one)
    assert (found.facts.unit, found.related(FIRM)) == ("小店分局", True)


def test_self_means_oneself_and_the_site_means_its_own(journey: Journey) -> None:
    one, other = journey.officers[:2]
    with pytest.raises(RecusalNotOwn):
        declared(journey, one, journey.people.inspector(other))
    with pytest.raises(RecusalNotOfSite):
        declared(journey, one, firm(site_facts(4).uscc), origin="site")
    with pytest.raises(RecusalNotOfSite):
        declared(journey, one, firm(), origin="agency")
    for by in (journey.people.inspector(other), actor("elsewhere", "city-officer", DATONG)):
        with pytest.raises(PermissionMissing):
            declared(journey, one, by, origin="agency")


def test_one_declaration_at_a_time_and_none_for_what_is_known(journey: Journey) -> None:
    one = journey.officers[0]
    recusal = declared(journey, one, firm(), origin="site")
    with pytest.raises(RecusalPending):
        declared(journey, one, journey.people.inspector(one))
    decided(journey, one, recusal)
    with pytest.raises(RelationKnown):
        declared(journey, one, journey.people.inspector(one))


def test_nobody_decides_his_own_nor_what_he_declared(journey: Journey) -> None:
    one = journey.officers[0]
    recusal = declared(journey, one, firm(), origin="site")
    call = journey.call(replace(journey.people.leader, inspector=one))
    with pytest.raises(DeciderInvolved):
        recusals.refuse_barring(
            journey.office, call, one, recusal=recusal, reason="不影响", decided_as="head"
        )
    with pytest.raises(NotDeclarer):
        recusals.withdraw_barring(
            journey.office, journey.call(journey.people.officer), one, recusal=recusal, reason="弄错了人"
        )
    with pytest.raises(DeciderRankWrong):
        recusals.grant_barring(
            journey.office,
            journey.call(journey.people.leader),
            one,
            recusal=recusal,
            reason="属实",
            decided_as="collective",
        )


def test_an_account_acts_for_one_enterprise_or_one_inspector(journey: Journey) -> None:
    office, admin = journey.office, journey.people.administrator
    account = accounts.open_account(
        office, journey.call(admin), person={"name": "环保专员"}, login="", password=""
    ).id
    accounts.link_enterprise(office, journey.call(admin), account, uscc=FIRM)
    with pytest.raises(EnterpriseHeld):
        accounts.link_inspector(office, journey.call(admin), account, inspector=journey.officers[0])
    assert accounts.Authenticator(office, office.workflow).actor_of(account).enterprise == FIRM
