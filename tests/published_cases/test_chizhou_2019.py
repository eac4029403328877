"""Chizhou 2019: 11,259 sites in their published strata, four quarters at the published ratios.

56 key + 211 general + 49 licensed + 97 supervised + 10,846 other; quarterly 25 / 15 / 5 % of the key,
special (licensed and supervised) and general sites.
"""

from collections import Counter
from datetime import UTC, datetime

import pytest

from application import draws
from domain.assignment import Assignment
from domain.draw import Draw
from domain.plan import PlanRow, StratumRule
from domain.site import Site
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from projections import quarterly_statistics
from projections.statistics_report import annual
from tests.fakes import SeededChance
from tests.journey import Journey, plan_row, provenance, site_facts
from tests.office import Agency

STRATA = {"key": 56, "special": 49 + 97, "general": 211, "other": 10_846}
RATES = {"key": (25, 100), "special": (15, 100), "general": (5, 100), "other": (0, 1)}
EACH_QUARTER = {"key": 14, "special": 22, "general": 11, "other": 0}
FIRST_DAYS = [datetime(2024, month, 8, 1, tzinfo=UTC) for month in (4, 5, 8, 11)]
FINDINGS = ("", "", "corrected", "", "rectifying", "", "", "lenient")


def quarter_row(quarter: int, **fields: object) -> PlanRow:
    """The plan row of a quarter."""
    strata = tuple(StratumRule(code=code, num=num, den=den) for code, (num, den) in sorted(RATES.items()))
    return plan_row(no=f"{quarter:02}", period=f"2024Q{quarter}", strata=strata, **fields)


def register_all(journey: Journey) -> None:
    """All sites in one append, as an import would."""
    codes = [code for code, size in STRATA.items() for _ in range(size)]
    call = journey.call(journey.people.officer)
    registered = [
        Site.register(
            call.act,
            id=journey.office.chance.id("site"),
            facts=site_facts(number, stratum=stratum),
            provenance=provenance(),
        )
        for number, stratum in enumerate(codes)
    ]
    journey.office.workflow.commit(call, *registered)


def prepared(agency: Agency, **fields: object) -> tuple[Journey, str]:
    """The four quarters' plan over all sites, and sixty officers."""
    journey = Journey(agency, sites=0, officers=60)
    journey.catalogue()
    register_all(journey)
    journey.registries()
    return journey, journey.plan(*(quarter_row(quarter, **fields) for quarter in (1, 2, 3, 4)))


@pytest.fixture
def runner(sqlite_agency: Agency) -> ProjectionRunner:
    projections = [quarterly_statistics.PROJECTION]
    store = sqlite_agency.store
    return ProjectionRunner(store, EventMapper(SeededChance()), log="chizhou", projections=projections)


def test_the_year_s_four_quarters_add_up(sqlite_agency: Agency, runner: ProjectionRunner) -> None:
    journey, plan = prepared(sqlite_agency)
    drawn: dict[str, str] = {}
    for quarter, day in enumerate(FIRST_DAYS, start=1):
        sqlite_agency.clock.set(day)
        draw = journey.drawn(plan, f"{quarter:02}")
        tasks = [journey.load(Assignment, one).task for one in journey.assignments(draw)]
        assert Counter(task.stratum for task in tasks) == +Counter(EACH_QUARTER)
        assert drawn.keys().isdisjoint(task.site for task in tasks)
        drawn.update({task.site: task.stratum for task in tasks})
        for number, assignment in enumerate(journey.assignments(draw)[::4]):
            journey.published(assignment, finding=FINDINGS[number % len(FINDINGS)])
    assert Counter(drawn.values()) == +Counter({code: 4 * n for code, n in EACH_QUARTER.items()})
    assert Counter(drawn.values())["key"] == STRATA["key"]

    runner.catch_up()
    with runner.views.reading(quarterly_statistics.PROJECTION) as connection:
        cells, quarters = annual(connection, 2024, now=sqlite_agency.clock.now())
    assert {cell.stratum: cell.drawn for cell in cells} == {
        code: 4 * number for code, number in EACH_QUARTER.items()
    }
    assert sum(cell.inspected for cell in cells) == sum(cell.inspected for cell in quarters) == 4 * 12
    assert {cell.stratum: cell.frame for cell in cells} == {code: 4 * size for code, size in STRATA.items()}
    runner.close()


def test_a_row_that_allows_it_draws_sites_again(sqlite_agency: Agency) -> None:
    journey, plan = prepared(sqlite_agency, redraw=True)
    seen: Counter[str] = Counter()
    for quarter, day in enumerate(FIRST_DAYS, start=1):
        sqlite_agency.clock.set(day)
        draw = journey.drawn(plan, f"{quarter:02}")
        found = draws.assignments_of(journey.office, journey.load(Draw, draw))
        seen.update(journey.load_site(one) for one in found)
    assert max(seen.values()) > 1
