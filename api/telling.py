"""Events in words, Chinese or English, from `api/locale/events.toml`; their codes from `codes.toml`."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from domain.act import CHINA

_PLACE: Final = re.compile(r"\{([a-z0-9_.]+)\}")
_PART: Final = re.compile(r"\[([^\[\]]*)\]")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
EMPTY: Final = "—"
_UNITS: Final = {"zh": (" 天", " 小时", " 分钟", " "), "en": (" d", " h", " min", " ")}

Codes = Mapping[str, Mapping[str, tuple[str, str]]]


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """The sentences by topic and language, with their placeholders."""
    content = files("api").joinpath("locale", "events.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, dict[str, str]])


@cache
def codes() -> Codes:
    """Words for codes, (Chinese, English), by the name of the fact and the code."""
    content = files("api").joinpath("locale", "codes.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, dict[str, tuple[str, str]]])


def tell(topic: str, facts: Mapping[str, Any], language: str) -> str:
    """One event in words; `language` is `zh` or `en`. Times are China's, with their zone.

    A part of the sentence in square brackets is left out where all its facts are empty.
    """

    def fill(place: re.Match[str]) -> str:
        return shown(fact(facts, place[1]), language, place[1].rsplit(".", 1)[-1])

    def keep(part: re.Match[str]) -> str:
        return part[1] if any(not _is_nothing(fact(facts, path)) for path in _PLACE.findall(part[1])) else ""

    return _PLACE.sub(fill, _PART.sub(keep, sentences()[topic][language]))


def fact(facts: Mapping[str, Any], path: str) -> Any:
    """The fact at a dotted path; KeyError if the event has none of that name."""
    found: Any = facts
    for name in path.split("."):
        found = found[name]
    return found


def shown(value: Any, language: str = "zh", name: str = "") -> str:
    """A fact as people read it: codes in words by the fact's name, lists joined, nothing as a dash."""
    if _is_nothing(value):
        return EMPTY
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list | tuple):
        return ("、" if language == "zh" else ", ").join(shown(one, language, name) for one in value)
    if isinstance(value, dict):
        told = (f"{key} {shown(one, language, key)}" for key, one in value.items())
        return ("，" if language == "zh" else ", ").join(told)
    return _word(str(value), language, name)


def tell_delay(delay: timedelta, language: str) -> str:
    """A length of time in words, to the minute: “3 天 2 小时”; parts that are nought are left out."""
    days, rest = divmod(int(delay.total_seconds()) // 60, 24 * 60)
    *units, join = _UNITS["zh" if language == "zh" else "en"]
    parts = zip((days, rest // 60, rest % 60), units, strict=True)
    return join.join(f"{count}{unit}" for count, unit in parts if count) or f"0{units[-1]}"


def tell_time(moment: datetime) -> str:
    """A time as it was on clocks in China, with its zone."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S +08:00")


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _word(value: str, language: str, name: str) -> str:
    if _INSTANT.fullmatch(value):
        return tell_time(datetime.fromisoformat(value))
    words = codes().get(name, {}).get(value)
    return value if words is None else words[0 if language == "zh" else 1]
