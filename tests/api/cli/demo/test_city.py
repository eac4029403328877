"""The demo's city is valid, complete, repeatable, and comes in by the import that everybody uses."""

from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from python_calamine import CalamineWorkbook

from api.cli.demo.city import City, make_city, write_files
from api.cli.demo.laws import item_rows
from application.imports import preview_import, run_import
from application.items import publish_catalogue
from application.terms import terms_of
from domain.identifiers import check_licence_code, check_uscc
from domain.inspector import Inspector
from domain.site import Site
from infrastructure.rulebooks import SHIPPED, load_rulebooks
from tests.office import TAIYUAN, Agency

SEED = "太原 2024"
KINDS = ("items", "sites", "inspectors", "plan")


@pytest.fixture(scope="module")
def city() -> City:
    """The city of the demo's seed."""
    return make_city(Random(SEED))  # noqa: S311


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Its files."""
    return dict(write_files(tmp_path_factory.mktemp("city"), Random(SEED)))  # noqa: S311


def test_the_same_seed_is_the_same_city_and_another_is_another(city: City) -> None:
    assert msgspec.structs.asdict(make_city(Random(SEED))) == msgspec.structs.asdict(city)  # noqa: S311
    assert make_city(Random("大同")).sites != city.sites  # noqa: S311


def test_the_files_hold_the_same_cells_each_time(files: dict[str, Path], tmp_path: Path) -> None:
    again = write_files(tmp_path / "new" / "folder", Random(SEED))  # noqa: S311
    assert set(again) == set(files) == set(KINDS)
    for kind, file in again.items():
        assert _cells(file) == _cells(files[kind])


def test_there_are_sites_of_all_strata_in_all_districts(city: City) -> None:
    strata = Counter(site["stratum"] for site in city.sites)
    assert strata == {"重点": 60, "特殊": 18, "一般": 322, "其他": 800}
    assert len({site["region"] for site in city.sites}) == 10


def test_every_code_is_valid_and_marked_as_made_up(city: City) -> None:
    for site in city.sites:
        assert check_uscc(site["uscc"])[8:11] == "DEM"
        assert site["code"] == "" or check_licence_code(site["code"], enterprise=site["uscc"])


def test_some_enterprises_have_two_places(city: City) -> None:
    places = Counter(site["uscc"] for site in city.sites)
    assert Counter(places.values())[2] == 24
    assert max(places.values()) == 2


def test_officers_are_certified_throughout_the_year(city: City) -> None:
    officers = [one for one in city.inspectors if one["role_class"] != "专家"]
    assert (len(officers), len(city.inspectors)) == (100, 120)
    assert all(one["certificate_from"] <= date(2024, 1, 1) for one in officers)
    assert all(one["certificate_to"] >= date(2024, 12, 31) for one in officers)


def test_every_district_can_be_led_with_every_skill(city: City) -> None:
    districts = {site["region"] for site in city.sites}
    skills = {need for site in city.sites for need in site["needs"]}
    for district in districts:
        there = [
            one
            for one in city.inspectors
            if one["lead"] and not {district, "140100"}.isdisjoint(one["areas"])
        ]
        assert skills <= {skill for one in there for skill in one["skills"]}
        assert len(there) >= 30


def test_ties_are_to_enterprises_of_the_registry(city: City) -> None:
    known = {site["uscc"] for site in city.sites}
    tied = [one for one in city.inspectors if one.get("relations")]
    assert len(tied) == 30
    assert {tie.partition(":")[0] for one in tied for tie in one["relations"]} <= known


def test_nobody_can_be_called(city: City) -> None:
    numbers = [one["phone"] for one in (*city.sites, *city.inspectors)]
    assert all(number.startswith("199000") for number in numbers)


def test_every_item_rests_on_a_law_in_force() -> None:
    rows = item_rows()
    assert len(rows) == 24
    assert {row["category"] for row in rows} == {"重点检查事项", "一般检查事项"}
    for row in rows:
        for line in row["bases"].splitlines():
            law, article, start, end = line.split("|")
            assert law
            assert article.startswith("第")
            assert date.fromisoformat(start) < date(2024, 4, 1)
            assert end == ""


def test_the_plan_covers_all_strata_in_both_quarters(city: City) -> None:
    ratios = ("key_ratio", "special_ratio", "general_ratio", "other_ratio")
    for period in ("2024Q2", "2024Q3"):
        rows = [row for row in city.plan if row["period"] == period]
        assert {ratio for row in rows for ratio in ratios if row.get(ratio)} == set(ratios)
    assert len({row["no"] for row in city.plan}) == len(city.plan) == 6


def test_the_files_are_imported_like_anybodys(sqlite_agency: Agency, files: dict[str, Path]) -> None:
    counts = {kind: _take_in(sqlite_agency, kind, files[kind]) for kind in KINDS}
    assert counts == {"items": 24, "sites": 1200, "inspectors": 120, "plan": 6}
    events = list(sqlite_agency.events())
    sites = [event.facts for event in events if isinstance(event, Site.Registered)]
    assert {facts.stratum for facts in sites} == {"key", "special", "general", "other"}
    kinds = Counter(event.facts.kind for event in events if isinstance(event, Inspector.Registered))
    assert kinds == {"officer": 100, "expert": 20}


def test_the_files_again_change_nothing(sqlite_agency: Agency, files: dict[str, Path]) -> None:
    for kind in KINDS:
        _take_in(sqlite_agency, kind, files[kind])
    call = sqlite_agency.call(sqlite_agency.people.officer)
    for kind in KINDS:
        found = preview_import(
            sqlite_agency.office, call, kind, region=TAIYUAN, content=files[kind].read_bytes()
        )
        assert found.unchanged == found.rows > 0


def test_the_words_are_those_of_the_templates(city: City) -> None:
    terms = terms_of(load_rulebooks(SHIPPED).all[0].rulebook)
    assert all(terms.strata.code(site["stratum"]) for site in city.sites)
    assert all(terms.role_classes.code(one["role_class"]) for one in city.inspectors)


def _take_in(agency: Agency, kind: str, file: Path) -> int:
    call = agency.call(agency.people.officer)
    answer = run_import(agency.office, call, kind, region=TAIYUAN, content=file.read_bytes())
    if kind == "items":
        publish_catalogue(agency.office, agency.call(agency.people.leader), region=TAIYUAN)
    return int(answer.also["created"])


def _cells(file: Path) -> list[list[Any]]:
    book = CalamineWorkbook.from_path(file)
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
