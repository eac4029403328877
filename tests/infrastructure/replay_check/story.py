"""A store with a bit of everything: an import, draws voided, repeated and completed, visits, a violation."""

from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from application import accounts, draws, inspectors, sealing, sites, violations
from infrastructure.chance import SystemChance
from infrastructure.database import Store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from tests.application.intake_files import site as site_row
from tests.application.intake_files import take_in
from tests.fakes import FakeClock
from tests.journey import Journey, officer_facts, plan_row, provenance, site_facts
from tests.ledger import ORIGIN
from tests.office import open_agency


@dataclass(frozen=True)
class Told:
    """The ids of what the story is about."""

    plan: str
    completed: str
    voided: str
    repeated: str
    refreshed: str
    violation: str
    account: str
    officer: str
    site: str
    removed: str


def tell(store: Store, clock: FakeClock, folder: Path) -> Told:
    """Let it happen, and bring the read models to the head of the log."""
    journey = Journey(open_agency(store, clock, folder), sites=18, officers=8)
    journey.catalogue()
    take_in(journey.agency, "sites", *(site_row(number) for number in (1, 2, 3)))
    account = _account(journey)
    journey.registries()
    journey.officer(70, related=[site_facts(3).uscc])
    plan = journey.plan(plan_row(), plan_row(no="02"))
    completed = journey.drawn(plan)
    violation = _followed_up(journey, completed)
    moved = _registries_move(journey)
    voided = _sealed(journey, plan)
    _void(journey, voided)
    journey.site(90, "key")
    repeated = _sealed(journey, plan)
    _void(journey, repeated)
    refreshed = journey.announced(plan, "02")
    journey.committed(refreshed)
    sealing.seal(journey.office, journey.call(journey.people.officer), refreshed, frame_reason="补登")
    runner = ProjectionRunner(store, EventMapper(SystemChance()), log=ORIGIN)
    runner.catch_up()
    runner.close()
    return Told(plan, completed, voided, repeated, refreshed, violation, account, journey.officers[0], *moved)


def _account(journey: Journey) -> str:
    call = journey.call(journey.people.administrator)
    return accounts.open_account(
        journey.office, call, person={"name": "王芳"}, login="wang", password="long enough a word"
    ).id


def _registries_move(journey: Journey) -> tuple[str, str]:
    """A site changes, another is removed, an officer learns: after the first draw, before the others."""
    office, officer = journey.office, journey.people.officer
    changed, removed = journey.sites[1], journey.sites[2]
    facts = replace(site_facts(1), stratum="key", credit="red")
    sites.change_site(office, journey.call(officer), changed, facts=facts, provenance=provenance())
    sites.remove_site(office, journey.call(officer), removed, ground="closed", provenance=provenance())
    learned = replace(officer_facts(0), skills=("water",))
    inspectors.change_inspector(
        office, journey.call(officer), journey.officers[0], facts=learned, provenance=provenance()
    )
    return changed, removed


def _sealed(journey: Journey, plan: str) -> str:
    draw = journey.announced(plan, "02")
    journey.committed(draw)
    journey.sealed(draw)
    return draw


def _void(journey: Journey, draw: str) -> None:
    leader, discipline = journey.people.leader, journey.people.discipline
    draws.ask_void_draw(journey.office, journey.call(leader), draw, ground="公告有误")
    draws.void_draw(journey.office, journey.call(discipline), draw)


def _followed_up(journey: Journey, draw: str) -> str:
    """One visit finds something that is rectified and closed, another finds nothing, a third site is void."""
    first, second, third = journey.assignments(draw)[:3]
    violation = journey.violation(first)
    journey.published(second)
    journey.voided(third)
    _close(journey, violation)
    return violation


def _close(journey: Journey, violation: str) -> None:
    people, office = journey.people, journey.office
    journey.agency.clock.advance(days=3)
    violations.submit_rectification(
        office,
        journey.call(people.officer),
        violation,
        note="已整改",
        evidence=[journey.blob(b"done")],
        for_enterprise=True,
    )
    violations.verify_rectification(
        office, journey.call(people.second_officer), violation, note="属实", evidence=[journey.blob(b"seen")]
    )
