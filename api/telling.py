"""Events in words, Chinese or English, from `api/locale/events.toml`."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

_PLACE: Final = re.compile(r"\{([a-z0-9_.]+)\}")
EMPTY: Final = "—"


@cache
def sentences() -> Mapping[str, Mapping[str, str]]:
    """The sentences by topic and language, with their placeholders."""
    content = files("api").joinpath("locale", "events.toml").read_bytes()
    return msgspec.toml.decode(content, type=dict[str, dict[str, str]])


def tell(topic: str, facts: Mapping[str, Any], language: str) -> str:
    """One event in words; `language` is `zh` or `en`."""
    return _PLACE.sub(lambda place: shown(fact(facts, place[1])), sentences()[topic][language])


def fact(facts: Mapping[str, Any], path: str) -> Any:
    """The fact at a dotted path; KeyError if the event has none of that name."""
    found: Any = facts
    for name in path.split("."):
        found = found[name]
    return found


def shown(value: Any) -> str:
    """A fact as people read it: lists joined, nothing as a dash."""
    if value is None or value == "" or value == [] or value == {}:
        return EMPTY
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, list | tuple):
        return "、".join(shown(one) for one in value)
    if isinstance(value, dict):
        return "，".join(f"{name} {shown(one)}" for name, one in value.items())
    return str(value)
