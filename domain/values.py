"""Small values that several aggregates share. Frozen, comparable, and stored in events as they are."""

from datetime import date
from typing import Final

import msgspec

STRATA: Final = ("key", "special", "general", "other")
SPECIALTIES: Final = ("air", "water", "noise", "solid-waste", "soil", "radiation")
METHODS: Final = ("on-site", "off-site")
DISPOSALS: Final = ("corrected", "rectifying", "lenient", "case", "referred")


class LegalBasis(msgspec.Struct, frozen=True, kw_only=True):
    """One article that allows an inspection, with the days on which it is in force (inclusive)."""

    law: str
    article: str
    effective_from: date
    effective_to: date | None = None

    def in_force(self, day: date) -> bool:
        """Whether the article is in force on the day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Why a registry says so: where it comes from, on which ground, and since which day it holds."""

    source: str
    reason: str
    effective_from: date


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
