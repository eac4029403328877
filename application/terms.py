"""The words people write in a table, and the codes that events carry: both ways.

The first word of a code is the one that tables show; others are understood. The names of the rulebook in
force are understood too, so that an agency may call its classes by its own names.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final, Protocol

import msgspec

from domain.identifiers import covers
from domain.rulebook_data import Rulebook

Words = Mapping[str, tuple[str, ...]]

STRATA: Final[Words] = {
    "key": ("重点", "重点单位"),
    "special": ("特殊", "特殊对象"),
    "general": ("一般", "一般单位"),
    "other": ("其他", "其它"),
}
SPECIALTIES: Final[Words] = {
    "air": ("大气", "空气", "废气"),
    "water": ("水", "废水"),
    "noise": ("噪声", "噪音"),
    "solid-waste": ("固体废物", "固废", "危险废物"),
    "soil": ("土壤",),
    "radiation": ("辐射", "核与辐射", "放射性"),
}
CREDITS: Final[Words] = {
    "green": ("绿牌", "绿色", "绿"),
    "blue": ("蓝牌", "蓝色", "蓝"),
    "yellow": ("黄牌", "黄色", "黄"),
    "red": ("红牌", "红色", "红"),
    "black": ("黑牌", "黑色", "黑"),
}
ROLE_CLASSES: Final[Words] = {
    "civil-servant": ("公务员", "行政执法类公务员"),
    "certified-staff": ("执法资格人员", "具有行政执法资格的工作人员"),
    "daily-supervisor": ("日常监管人员", "从事日常监管工作的人员"),
    "expert": ("专家", "专业技术人员"),
}
GROUNDS: Final[Words] = {
    "party": ("当事人", "本案当事人"),
    "near-relative": ("近亲属", "当事人的近亲属"),
    "direct-interest": ("直接利害关系", "利害关系"),
    "other-relation": ("其他关系", "其他利害关系"),
}
CATEGORIES: Final[Words] = {
    "key": ("重点检查事项", "重点事项", "重点"),
    "general": ("一般检查事项", "一般事项", "一般"),
}
METHODS: Final[Words] = {
    "on-site": ("现场检查", "现场"),
    "off-site": ("非现场检查", "非现场"),
}
SEATS: Final[Words] = {"lead": ("主办",), "second": ("协办",), "third": ("第三人",)}
SEAT_MARKS: Final[Words] = {"lead": ("带队",), "skilled": ("专业",)}


class _Named(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...


class Vocabulary(msgspec.Struct, frozen=True, dict=True):
    """The words of one field by their codes; the first word of a code is shown, each is understood."""

    words: Words

    def code(self, word: str) -> str | None:
        """The code that a word or the code itself stands for; None for any other word."""
        found = self._codes.get(word)
        return found if found is not None else self._codes.get(plain(word))

    def codes(self, words: tuple[str, ...]) -> tuple[str, ...] | None:
        """The codes of a list's words, sorted, each once; None if one of them is no word of the field."""
        if words not in self._lists:
            found = [self.code(word) for word in words]
            self._lists[words] = None if None in found else tuple(sorted({code for code in found if code}))
        return self._lists[words]

    def word(self, code: str) -> str:
        """The word shown for a code; the code itself where there is none."""
        words = self.words.get(code)
        return words[0] if words else code

    @property
    def allowed(self) -> tuple[str, ...]:
        """What may be written: the shown word of each code."""
        return tuple(self.word(code) for code in self.words)

    @cached_property
    def _lists(self) -> dict[tuple[str, ...], tuple[str, ...] | None]:
        """Lists that were looked up: a registry repeats a few of them in all of its rows."""
        return {}

    @cached_property
    def _codes(self) -> dict[str, str]:
        return {plain(word): code for code, words in self.words.items() for word in (*words, code)}


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The vocabularies of all fields."""

    strata: Vocabulary = Vocabulary(STRATA)
    specialties: Vocabulary = Vocabulary(SPECIALTIES)
    credits: Vocabulary = Vocabulary(CREDITS)
    role_classes: Vocabulary = Vocabulary(ROLE_CLASSES)
    grounds: Vocabulary = Vocabulary(GROUNDS)
    categories: Vocabulary = Vocabulary(CATEGORIES)
    methods: Vocabulary = Vocabulary(METHODS)
    seats: Vocabulary = Vocabulary(SEATS)
    seat_marks: Vocabulary = Vocabulary(SEAT_MARKS)


def terms_of(rules: Rulebook) -> Terms:
    """The vocabularies with the names that the rulebook uses."""
    return Terms(
        strata=_extended(STRATA, rules.strata),
        specialties=_extended(SPECIALTIES, rules.specialties),
        credits=_extended(CREDITS, rules.credit_colours),
        role_classes=_extended(ROLE_CLASSES, rules.role_classes),
        grounds=_extended(GROUNDS, rules.recusal_grounds),
    )


def region_names(rules: Rulebook, area: str) -> Vocabulary:
    """The regions of an area by code and by name, also by the city's name before the district's.

    A name that two regions of the area share, such as 城区, is understood only after its city's.
    """
    names: dict[str, list[str]] = {}
    for region in rules.regions:
        if covers(area, region.code):
            names.setdefault(region.name, []).append(region.code)
    words = dict[str, tuple[str, ...]]()
    for region in rules.regions:
        if covers(area, region.code):
            whole = f"{_city_name(rules, region.code)}{region.name}"
            words[region.code] = (region.name, whole) if len(names[region.name]) == 1 else (whole,)
    return Vocabulary(words)


def plain(word: str) -> str:
    """A word without what people change: width and case of letters, spaces."""
    return "".join(unicodedata.normalize("NFKC", word).casefold().split())


def _city_name(rules: Rulebook, code: str) -> str:
    city = f"{code[:4]}00"
    return rules.region_name(city) if code != city and rules.has_region(city) else ""


def _extended(words: Words, named: Iterable[_Named]) -> Vocabulary:
    names = {term.code: term.name for term in named}
    extended = {code: (*known, *_also(names.get(code), known)) for code, known in words.items()}
    return Vocabulary(extended)


def _also(name: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    return () if name is None or name in known else (name,)
