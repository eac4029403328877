"""Importing inspectors and experts: certificates, relations, who is known again."""

from datetime import date
from typing import Any

import pytest

from application.inspectors import remove_inspector
from domain.inspector import Certificate, Inspector, Relation
from domain.values import Provenance
from tests.application.intake_files import expert, officer, preview, take_in, uscc, wrongs
from tests.office import Agency


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (officer(name=""), [("name", "missing")]),
        (officer(certificate_no=""), [("certificate_no", "certificate-missing")]),
        (officer(certificate_to=None), [("certificate_to", "certificate-missing")]),
        (officer(certificate_areas=()), [("certificate_areas", "certificate-missing")]),
        (officer(certificate_to=date(2021, 12, 31)), [("certificate_to", "certificate-dates")]),
        (officer(certificate_to="随后"), [("certificate_to", "date-wrong")]),
        (officer(certificate_areas=("火星",)), [("certificate_areas", "region-unknown")]),
        (officer(role_class="临时工"), [("role_class", "term-unknown")]),
        (officer(areas=()), [("areas", "missing")]),
        (officer(areas=("小店区", "大同市")), [("areas", "region-not-yours")]),
        (officer(skills=("炼金",)), [("skills", "term-unknown")]),
        (officer(attested_by=""), [("attested_by", "missing")]),
        (officer(lead="也许"), [("lead", "bool-wrong")]),
        (officer(relations=(uscc(1),)), [("relations", "relation-wrong")]),
        (officer(relations=(f"{uscc(1)[:-1]}0:近亲属",)), [("relations", "uscc-wrong")]),
        (officer(relations=(f"{uscc(1)}:邻居",)), [("relations", "term-unknown")]),
        (expert(lead=True), [("lead", "lead-by-expert")]),
        (expert(certificate_no="140100-9"), [("certificate_no", "certificate-of-expert")]),
        (expert(certificate_to=date(2025, 1, 1)), [("certificate_to", "certificate-of-expert")]),
        (expert(phone=""), [("phone", "phone-missing")]),
    ],
)
def test_a_wrong_cell_is_named(
    sqlite_agency: Agency, row: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = wrongs(sqlite_agency, "inspectors", officer(8), row)
    assert found == [(3, key, code) for key, code in expected]


def test_the_same_certificate_or_phone_twice_in_a_file_is_named(sqlite_agency: Agency) -> None:
    rows = [officer(1), officer(2, certificate_no="140100-0001"), expert(3), expert(4, phone="19700000003")]
    assert wrongs(sqlite_agency, "inspectors", *rows) == [
        (3, "certificate_no", "duplicate-in-file"),
        (5, "phone", "duplicate-in-file"),
    ]


def test_an_officer_is_registered_as_the_row_says(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(1, relations=(f"{uscc(2)}:利害关系", f"{uscc(1)}：当事人")))
    (event,) = (event for event in agency.events() if isinstance(event, Inspector.Registered))
    facts = event.facts
    assert (event.region, facts.kind, facts.role_class, facts.lead) == (
        "140100",
        "officer",
        "civil-servant",
        True,
    )
    assert (facts.areas, facts.skills) == (("140105", "140106"), ("air",))
    assert facts.certificate == Certificate(
        valid_from=date(2022, 1, 1), valid_to=date(2026, 12, 31), areas=("140000",)
    )
    assert set(facts.relations) == {Relation(uscc(1), "party"), Relation(uscc(2), "direct-interest")}


def test_name_phone_and_certificate_number_are_only_in_the_vault(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(1, name="欧阳震华", phone="19811112222", certificate_no="晋A-77"))
    (event,) = (event for event in agency.events() if isinstance(event, Inspector.Registered))
    held = agency.office.vault.read([event.person])[event.person]
    assert held == {"name": "欧阳震华", "phone": "19811112222", "certificate_no": "晋A-77"}
    states = b"".join(row.state for row in agency.store.recorder.rows())
    assert not any(text.encode() in states for text in held.values())


def test_an_expert_has_no_certificate_and_does_not_lead(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "inspectors", expert(1))
    (event,) = (event for event in sqlite_agency.events() if isinstance(event, Inspector.Registered))
    assert (event.facts.kind, event.facts.certificate, event.facts.lead) == ("expert", None, False)


def test_who_is_known_by_certificate_is_changed_not_registered_again(agency: Agency) -> None:
    take_in(agency, "inspectors", officer(1), expert(2))
    renewed = officer(1, certificate_to=date(2029, 12, 31))
    found = preview(agency, "inspectors", renewed, expert(2), officer(3))
    assert (found.created, found.changed, found.unchanged) == (1, 1, 1)
    (change,) = found.changes
    assert [(one.field, one.old, one.new) for one in change.fields] == [
        ("certificate_to", "2026-12-31", "2029-12-31")
    ]
    before = agency.size()
    take_in(agency, "inspectors", renewed, expert(2), officer(3))
    topics = ["inspector.changed.v1", "inspector.registered.v1", "intake.completed.v1"]
    assert sorted(agency.topics(before)) == topics


def test_a_preview_tells_no_name(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "inspectors", officer(1, name="欧阳震华"))
    found = preview(sqlite_agency, "inspectors", officer(1, name="欧阳震华", unit="别处"))
    assert found.changed == 1
    assert "欧阳震华" not in repr(found.changes)
    assert "140100-0001" not in repr(found.changes)


def test_who_was_removed_does_not_come_back_by_a_file(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "inspectors", officer(1))
    (event,) = (event for event in sqlite_agency.events() if isinstance(event, Inspector.Registered))
    provenance = Provenance(source="人事", reason="调离", effective_from=date(2024, 4, 1))
    call = sqlite_agency.call(sqlite_agency.people.officer)
    remove_inspector(sqlite_agency.office, call, event.originator_id, provenance=provenance)
    assert wrongs(sqlite_agency, "inspectors", officer(1)) == [(2, "certificate_no", "inspector-removed")]


def test_an_inspector_stays_with_the_agency_that_entered_him(sqlite_agency: Agency) -> None:
    take_in(sqlite_agency, "inspectors", officer(1))
    moved = officer(1, region="小店区")
    assert wrongs(sqlite_agency, "inspectors", moved) == [(2, "region", "region-fixed")]
