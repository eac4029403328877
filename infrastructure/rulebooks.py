"""Rulebooks as files: read and checked when the service starts, chosen by the day they are in force.

Shipped ones stand in `infrastructure/rulebook/`, an agency's own in its data folder. The digest is the
SHA-256 of the file's bytes; the event that adopts a rulebook holds it.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from domain.assignment import VOID_GROUNDS
from domain.errors import RulebookMissing, RulebookWrong
from domain.inspection import EVIDENCE_KINDS
from domain.inspector import ROLE_CLASSES
from domain.person import GROUNDS as ERASURE_GROUNDS
from domain.person import KINDS
from domain.recusal import RECUSAL_GROUNDS
from domain.results import CODES
from domain.rulebook_data import Rulebook
from domain.values import DISPOSALS, SPECIALTIES, STRATA

SHIPPED: Final = Path(__file__).parent / "rulebook"
DATES: Final = (
    "plan-published",
    "liaison-registered",
    *(f"quarterly-report-{quarter}" for quarter in (1, 2, 3, 4)),
    "annual-report",
    "inspections-done",
)
PERIODS: Final = (
    "catalogue-published",
    "result-published",
    "publication-corrected",
    "rectification",
    "rectification-verified",
    "draw-completed",
)
NUMBERS: Final = (
    "frequency-cap",
    "officers",
    "narrow-pool",
    "recheck-share",
    *(f"retention-{kind}" for kind in KINDS),
)
_PATH_IN_MESSAGE: Final = re.compile(r" - at `\$\.?(.*)`$")
_REGION: Final = re.compile(r"[1-9][0-9]{5}")
_NO_LEAP_YEAR: Final = 2023

Wrong = tuple[str, str]
"""A key of the file and what is wrong with it."""


class LoadedRulebook(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook with the file it came from: `content` are its bytes, `digest` their SHA-256 in hex."""

    rulebook: Rulebook
    digest: str
    content: bytes
    file: Path


class Rulebooks:
    """All rulebooks at hand, none of them in force on the same day as another."""

    def __init__(self, loaded: Sequence[LoadedRulebook]) -> None:
        self.all = tuple(sorted(loaded, key=lambda one: one.rulebook.effective_from))

    def at(self, day: date) -> LoadedRulebook:
        """The rulebook in force on a day; `RulebookMissing`."""
        return self._first(lambda one: one.rulebook.in_force(day), day.isoformat())

    def version(self, version: str) -> LoadedRulebook:
        """The rulebook of that version; `RulebookMissing`."""
        return self._first(lambda one: one.rulebook.version == version, version)

    def digest(self, digest: str) -> LoadedRulebook:
        """The rulebook whose bytes have that SHA-256; `RulebookMissing`."""
        return self._first(lambda one: one.digest == digest, digest)

    def _first(self, fits: Callable[[LoadedRulebook], bool], wanted: str) -> LoadedRulebook:
        for one in self.all:
            if fits(one):
                return one
        raise RulebookMissing(wanted=wanted)


def load_rulebooks(*folders: Path) -> Rulebooks:
    """Read and check all `*.toml` of the folders (one that does not exist holds none).

    `RulebookWrong` names the file and the key, also for two rulebooks of one version or in force together.
    """
    loaded = [read_rulebook(file) for folder in folders for file in sorted(folder.glob("*.toml"))]
    _check_versions(loaded)
    _check_effect(loaded)
    return Rulebooks(loaded)


def read_rulebook(file: Path) -> LoadedRulebook:
    """Read and check one rulebook; `RulebookWrong` names the key."""
    try:
        content = file.read_bytes()
        rulebook = msgspec.toml.decode(content, type=Rulebook)
    except OSError as error:
        raise RulebookWrong(file=str(file), key="", reason=error.strerror or str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        path = _PATH_IN_MESSAGE.search(str(error))
        raise RulebookWrong(file=str(file), key=path[1] if path else "", reason=str(error)) from error
    for key, reason in wrongs(rulebook):
        raise RulebookWrong(file=str(file), key=key, reason=reason)
    digest = sha256(content).hexdigest()
    return LoadedRulebook(rulebook=rulebook, digest=digest, content=content, file=file)


def wrongs(rulebook: Rulebook) -> Iterator[Wrong]:
    """What is wrong with a rulebook whose shape is right."""
    if rulebook.effective_to is not None and rulebook.effective_to < rulebook.effective_from:
        yield "effective_to", "lies before effective_from"
    yield from _wrong_names(rulebook)
    yield from _wrong_codes(rulebook)
    yield from _wrong_values(rulebook)
    yield from _wrong_ratios(rulebook)
    yield from _wrong_regions(rulebook)


def _wrong_names(rulebook: Rulebook) -> Iterator[Wrong]:
    yield from _compared("dates", [one.id for one in rulebook.dates], DATES)
    yield from _compared("periods", [one.id for one in rulebook.periods], PERIODS)
    yield from _compared("numbers", [one.id for one in rulebook.numbers], NUMBERS)


def _wrong_codes(rulebook: Rulebook) -> Iterator[Wrong]:
    """Codes that events carry must be those that the domain knows, each once."""
    yield from _compared("strata", [one.code for one in rulebook.strata], STRATA)
    yield from _compared("results", [one.code for one in rulebook.results], CODES)
    yield from _compared("recusal_grounds", [one.code for one in rulebook.recusal_grounds], RECUSAL_GROUNDS)
    yield from _compared("void_grounds", [one.code for one in rulebook.void_grounds], VOID_GROUNDS)
    yield from _compared("role_classes", [one.code for one in rulebook.role_classes], ROLE_CLASSES)
    yield from _compared("specialties", [one.code for one in rulebook.specialties], SPECIALTIES)
    yield from _compared("disposals", [one.code for one in rulebook.disposals], DISPOSALS)
    yield from _compared("erasure_grounds", [one.code for one in rulebook.erasure_grounds], ERASURE_GROUNDS)
    yield from _compared("evidence", [one.code for one in rulebook.evidence], EVIDENCE_KINDS)
    for key in ("visit_causes", "credit_colours", "measures", "referrals"):
        yield from _repeated(key, [one.code for one in getattr(rulebook, key)])
    yield from _repeated("documents.kinds", [one.code for one in rulebook.documents.kinds])


def _wrong_values(rulebook: Rulebook) -> Iterator[Wrong]:
    for day in rulebook.dates:
        if not _is_day(day.month, day.day):
            yield f"dates {day.id}", f"no day {day.month}-{day.day} in every year"
    for period in rulebook.periods:
        if period.length < 1:
            yield f"periods {period.id}", "length must be at least 1"
    for number in rulebook.numbers:
        if number.value < 0:
            yield f"numbers {number.id}", "value must not be negative"
    for kind in rulebook.evidence:
        if kind.limit < 1 or not kind.media:
            yield f"evidence {kind.code}", "needs a limit and at least one media type"


def _wrong_ratios(rulebook: Rulebook) -> Iterator[Wrong]:
    for stratum in rulebook.strata:
        for ratio in stratum.ratios:
            if ratio.numerator < 1 or ratio.denominator < 1:
                yield f"strata {stratum.code}", "numerator and denominator must be at least 1"
            elif ratio.basis == "sites" and ratio.numerator > ratio.denominator:
                yield f"strata {stratum.code}", "more than all sites"


def _wrong_regions(rulebook: Rulebook) -> Iterator[Wrong]:
    codes = {region.code for region in rulebook.regions}
    yield from _repeated("regions", [region.code for region in rulebook.regions])
    for code in sorted(codes):
        if not _REGION.fullmatch(code):
            yield f"regions {code}", "not six digits"
        elif not {f"{code[:2]}0000", f"{code[:4]}00"} <= codes:
            yield f"regions {code}", "its city or province is not listed"
    for prefix in rulebook.documents.prefixes:
        if prefix.region not in codes:
            yield f"documents.prefixes {prefix.region}", "no such region"


def _compared(key: str, found: Collection[str], wanted: Collection[str]) -> Iterator[Wrong]:
    for name in sorted(set(wanted) - set(found)):
        yield f"{key} {name}", "is missing"
    for name in sorted(set(found) - set(wanted)):
        yield f"{key} {name}", "is unknown"
    yield from _repeated(key, found)


def _repeated(key: str, found: Collection[str]) -> Iterator[Wrong]:
    for name, count in Counter(found).items():
        if count > 1:
            yield f"{key} {name}", "stands there twice"


def _is_day(month: int, day: int) -> bool:
    try:
        date(_NO_LEAP_YEAR, month, day)
    except ValueError:
        return False
    return True


def _check_versions(loaded: Sequence[LoadedRulebook]) -> None:
    seen: dict[str, Path] = {}
    for one in loaded:
        version = one.rulebook.version
        if version in seen:
            raise RulebookWrong(
                file=str(one.file), key="version", reason=f"{version} is also {seen[version]}"
            )
        seen[version] = one.file


def _check_effect(loaded: Sequence[LoadedRulebook]) -> None:
    ordered = sorted(loaded, key=lambda one: one.rulebook.effective_from)
    for earlier, later in pairwise(ordered):
        if earlier.rulebook.in_force(later.rulebook.effective_from):
            reason = f"{later.rulebook.version} begins while {earlier.rulebook.version} is in force"
            raise RulebookWrong(file=str(later.file), key="effective_from", reason=reason)
