"""The registry of inspectors and experts as a list, and as the snapshot from which a pool is frozen."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, select

from domain.identifiers import covers
from domain.inspector import Inspector, InspectorFacts, Relation
from domain.person import Person
from domain.values import Provenance
from projections.projection import Entry, Handlers, Projection, Recorded, Rows, begun, touch
from projections.query import Regions, equal, lists, one, read, rows, within
from projections.slots import empty_slot, with_slots
from projections.view import View


class InspectorEntry(Entry):
    """A person of the registry as it has them now; the certificate's days are None for experts.

    Name and certificate number are in the vault under `person`.
    """

    region: str
    person: str
    kind: str
    role_class: str
    unit: str
    areas: tuple[str, ...]
    skills: tuple[str, ...]
    attested_by: str
    lead: bool
    certificate_from: date | None
    certificate_to: date | None
    certificate_areas: tuple[str, ...]
    relations: tuple[Relation, ...]
    source: str
    reason: str
    effective_from: date
    status: str
    erased: bool = False
    erased_on: date | None = None
    erased_ground: str = ""


INSPECTORS: Final = View("inspectors_v3", InspectorEntry, ("id",), ("idx",), ("region",))


def _registered(people: Rows[InspectorEntry], event: Inspector.Registered, recorded: Recorded) -> None:
    facts, provenance = event.facts, event.provenance
    held = facts.certificate
    people.add(
        InspectorEntry(
            *begun(recorded),
            region=event.region,
            person=event.person,
            kind=facts.kind,
            role_class=facts.role_class,
            unit=facts.unit,
            areas=facts.areas,
            skills=facts.skills,
            attested_by=facts.attested_by,
            lead=facts.lead,
            certificate_from=held.valid_from if held else None,
            certificate_to=held.valid_to if held else None,
            certificate_areas=held.areas if held else (),
            relations=facts.relations,
            source=provenance.source,
            reason=provenance.reason,
            effective_from=provenance.effective_from,
            status="listed",
        )
    )


def _changed(people: Rows[InspectorEntry], event: Inspector.Changed, recorded: Recorded) -> None:
    row = touch(people, recorded)
    _explain(row, event.provenance)
    for field in InspectorFacts.__struct_fields__:
        if field != "certificate":
            setattr(row, field, getattr(event.facts, field))
    held = event.facts.certificate
    row.certificate_from = held.valid_from if held else None
    row.certificate_to = held.valid_to if held else None
    row.certificate_areas = held.areas if held else ()


def _recused(people: Rows[InspectorEntry], event: Inspector.RecusalGranted, recorded: Recorded) -> None:
    row = touch(people, recorded)
    relation = Relation(event.uscc, event.ground)
    if relation not in row.relations:
        row.relations = (*row.relations, relation)


def _touched(people: Rows[InspectorEntry], event: Inspector.Event, recorded: Recorded) -> None:
    touch(people, recorded)


def _removed(people: Rows[InspectorEntry], event: Inspector.Removed, recorded: Recorded) -> None:
    row = touch(people, recorded)
    row.status = "removed"
    _explain(row, event.provenance)


def _explain(row: InspectorEntry, provenance: Provenance) -> None:
    row.source, row.reason = provenance.source, provenance.reason
    row.effective_from = provenance.effective_from


def _overlap(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)


_HANDLERS: Final[Handlers] = {
    Inspector.Registered: _registered,
    Inspector.Changed: _changed,
    Inspector.Removed: _removed,
    Inspector.RecusalDeclared: _touched,
    Inspector.RecusalGranted: _recused,
    Inspector.RecusalRefused: _touched,
    Inspector.RecusalWithdrawn: _touched,
    Person.Erased: empty_slot,
}

PROJECTION: Final = Projection("inspectors", (INSPECTORS,), _HANDLERS, with_slots(INSPECTORS), version=3)


def list_inspectors(
    connection: Connection,
    regions: Regions = None,
    *,
    kind: str = "",
    role_class: str = "",
    skill: str = "",
    status: str = "listed",
    after: int | None = None,
    limit: int = 50,
) -> list[InspectorEntry]:
    """People of the regions' agencies in the order of registration; `after` is the last row's `idx`."""
    c = INSPECTORS.table.c
    conditions = [
        within(c.region, regions),
        equal(c.kind, kind),
        equal(c.role_class, role_class),
        equal(c.status, status),
    ]
    if skill:
        conditions.append(lists(c.skills, skill))
    return read(connection, INSPECTORS, *conditions, after=after, limit=limit)


def get_inspector(connection: Connection, id: str) -> InspectorEntry | None:
    """The person, or None."""
    return one(connection, INSPECTORS, id)


def inspectors_of(connection: Connection, ids: Sequence[str]) -> list[InspectorEntry]:
    """These people, in the order of registration; unknown ids are left out."""
    table = INSPECTORS.table
    return rows(connection, INSPECTORS, select(table).where(table.c.id.in_(ids)).order_by(table.c.idx))


def pool_inspectors(connection: Connection, areas: Sequence[str]) -> list[InspectorEntry]:
    """Everybody who works in one of the areas or in a part of it, removed ones with their status."""
    table = INSPECTORS.table
    everybody = rows(connection, INSPECTORS, select(table).order_by(table.c.idx))
    return [row for row in everybody if any(_overlap(own, area) for own in row.areas for area in areas)]
