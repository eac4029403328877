"""The registry of inspectors: one at a time; files come through `imports`."""

from collections.abc import Mapping

from application.office import Office
from application.persons import entrust
from application.ports import Answer
from application.workflow import Beside, Call
from domain.inspector import Inspector, InspectorFacts
from domain.values import Provenance


def register_inspector(
    office: Office,
    call: Call,
    *,
    region: str,
    person: Mapping[str, str],
    facts: InspectorFacts,
    provenance: Provenance,
) -> Answer:
    """Enter an inspector or expert; `person` (name, phone, certificate_no …) goes to the vault."""
    call.require("inspector.change", region)
    write, commitment = entrust(office.chance, person, unique=identity_of(person))
    inspector = Inspector.register(
        call.act,
        id=office.chance.id("inspector"),
        region=region,
        person=write.person,
        commitment=commitment,
        facts=facts,
        provenance=provenance,
    )
    return office.workflow.commit(call, inspector, beside=Beside(vault=(write,)))


def change_inspector(
    office: Office, call: Call, id: str, *, facts: InspectorFacts, provenance: Provenance
) -> Answer:
    """Set an inspector's facts anew."""

    def decide(inspector: Inspector) -> None:
        call.require("inspector.change", inspector.region)
        inspector.change(call.act, facts=facts, provenance=provenance)

    return office.workflow.change(call, Inspector, id, decide)


def remove_inspector(office: Office, call: Call, id: str, *, provenance: Provenance) -> Answer:
    """Take an inspector off the registry."""

    def decide(inspector: Inspector) -> None:
        call.require("inspector.change", inspector.region)
        inspector.remove(call.act, provenance=provenance)

    return office.workflow.change(call, Inspector, id, decide)


def identity_of(person: Mapping[str, str]) -> str:
    """The key by which the vault knows a person again: the certificate's number, else the phone's, or ""."""
    for key, kind in (("certificate_no", "certificate"), ("phone", "phone")):
        if person.get(key):
            return f"{kind}/{person[key]}"
    return ""
