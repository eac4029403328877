"""The registries folded straight from the log: what any projection of them must say as well."""

from collections.abc import Mapping, Sequence

from eventsourcing.persistence import StoredEvent
from msgspec.structs import replace

from application.ports import Enterprise, InspectorRow, RegistrySnapshot, SiteRow
from domain.identifiers import covers
from domain.inspector import Inspector, InspectorFacts
from domain.site import Site, SiteFacts
from infrastructure.event_store.mapper import EventMapper
from infrastructure.event_store.recorder import EventRecorder
from tests.fakes import SeededChance


class FoldedRegistries:
    """Port Registries. Reads the whole log at each question."""

    def __init__(self, recorder: EventRecorder) -> None:
        self._recorder = recorder
        self._mapper = EventMapper(SeededChance())

    def snapshot(self, areas: Sequence[str]) -> RegistrySnapshot:
        """Sites and inspectors of the areas at the head of the log."""
        sites, inspectors, position = self._fold()
        return RegistrySnapshot(
            as_of=position,
            sites=[site for site in sites.values() if any(covers(area, site.region) for area in areas)],
            inspectors=[
                row
                for row in inspectors.values()
                if any(_overlap(own, area) for own in row.areas for area in areas)
            ],
        )

    def enterprises(self, sites: Sequence[str]) -> Mapping[str, Enterprise]:
        """Whose the sites are, listed or removed."""
        known, _, _ = self._fold()
        return {id: Enterprise(known[id].uscc, known[id].region) for id in sites if id in known}

    def _fold(self) -> tuple[dict[str, SiteRow], dict[str, InspectorRow], int]:
        sites: dict[str, SiteRow] = {}
        inspectors: dict[str, InspectorRow] = {}
        position = -1
        for row in self._recorder.rows():
            position = row.idx
            event = self._mapper.to_domain_event(StoredEvent(row.stream, row.ver, row.topic, row.state))
            match event:
                case Site.Registered() | Site.Changed():
                    sites[row.stream] = _site(row.stream, event.facts)
                case Site.Removed():
                    sites[row.stream] = replace(sites[row.stream], status="removed")
                case Inspector.Registered() | Inspector.Changed():
                    inspectors[row.stream] = _inspector(row.stream, event.facts)
                case Inspector.RecusalGranted():
                    before = inspectors[row.stream]
                    related = (*before.relations, (event.uscc, event.ground))
                    inspectors[row.stream] = replace(before, relations=related)
                case Inspector.Removed():
                    inspectors[row.stream] = replace(inspectors[row.stream], status="removed")
        return sites, inspectors, position


def _site(id: str, facts: SiteFacts) -> SiteRow:
    return SiteRow(
        id=id,
        uscc=facts.uscc,
        region=facts.region,
        stratum=facts.stratum,
        needs=facts.needs,
        credit=facts.credit,
        status="listed",
    )


def _inspector(id: str, facts: InspectorFacts) -> InspectorRow:
    held = facts.certificate
    return InspectorRow(
        id=id,
        kind=facts.kind,
        areas=facts.areas,
        skills=facts.skills,
        lead=facts.lead,
        certificate_from=held.valid_from.isoformat() if held else "",
        certificate_to=held.valid_to.isoformat() if held else "",
        certificate_areas=held.areas if held else (),
        relations=tuple((relation.uscc, relation.ground) for relation in facts.relations),
        status="listed",
    )


def _overlap(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)
