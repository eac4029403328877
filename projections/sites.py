"""The registry of sites as a list, and as the snapshot from which a draw's frame is frozen."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import Connection, or_, select

from domain.person import Person
from domain.site import Site, SiteFacts
from domain.values import Provenance
from projections.projection import Entry, Handlers, Projection, Recorded, Rows, begun, touch
from projections.query import Regions, contains, equal, one, read, within
from projections.slots import empty_slot, with_slots
from projections.view import View


class SiteEntry(Entry):
    """A site as the registry has it now. `risk_class` is never public; `person` refers to the vault."""

    uscc: str
    code: str
    name: str
    region: str
    address: str
    industry: str
    stratum: str
    needs: tuple[str, ...]
    credit: str
    risk_class: str
    assessed_on: date | None
    person: str
    source: str
    reason: str
    effective_from: date
    status: str
    removal_ground: str
    erased: bool = False
    erased_on: date | None = None
    erased_ground: str = ""


class FrameSite(NamedTuple):
    """What a frame needs of a site."""

    id: str
    uscc: str
    region: str
    stratum: str
    needs: tuple[str, ...]
    credit: str
    status: str


SITES: Final = View("sites_v2", SiteEntry, ("id",), ("idx",), ("region", "stratum"), ("uscc",))


def _registered(sites: Rows[SiteEntry], event: Site.Registered, recorded: Recorded) -> None:
    facts, provenance = event.facts, event.provenance
    sites.add(
        SiteEntry(
            *begun(recorded),
            uscc=facts.uscc,
            code=facts.code,
            name=facts.name,
            region=facts.region,
            address=facts.address,
            industry=facts.industry,
            stratum=facts.stratum,
            needs=facts.needs,
            credit=facts.credit,
            risk_class="",
            assessed_on=None,
            person=event.person,
            source=provenance.source,
            reason=provenance.reason,
            effective_from=provenance.effective_from,
            status="listed",
            removal_ground="",
        )
    )


def _changed(sites: Rows[SiteEntry], event: Site.Changed, recorded: Recorded) -> None:
    row = touch(sites, recorded)
    for field in SiteFacts.__struct_fields__:
        setattr(row, field, getattr(event.facts, field))
    _explain(row, event.provenance)


def _assessed(sites: Rows[SiteEntry], event: Site.Assessed, recorded: Recorded) -> None:
    row = touch(sites, recorded)
    row.risk_class, row.assessed_on = event.risk_class, event.assessed_on


def _removed(sites: Rows[SiteEntry], event: Site.Removed, recorded: Recorded) -> None:
    row = touch(sites, recorded)
    row.status, row.removal_ground = "removed", event.ground
    _explain(row, event.provenance)


def _explain(row: SiteEntry, provenance: Provenance) -> None:
    row.source, row.reason = provenance.source, provenance.reason
    row.effective_from = provenance.effective_from


_HANDLERS: Final[Handlers] = {
    Site.Registered: _registered,
    Site.Changed: _changed,
    Site.Assessed: _assessed,
    Site.Removed: _removed,
    Person.Erased: empty_slot,
}

OWNERS_AT_ONCE: Final = 500

PROJECTION: Final = Projection("sites", (SITES,), _HANDLERS, with_slots(SITES), version=2)


def list_sites(
    connection: Connection,
    regions: Regions = None,
    *,
    stratum: str = "",
    status: str = "listed",
    credit: str = "",
    uscc: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[SiteEntry]:
    """Sites in the order of registration; `after` is the last row's `idx`. `text` is looked for in names
    and at the beginning of codes; an empty filter asks for nothing."""
    c = SITES.table.c
    conditions = [
        within(c.region, regions),
        equal(c.stratum, stratum),
        equal(c.status, status),
        equal(c.credit, credit),
        equal(c.uscc, uscc),
    ]
    if text:
        starts = (column.startswith(text, autoescape=True) for column in (c.uscc, c.code))
        conditions.append(or_(contains(c.name, text), *starts))
    return read(connection, SITES, *conditions, after=after, limit=limit)


def get_site(connection: Connection, id: str) -> SiteEntry | None:
    """The site, or None."""
    return one(connection, SITES, id)


def frame_sites(connection: Connection, areas: Sequence[str]) -> Iterator[FrameSite]:
    """All sites of the areas, removed ones with their status, in the order of registration."""
    c = SITES.table.c
    columns = [c[field] for field in FrameSite._fields]
    statement = select(*columns).where(within(c.region, areas)).order_by(c.idx)
    return (FrameSite(*values) for values in connection.execute(statement))


def site_owners(connection: Connection, sites: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Id, USCC and region of each of the sites, listed or removed; any number of sites."""
    c = SITES.table.c
    for start in range(0, len(sites), OWNERS_AT_ONCE):
        chosen = sites[start : start + OWNERS_AT_ONCE]
        found = connection.execute(select(c.id, c.uscc, c.region).where(c.id.in_(chosen)))
        yield from ((id, uscc, region) for id, uscc, region in found)
