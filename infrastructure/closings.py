"""Closed violations read from the log itself, with everybody who had to do with them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, cast

from eventsourcing.persistence import Mapper, StoredEvent

from application.recheck_ports import Closing
from domain.account import Account
from domain.act import persons_of
from domain.aggregate import DomainEvent
from domain.inspection import Inspection
from domain.recheck import Recheck
from domain.violation import Violation
from infrastructure.event_store.recorder import EventRecorder

PAGE: Final = 200
Found = tuple[Violation, frozenset[str]]
"""A closed violation, and the accounts of all who recorded something of it."""


class LoggedClosings:
    """Folds the violations up to a position; the read models play no part."""

    def __init__(self, recorder: EventRecorder, mapper: Mapper[str]) -> None:
        self._recorder, self._mapper = recorder, mapper

    def closings(self, as_of: int) -> Iterator[Closing]:
        """Every violation that is closed as of the position, by id.

        Takes the time of reading all events of all violations, and of the inspections of the closed ones.
        """
        drawn, inspectors = self._drawn(as_of), self._inspectors(as_of)
        page: list[Found] = []
        for found in self._closed(as_of):
            page.append(found)
            if len(page) == PAGE:
                yield from self._told(page, drawn, inspectors)
                page = []
        yield from self._told(page, drawn, inspectors)

    def _drawn(self, as_of: int) -> set[tuple[str, int]]:
        """The closings on which the lot has fallen."""
        events = self._of_topic(Recheck.Drawn.TOPIC, as_of)
        drawn = (event.task for event in events if isinstance(event, Recheck.Drawn))
        return {(task.violation, task.closing) for task in drawn}

    def _inspectors(self, as_of: int) -> dict[str, str]:
        """Whom accounts stand for, or stood for while they were open."""
        events = self._of_topic(Account.Linked.TOPIC, as_of)
        return {event.originator_id: event.inspector for event in events if isinstance(event, Account.Linked)}

    def _of_topic(self, topic: str, as_of: int) -> Iterator[DomainEvent]:
        for row in self._recorder.of_topics([topic], stop=as_of + 1):
            yield self._event(StoredEvent(row.stream, row.ver, row.topic, row.state))

    def _closed(self, as_of: int) -> Iterator[Found]:
        rows = self._recorder.of_kind(Violation.TOPIC, as_of + 1)
        for _, stream in groupby(rows, key=itemgetter(1)):
            made, persons = None, frozenset[str]()
            for _, *stored in stream:
                event = self._event(StoredEvent(*stored))
                made = event.mutate(made)
                persons |= persons_of(event.by, event.on_behalf_of)
            if isinstance(made, Violation) and made.status == "closed":
                yield made, persons

    def _told(
        self, page: Sequence[Found], drawn: set[tuple[str, int]], inspectors: dict[str, str]
    ) -> Iterator[Closing]:
        visits = self._inspections(sorted({one.matter.inspection for one, _ in page}))
        for one, persons in page:
            visit = visits.get(one.matter.inspection)
            accounts = persons | (visit.recorders if visit else frozenset())
            seated = visit.seated | visit.experts if visit else frozenset()
            linked = {inspectors[account] for account in accounts if account in inspectors}
            yield _closing(one, (one.id, one.closings) in drawn, linked | seated)

    def _inspections(self, ids: Sequence[str]) -> dict[str, Inspection]:
        """The visits. Who was there is settled before a violation is opened, so that no position matters."""
        found: dict[str, Inspection] = {}
        stored = self._recorder.select_streams(ids)
        for stream, events in groupby(stored, key=lambda one: str(one.originator_id)):
            made = None
            for one in events:
                made = self._event(one).mutate(made)
            if isinstance(made, Inspection):
                found[stream] = made
        return found

    def _event(self, stored: StoredEvent) -> DomainEvent:
        return cast(DomainEvent, self._mapper.to_domain_event(stored))


def _closing(violation: Violation, drawn: bool, involved: set[str]) -> Closing:
    if violation.closed_at is None:
        raise ValueError(f"{violation.id} is not closed")
    matter = violation.matter
    return Closing(
        violation=violation.id,
        closing=violation.closings,
        closed_at=violation.closed_at,
        site=matter.site,
        uscc=matter.uscc,
        region=matter.region,
        disposal=violation.disposal,
        drawn=drawn,
        rechecked=violation.rechecked,
        involved=tuple(sorted(involved)),
    )
