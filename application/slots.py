"""The people whom a story refers to and whose data was erased since: it says that their slots are empty."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

import msgspec

from application.office import Office
from domain.errors import NotFound
from domain.person import Person

_REFERENCE: Final = re.compile(rb"person-[0-9a-f]{32}")


class ErasedSlot(msgspec.Struct, frozen=True, kw_only=True):
    """A person whose data was erased, on which day and ground."""

    person: str
    erased_on: date
    ground: str


def erased_slots(office: Office, told: Iterable[Any]) -> tuple[ErasedSlot, ...]:
    """Those of the people named by reference in plain facts who were erased, each once."""
    found = {one.decode() for facts in told for one in _REFERENCE.findall(msgspec.json.encode(facts))}
    return tuple(_slots(office, sorted(found)))


def _slots(office: Office, persons: Iterable[str]) -> Iterator[ErasedSlot]:
    for person in persons:
        try:
            found = office.workflow.load(Person, person)
        except NotFound:
            continue
        if found.erased_on is not None:
            yield ErasedSlot(person=person, erased_on=found.erased_on, ground=found.ground)
