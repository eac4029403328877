"""The catalogue (抽查事项清单): the published set of item versions of one region."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_region
from domain.item import Item
from domain.values import CheckedItem


class CatalogueEmpty(Invalid):
    """A catalogue without items cannot be published."""

    code = "catalogue-empty"


class CatalogueUnchanged(Conflict):
    """The edition would say what the last one says."""

    code = "catalogue-unchanged"


class ItemLapsed(Conflict):
    """A legal basis of the item is not in force on the day; facts: `item`, `day`."""

    code = "item-lapsed"
    source = "晋环函〔2024〕416号 二（一）"


class ItemUnpublished(Conflict):
    """The item stands in no published catalogue; facts: `item`."""

    code = "item-unpublished"
    source = "晋环函〔2024〕416号 二（一）"


class CatalogueLine(msgspec.Struct, frozen=True, kw_only=True):
    """One item version as published, with the days on which all of its bases are in force."""

    item: str
    code: str
    number: int
    name: str
    category: str
    methods: tuple[str, ...]
    in_force_from: date
    in_force_to: date | None

    def in_force(self, day: date) -> bool:
        """Whether the item may be inspected on the day."""
        return self.in_force_from <= day and (self.in_force_to is None or day <= self.in_force_to)


def line_of(item: Item) -> CatalogueLine:
    """The line by which an item's present version enters a catalogue; a repeal ends it beforehand."""
    start, end = item.facts.in_force()
    if item.repealed_from is not None:
        last = item.repealed_from - timedelta(days=1)
        end = last if end is None else min(end, last)
    return CatalogueLine(
        item=item.id,
        code=item.code,
        number=item.number,
        name=item.facts.name,
        category=item.facts.category,
        methods=item.facts.methods,
        in_force_from=start,
        in_force_to=end,
    )


class Catalogue(Aggregate):
    """The catalogue of a region, edition by edition."""

    TOPIC = "catalogue"

    class Opened(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The region has a catalogue from now on; it is still empty."""

        TOPIC = "catalogue.opened.v1"
        region: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("catalogue", self.region),)

    class Published(Aggregate.Event, frozen=True, kw_only=True):
        """An edition was made public; it replaces the one before."""

        TOPIC = "catalogue.published.v1"
        edition: int
        published_on: date
        lines: tuple[CatalogueLine, ...]

    @classmethod
    def open(cls, act: Act, *, id: str, region: str) -> Self:
        """Start the region's catalogue."""
        check_region(region)
        return cls.begin(cls.Opened, id, act, region=region)

    @event(Opened)
    def __init__(self, region: str) -> None:
        self.region = region
        self.edition = 0
        self.lines: dict[str, CatalogueLine] = {}

    def publish(self, act: Act, *, published_on: date, items: Sequence[Item]) -> None:
        """Make an edition of the items' present versions public."""
        standing = [item for item in items if item.repealed_from is None or published_on < item.repealed_from]
        lines = tuple(sorted((line_of(item) for item in standing), key=lambda line: line.code))
        if not lines:
            raise CatalogueEmpty()
        for line in lines:
            if not line.in_force(published_on):
                raise ItemLapsed(item=line.code, day=published_on)
        if lines == tuple(self.lines.values()):
            raise CatalogueUnchanged()
        self.record(self.Published, act, edition=self.edition + 1, published_on=published_on, lines=lines)

    @event(Published)
    def _published(self, edition: int, lines: tuple[CatalogueLine, ...]) -> None:
        self.edition = edition
        self.lines = {line.code: line for line in lines}

    def require(self, codes: Iterable[str], day: date) -> list[CatalogueLine]:
        """The published lines of the codes; `ItemUnpublished` or `ItemLapsed` if one may not be used."""
        found = []
        for code in codes:
            line = self.lines.get(code)
            if line is None:
                raise ItemUnpublished(item=code)
            if not line.in_force(day):
                raise ItemLapsed(item=code, day=day)
            found.append(line)
        return found

    def checked(self, codes: Iterable[str], day: date) -> tuple[CheckedItem, ...]:
        """The item versions of the codes, published and in force on the day."""
        return tuple(CheckedItem(line.code, line.number) for line in self.require(codes, day))
