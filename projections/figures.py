"""The figures of the statistics: whole numbers and fractions, never floats, because they must add up."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

from domain.results import CODES
from domain.values import DISPOSALS

COUNTS: Final = (
    "frame",
    "eligible",
    "sampled",
    "replacements",
    "drawn",
    "inspected",
    "off_site",
    "void",
    "pending",
    "findings",
    "orders",
    "orders_closed",
    "orders_open",
    "orders_overdue",
    "withheld",
    "due",
    "published_on_time",
    "published_late",
    "unpublished",
)


class Ratio(msgspec.Struct, frozen=True):
    """A reduced fraction. A ratio of nothing is 0/1, and `of_nothing` says so."""

    numerator: int
    denominator: int
    of_nothing: bool = False

    def per_cent(self, digits: int = 2) -> str:
        """The ratio in per cent, rounded half up to so many decimal places, in integers alone."""
        return per_cent(self.numerator, self.denominator, digits)


class Cell(msgspec.Struct, kw_only=True):
    """The figures of one stratum of one region in one period ("" where cells were added up).

    `frame` and `eligible` count the sites of the frames of completed draws, `sampled` those their rules
    asked for, `replacements` those that took a void one's place; `drawn` is both. Every drawn site ends
    as `inspected` on site, `off_site` (checked from afar), `void`, or is `pending`. `results` are the
    primary results of inspected ones by code, `off_site_results` of the others. `findings` are of both,
    `disposals` where each of them stands now. `due` for publication are inspected and off-site ones
    that are not lawfully `withheld`; `unpublished` ones are due but not public yet.
    """

    region: str = ""
    period: str = ""
    stratum: str = ""
    frame: int = 0
    eligible: int = 0
    sampled: int = 0
    replacements: int = 0
    drawn: int = 0
    inspected: int = 0
    off_site: int = 0
    void: int = 0
    pending: int = 0
    results: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CODES, 0))
    off_site_results: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(CODES, 0))
    findings: int = 0
    disposals: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(DISPOSALS, 0))
    orders: int = 0
    orders_closed: int = 0
    orders_open: int = 0
    orders_overdue: int = 0
    withheld: int = 0
    due: int = 0
    published_on_time: int = 0
    published_late: int = 0
    unpublished: int = 0

    @property
    def published(self) -> int:
        """Results in force on the public channels, on time or late."""
        return self.published_on_time + self.published_late

    @property
    def problems(self) -> int:
        """Inspected and off-site checked sites with a problem found."""
        both = (self.results, self.off_site_results)
        return sum(results.get(code, 0) for results in both for code in ("corrected", "pending"))

    @property
    def coverage(self) -> Ratio:
        """Drawn sites per site of the frames."""
        return ratio(self.drawn, self.frame)

    @property
    def publicity(self) -> Ratio:
        """Published results per result due."""
        return ratio(self.published, self.due)


def ratio(numerator: int, denominator: int) -> Ratio:
    """The reduced fraction."""
    if denominator == 0:
        return Ratio(0, 1, of_nothing=True)
    reduced = Fraction(numerator, denominator)
    return Ratio(reduced.numerator, reduced.denominator)


def per_cent(numerator: int, denominator: int, digits: int = 2) -> str:
    """`numerator / denominator` in per cent, rounded half up, without a float on the way.

    Both are counts: not negative, and the denominator not 0 (ValueError).
    """
    if numerator < 0 or denominator <= 0 or digits < 0:
        raise ValueError(f"not a ratio of counts: {numerator}/{denominator}")
    scale = 10**digits
    rounded = (2 * numerator * 100 * scale + denominator) // (2 * denominator)
    whole, rest = divmod(rounded, scale)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def add(cells: Iterable[Cell], *, region: str = "", period: str = "", stratum: str = "") -> Cell:
    """The sum of the cells under a name of its own."""
    total = Cell(region=region, period=period, stratum=stratum)
    for cell in cells:
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(cell, name))
        for name in ("results", "off_site_results", "disposals"):
            _add_counts(getattr(total, name), getattr(cell, name))
    return total


def _add_counts(total: dict[str, int], more: dict[str, int]) -> None:
    for code, count in more.items():
        total[code] = total.get(code, 0) + count
