"""An inspector (执法检查人员) or expert (专家) in the registry of inspectors.

Name, phone and certificate number are in the vault; the events know a reference and a commitment.
"""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_region, check_uscc, covers
from domain.recusal import (
    RECUSAL_GROUNDS,
    RecusalPending,
    check_decider,
    check_decision,
    check_ground,
    check_withdrawal,
    pending_of,
)
from domain.values import SPECIALTIES, Provenance

ROLE_CLASSES = ("civil-servant", "certified-staff", "daily-supervisor", "expert")
RELATION_GROUNDS = RECUSAL_GROUNDS


class InspectorFactWrong(Invalid):
    """A fact of an inspector is missing or not one of those allowed; facts: `field`, `value`."""

    code = "inspector-fact-wrong"


class InspectorRemoved(Conflict):
    """The inspector has left the registry; facts: `inspector`."""

    code = "inspector-removed"


class InspectorUnchanged(Conflict):
    """The change says nothing new; facts: `inspector`."""

    code = "inspector-unchanged"


class RelationKnown(Conflict):
    """The inspector is barred from this enterprise already; facts: `uscc`."""

    code = "relation-known"


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


class Barring(msgspec.Struct, frozen=True, kw_only=True):
    """A recusal from all sites of an enterprise: `pending`, `granted`, `refused` or `withdrawn`."""

    id: str
    uscc: str
    ground: str
    declared_by: frozenset[str]
    status: str = "pending"


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

    class RecusalDeclared(Aggregate.Event, frozen=True, kw_only=True):
        """Somebody says before any draw that the inspector must not go to an enterprise's sites."""

        TOPIC = "inspector.recusal-declared.v1"
        recusal: str
        region: str
        uscc: str
        ground: str
        origin: str
        detail: str

    class RecusalGranted(Aggregate.Event, frozen=True, kw_only=True):
        """He is barred from the enterprise: a relation, and so among the conflicts of every later pool."""

        TOPIC = "inspector.recusal-granted.v1"
        recusal: str
        uscc: str
        ground: str
        reason: str
        decided_as: str
        minutes: str

    class RecusalRefused(Aggregate.Event, frozen=True, kw_only=True):
        """He may go."""

        TOPIC = "inspector.recusal-refused.v1"
        recusal: str
        reason: str
        decided_as: str
        minutes: str

    class RecusalWithdrawn(Aggregate.Event, frozen=True, kw_only=True):
        """Who declared it took it back before it was decided; it stays in the history."""

        TOPIC = "inspector.recusal-withdrawn.v1"
        recusal: str
        reason: str

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
        self.recusals: dict[str, Barring] = {}
        self.granted: tuple[Relation, ...] = ()
        self.status = "listed"

    def change(self, act: Act, *, facts: InspectorFacts, provenance: Provenance) -> None:
        """Set all facts anew, with source, reason and effective day.

        Relations that a granted recusal made stay, whatever the new facts say.
        """
        self._require_listed()
        facts.check()
        facts = self._with_granted(facts)
        provenance.check()
        if facts == self.facts:
            raise InspectorUnchanged(inspector=self.id)
        self.record(self.Changed, act, facts=facts, provenance=provenance)

    @event(Changed)
    def _changed(self, facts: InspectorFacts) -> None:
        self.facts = facts

    def declare_recusal(
        self, act: Act, *, recusal: str, uscc: str, ground: str, origin: str, detail: str
    ) -> None:
        """Declare that the inspector must not go to an enterprise's sites; he may until it is decided."""
        self._require_listed()
        check_uscc(uscc)
        check_ground(ground, origin)
        if self.related(uscc):
            raise RelationKnown("/uscc", uscc=uscc)
        for earlier in self.recusals.values():
            if earlier.uscc == uscc and earlier.status == "pending":
                raise RecusalPending(recusal=earlier.id)
        self.record(
            self.RecusalDeclared,
            act,
            recusal=recusal,
            region=self.region,
            uscc=uscc,
            ground=ground,
            origin=origin,
            detail=detail,
        )

    @event(RecusalDeclared)
    def _recusal_declared(
        self, recusal: str, uscc: str, ground: str, by: str, on_behalf_of: str | None
    ) -> None:
        self.recusals[recusal] = Barring(
            id=recusal, uscc=uscc, ground=ground, declared_by=persons_of(by, on_behalf_of)
        )

    def grant_recusal(
        self, act: Act, *, recusal: str, decider: str, reason: str, decided_as: str, minutes: str = ""
    ) -> None:
        """Bar the inspector from the enterprise. `decider` is the inspector for whom the account stands."""
        found = self.pending_recusal(act, recusal, decider=decider)
        check_decision(reason, decided_as, minutes)
        self.record(
            self.RecusalGranted,
            act,
            recusal=recusal,
            uscc=found.uscc,
            ground=found.ground,
            reason=reason,
            decided_as=decided_as,
            minutes=minutes,
        )

    @event(RecusalGranted)
    def _recusal_granted(self, recusal: str, uscc: str, ground: str) -> None:
        self._decide(recusal, "granted")
        self.granted = (*self.granted, Relation(uscc, ground))
        self.facts = self._with_granted(self.facts)

    def refuse_recusal(
        self, act: Act, *, recusal: str, decider: str, reason: str, decided_as: str, minutes: str = ""
    ) -> None:
        """Let the inspector go there, with reasons."""
        self.pending_recusal(act, recusal, decider=decider)
        check_decision(reason, decided_as, minutes)
        self.record(
            self.RecusalRefused, act, recusal=recusal, reason=reason, decided_as=decided_as, minutes=minutes
        )

    @event(RecusalRefused)
    def _recusal_refused(self, recusal: str) -> None:
        self._decide(recusal, "refused")

    def withdraw_recusal(self, act: Act, *, recusal: str, reason: str) -> None:
        """Take a recusal back that is not decided yet, as who declared it."""
        check_withdrawal(act, pending_of(self.recusals, recusal), reason)
        self.record(self.RecusalWithdrawn, act, recusal=recusal, reason=reason)

    @event(RecusalWithdrawn)
    def _recusal_withdrawn(self, recusal: str) -> None:
        self._decide(recusal, "withdrawn")

    def pending_recusal(self, act: Act, recusal: str, *, decider: str) -> Barring:
        """The recusal, if it waits for a decision that this person may take; `decider` as in the grant."""
        found = pending_of(self.recusals, recusal)
        check_decider(act, found, involved=decider == self.id)
        return found

    def related(self, uscc: str) -> bool:
        """Whether a relation bars the inspector from the enterprise."""
        return any(relation.uscc == uscc for relation in self.facts.relations)

    def _decide(self, recusal: str, status: str) -> None:
        if recusal in self.recusals:
            self.recusals[recusal] = msgspec.structs.replace(self.recusals[recusal], status=status)

    def _with_granted(self, facts: InspectorFacts) -> InspectorFacts:
        missing = tuple(one for one in self.granted if one not in facts.relations)
        return msgspec.structs.replace(facts, relations=(*facts.relations, *missing))

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
