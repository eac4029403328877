"""A site: facts by their standards, each change with its source and reason."""

from datetime import date
from typing import Any

import pytest

from domain.errors import DomainError
from domain.identifiers import IndustryWrong, LicenceCodeWrong, RegionWrong, UsccWrong
from domain.site import EnterpriseFixed, Site, SiteFactWrong, SiteRemoved, SiteUnchanged
from domain.values import ProvenanceMissing
from tests.builders import OTHER_USCC, TODAY, USCC, act, digest, provenance, site_facts, stream
from tests.scenario import given, happened, when_begun
from tests.stages import registered_site


def removed(site: Site) -> None:
    """The site left the registry."""
    site.remove(act(), ground="closed", provenance=provenance())


def test_a_site_is_registered() -> None:
    site = when_begun(registered_site).then(
        happened(
            Site.Registered,
            facts=site_facts(),
            provenance=provenance(),
            person=stream("person"),
            commitment=digest(7),
        )
    )
    assert (site.status, site.risk_class) == ("listed", "")


@pytest.mark.parametrize("change", [{"code": ""}, {"industry": ""}, {"credit": ""}, {"needs": ()}])
def test_what_may_be_unknown_may_be_empty(change: dict[str, Any]) -> None:
    assert registered_site(**change).status == "listed"


FAULTS: list[tuple[dict[str, Any], type[DomainError], str, dict[str, Any]]] = [
    ({"uscc": "911302006992296170"}, UsccWrong, "", {"value": "911302006992296170"}),
    (
        {"code": f"{OTHER_USCC}001P"},
        LicenceCodeWrong,
        "",
        {"value": f"{OTHER_USCC}001P", "uscc": USCC},
    ),
    ({"region": "14"}, RegionWrong, "", {"value": "14"}),
    ({"industry": "2614"}, IndustryWrong, "", {"value": "2614"}),
    ({"name": ""}, SiteFactWrong, "/name", {"field": "name", "value": ""}),
    ({"stratum": "重点"}, SiteFactWrong, "/stratum", {"field": "stratum", "value": "重点"}),
    ({"needs": ("water", "air")}, SiteFactWrong, "/needs", {"field": "needs", "value": "water,air"}),
    ({"needs": ("air", "air")}, SiteFactWrong, "/needs", {"field": "needs", "value": "air,air"}),
    ({"needs": ("light",)}, SiteFactWrong, "/needs", {"field": "needs", "value": "light"}),
    ({"credit": "purple"}, SiteFactWrong, "/credit", {"field": "credit", "value": "purple"}),
]


@pytest.mark.parametrize(("change", "error", "pointer", "facts"), FAULTS)
def test_what_is_no_site_is_refused(
    change: dict[str, Any], error: type[DomainError], pointer: str, facts: dict[str, Any]
) -> None:
    when_begun(lambda: registered_site(**change)).refused(error, pointer, **facts)


def test_a_change_is_checked_like_a_registration() -> None:
    given(registered_site).when(
        lambda site: site.change(act(), facts=site_facts(stratum="x"), provenance=provenance())
    ).refused(SiteFactWrong, "/stratum", field="stratum", value="x")


def test_a_change_says_all_facts_anew() -> None:
    facts = site_facts(stratum="special", code="")
    site = (
        given(registered_site)
        .when(lambda site: site.change(act(), facts=facts, provenance=provenance(reason="处罚")))
        .then(
            happened(Site.Changed, facts=facts, provenance=provenance(reason="处罚"), old_key=f"{USCC}001P")
        )
    )
    assert site.facts == facts


def test_a_change_that_says_nothing_new_is_refused() -> None:
    given(registered_site).when(
        lambda site: site.change(act(), facts=site_facts(), provenance=provenance())
    ).refused(SiteUnchanged, site=stream("site"))


def test_a_site_never_passes_to_another_enterprise() -> None:
    given(registered_site).when(
        lambda site: site.change(act(), facts=site_facts(uscc=OTHER_USCC, code=""), provenance=provenance())
    ).refused(EnterpriseFixed, "/uscc", site=stream("site"))


@pytest.mark.parametrize("field", ["source", "reason"])
def test_no_change_of_the_registry_without_source_and_reason(field: str) -> None:
    bare = provenance(**{field: " "})
    expected = (ProvenanceMissing, f"/{field}")
    when_begun(lambda: Site.register(act(), id=stream("site"), facts=site_facts(), provenance=bare)).refused(
        *expected, field=field
    )
    given(registered_site).when(
        lambda site: site.change(act(), facts=site_facts(credit="red"), provenance=bare)
    ).refused(*expected, field=field)
    given(registered_site).when(lambda site: site.remove(act(), ground="closed", provenance=bare)).refused(
        *expected, field=field
    )


def test_a_risk_class_is_set() -> None:
    site = (
        given(registered_site)
        .when(lambda site: site.assess(act(), risk_class="C", assessed_on=TODAY, source="信用评价"))
        .then(happened(Site.Assessed, risk_class="C", assessed_on=TODAY, source="信用评价"))
    )
    assert site.risk_class == "C"


@pytest.mark.parametrize("risk_class", ["", "E", "a"])
def test_there_are_four_risk_classes(risk_class: str) -> None:
    given(registered_site).when(
        lambda site: site.assess(act(), risk_class=risk_class, assessed_on=TODAY, source="信用评价")
    ).refused(SiteFactWrong, "/risk_class", field="risk_class", value=risk_class)


def test_a_site_leaves_the_registry_on_a_ground() -> None:
    site = (
        given(registered_site)
        .when(removed)
        .then(happened(Site.Removed, ground="closed", provenance=provenance(), key=f"{USCC}001P"))
    )
    assert site.status == "removed"


def test_a_site_does_not_leave_without_a_ground() -> None:
    given(registered_site).when(lambda site: site.remove(act(), ground="", provenance=provenance())).refused(
        SiteFactWrong, "/ground", field="ground", value=""
    )


@pytest.mark.parametrize(
    "decide",
    [
        removed,
        lambda site: site.change(act(), facts=site_facts(credit="red"), provenance=provenance()),
        lambda site: site.assess(act(), risk_class="A", assessed_on=date(2024, 1, 1), source="信用评价"),
    ],
)
def test_a_removed_site_does_not_change_any_more(decide: Any) -> None:
    given(registered_site, removed).when(decide).refused(SiteRemoved, site=stream("site"))
