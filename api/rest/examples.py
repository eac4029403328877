"""Examples for the documentation, made from the schemas: one table of values by the names of fields.

The same thing has the same id in every example, so that they tell one story.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

Schema = Mapping[str, Any]


_HEX: Final = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


class Values(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Values by the field's name, and by schema and field where a schema means something of its own."""

    fields: dict[str, Any]
    schemas: dict[str, dict[str, Any]]

    def find(self, owner: str, name: str) -> Any:
        """The schema's own value; `NONE` if it has none."""
        return self.schemas.get(owner, {}).get(name, NONE)


NONE: Final = object()


@cache
def values() -> Values:
    """The table of values."""
    content = files("api.rest").joinpath("examples.toml").read_bytes()
    return msgspec.toml.decode(content, type=Values)


def stream(kind: str) -> str:
    """The id of the story's only thing of a kind."""
    return f"{kind}-{_HEX}"


def example_of(schema: Schema, components: Mapping[str, Schema], name: str = "", owner: str = "") -> Any:
    """A value that the schema allows; `name` is the field's, `owner` the schema's that holds it."""
    if "$ref" in schema:
        known = schema["$ref"].rsplit("/", 1)[1]
        value = values().find(owner, name)
        return value if value is not NONE else example_of(components[known], components, name, known)
    for value in (values().find(owner, name), values().fields.get(name, NONE)):
        if value is not NONE and _fits(value, schema, components):
            return value
    return _by_type(schema, components, name, owner)


def _by_type(schema: Schema, components: Mapping[str, Schema], name: str, owner: str) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        chosen = next((one for one in options if one.get("type") != "null"), options[0])
        return example_of(chosen, components, name, owner)
    if "default" in schema and name:
        return schema["default"]
    match schema.get("type"):
        case "object":
            return _object(schema, components, owner)
        case "array":
            return _array(schema, components, name, owner)
        case kind:
            return _PLAIN.get(str(schema.get("format")), _PLAIN.get(str(kind), None))


def _object(schema: Schema, components: Mapping[str, Schema], owner: str) -> dict[str, Any]:
    title = owner or str(schema.get("title", ""))
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return {name: example_of(one, components, name, title) for name, one in properties.items()}


def _array(schema: Schema, components: Mapping[str, Schema], name: str, owner: str) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(one, components, "", owner) for one in schema["prefixItems"]]
    items = schema.get("items", {})
    return [example_of(items, components, "", owner)] if items else []


def _fits(value: Any, schema: Schema, components: Mapping[str, Schema]) -> bool:
    """Whether the value is of the schema's type; names mean different things in different places."""
    options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if options:
        return any(_fits(value, one, components) for one in options)
    if "$ref" in schema:
        return _fits(value, components[schema["$ref"].rsplit("/", 1)[1]], components)
    if schema.get("enum") and value not in schema["enum"]:
        return False
    if isinstance(value, list) and value and "items" in schema:
        return schema.get("type") == "array" and _fits(value[0], schema["items"], components)
    kinds = {
        "string": str,
        "integer": int,
        "boolean": bool,
        "array": list,
        "object": dict,
        "null": type(None),
    }
    wanted = kinds.get(str(schema.get("type")), object)
    if wanted is int and isinstance(value, bool):
        return False
    if schema.get("format") in ("date", "date-time") and isinstance(value, str):
        return value[:4].isdigit() and ("T" in value) == (schema["format"] == "date-time")
    return isinstance(value, wanted)


_TYPES: Final[Mapping[str, type]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_PLAIN: Final[Mapping[str, Any]] = {
    "date": "2024-05-08",
    "date-time": "2024-05-08T01:30:00Z",
    "duration": "PT2H",
    "binary": "(binary)",
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
}
