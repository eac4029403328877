"""An item (抽查事项): a thing that may be inspected, on which legal basis, in versions."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_region
from domain.values import METHODS, LegalBasis


class ItemIncomplete(Invalid):
    """An item lacks what the order asks for; facts: `field`."""

    code = "item-incomplete"
    source = "晋环函〔2024〕416号 二（一）"


class ItemRepealed(Conflict):
    """The item was repealed and cannot change; facts: `item`."""

    code = "item-repealed"


class ItemUnchanged(Conflict):
    """The revision says nothing new; facts: `item`."""

    code = "item-unchanged"


class ItemFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of an item says; its category is `key` 重点 or `general` 一般."""

    name: str
    category: str
    subject: str
    content: str
    methods: tuple[str, ...]
    department: str
    bases: tuple[LegalBasis, ...]

    def check(self) -> None:
        """Refuse with `ItemIncomplete` what cannot stand in a catalogue."""
        for field in ("name", "subject", "content", "department", "methods", "bases"):
            if not getattr(self, field):
                raise ItemIncomplete(f"/{field}", field=field)
        if self.category not in ("key", "general"):
            raise ItemIncomplete("/category", field="category")
        if not set(self.methods) <= set(METHODS):
            raise ItemIncomplete("/methods", field="methods")
        if not all(basis.sound() for basis in self.bases):
            raise ItemIncomplete("/bases", field="bases")

    def in_force(self) -> tuple[date, date | None]:
        """The days between which every legal basis is in force; the end may be open."""
        ends = [basis.effective_to for basis in self.bases if basis.effective_to is not None]
        return max(basis.effective_from for basis in self.bases), min(ends, default=None)


class Item(Aggregate):
    """One item of one region's catalogue."""

    TOPIC = "item"

    class Drafted(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The first version was written."""

        TOPIC = "item.drafted.v1"
        region: str
        code: str
        facts: ItemFacts

        def claims(self) -> Iterable[Claim]:
            return (Claim("item-code", f"{self.region}/{self.code}"),)

    class Revised(Aggregate.Event, frozen=True, kw_only=True):
        """A later version was written, because the law or the work changed."""

        TOPIC = "item.revised.v1"
        number: int
        facts: ItemFacts
        reason: str

    class Repealed(Aggregate.Event, frozen=True, kw_only=True):
        """The item is no longer to be inspected from the day on."""

        TOPIC = "item.repealed.v1"
        effective_from: date
        reason: str

    @classmethod
    def draft(cls, act: Act, *, id: str, region: str, code: str, facts: ItemFacts) -> Self:
        """Write the first version."""
        check_region(region)
        if not code:
            raise ItemIncomplete("/code", field="code")
        facts.check()
        return cls.begin(cls.Drafted, id, act, region=region, code=code, facts=facts)

    @event(Drafted)
    def __init__(self, region: str, code: str, facts: ItemFacts) -> None:
        self.region, self.code, self.facts = region, code, facts
        self.number = 1
        self.repealed_from: date | None = None

    def revise(self, act: Act, *, facts: ItemFacts, reason: str) -> None:
        """Write the next version."""
        if self.repealed_from is not None:
            raise ItemRepealed(item=self.code)
        facts.check()
        if facts == self.facts:
            raise ItemUnchanged(item=self.code)
        self.record(self.Revised, act, number=self.number + 1, facts=facts, reason=reason)

    @event(Revised)
    def _revised(self, number: int, facts: ItemFacts) -> None:
        self.number, self.facts = number, facts

    def repeal(self, act: Act, *, effective_from: date, reason: str) -> None:
        """End the item."""
        if self.repealed_from is not None:
            raise ItemRepealed(item=self.code)
        self.record(self.Repealed, act, effective_from=effective_from, reason=reason)

    @event(Repealed)
    def _repealed(self, effective_from: date) -> None:
        self.repealed_from = effective_from
