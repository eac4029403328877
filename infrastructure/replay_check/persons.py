"""The vault against the events that refer to it: data that is missing, altered, left over or unknown."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from application.persons import commitment_to
from domain.ledger.finding import Finding, Findings
from infrastructure.event_store.database import Session
from infrastructure.replay_check.replay import Difference, Seen, Values, differences, pages
from infrastructure.replay_check.scratch import Scratch

ERASED: Final = "person.erased.v1"
"""The event of an erasure; its stream is the person's reference."""

_TABLE: Final = (
    "CREATE TABLE persons "
    "(person TEXT PRIMARY KEY, commitment TEXT, idx INTEGER, erased INTEGER) WITHOUT ROWID"
)
_REFER: Final = (
    "INSERT INTO persons VALUES (?, ?, ?, NULL) ON CONFLICT (person) "
    "DO UPDATE SET commitment = excluded.commitment, idx = excluded.idx"
)
_ERASE: Final = (
    "INSERT INTO persons VALUES (?, '', NULL, ?) ON CONFLICT (person) DO UPDATE SET erased = excluded.erased"
)
_STORED: Final = "SELECT person, value, salt, unique_key FROM vault WHERE person > ? ORDER BY person LIMIT ?"
_REBUILT: Final = "SELECT person, commitment, idx, erased FROM persons ORDER BY person"

_decode = msgspec.json.Decoder(dict[str, str]).decode


class PersonsFold:
    """Who is referred to by which event, and whose data was erased.

    An event refers to a person if it has the fields `person` (not empty) and `commitment`.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        scratch.change(_TABLE)

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        self._scratch.change_many(_REFER, list(_references(events)))
        erased = [(row.stream, row.idx) for row, _ in events if row.topic == ERASED]
        self._scratch.change_many(_ERASE, erased)

    def differences(self, session: Session) -> Findings:
        """Compare with the store's vault, which must stand at the same position.

        `person.missing`: data that an event refers to is not there, and no event says that it was erased.
        `person.not-erased`: data is there although an event says that it was erased.
        `person.differs`: the data is not what the event committed to.
        `person.unknown`: data of somebody to whom no event refers.
        Findings name the reference, never the data.
        """
        stored = pages(session.fetch, _STORED, ("",))
        findings = Findings()
        for found in differences(stored, self._scratch.each(_REBUILT), 1):
            findings.add(_compare(found))
        return findings


def _references(events: Sequence[Seen]) -> Iterator[tuple[str, str, int]]:
    for row, event in events:
        person = getattr(event, "person", "")
        if person and hasattr(event, "commitment"):
            yield person, getattr(event, "commitment", ""), row.idx


def _compare(found: Difference) -> Iterator[Finding]:
    params = {"person": str(found.key[0])}
    commitment, idx, erased = (found.rebuilt or ("", "", None, None))[1:]
    kept = any(part is not None for part in (found.stored or ())[1:4])
    if found.rebuilt is None or (idx is None and kept):
        yield Finding("person.unknown", None, params)
    elif erased is not None and kept:
        yield Finding("person.not-erased", erased, params)
    elif erased is None and not kept:
        yield Finding("person.missing", idx, params)
    elif erased is None and _commitment(found.stored) != commitment:
        yield Finding("person.differs", idx, params)


def _commitment(row: Values | None) -> str:
    """What the row's value and salt give; empty where they give nothing."""
    value, salt = _texts(row)
    try:
        return commitment_to(_decode(value), bytes.fromhex(salt))
    except (msgspec.DecodeError, ValueError):
        return ""


def _texts(row: Values | None) -> tuple[Any, Any]:
    return (row[1] or "", row[2] or "") if row else ("", "")
