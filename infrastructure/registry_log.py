"""The registries read from the log itself, page by page, beside the read models that could be altered."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeVar, cast

from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.utils import resolve_topic

from application.ports import InspectorRow, RegistryChange, SiteRow
from application.recheck_ports import Closing
from domain.aggregate import Aggregate, Claim, DomainEvent
from domain.events import topics
from domain.inspector import Inspector
from domain.ledger.entry import parse_at
from domain.site import Site
from infrastructure.closings import LoggedClosings
from infrastructure.collection import collection_paused
from infrastructure.event_store.recorder import EventRecorder, Row

A = TypeVar("A", bound=Aggregate)
PAGE: Final = 500
REGISTRY: Final = ("site.", "inspector.")


class LoggedRegistries:
    """The port `RegistryLog` over the events of the store."""

    def __init__(self, recorder: EventRecorder, mapper: Mapper[str]) -> None:
        self._recorder, self._mapper = recorder, mapper

    def position_before(self, moment: datetime) -> int:
        """The last position recorded before the moment, -1 if there is none."""
        found = self._recorder.position_before(moment)
        return -1 if found is None else found

    def changes(self, since: int, until: int) -> Iterator[RegistryChange]:
        """The events of sites and inspectors after `since`, up to and including `until`, in their order."""
        page: list[Row] = []
        for row in self._recorder.of_topics(_named(REGISTRY), after=since, stop=until + 1):
            page.append(row)
            if len(page) == PAGE:
                yield from self._played(page)
                page = []
        yield from self._played(page)

    def sites(self, as_of: int) -> Iterator[SiteRow]:
        """Every site as its events up to `as_of` make it, by id."""
        return (site_row(one) for one in self._folded(Site, as_of))

    def inspectors(self, as_of: int) -> Iterator[InspectorRow]:
        """Every inspector as its events up to `as_of` make it, by id."""
        return (inspector_row(one) for one in self._folded(Inspector, as_of))

    def claims(self, as_of: int, prefixes: Sequence[str]) -> Iterator[Claim]:
        """What events up to `as_of` whose topics start with one of the prefixes claim, in their order."""
        claiming = [topic for topic in _named(prefixes) if _claims(topic)]
        for row in self._recorder.of_topics(claiming, stop=as_of + 1):
            yield from self._event(row.stream, row.ver, row.topic, row.state).claims()

    def closings(self, as_of: int) -> Iterator[Closing]:
        """Every violation that is closed as its events up to `as_of` make it, by id."""
        return LoggedClosings(self._recorder, self._mapper).closings(as_of)

    def moved(self, since: int, prefixes: Sequence[str]) -> bool:
        """Whether an event whose topic starts with one of the prefixes came after the position."""
        return any(self._recorder.of_topics(_named(prefixes), after=since))

    def _folded(self, kind: type[A], as_of: int) -> Iterator[A]:
        rows = self._recorder.of_kind(kind.TOPIC, as_of + 1)
        for _, stream in groupby(rows, key=itemgetter(1)):
            made: Aggregate | None = None
            for _, *stored in stream:
                made = self._event(*stored).mutate(made)
            if isinstance(made, kind):
                yield made

    def _played(self, page: Sequence[Row]) -> Iterator[RegistryChange]:
        """The page's events, each with what the events before it had made of its stream."""
        with collection_paused():
            begun = {row.stream for row in page if row.ver > 1}
            before = self._before(sorted(begun), {(row.stream, row.ver) for row in page})
            found = [self._change(row, before.get((row.stream, row.ver))) for row in page]
        yield from found

    def _before(
        self, streams: Sequence[str], wanted: set[tuple[str, int]]
    ) -> dict[tuple[str, int], Site | Inspector]:
        """The aggregates just before the wanted versions."""
        found: dict[tuple[str, int], Site | Inspector] = {}
        stored = self._recorder.select_streams(streams)
        for stream, events in groupby(stored, key=lambda one: str(one.originator_id)):
            played: list[DomainEvent] = []
            for one in events:
                if (stream, one.originator_version) in wanted and played:
                    found[stream, one.originator_version] = _made(played)
                played.append(cast(DomainEvent, self._mapper.to_domain_event(one)))
        return found

    def _change(self, row: Row, before: Site | Inspector | None) -> RegistryChange:
        event = self._event(row.stream, row.ver, row.topic, row.state)
        return RegistryChange(idx=row.idx, at=parse_at(row.at), event=event, before=before)

    def _event(self, stream: str, ver: int, topic: str, state: bytes) -> DomainEvent:
        stored = StoredEvent(stream, ver, topic, state)
        return cast(DomainEvent, self._mapper.to_domain_event(stored))


def _made(events: Sequence[DomainEvent]) -> Site | Inspector:
    made: Any = None
    for event in events:
        made = event.mutate(made)
    return cast(Site | Inspector, made)


def _claims(topic: str) -> bool:
    return cast(type[DomainEvent], resolve_topic(topic)).claims is not DomainEvent.claims


def _named(prefixes: Sequence[str]) -> list[str]:
    """The topics of all events that start with one of the prefixes."""
    return sorted(topic for topic in topics() if topic.startswith(tuple(prefixes)))


def site_row(found: Site) -> SiteRow:
    """A site as frames are made of it."""
    facts = found.facts
    return SiteRow(
        id=found.id,
        uscc=facts.uscc,
        region=facts.region,
        stratum=facts.stratum,
        needs=facts.needs,
        credit=facts.credit,
        status=found.status,
    )


def inspector_row(found: Inspector) -> InspectorRow:
    """An inspector as pools are made of it."""
    facts, held = found.facts, found.facts.certificate
    return InspectorRow(
        id=found.id,
        kind=facts.kind,
        areas=facts.areas,
        skills=facts.skills,
        lead=facts.lead,
        certificate_from=held.valid_from.isoformat() if held else "",
        certificate_to=held.valid_to.isoformat() if held else "",
        certificate_areas=held.areas if held else (),
        relations=tuple((relation.uscc, relation.ground) for relation in facts.relations),
        status=found.status,
    )
