"""Sites and inspectors as lists."""

from datetime import date

from msgspec.structs import replace

from domain.inspector import Inspector
from domain.site import Site
from projections import inspectors, sites
from projections.inspectors import get_inspector, inspectors_of, list_inspectors, pool_inspectors
from projections.sites import get_site, list_sites, site_owners
from tests import stages
from tests.builders import (
    CITY,
    LEADER,
    USCC,
    act,
    digest,
    expert_facts,
    inspector_facts,
    provenance,
    site_facts,
    stream,
)
from tests.projections.tale import Shelf, Tale


def register(tale: Tale, number: int, **fields: object) -> Site:
    """A site in the tale."""
    id = stream("site", number)
    return tale.tell(Site.register(act(), id=id, facts=site_facts(**fields), provenance=provenance()))


def enlist(tale: Tale, number: int, **fields: object) -> Inspector:
    """An inspector in the tale."""
    facts = expert_facts() if fields.pop("expert", False) else inspector_facts(**fields)
    return tale.tell(
        Inspector.register(
            act(),
            id=stream("inspector", number),
            region=CITY,
            person=stream("person", number),
            commitment=digest(number),
            facts=facts,
            provenance=provenance(),
        )
    )


def test_a_site_shows_its_last_facts_its_source_and_its_version(tale: Tale, shelf: Shelf) -> None:
    site = register(tale, 1)
    register(tale, 2, name="另一家")
    facts = replace(site.facts, credit="red", stratum="special")
    site.change(act(), facts=facts, provenance=provenance(reason="信用降级"))
    site.assess(act(), risk_class="C", assessed_on=date(2024, 3, 1), source="年度评定")
    tale.tell(site)
    with shelf.after(sites.PROJECTION, tale, batch=1) as connection:
        row = get_site(connection, site.id)
        assert row is not None
        assert (row.idx, row.position, row.version) == (0, 3, 3)
        assert (row.credit, row.stratum, row.name) == ("red", "special", facts.name)
        assert (row.needs, row.reason) == (("air", "water"), "信用降级")
        assert (row.risk_class, row.assessed_on) == ("C", date(2024, 3, 1))
        assert get_site(connection, "site-unknown") is None


def test_a_removed_site_is_listed_only_when_asked_for(tale: Tale, shelf: Shelf) -> None:
    kept, gone = register(tale, 1), register(tale, 2)
    gone.remove(act(), ground="moved", provenance=provenance())
    tale.tell(gone)
    with shelf.after(sites.PROJECTION, tale) as connection:
        assert [row.id for row in list_sites(connection)] == [kept.id]
        (row,) = list_sites(connection, status="removed")
        assert (row.id, row.removal_ground) == (gone.id, "moved")
        assert len(list_sites(connection, status="")) == 2
        assert sorted(site_owners(connection, [kept.id, gone.id, "x"])) == [
            (kept.id, USCC, CITY),
            (gone.id, USCC, CITY),
        ]


def test_sites_are_found_by_region_and_text_taken_literally(tale: Tale, shelf: Shelf) -> None:
    for number, (region, name) in enumerate(
        [("140105", "晴川化工"), ("140200", "大同100%水泥"), ("150100", "塞外"), ("140105", "晴川二厂")]
    ):
        register(tale, number, region=region, name=name)
    with shelf.after(sites.PROJECTION, tale) as connection:
        assert [row.idx for row in list_sites(connection, ["140100"])] == [0, 3]
        assert [row.idx for row in list_sites(connection, ["140000"])] == [0, 1, 3]
        assert [row.idx for row in list_sites(connection, ["140105", "150100"])] == [0, 2, 3]
        assert list_sites(connection, []) == []
        assert [row.idx for row in list_sites(connection, text="晴川")] == [0, 3]
        assert [row.idx for row in list_sites(connection, text="100%")] == [1]
        assert list_sites(connection, text="%") == list_sites(connection, text="100%")
        assert [row.idx for row in list_sites(connection, text=USCC[:9])] == [0, 1, 2, 3]


def test_pages_follow_one_another_without_gap_or_repeat(tale: Tale, shelf: Shelf) -> None:
    for number in range(7):
        register(tale, number)
    with shelf.after(sites.PROJECTION, tale) as connection:
        seen: list[int] = []
        while page := list_sites(connection, after=seen[-1] if seen else None, limit=3):
            seen += [row.idx for row in page]
        assert seen == list(range(7))


def test_an_inspector_shows_certificate_and_ties(tale: Tale, shelf: Shelf) -> None:
    officer = tale.tell(stages.registered_inspector())
    enlist(tale, 9, expert=True)
    officer.change(act(LEADER), facts=replace(officer.facts, skills=("soil",)), provenance=provenance())
    tale.tell(officer)
    with shelf.after(inspectors.PROJECTION, tale, batch=1) as connection:
        row = get_inspector(connection, officer.id)
        assert row is not None
        assert (row.skills, row.version, row.certificate_areas) == (("soil",), 2, (CITY,))
        assert (row.certificate_from, row.certificate_to) == (date(2022, 1, 1), date(2026, 12, 31))
        assert row.relations == officer.facts.relations
        (expert,) = list_inspectors(connection, kind="expert")
        assert (expert.certificate_from, expert.certificate_areas) == (None, ())
        assert [found.id for found in list_inspectors(connection, skill="soil")] == [officer.id]
        assert list_inspectors(connection, ["140200"]) == []
        assert [found.id for found in inspectors_of(connection, [officer.id, "x"])] == [officer.id]


def test_the_pool_has_everybody_whose_areas_touch_those_asked_for(tale: Tale, shelf: Shelf) -> None:
    enlist(tale, 1, areas=("140105",))
    enlist(tale, 2, areas=("140200",))
    gone = enlist(tale, 3, areas=("140000",))
    gone.remove(act(), provenance=provenance())
    tale.tell(gone)
    with shelf.after(inspectors.PROJECTION, tale) as connection:
        found = pool_inspectors(connection, ["140100"])
        assert [(row.id, row.status) for row in found] == [
            (stream("inspector", 1), "listed"),
            (stream("inspector", 3), "removed"),
        ]
