"""docs/reference/events.md, written from the aggregates themselves."""

import inspect
import types
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain.aggregate import Aggregate, DomainEvent
from domain.events import AGGREGATES, event_classes
from tests.examples_of_events import examples
from tests.scenario import STAMPED

HEAD: Final = """\
# Events

<!-- Written by `make docs` from domain/*.py. -->

Everything that happens is an event, for ever. A stored event is canonical JSON: the fields below and a random
`salt` of 128 bits, keys sorted, times in UTC with six digits (`2024-04-01T01:02:03.456789Z`), days as
`YYYY-MM-DD`, no floats, no integers beyond 2⁵³−1. The SHA-256 of these bytes stands in the public ledger
([its format](ledger-format.md)). A topic never changes its meaning: a changed event gets a new topic `….v2`,
and the bytes of the old one stay readable; `tests/vectors/events` holds an example of each.

No event holds personal data: `person` refers to the vault, `commitment` is a salted hash of what is kept
there. Ids of accounts, inspectors and streams are random. A field that names a file holds its SHA-256.

A *claim* is a name that only one stream may hold in the whole log; an event takes it or gives it back in the
transaction that stores the event.

## Fields of every event

| field | type | meaning |
|---|---|---|
| `timestamp` | time | when the service took the command |
| `occurred_at` | time | when it happened in the world, never after `timestamp` |
| `by` | text | the account that did it, or `system` |
| `on_behalf_of` | text or null | the account whose power a deputy used |
| `correlation_id` | text | joins all events of one request |
| `causation_id` | text | the event or command that led to this one |
| `originator_topic` | text | only in the first event of a stream: the topic of its aggregate |
"""

PLAIN: Final[dict[Any, str]] = {
    str: "text",
    int: "integer",
    bool: "true or false",
    date: "day",
    datetime: "time",
    type(None): "null",
    msgspec.UnsetType: "left out",
    Any: "any value",
}


def render_events() -> str:
    """docs/reference/events.md."""
    values = sorted(
        {one for event in all_events() for one in structs_in(event)}, key=lambda one: one.__name__
    )
    sections = [render_aggregate(aggregate) for aggregate in AGGREGATES]
    return "\n".join([HEAD, *sections, "## Values inside events\n", *map(render_value, values)])


def all_events() -> Iterator[type[DomainEvent]]:
    """Every event class."""
    return (one for aggregate in AGGREGATES for one in event_classes(aggregate))


def render_aggregate(aggregate: type[Aggregate]) -> str:
    """The section of an aggregate."""
    module = inspect.getmodule(aggregate)
    events = [render_event(one) for one in event_classes(aggregate)]
    story = said(module.__doc__ if module else "")
    return "\n".join([f"## {aggregate.__name__}: `{aggregate.TOPIC}`\n", story, "", *events])


def render_event(event: type[DomainEvent]) -> str:
    """The section of an event: what it means, its claims, its own fields."""
    own = {name: hint for name, hint in hints(event).items() if name not in STAMPED}
    parts = [f"### `{event.TOPIC}`\n", meaning(event), ""]
    claims = claim_words(event)
    if claims:
        parts += [f"Claims: {claims}.", ""]
    parts += [table(own), ""] if own else ["No fields of its own.", ""]
    return "\n".join(parts)


def render_value(value: type[msgspec.Struct]) -> str:
    """The section of a value that events hold."""
    return "\n".join([f"### {value.__name__}\n", meaning(value), "", table(hints(value)), ""])


def table(fields: dict[str, Any]) -> str:
    """Fields and their types."""
    rows = [f"| `{name}` | {type_words(hint)} |" for name, hint in fields.items()]
    return "\n".join(["| field | type |", "|---|---|", *rows])


def hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The types of a struct's fields, in their order."""
    resolved = get_type_hints(kind)
    return {name: resolved[name] for name in kind.__struct_fields__}


def meaning(kind: type) -> str:
    """What a class says of itself; the library derives event classes anew, without their words."""
    return said(next(one.__doc__ for one in kind.__mro__ if one.__doc__))


def said(words: str | None) -> str:
    """A docstring as text."""
    return inspect.cleandoc(words or "")


def claim_words(event: type[DomainEvent]) -> str:
    """What the full example of the event takes and gives back."""
    claims = examples()[event.TOPIC].claims()
    return ", ".join(f"{'gives back' if one.released else 'takes'} `{one.kind}`" for one in claims)


def type_words(hint: Any) -> str:
    """A type, for people."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(part) for part in parts)
    if origin is Literal:
        return "one of " + ", ".join(f"`{part}`" for part in parts)
    if origin is tuple:
        return f"list of {type_words(parts[0])}"
    if origin is dict:
        return f"object of {type_words(parts[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    raise TypeError(f"an event cannot hold {hint}")


def structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """The values that a type holds, at any depth; an event itself is none."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if not issubclass(kind, DomainEvent):
            yield kind
        for hint in get_type_hints(kind).values():
            yield from structs_in(hint)
    for part in get_args(kind):
        yield from structs_in(part)
