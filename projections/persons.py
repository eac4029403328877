"""Whose personal data the vault holds: where each person stands, since when one has left, what was erased.

Rows hold references and days, no personal data. How long data is kept after leaving is the rulebook's to
say; queries are given its years and compute the day from the day of leaving.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, and_, false, or_, select

from domain.account import Account
from domain.act import CHINA
from domain.aggregate import DomainEvent
from domain.inspector import Inspector
from domain.person import Person, left_by
from domain.site import Site
from projections.projection import Batch, Handlers, Projection, Recorded, Rows
from projections.query import Regions, equal, one, read, rows, within
from projections.view import View


class PersonEntry(msgspec.Struct):
    """A person of the vault. `kind` is inspector, account or site, `holder` the stream that refers to him.

    `region` is the smallest that holds all of an account's ("" for one that never had a role). `left_on` is
    None while he is listed. `status` is `kept`, `asked`, `refused` or `erased`; `ground`, `asked_by` and
    `asked_on` are those of the latest request, `version` is that of the person's own stream.
    """

    person: str
    idx: int
    kind: str
    holder: str
    region: str
    left_on: date | None = None
    status: str = "kept"
    version: int = 0
    ground: str = ""
    asked_by: str = ""
    asked_on: date | None = None
    decided_by: str = ""
    erased_on: date | None = None
    stands_for: tuple[str, ...] = ()


class Slot(NamedTuple):
    """What stands in the place of personal data that was erased."""

    erased_on: date
    ground: str


PERSONS: Final = View("persons_v1", PersonEntry, ("person",), ("idx",), ("holder",), ("region", "left_on"))


class _State(NamedTuple):
    persons: Rows[PersonEntry]
    holders: dict[str, str]

    def held(self, event: DomainEvent) -> PersonEntry | None:
        """The row of the person whom the event's stream refers to, to be changed; None for nobody."""
        person = self.holders.get(event.originator_id)
        return None if person is None else self.persons.edit(person)

    def add(self, event: Any, kind: str, region: str, recorded: Recorded) -> None:
        """A person who came, if the event refers to one."""
        if event.person:
            row = PersonEntry(event.person, recorded.idx, kind, event.originator_id, region)
            self.persons.add(row)
            self.holders[row.holder] = row.person


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    streams = {one.event.originator_id for one in events if one.event.originator_version > 1}
    asked = {one.event.originator_id for one in events if isinstance(one.event, Person.Event)}
    persons = batch.rows(PERSONS).load(streams - asked, by="holder").load(asked)
    return _State(persons, {row.holder: row.person for row in persons.loaded()})


def _inspector(state: _State, event: Inspector.Registered, recorded: Recorded) -> None:
    state.add(event, "inspector", event.region, recorded)


def _account(state: _State, event: Account.Opened, recorded: Recorded) -> None:
    state.add(event, "account", "", recorded)


def _site(state: _State, event: Site.Registered, recorded: Recorded) -> None:
    state.add(event, "site", event.facts.region, recorded)


def _site_changed(state: _State, event: Site.Changed, recorded: Recorded) -> None:
    if row := state.held(event):
        row.region = event.facts.region


def _given(state: _State, event: Account.GrantGiven, recorded: Recorded) -> None:
    if row := state.held(event):
        row.region = around(row.region, event.region)


def _linked(state: _State, event: Account.Linked, recorded: Recorded) -> None:
    if row := state.held(event):
        row.stands_for = (*row.stands_for, event.inspector)


def _left(state: _State, event: Inspector.Removed | Site.Removed, recorded: Recorded) -> None:
    if row := state.held(event):
        # Never earlier than it was recorded: nobody shortens the time of keeping by a day in the past.
        row.left_on = max(event.provenance.effective_from, _day(event))


def _closed(state: _State, event: Account.Closed, recorded: Recorded) -> None:
    if row := state.held(event):
        row.left_on = _day(event)


def _asked(state: _State, event: Person.ErasureAsked | Person.ErasureAskedAgain, recorded: Recorded) -> None:
    row = _moved(state, event, "asked")
    row.ground, row.asked_by, row.asked_on, row.decided_by = event.ground, event.by, _day(event), ""


def _refused(state: _State, event: Person.ErasureRefused, recorded: Recorded) -> None:
    _moved(state, event, "refused").decided_by = event.by


def _erased(state: _State, event: Person.Erased, recorded: Recorded) -> None:
    row = _moved(state, event, "erased")
    row.decided_by, row.erased_on, row.ground = event.by, event.erased_on, event.ground


def _moved(state: _State, event: DomainEvent, status: str) -> PersonEntry:
    row = state.persons.edit(event.originator_id)
    row.status, row.version = status, event.originator_version
    return row


def _day(event: DomainEvent) -> date:
    return event.timestamp.astimezone(CHINA).date()


_HANDLERS: Final[Handlers] = {
    Inspector.Registered: _inspector,
    Inspector.Removed: _left,
    Account.Opened: _account,
    Account.GrantGiven: _given,
    Account.Linked: _linked,
    Account.Closed: _closed,
    Site.Registered: _site,
    Site.Changed: _site_changed,
    Site.Removed: _left,
    Person.ErasureAsked: _asked,
    Person.ErasureAskedAgain: _asked,
    Person.ErasureRefused: _refused,
    Person.Erased: _erased,
}

PROJECTION: Final = Projection("persons", (PERSONS,), _HANDLERS, _begin)


def around(one: str, other: str) -> str:
    """The smallest region (GB/T 2260) that holds both; an empty one is held by every other."""
    if not one or not other or one == other:
        return one or other
    return f"{one[:4]}00" if one[:4] == other[:4] else f"{one[:2]}0000"


def list_persons(
    connection: Connection,
    regions: Regions = None,
    *,
    kind: str = "",
    status: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PersonEntry]:
    """People of the vault in the order in which they came; who has no region is shown to everybody."""
    c = PERSONS.table.c
    conditions = (_within(regions), equal(c.kind, kind), equal(c.status, status))
    return read(connection, PERSONS, *conditions, after=after, limit=limit)


def list_due(
    connection: Connection,
    regions: Regions,
    *,
    years: Mapping[str, int],
    due_by: date,
    kind: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PersonEntry]:
    """Those whose data need not be kept any more on the day, and is still there.

    `years` are the rulebook's, by kind of person.
    """
    c = PERSONS.table.c
    due = (and_(c.kind == one, c.left_on <= left_by(due_by, length)) for one, length in years.items())
    conditions = (_within(regions), equal(c.kind, kind), c.status != "erased", or_(false(), *due))
    return read(connection, PERSONS, *conditions, after=after, limit=limit)


def get_person(connection: Connection, person: str) -> PersonEntry | None:
    """The person, or None."""
    return one(connection, PERSONS, person)


def accounts_of(connection: Connection, row: PersonEntry) -> tuple[str, ...]:
    """The accounts of this human being: his own, and those that ever stood for the inspector who he is."""
    if row.kind == "account":
        return (row.holder,)
    accounts = rows(connection, PERSONS, select(PERSONS.table).where(PERSONS.table.c.kind == "account"))
    return tuple(sorted(one.holder for one in accounts if row.holder in one.stands_for))


def slots_of(connection: Connection, persons: Iterable[str]) -> dict[str, Slot]:
    """Those of the people whose data was erased, some hundred at most."""
    wanted = sorted({person for person in persons if person})
    c = PERSONS.table.c
    found = rows(connection, PERSONS, select(PERSONS.table).where(c.person.in_(wanted), c.status == "erased"))
    return {row.person: Slot(row.erased_on, row.ground) for row in found if row.erased_on}


def _within(regions: Regions) -> Any:
    region = PERSONS.table.c.region
    return within(region, regions) if regions is None else or_(region == "", within(region, regions))
