"""An inspector (执法检查人员) or expert (专家) in the registry of inspectors.

Name, phone and certificate number are in the vault; the events know a reference and a commitment.
"""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_region, check_uscc, covers
from domain.values import SPECIALTIES, Provenance

ROLE_CLASSES = ("civil-servant", "certified-staff", "daily-supervisor", "expert")
RELATION_GROUNDS = ("party", "near-relative", "direct-interest", "other-relation")


class InspectorFactWrong(Invalid):
    """A fact of an inspector is missing or not one of those allowed; facts: `field`, `value`."""

    code = "inspector-fact-wrong"


class InspectorRemoved(Conflict):
    """The inspector has left the registry; facts: `inspector`."""

    code = "inspector-removed"


class InspectorUnchanged(Conflict):
    """The change says nothing new; facts: `inspector`."""

    code = "inspector-unchanged"


class Relation(msgspec.Struct, frozen=True):
    """A tie to an enterprise that bars from its sites, on a ground of 行政处罚法 §43."""

    uscc: str
    ground: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The days (inclusive) and areas for which an enforcement certificate is valid."""

    valid_from: date
    valid_to: date
    areas: tuple[str, ...]

    def valid(self, day: date, region: str) -> bool:
        """Whether it is valid on the day in the region."""
        return self.valid_from <= day <= self.valid_to and any(covers(area, region) for area in self.areas)


class InspectorFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry says. Experts hold no certificate and never lead; `attested_by` vouches for skills.

    `areas` are the regions in which the person works, `lead` whether he may lead a team.
    """

    kind: str
    role_class: str
    unit: str
    areas: tuple[str, ...]
    skills: tuple[str, ...]
    attested_by: str
    lead: bool
    certificate: Certificate | None
    relations: tuple[Relation, ...]

    def check(self) -> None:
        """Refuse what is no inspector or expert."""
        if self.kind not in ("officer", "expert"):
            raise InspectorFactWrong("/kind", field="kind", value=self.kind)
        expert = self.kind == "expert"
        if self.role_class not in ROLE_CLASSES or (self.role_class == "expert") != expert:
            raise InspectorFactWrong("/role_class", field="role_class", value=self.role_class)
        if expert and (self.lead or self.certificate is not None):
            raise InspectorFactWrong("/lead", field="lead", value="expert")
        if not expert and self.certificate is None:
            raise InspectorFactWrong("/certificate", field="certificate", value="")
        self._check_certificate()
        self._check_lists()

    def _check_certificate(self) -> None:
        held = self.certificate
        if held is None:
            return
        if held.valid_to < held.valid_from or not held.areas:
            raise InspectorFactWrong("/certificate", field="certificate", value=str(held.valid_to))
        for area in held.areas:
            check_region(area)

    def _check_lists(self) -> None:
        if not self.areas:
            raise InspectorFactWrong("/areas", field="areas", value="")
        for area in self.areas:
            check_region(area)
        if list(self.skills) != sorted(set(self.skills)) or not set(self.skills) <= set(SPECIALTIES):
            raise InspectorFactWrong("/skills", field="skills", value=",".join(self.skills))
        for relation in self.relations:
            check_uscc(relation.uscc)
            if relation.ground not in RELATION_GROUNDS:
                raise InspectorFactWrong("/relations", field="relations", value=relation.ground)


class Inspector(Aggregate):
    """One person in the registry of inspectors."""

    TOPIC = "inspector"

    class Registered(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The person entered the registry, once for ever: who comes back is known by the reference."""

        TOPIC = "inspector.registered.v1"
        region: str
        person: str
        commitment: str
        facts: InspectorFacts
        provenance: Provenance

        def claims(self) -> Iterable[Claim]:
            return (Claim("inspector-person", self.person),)

    class Changed(Aggregate.Event, frozen=True, kw_only=True):
        """The registry says something else from a day on (skills, areas, certificate, relations …)."""

        TOPIC = "inspector.changed.v1"
        facts: InspectorFacts
        provenance: Provenance

    class Removed(Aggregate.Event, frozen=True, kw_only=True):
        """The person left the registry."""

        TOPIC = "inspector.removed.v1"
        provenance: Provenance

    @classmethod
    def register(
        cls,
        act: Act,
        *,
        id: str,
        region: str,
        person: str,
        commitment: str,
        facts: InspectorFacts,
        provenance: Provenance,
    ) -> Self:
        """Enter a person of a region's agency."""
        check_region(region)
        facts.check()
        provenance.check()
        return cls.begin(
            cls.Registered,
            id,
            act,
            region=region,
            person=person,
            commitment=commitment,
            facts=facts,
            provenance=provenance,
        )

    @event(Registered)
    def __init__(self, region: str, person: str, facts: InspectorFacts) -> None:
        self.region, self.person, self.facts = region, person, facts
        self.status = "listed"

    def change(self, act: Act, *, facts: InspectorFacts, provenance: Provenance) -> None:
        """Set all facts anew, with source, reason and effective day."""
        self._require_listed()
        facts.check()
        provenance.check()
        if facts == self.facts:
            raise InspectorUnchanged(inspector=self.id)
        self.record(self.Changed, act, facts=facts, provenance=provenance)

    @event(Changed)
    def _changed(self, facts: InspectorFacts) -> None:
        self.facts = facts

    def remove(self, act: Act, *, provenance: Provenance) -> None:
        """Take the person off the registry."""
        self._require_listed()
        provenance.check()
        self.record(self.Removed, act, provenance=provenance)

    @event(Removed)
    def _removed(self) -> None:
        self.status = "removed"

    def certified(self, day: date, region: str) -> bool:
        """Whether this is a listed officer whose certificate is valid on the day in the region."""
        held = self.facts.certificate
        return self.status == "listed" and held is not None and held.valid(day, region)

    def _require_listed(self) -> None:
        if self.status != "listed":
            raise InspectorRemoved(inspector=self.id)
