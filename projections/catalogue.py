"""Items with all their versions, and the catalogue's editions as they were published."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from domain.catalogue import Catalogue, CatalogueLine
from domain.item import Item, ItemFacts
from domain.values import LegalBasis
from projections.projection import Batch, Entry, Handlers, Projection, Recorded, Rows, begun, streams, touch
from projections.query import Regions, contains, equal, one, read, rows, within
from projections.view import View


class ItemEntry(Entry):
    """An item with its latest version; whether that is published, the region's edition says."""

    region: str
    code: str
    number: int
    name: str
    category: str
    subject: str
    content: str
    methods: tuple[str, ...]
    department: str
    bases: tuple[LegalBasis, ...]
    repealed_from: date | None


class ItemVersion(msgspec.Struct):
    """One version of an item, for ever. `reason` is empty for the first; `written_at` is recorded time."""

    item: str
    number: int
    idx: int
    written_at: datetime
    reason: str
    facts: ItemFacts


class Edition(msgspec.Struct):
    """One published edition of a region's catalogue; `version` is the catalogue's at that time."""

    catalogue: str
    edition: int
    idx: int
    version: int
    region: str
    published_on: date
    lines: tuple[CatalogueLine, ...]


class CatalogueEntry(Entry):
    """A region's catalogue; `edition` is 0 before the first."""

    region: str
    edition: int


ITEMS: Final = View("catalogue_items_v1", ItemEntry, ("id",), ("idx",), ("region", "code"))
VERSIONS: Final = View("catalogue_versions_v1", ItemVersion, ("item", "number"))
CATALOGUES: Final = View("catalogues_v1", CatalogueEntry, ("id",), ("region",))
EDITIONS: Final = View("catalogue_editions_v1", Edition, ("catalogue", "edition"), ("idx",), ("region",))


class _State(NamedTuple):
    items: Rows[ItemEntry]
    versions: Rows[ItemVersion]
    catalogues: Rows[CatalogueEntry]
    editions: Rows[Edition]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    return _State(
        batch.rows(ITEMS).load(streams(events, Item.Revised, Item.Repealed)),
        batch.rows(VERSIONS),
        batch.rows(CATALOGUES).load(streams(events, Catalogue.Published)),
        batch.rows(EDITIONS),
    )


def _drafted(state: _State, event: Item.Drafted, recorded: Recorded) -> None:
    facts = event.facts
    state.items.add(
        ItemEntry(
            *begun(recorded),
            region=event.region,
            code=event.code,
            number=1,
            name=facts.name,
            category=facts.category,
            subject=facts.subject,
            content=facts.content,
            methods=facts.methods,
            department=facts.department,
            bases=facts.bases,
            repealed_from=None,
        )
    )
    state.versions.add(ItemVersion(event.originator_id, 1, recorded.idx, recorded.recorded_at, "", facts))


def _revised(state: _State, event: Item.Revised, recorded: Recorded) -> None:
    row = touch(state.items, recorded)
    row.number = event.number
    for field in ItemFacts.__struct_fields__:
        setattr(row, field, getattr(event.facts, field))
    state.versions.add(
        ItemVersion(row.id, event.number, recorded.idx, recorded.recorded_at, event.reason, event.facts)
    )


def _repealed(state: _State, event: Item.Repealed, recorded: Recorded) -> None:
    touch(state.items, recorded).repealed_from = event.effective_from


def _opened(state: _State, event: Catalogue.Opened, recorded: Recorded) -> None:
    state.catalogues.add(CatalogueEntry(*begun(recorded), region=event.region, edition=0))


def _published(state: _State, event: Catalogue.Published, recorded: Recorded) -> None:
    row = touch(state.catalogues, recorded)
    row.edition = event.edition
    state.editions.add(
        Edition(row.id, event.edition, recorded.idx, row.version, row.region, event.published_on, event.lines)
    )


_HANDLERS: Final[Handlers] = {
    Item.Drafted: _drafted,
    Item.Revised: _revised,
    Item.Repealed: _repealed,
    Catalogue.Opened: _opened,
    Catalogue.Published: _published,
}

PROJECTION: Final = Projection("catalogue", (ITEMS, VERSIONS, CATALOGUES, EDITIONS), _HANDLERS, _begin)


def list_items(
    connection: Connection,
    regions: Regions = None,
    *,
    code: str = "",
    category: str = "",
    text: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[ItemEntry]:
    """Items in the order in which they were drafted, published or not."""
    c = ITEMS.table.c
    conditions = [within(c.region, regions), equal(c.code, code), equal(c.category, category)]
    if text:
        conditions.append(contains(c.name, text))
    return read(connection, ITEMS, *conditions, after=after, limit=limit)


def get_item(connection: Connection, id: str) -> ItemEntry | None:
    """The item with its latest version, or None."""
    return one(connection, ITEMS, id)


def item_versions(connection: Connection, item: str) -> list[ItemVersion]:
    """All versions of an item, the first one first."""
    table = VERSIONS.table
    return rows(connection, VERSIONS, select(table).where(table.c.item == item).order_by(table.c.number))


def get_catalogue(connection: Connection, region: str) -> CatalogueEntry | None:
    """The catalogue of exactly this region, or None."""
    table = CATALOGUES.table
    found = rows(connection, CATALOGUES, select(table).where(table.c.region == region))
    return found[0] if found else None


def current_edition(connection: Connection, region: str) -> Edition | None:
    """The latest edition of exactly this region's catalogue, or None before the first."""
    found = list_editions(connection, [region], limit=1)
    return found[0] if found else None


def get_edition(connection: Connection, catalogue: str, edition: int) -> Edition | None:
    """One edition, or None."""
    return one(connection, EDITIONS, catalogue, edition)


def list_editions(
    connection: Connection, regions: Regions = None, *, after: int | None = None, limit: int = 50
) -> list[Edition]:
    """Editions, the latest first."""
    condition = within(EDITIONS.table.c.region, regions)
    return read(connection, EDITIONS, condition, after=after, newest_first=True, limit=limit)
