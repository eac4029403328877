"""The registries' snapshot says what folding the log says, at one position."""

from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from domain.act import Act
from domain.errors import ProjectionBehind
from domain.inspector import Inspector
from domain.site import Site
from infrastructure.database import Store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.registries import ProjectedRegistries
from projections import sites
from tests.builders import ORIGIN
from tests.fakes import SeededChance
from tests.journey import Journey, officer_facts, provenance
from tests.office import TAIYUAN, Agency
from tests.registries import FoldedRegistries

MAPPER = EventMapper(SeededChance())
AREAS: list[list[str]] = [[TAIYUAN], ["140000"], ["140200"], []]


@pytest.fixture
def runner(agency: Agency) -> Iterator[ProjectionRunner]:
    """A runner that nobody runs."""
    made = ProjectionRunner(agency.store, MAPPER, log=ORIGIN)
    yield made
    made.close()


@pytest.fixture
def journey(agency: Agency) -> Journey:
    """Registries in which sites and inspectors were changed and removed."""
    walked = Journey(agency, sites=6, officers=4)
    walked.registries()
    act = agency.call(agency.people.officer).act
    _change_sites(walked, act)
    officer = walked.load(Inspector, walked.officers[0])
    officer.change(act, facts=msgspec.structs.replace(officer_facts(0), lead=False), provenance=provenance())
    gone = walked.load(Inspector, walked.officers[1])
    gone.remove(act, provenance=provenance())
    walked.office.workflow.save(officer, gone)
    return walked


def _change_sites(walked: Journey, act: Act) -> None:
    site: Any = walked.load(Site, walked.sites[0])
    site.change(act, facts=msgspec.structs.replace(site.facts, region="140200"), provenance=provenance())
    gone = walked.load(Site, walked.sites[1])
    gone.remove(act, ground="closed", provenance=provenance())
    walked.office.workflow.save(site, gone)


@pytest.mark.parametrize("areas", AREAS)
def test_a_snapshot_equals_the_folded_log_at_its_head(
    agency: Agency, journey: Journey, runner: ProjectionRunner, areas: list[str]
) -> None:
    registries = ProjectedRegistries(runner, agency.store.recorder)
    folded = FoldedRegistries(agency.store.recorder)
    assert registries.snapshot(areas) == folded.snapshot(areas)
    assert registries.enterprises(walked := journey.sites) == folded.enterprises(walked)
    assert registries.enterprises(["site-unknown"]) == {}


def test_the_registries_of_an_empty_log_stand_before_its_first_event(store: Store) -> None:
    runner = ProjectionRunner(store, MAPPER, log=ORIGIN)
    snapshot = ProjectedRegistries(runner, store.recorder).snapshot(["140000"])
    assert (snapshot.as_of, snapshot.sites, snapshot.inspectors) == (-1, [], [])
    runner.close()


def test_a_read_model_that_failed_gives_no_snapshot(
    agency: Agency, journey: Journey, runner: ProjectionRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = cast(dict[type, object], sites.PROJECTION.handlers)
    monkeypatch.setitem(handlers, Site.Removed, None)
    with pytest.raises(ProjectionBehind) as refusal:
        ProjectedRegistries(runner, agency.store.recorder).snapshot([TAIYUAN])
    assert refusal.value.facts["projection"] == "sites"
    assert refusal.value.facts["wanted"] == agency.size() - 1
