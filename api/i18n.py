"""Sentences in Chinese and English from `api/locale`, and which of the two somebody wants."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, NamedTuple

import msgspec

from domain.act import CHINA

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
DEFAULT: Final[Language] = "zh"
EMPTY: Final = "—"
_PLACE: Final = re.compile(r"\{([a-z0-9_]+)\}")
_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?"
)


class Sentences(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language: `errors` by code (title, sentence), `reasons` by code and word, `fields` by kind,
    `rows` by code."""

    errors: dict[str, tuple[str, str]]
    reasons: dict[str, dict[str, str]]
    fields: dict[str, str]
    rows: dict[str, str]


class Said(NamedTuple):
    """What is told of an error: a title that never varies, and a sentence about this case."""

    title: str
    detail: str


@cache
def sentences(language: Language) -> Sentences:
    """All sentences of a language."""
    content = files("api").joinpath("locale", f"{language}.toml").read_bytes()
    return msgspec.toml.decode(content, type=Sentences)


def choose_language(accepted: str) -> Language:
    """The language an Accept-Language header asks for; Chinese where it asks for neither or for nothing."""
    best: tuple[float, Language] = (0.0, DEFAULT)
    for part in accepted[:500].split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        weight = float(found[2]) if found[2] else 1.0
        for language in LANGUAGES:
            if found[1].lower() == language and weight > best[0]:
                best = (weight, language)
    return best[1]


def tell_error(code: str, facts: Mapping[str, Any], language: Language) -> Said:
    """An error in words; a code without a sentence is told by that of errors in general."""
    known = sentences(language)
    title, detail = known.errors.get(code, known.errors["error"])
    return Said(title, fill(detail, _reasoned(code, facts, known), language))


def tell_field(kind: str, facts: Mapping[str, Any], language: Language) -> str:
    """What is wrong with a field of a request, by the validator's kind of error."""
    known = sentences(language).fields
    return fill(known.get(kind, known["other"]), {"type": kind, **facts}, language)


def tell_row(code: str, facts: Mapping[str, Any], language: Language) -> str:
    """What is wrong with a cell of a table: its own sentence, else that of the error of the same code."""
    known = sentences(language)
    if code in known.rows:
        return fill(known.rows[code], facts, language)
    return tell_error(code, facts, language).detail


def fill(sentence: str, facts: Mapping[str, Any], language: Language) -> str:
    """The sentence with its places filled; a fact that is not there is a dash."""
    return _PLACE.sub(lambda place: show(facts.get(place[1]), language), sentence)


def places(sentence: str) -> set[str]:
    """The names of the facts that a sentence wants."""
    return set(_PLACE.findall(sentence))


def show(value: Any, language: Language = DEFAULT) -> str:
    """A fact as people read it: times in China's, lists joined, nothing as a dash."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return _joined((f"{name}: {show(one, language)}" for name, one in value.items()), language)
    if isinstance(value, list | tuple | set | frozenset):
        return _joined(value, language)
    return str(value)


def _moment(value: datetime) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S +08:00")


def _joined(values: Iterable[Any], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(show(one, language) for one in values) or EMPTY


def _reasoned(code: str, facts: Mapping[str, Any], known: Sentences) -> Mapping[str, Any]:
    words = known.reasons.get(code, {})
    reason = str(facts.get("reason", ""))
    if reason not in words:
        return facts
    filled = _PLACE.sub(lambda place: show(facts.get(place[1])), words[reason])
    return {**facts, "reason": filled}
