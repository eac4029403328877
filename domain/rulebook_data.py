"""A rulebook: the numbers and lists of the rules, as data with a version, sources and effective dates.

Adopted by an event that holds the SHA-256 of its bytes. Every value names where it comes from (`source`)
and how far it can be trusted (`confidence`): A = read in the law's or order's text, B = read in an
official notice or a press copy, C = customary, to be confirmed by the agency, which the pages say.
"""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Literal, Protocol, TypeVar

import msgspec

from domain.deadlines import PeriodRule
from domain.errors import RulebookMissing

Confidence = Literal["A", "B", "C"]
Unit = Literal["working-day", "natural-day"]


class Sourced(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something named in Chinese and English whose origin is told."""

    name: str
    english: str
    source: str
    confidence: Confidence


class YearlyDate(Sourced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A day by which something is due every year."""

    id: str
    month: int
    day: int


class Period(Sourced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long something may take."""

    id: str
    unit: Unit
    length: int


class Number(Sourced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A single number of a rule, in `unit`."""

    id: str
    value: int
    unit: str


class Ratio(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A default ratio `numerator / denominator` each `per`, for agencies of `level`.

    Of `basis` sites, or (`staff`) sites for each officer of the agency.
    """

    level: Literal["city", "county", "any"]
    basis: Literal["sites", "staff"]
    per: Literal["quarter", "year"]
    numerator: int
    denominator: int


class Stratum(Sourced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of sites with its own default ratio; `ratios` is empty where the plan row must state it."""

    code: str
    who: str
    ratios: tuple[Ratio, ...]


class Term(Sourced, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code that events carry, with its names."""

    code: str


class Result(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A primary result. `problem`: there are findings; `whole_visit`: it holds for every item alike."""

    problem: bool
    whole_visit: bool


class RoleClass(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of persons in the registry of inspectors; `officer`: may count towards the two officers."""

    officer: bool


class VisitCause(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a site is visited; `counted`: the visit counts towards the frequency cap."""

    counted: bool


class CreditColour(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credit class of a province, and how it bears on sampling."""

    sampling: Literal["fewer", "normal", "more", "key"]


class EvidenceKind(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of evidence, the media types its files may have and their largest size in bytes."""

    media: tuple[str, ...]
    limit: int


class Referral(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of referral and to whom it goes."""

    recipient: str


class DocumentKind(Term, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of document with a serial number; `mark` stands in the number between prefix and year."""

    mark: str


class DocumentPrefix(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the numbers of a region's documents begin with."""

    region: str
    prefix: str
    source: str
    confidence: Confidence


class Documents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Document numbers, such as 晋环罚〔2024〕1号: prefix, mark, year, serial."""

    prefixes: tuple[DocumentPrefix, ...]
    kinds: tuple[DocumentKind, ...]

    def number(self, region: str, kind: str, year: int, serial: int) -> str:
        """The document number; `RulebookMissing` for an unknown kind or a region without prefix."""
        mark = entry(self.kinds, kind).mark
        return f"{self._prefix(region)}{mark}〔{year}〕{serial}号"

    def _prefix(self, region: str) -> str:
        prefixes = {one.region: one.prefix for one in self.prefixes}
        for code in (region, f"{region[:4]}00", f"{region[:2]}0000"):
            if code in prefixes:
                return prefixes[code]
        raise RulebookMissing(wanted=f"documents.prefixes {region}")


class Region(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A region (GB/T 2260): a province ends in 0000, a city in 00."""

    code: str
    name: str


class Rulebook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A whole rulebook. In force from `effective_from` to `effective_to`, both included."""

    version: str
    title: str
    source: str
    effective_from: date
    effective_to: date | None = None
    dates: tuple[YearlyDate, ...]
    periods: tuple[Period, ...]
    numbers: tuple[Number, ...]
    strata: tuple[Stratum, ...]
    results: tuple[Result, ...]
    recusal_grounds: tuple[Term, ...]
    void_grounds: tuple[Term, ...]
    visit_causes: tuple[VisitCause, ...]
    role_classes: tuple[RoleClass, ...]
    specialties: tuple[Term, ...]
    credit_colours: tuple[CreditColour, ...]
    disposals: tuple[Term, ...]
    measures: tuple[Term, ...]
    evidence: tuple[EvidenceKind, ...]
    referrals: tuple[Referral, ...]
    erasure_grounds: tuple[Term, ...]
    documents: Documents
    regions: tuple[Region, ...]

    def in_force(self, day: date) -> bool:
        """Whether the rulebook is in force on a day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def period(self, id: str) -> PeriodRule:
        """The period as `deadlines.due` takes it; `RulebookMissing`."""
        found = _by_id(self.periods, id)
        return PeriodRule(id=found.id, version=self.version, unit=found.unit, length=found.length)

    def due_date(self, id: str, year: int) -> date:
        """The day in `year` by which something is due; `RulebookMissing`."""
        found = _by_id(self.dates, id)
        return date(year, found.month, found.day)

    def number(self, id: str) -> int:
        """The number of that name; `RulebookMissing`."""
        return _by_id(self.numbers, id).value

    def has_region(self, code: str) -> bool:
        """Whether the code is a region that the rulebook knows."""
        return code in self._region_names

    def region_name(self, code: str) -> str:
        """The name of a region; `RulebookMissing`."""
        if code not in self._region_names:
            raise RulebookMissing(wanted=f"regions {code}")
        return self._region_names[code]

    @cached_property
    def _region_names(self) -> dict[str, str]:
        return {region.code: region.name for region in self.regions}


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


_I = TypeVar("_I", bound=_Identified)
_C = TypeVar("_C", bound=_Coded)


def entry(terms: Sequence[_C], code: str) -> _C:
    """The term with that code; `RulebookMissing`."""
    for term in terms:
        if term.code == code:
            return term
    raise RulebookMissing(wanted=code)


def _by_id(values: Sequence[_I], id: str) -> _I:
    for value in values:
        if value.id == id:
            return value
    raise RulebookMissing(wanted=id)
