"""Importing the registry of inspectors and experts. Names, phones and certificate numbers go to the vault."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from application.importing import Cells, Desk, Import, differences, shown, texts
from application.inspectors import identity_of
from application.persons import entrust
from application.ports import VaultWrite
from application.tables import Row
from application.terms import Terms
from domain.aggregate import Aggregate
from domain.identifiers import check_uscc
from domain.inspector import Certificate, Inspector, InspectorFacts, Relation
from domain.values import Provenance

_CERTIFICATE = ("certificate_no", "certificate_from", "certificate_to", "certificate_areas")


class _Line(NamedTuple):
    number: int
    region: str
    person: Mapping[str, str]
    facts: InspectorFacts
    provenance: Provenance

    @property
    def identity(self) -> str:
        return identity_of(self.person)


class InspectorImport(Import):
    """People are known again by their certificate number, experts by their phone number."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._lines: list[_Line] = []
        self._known: dict[int, Inspector] = {}
        self._differing: set[int] = set()

    def read(self, row: Row) -> None:
        """Check a row by itself and against the rows before it."""
        cells = Cells(row)
        person = {key: cells.text(key) for key in ("name", "phone", "certificate_no")}
        region = cells.region("region", self.desk.regions)
        facts = self._facts(cells)
        identity = identity_of(person)
        if identity:
            self.once(cells, "certificate_no" if person["certificate_no"] else "phone", identity)
        if not cells.errors:
            cells.check("role_class", facts.check)
        if cells.errors:
            self.errors.add(*cells.errors)
        else:
            self._lines.append(_Line(row.number, region, person, facts, cells.provenance()))

    def compare(self) -> None:
        """Count who is new, changed, unchanged; nobody removed comes back by a file."""
        office = self.desk.office
        persons = office.vault.persons([line.identity for line in self._lines])
        streams = office.claims.holders("inspector-person", list(persons.values()))
        for line in self._lines:
            person = persons.get(line.identity)
            if person is None:
                self.created += 1
            elif person not in streams:
                self.wrong(line.number, _identified(line), "person-known-elsewhere")
            else:
                self._compare(line, office.workflow.load(Inspector, streams[person]))

    def _compare(self, line: _Line, known: Inspector) -> None:
        if not self.desk.regions.covered(known.region):
            self.wrong(line.number, "region", "region-not-yours", known.region)
        elif known.status != "listed":
            self.wrong(line.number, _identified(line), "inspector-removed", inspector=known.id)
        elif known.region != line.region:
            self.wrong(line.number, "region", "region-fixed", line.region, region=known.region)
        elif known.facts == line.facts:
            self.unchanged += 1
            self._known[line.number] = known
        else:
            old, new = (inspector_values(facts, self.desk.terms) for facts in (known.facts, line.facts))
            # The preview names people by their stream, never by what is in the vault.
            self.differ(line.number, known.id, known.id, differences(texts(old), texts(new)))
            self._known[line.number] = known
            self._differing.add(line.number)

    def write(self, persons: list[VaultWrite]) -> Iterator[Aggregate | None]:
        """Register who is new, change what differs."""
        for line in self._lines:
            known = self._known.get(line.number)
            if known is None:
                yield self._register(line, persons)
            elif line.number in self._differing:
                known.change(self.desk.call.act, facts=line.facts, provenance=line.provenance)
                yield known
            else:
                yield None

    def _register(self, line: _Line, persons: list[VaultWrite]) -> Inspector:
        chance = self.desk.office.chance
        write, commitment = entrust(chance, line.person, unique=line.identity)
        persons.append(write)
        return Inspector.register(
            self.desk.call.act,
            id=chance.id("inspector"),
            region=line.region,
            person=write.person,
            commitment=commitment,
            facts=line.facts,
            provenance=line.provenance,
        )

    def _facts(self, cells: Cells) -> InspectorFacts:
        terms, regions = self.desk.terms, self.desk.regions
        role_class = cells.term("role_class", terms.role_classes)
        expert = role_class == "expert"
        _check_role(cells, role_class)
        skills = cells.terms("skills", terms.specialties)
        if skills and not cells.text("attested_by"):
            cells.wrong("attested_by", "missing")
        return InspectorFacts(
            kind="expert" if expert else "officer",
            role_class=role_class,
            unit=cells.text("unit"),
            areas=cells.regions("areas", regions),
            skills=skills,
            attested_by=cells.text("attested_by"),
            lead=cells.truth("lead"),
            certificate=None if expert else self._certificate(cells),
            relations=_relations(cells, terms),
        )

    def _certificate(self, cells: Cells) -> Certificate | None:
        start, end = cells.date("certificate_from"), cells.date("certificate_to")
        areas = cells.known_regions("certificate_areas", self.desk.regions)
        if start is None or end is None or not areas:
            return None
        if end < start:
            cells.wrong("certificate_to", "certificate-dates", end, valid_from=start)
        return Certificate(valid_from=start, valid_to=end, areas=areas)


def _check_role(cells: Cells, role_class: str) -> None:
    """An officer has a certificate, an expert has none, does not lead and is known by phone."""
    flawed = {error.facts.get("key") for error in cells.row.errors}
    held = [key for key in _CERTIFICATE if cells.row.values[key]]
    if role_class == "expert":
        for key in held:
            cells.wrong(key, "certificate-of-expert", shown(cells.row.values[key]))
        if cells.truth("lead"):
            cells.wrong("lead", "lead-by-expert")
        if not cells.text("phone") and "phone" not in flawed:
            cells.wrong("phone", "phone-missing")
    elif role_class:
        for key in _CERTIFICATE:
            if key not in held and key not in flawed:
                cells.wrong(key, "certificate-missing")


def _relations(cells: Cells, terms: Terms) -> tuple[Relation, ...]:
    found = (_relation(cells, text, terms) for text in cells.list("relations"))
    each = {relation for relation in found if relation is not None}
    return tuple(sorted(each, key=lambda relation: (relation.uscc, relation.ground)))


def _relation(cells: Cells, text: str, terms: Terms) -> Relation | None:
    uscc, separator, word = text.replace("：", ":").partition(":")
    if not separator:
        cells.wrong("relations", "relation-wrong", text)
        return None
    cells.check("relations", lambda: check_uscc(uscc.strip()))
    ground = cells.code("relations", word.strip(), terms.grounds)
    return Relation(uscc.strip(), ground)


def _identified(line: _Line) -> str:
    return "certificate_no" if line.person["certificate_no"] else "phone"


def inspector_values(facts: InspectorFacts, terms: Terms) -> dict[str, object]:
    """An inspector's facts as the template's row, in words; regions stay codes."""
    held = facts.certificate
    return {
        "role_class": terms.role_classes.word(facts.role_class),
        "unit": facts.unit,
        "areas": facts.areas,
        "skills": tuple(terms.specialties.word(skill) for skill in facts.skills),
        "attested_by": facts.attested_by,
        "lead": facts.lead,
        "certificate_from": held.valid_from if held else None,
        "certificate_to": held.valid_to if held else None,
        "certificate_areas": held.areas if held else (),
        "relations": tuple(f"{one.uscc}:{terms.grounds.word(one.ground)}" for one in facts.relations),
    }
