"""JSON schemas of the types that answers are written from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, get_args, get_type_hints

import msgspec

REFERENCE: Final = "#/components/schemas/{name}"


class Schemas(NamedTuple):
    """The schema of each kind, and of the structs that they refer to by name."""

    kinds: Mapping[Any, Mapping[str, Any]]
    components: dict[str, dict[str, Any]]


def schemas_of(kinds: Sequence[Any]) -> Schemas:
    """The schemas of the kinds."""
    found, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    for struct in _structs(kinds):
        _mark_times(struct, components[struct.__name__])
    return Schemas(dict(zip(kinds, found, strict=True)), components)


def _structs(kinds: Sequence[Any]) -> Iterator[type[msgspec.Struct]]:
    """All structs within the kinds, each once."""
    seen: set[Any] = set()
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        waiting += [one for one in get_args(kind) if one is not ...]
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield kind
            waiting += get_type_hints(kind).values()


def _mark_times(struct: type[msgspec.Struct], schema: Mapping[str, Any]) -> None:
    """Name the format of times, which msgspec leaves out because it takes naive ones as well."""
    hints = get_type_hints(struct)
    for name, field in schema.get("properties", {}).items():
        if hints[name] is datetime:
            field["format"] = "date-time"
        elif datetime in get_args(hints[name]):
            for option in field.get("anyOf", ()):
                if option.get("type") == "string":
                    option["format"] = "date-time"
