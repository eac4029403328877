"""Small values that several aggregates share. Frozen, comparable, and stored in events as they are."""

from datetime import date
from typing import Final

import msgspec

from domain.errors import Invalid

STRATA: Final = ("key", "special", "general", "other")
SPECIALTIES: Final = ("air", "water", "noise", "solid-waste", "soil", "radiation")
METHODS: Final = ("on-site", "off-site")
DISPOSALS: Final = ("corrected", "rectifying", "lenient", "case", "referred")


class ProvenanceMissing(Invalid):
    """A registry changes only with its source and reason; facts: `field`."""

    code = "provenance-missing"
    source = "晋环函〔2024〕416号 二（二）"


class LegalBasis(msgspec.Struct, frozen=True, kw_only=True):
    """One article that allows an inspection, with the days on which it is in force (inclusive)."""

    law: str
    article: str
    effective_from: date
    effective_to: date | None = None

    def sound(self) -> bool:
        """Whether law and article are named and the days are in order."""
        ordered = self.effective_to is None or self.effective_from <= self.effective_to
        return bool(self.law and self.article) and ordered

    def in_force(self, day: date) -> bool:
        """Whether the article is in force on the day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


class Provenance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a registry says so: where it comes from, on which ground, and since which day it holds."""

    source: str
    reason: str
    effective_from: date

    def check(self) -> None:
        """Refuse with `ProvenanceMissing` a change of a registry that does not say why."""
        for field in ("source", "reason"):
            if not getattr(self, field).strip():
                raise ProvenanceMissing(f"/{field}", field=field)


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A place on every team of a draw: must its holder be able to lead, must a skill match?"""

    seat: str
    lead: bool
    skilled: bool


class Holding(msgspec.Struct, frozen=True):
    """Who holds a seat; None while nobody may sit there."""

    seat: str
    inspector: str | None


class ItemResult(msgspec.Struct, frozen=True):
    """The result of one item of an inspection."""

    item: str
    code: str


class CheckedItem(msgspec.Struct, frozen=True):
    """An item as the catalogue has it: its code and the number of its version."""

    code: str
    number: int
