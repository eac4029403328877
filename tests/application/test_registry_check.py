"""Before a seal the tables are held against the log: whoever alters them finds that nothing is sealed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from msgspec.structs import replace as changed

from application import sites
from application.ports import RegistrySnapshot
from application.registry_check import FrameDiffersFromRegistry
from domain.draw import Draw
from domain.drawing.lines import read_frame
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.registries import ProjectedRegistries
from projections.inspectors import INSPECTORS
from projections.sites import SITES
from tests.fakes import SeededChance
from tests.infrastructure.replay_check.owner import tamper, tamper_views
from tests.journey import Journey, provenance
from tests.ledger import ORIGIN
from tests.office import Agency


class Owner:
    """A draw of an agency ready to be sealed from real read models, and whoever holds the database."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency
        self.runner = ProjectionRunner(agency.store, EventMapper(SeededChance()), log=ORIGIN)
        registries = ProjectedRegistries(self.runner, agency.store.recorder)
        office = replace(agency.office, registries=registries)
        self.journey = Journey(replace(agency, office=office), sites=9, officers=6)
        self.plan = self.journey.prepared()
        self.draw = self.journey.announced(self.plan)
        self.journey.committed(self.draw)
        registries.snapshot(["140100"])

    def alter(self, sql: str, *params: object) -> None:
        """Change the read models behind the service's back."""
        tamper_views(self.agency.store, (sql, params))

    def refused(self) -> dict[str, object]:
        """Why nothing is sealed; and that nothing was."""
        size = self.agency.size()
        with pytest.raises(FrameDiffersFromRegistry) as refused:
            self.journey.sealed(self.draw)
        assert self.agency.size() == size
        return dict(refused.value.facts)


@pytest.fixture
def owner(agency: Agency) -> Iterator[Owner]:
    made = Owner(agency)
    yield made
    made.runner.close()


def test_what_the_log_gives_is_sealed(owner: Owner) -> None:
    owner.journey.sealed(owner.draw)
    frozen = owner.journey.load(Draw, owner.draw).frozen
    assert len(read_frame(owner.journey.office.blobs.read(frozen.frame))) == 9


def test_a_site_taken_out_of_the_table_just_before_the_seal(owner: Owner) -> None:
    site = owner.journey.sites[3]
    owner.alter(f"DELETE FROM {SITES.name} WHERE id = ?", site)  # noqa: S608
    assert owner.refused() == {"registry": "sites", "id": site, "row": "missing", "columns": ""}


def test_a_site_re_classed_in_the_table(owner: Owner) -> None:
    site = owner.journey.sites[0]
    sql = f"UPDATE {SITES.name} SET stratum = 'other', credit = 'red' WHERE id = ?"  # noqa: S608
    owner.alter(sql, site)
    found = {"registry": "sites", "id": site, "row": "differs", "columns": "stratum, credit"}
    assert owner.refused() == found


def test_a_site_moved_out_of_the_areas_in_the_table(owner: Owner) -> None:
    site = owner.journey.sites[0]
    owner.alter(f"UPDATE {SITES.name} SET region = '140200' WHERE id = ?", site)  # noqa: S608
    assert owner.refused()["row"] == "missing"


def test_a_site_that_no_event_registered(owner: Owner) -> None:
    columns = ", ".join(f for f in SITES.fields if f not in ("id", "idx"))
    copied = f"SELECT 'site-{'f' * 32}', 99, {columns} FROM {SITES.name} WHERE id = ?"  # noqa: S608
    owner.alter(f"INSERT INTO {SITES.name} (id, idx, {columns}) {copied}", owner.journey.sites[0])
    found = {"registry": "sites", "id": f"site-{'f' * 32}", "row": "unknown", "columns": ""}
    assert owner.refused() == found


def test_an_officer_taken_out_of_the_table(owner: Owner) -> None:
    officer = owner.journey.officers[2]
    owner.alter(f"DELETE FROM {INSPECTORS.name} WHERE id = ?", officer)  # noqa: S608
    assert owner.refused() == {"registry": "inspectors", "id": officer, "row": "missing", "columns": ""}


def test_a_site_written_among_those_drawn_this_year(owner: Owner) -> None:
    key = f"2024/{owner.journey.sites[0]}/7"
    claim = ("INSERT INTO claims (kind, key, stream) VALUES (?, ?, ?)", ("drawn", key, owner.draw))
    tamper(owner.agency.store, claim)
    assert owner.refused() == {"registry": "drawn", "id": key, "row": "unknown", "columns": ""}


def test_a_registry_that_moves_while_it_is_read_is_read_again(owner: Owner) -> None:
    """The reading before the change does not fit the log after it: no tampering, but a reason to repeat."""
    journey = owner.journey
    registries, read = journey.office.registries, list[RegistrySnapshot]()

    class Late:
        enterprises = registries.enterprises

        def snapshot(self, areas: Sequence[str]) -> RegistrySnapshot:
            found = registries.snapshot(areas)
            if not read:
                call = journey.call(journey.people.officer)
                gone = journey.sites[0]
                sites.remove_site(journey.office, call, gone, ground="closed", provenance=provenance())
                found = changed(found, sites=[one for one in found.sites if one.id != gone])
            read.append(found)
            return found

    journey.office = replace(journey.office, registries=Late())
    journey.sealed(owner.draw)
    assert len(read) == 2
