"""Every stored event read, written again and played: does each stream still make its aggregate?"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, cast

import msgspec
from eventsourcing.persistence import Mapper, StoredEvent

from domain.aggregate import Aggregate, CreatedEvent, DomainEvent
from domain.errors import EventRefused, EventUnreadable
from domain.events import AGGREGATES, event_classes
from domain.ledger.finding import Finding, Findings, Params
from infrastructure.collection import collection_paused
from infrastructure.database import Store
from infrastructure.event_store.mapper import stored_with
from infrastructure.ledger_links import counted
from infrastructure.replay_check.replay import Step

_OWNERS: Final = {kind: aggregate for aggregate in AGGREGATES for kind in event_classes(aggregate)}
_STREAM: Final = itemgetter(1)


class _Salted(msgspec.Struct):
    """What a stored state holds that its event does not."""

    salt: str


_salt_of = msgspec.json.Decoder(_Salted).decode


def check_streams(store: Store, mapper: Mapper[str], size: int, step: Step) -> Findings:
    """Read the first `size` events in the order of their streams, write each again, and play each stream.

    `event.unreadable`: a topic that the code does not know, or a state that does not fit it.
    `event.not-canonical`: the event as the code would write it is not the stored bytes.
    `event.unfit`: the event does not follow from those before it in its stream; what comes after it is read
    but played no more.

    Time grows with the number of events; memory is one aggregate. `step` hears how many events were read.
    """
    findings = Findings()
    with collection_paused():
        rows = counted(store.recorder.events_by_stream(size), step)
        for _, stream in groupby(rows, key=_STREAM):
            findings.add(_check(mapper, stream))
    return findings


def _check(mapper: Mapper[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[Finding]:
    aggregate: Aggregate | None = None
    follows = True
    for idx, *columns in rows:
        stored = StoredEvent(*columns)
        try:
            event = cast(DomainEvent, mapper.to_domain_event(stored))
        except EventUnreadable as error:
            yield _finding("event.unreadable", idx, stored, str(error.facts["reason"]))
            follows = False
            continue
        if reason := _written_otherwise(event, stored):
            yield _finding("event.not-canonical", idx, stored, reason)
        if not follows:
            continue
        aggregate, reason = _played(event, aggregate)
        if reason:
            yield _finding("event.unfit", idx, stored, reason)
            follows = False


def _written_otherwise(event: DomainEvent, stored: StoredEvent) -> str:
    try:
        again = stored_with(event, _salt_of(stored.state).salt)
    except msgspec.DecodeError as error:
        return str(error)
    except EventRefused as error:
        return str(error.facts["why"])
    return "" if again.state == stored.state else "other bytes"


def _played(event: DomainEvent, aggregate: Aggregate | None) -> tuple[Aggregate | None, str]:
    """The aggregate after the event, and why it does not fit if it does not."""
    if isinstance(event, CreatedEvent) is not (aggregate is None):
        return aggregate, "not begun" if aggregate is None else "begun already"
    try:
        after = cast("Aggregate | None", event.mutate(aggregate))
    except Exception as error:  # noqa: BLE001  whatever stops an aggregate is what is to be found
        return aggregate, f"{type(error).__name__}: {error}"
    owner = _OWNERS.get(type(event))
    if owner is None or not isinstance(after, owner):
        return aggregate, f"not an event of {type(after).__name__}"
    return after, ""


def _finding(code: str, idx: int, stored: StoredEvent, reason: str) -> Finding:
    params: Params = {
        "stream": str(stored.originator_id),
        "version": stored.originator_version,
        "topic": stored.topic,
        "reason": reason,
    }
    return Finding(code, idx, params)
