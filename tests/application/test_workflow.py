"""Safe retries and races, on both engines: exactly one of two wins, and its twin gets the same answer."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from application import assignments, inspections, plans
from application.draws import announce_draw
from application.items import draft_item
from application.ports import Answer, RetryKey
from application.sites import register_site
from domain.draw_values import Contributor
from domain.errors import ClaimTaken, DomainError, KeyReused, Stale
from tests.journey import Journey, item_facts, plan_row, provenance, site_facts
from tests.office import TAIYUAN, Agency


def at_once(*commands: Callable[[], Answer]) -> list[Answer | DomainError]:
    """Run the commands at the same moment, each in a thread; what each answered or raised."""
    barrier = Barrier(len(commands))

    def run(command: Callable[[], Answer]) -> Answer | DomainError:
        barrier.wait()
        try:
            return command()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(run, commands))


def winners(outcomes: list[Answer | DomainError]) -> list[Answer]:
    """Those who got an answer."""
    return [outcome for outcome in outcomes if isinstance(outcome, Answer)]


def retry(key: str = "k1", request: str = "r1") -> RetryKey:
    """An Idempotency-Key."""
    return RetryKey(account="somebody", key=key, request=request)


def test_a_retried_command_gives_the_same_answer(agency: Agency) -> None:
    office = agency.office
    call = agency.call(agency.people.officer, retry=retry())

    def draft() -> Answer:
        return draft_item(office, call, region=TAIYUAN, code="A", facts=item_facts("A"))

    first = office.workflow.once(call, draft)
    size = agency.size()
    assert office.workflow.once(call, draft) == first
    assert agency.size() == size


def test_a_key_belongs_to_one_request(agency: Agency) -> None:
    office = agency.office
    call = agency.call(agency.people.officer, retry=retry())
    office.workflow.once(
        call, lambda: draft_item(office, call, region=TAIYUAN, code="A", facts=item_facts("A"))
    )
    other = agency.call(agency.people.officer, retry=retry(request="r2"))
    with pytest.raises(KeyReused):
        office.workflow.once(
            other, lambda: draft_item(office, other, region=TAIYUAN, code="B", facts=item_facts("B"))
        )


def test_twins_at_once_make_one_event_and_hear_one_answer(agency: Agency) -> None:
    office = agency.office
    before = agency.size()

    def draft() -> Answer:
        call = agency.call(agency.people.officer, retry=retry())
        return office.workflow.once(
            call, lambda: draft_item(office, call, region=TAIYUAN, code="A", facts=item_facts("A"))
        )

    outcomes = at_once(*[draft] * 6)
    assert len(winners(outcomes)) == 6
    assert len({answer.id for answer in winners(outcomes)}) == 1
    assert agency.size() == before + 1


@pytest.mark.parametrize("thing", ["site", "item", "plan"])
def test_of_two_who_register_the_same_exactly_one_wins(agency: Agency, thing: str) -> None:
    office, officer = agency.office, agency.people.officer

    def register() -> Answer:
        call = agency.call(officer)
        if thing == "site":
            return register_site(office, call, facts=site_facts(1), provenance=provenance())
        if thing == "item":
            return draft_item(office, call, region=TAIYUAN, code="A", facts=item_facts("A"))
        return plans.draft_plan(office, call, region=TAIYUAN, year=2024, department="生态环境", title="计划")

    outcomes = at_once(*[register] * 4)
    assert len(winners(outcomes)) == 1
    assert sum(isinstance(outcome, ClaimTaken) for outcome in outcomes) == 3


def announce(journey: Journey, plan: str, row: str) -> Callable[[], Answer]:
    """A draw of a row by dice."""
    people = journey.people
    contributors = (
        Contributor("agency", people.officer.account),
        Contributor("discipline", people.discipline.account),
    )
    return lambda: announce_draw(
        journey.office,
        journey.call(people.officer),
        plan=plan,
        row=row,
        contributors=contributors,
        public_source={"kind": "dice", "rolls": 20},
    )


def test_of_two_draws_of_a_row_one_is_announced(agency: Agency) -> None:
    journey = Journey(agency, sites=1, officers=2)
    plan = journey.prepared()
    assert len(winners(at_once(*[announce(journey, plan, "01")] * 4))) == 1


def test_draws_of_different_rows_all_get_a_number(agency: Agency) -> None:
    journey = Journey(agency, sites=1, officers=2)
    numbers = ("01", "02", "03")
    plan = journey.prepared(*(plan_row(no=no) for no in numbers))
    outcomes = at_once(*(announce(journey, plan, no) for no in numbers))
    assert sorted(answer.also["draw_no"] for answer in winners(outcomes)) == [1, 2, 3]


def test_of_two_who_change_the_same_version_one_is_stale(agency: Agency) -> None:
    journey = Journey(agency, sites=1, officers=2)
    journey.catalogue()
    call = journey.call(journey.people.officer)
    plan = plans.draft_plan(
        journey.office, call, region=TAIYUAN, year=2024, department="生态环境", title="计划"
    ).id

    def set_row(no: str) -> Callable[[], Answer]:
        expecting = journey.call(journey.people.officer, expected=1)
        return lambda: plans.set_plan_row(journey.office, expecting, plan, row=plan_row(no=no))

    outcomes = at_once(set_row("01"), set_row("02"))
    assert len(winners(outcomes)) == 1
    assert any(isinstance(outcome, Stale) for outcome in outcomes)


def test_recusals_decided_at_once_all_follow_the_succession(agency: Agency) -> None:
    journey = Journey(agency, sites=9, officers=12)
    draw = journey.completed_draw()
    declared = [(one, journey.recusal(one)[0]) for one in journey.assignments(draw)[:3]]

    def grant(assignment: str, recusal: str) -> Callable[[], Answer]:
        call: Any = journey.call(journey.people.leader)
        return lambda: assignments.grant_recusal(
            journey.office, call, assignment, recusal=recusal, reason="属实", decided_as="head"
        )

    outcomes = at_once(*(grant(*pair) for pair in declared))
    assert len(winners(outcomes)) == 3


def test_visits_counted_at_once_never_pass_the_cap(agency: Agency) -> None:
    journey = Journey(agency, sites=1, officers=12)
    rows = [plan_row(no=f"{n:02}", redraw=True, visits_a_year=2) for n in range(1, 5)]
    plan = journey.prepared(*rows)
    waiting = []
    for row in rows:
        assignment = journey.assignments(journey.drawn(plan, row.no))[0]
        inspection = journey.opened(assignment)
        leader = journey.call(journey.people.leader)
        inspections.approve_inspection(journey.office, leader, inspection, approval_no="1", experts=[])
        waiting.append((inspection, journey.team(assignment)[0]))

    def notify(inspection: str, lead: Any) -> Callable[[], Answer]:
        call = journey.call(lead)
        return lambda: inspections.notify_site(journey.office, call, inspection, urgent=False, reason="")

    assert len(winners(at_once(*(notify(*pair) for pair in waiting)))) == 2
    assert len(list(journey.office.claims.keys("visit"))) == 2
