"""An inspector or expert: who may count as an officer, where and until when."""

from datetime import date
from typing import Any

import pytest

from domain.errors import DomainError
from domain.identifiers import RegionWrong, UsccWrong
from domain.inspector import (
    Inspector,
    InspectorFactWrong,
    InspectorRemoved,
    InspectorUnchanged,
    Relation,
)
from domain.values import ProvenanceMissing
from tests.builders import (
    CHEN,
    CITY,
    OTHER_USCC,
    TODAY,
    act,
    certificate,
    digest,
    expert_facts,
    inspector_facts,
    provenance,
    stream,
)
from tests.scenario import given, happened, when_begun
from tests.stages import registered_inspector


def removed(inspector: Inspector) -> None:
    """The person left the registry."""
    inspector.remove(act(), provenance=provenance())


@pytest.mark.parametrize("facts", [inspector_facts(), expert_facts()])
def test_officers_and_experts_are_registered(facts: Any) -> None:
    inspector = when_begun(lambda: registered_inspector(facts)).then(
        happened(
            Inspector.Registered,
            region=CITY,
            person=stream("person", 2),
            commitment=digest(8),
            facts=facts,
            provenance=provenance(),
        )
    )
    assert inspector.status == "listed"


def fault(field: str, value: str, facts: Any) -> tuple[Any, type[DomainError], str, dict[str, str]]:
    """Facts that are refused, and how."""
    return facts, InspectorFactWrong, f"/{field}", {"field": field, "value": value}


FAULTS = [
    fault("kind", "helper", inspector_facts(kind="helper")),
    fault("role_class", "driver", inspector_facts(role_class="driver")),
    fault("role_class", "expert", inspector_facts(role_class="expert")),
    fault("role_class", "civil-servant", expert_facts(role_class="civil-servant")),
    fault("lead", "expert", expert_facts(lead=True)),
    fault("lead", "expert", expert_facts(certificate=certificate())),
    fault("certificate", "", inspector_facts(certificate=None)),
    fault("certificate", "2021-12-31", inspector_facts(certificate=certificate(valid_to=date(2021, 12, 31)))),
    fault("certificate", "2026-12-31", inspector_facts(certificate=certificate(areas=()))),
    fault("areas", "", inspector_facts(areas=())),
    fault("skills", "water,air", inspector_facts(skills=("water", "air"))),
    fault("skills", "law", inspector_facts(skills=("law",))),
    fault("relations", "friend", inspector_facts(relations=(Relation(OTHER_USCC, "friend"),))),
    (inspector_facts(certificate=certificate(areas=("14",))), RegionWrong, "", {"value": "14"}),
    (inspector_facts(areas=("14",)), RegionWrong, "", {"value": "14"}),
    (inspector_facts(relations=(Relation("1", "party"),)), UsccWrong, "", {"value": "1"}),
]


@pytest.mark.parametrize(("facts", "error", "pointer", "told"), FAULTS)
def test_who_is_no_inspector_is_refused(
    facts: Any, error: type[DomainError], pointer: str, told: dict[str, str]
) -> None:
    when_begun(lambda: registered_inspector(facts)).refused(error, pointer, **told)
    given(registered_inspector).when(
        lambda inspector: inspector.change(act(), facts=facts, provenance=provenance())
    ).refused(error, pointer, **told)


def test_no_region_no_inspector() -> None:
    when_begun(
        lambda: Inspector.register(
            act(),
            id=CHEN,
            region="",
            person="",
            commitment="",
            facts=inspector_facts(),
            provenance=provenance(),
        )
    ).refused(RegionWrong, value="")


@pytest.mark.parametrize("field", ["source", "reason"])
def test_no_change_of_the_registry_without_source_and_reason(field: str) -> None:
    bare = provenance(**{field: ""})
    when_begun(
        lambda: Inspector.register(
            act(), id=CHEN, region=CITY, person="", commitment="", facts=inspector_facts(), provenance=bare
        )
    ).refused(ProvenanceMissing, f"/{field}", field=field)
    given(registered_inspector).when(
        lambda inspector: inspector.change(act(), facts=inspector_facts(lead=False), provenance=bare)
    ).refused(ProvenanceMissing, f"/{field}", field=field)
    given(registered_inspector).when(lambda inspector: inspector.remove(act(), provenance=bare)).refused(
        ProvenanceMissing, f"/{field}", field=field
    )


def test_a_change_says_all_facts_anew() -> None:
    facts = inspector_facts(skills=("noise",))
    inspector = (
        given(registered_inspector)
        .when(lambda inspector: inspector.change(act(), facts=facts, provenance=provenance()))
        .then(happened(Inspector.Changed, facts=facts, provenance=provenance()))
    )
    assert inspector.facts == facts


def test_a_change_that_says_nothing_new_is_refused() -> None:
    given(registered_inspector).when(
        lambda inspector: inspector.change(act(), facts=inspector_facts(), provenance=provenance())
    ).refused(InspectorUnchanged, inspector=CHEN)


def test_a_person_leaves_the_registry() -> None:
    inspector = (
        given(registered_inspector).when(removed).then(happened(Inspector.Removed, provenance=provenance()))
    )
    assert not inspector.certified(TODAY, CITY)


def test_who_left_does_not_change_any_more() -> None:
    given(registered_inspector, removed).when(removed).refused(InspectorRemoved, inspector=CHEN)
    given(registered_inspector, removed).when(
        lambda inspector: inspector.change(act(), facts=inspector_facts(lead=False), provenance=provenance())
    ).refused(InspectorRemoved, inspector=CHEN)


@pytest.mark.parametrize(
    ("day", "region", "holds"),
    [
        (date(2022, 1, 1), CITY, True),
        (date(2026, 12, 31), "140105", True),
        (date(2021, 12, 31), CITY, False),
        (date(2027, 1, 1), CITY, False),
        (TODAY, "140200", False),
        (TODAY, "140000", False),
    ],
)
def test_a_certificate_holds_on_its_days_in_its_area(day: date, region: str, holds: bool) -> None:
    assert registered_inspector().certified(day, region) is holds


def test_an_expert_is_never_a_certified_officer() -> None:
    assert not registered_inspector(expert_facts()).certified(TODAY, CITY)
