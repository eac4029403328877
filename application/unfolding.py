"""How the state of a stream comes about, event by event, and what each event changed in it."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain.aggregate import Aggregate, CreatedEvent, DomainEvent

_NOTHING = object()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a state, by its dotted path, that an event changed; None where there was or is nothing."""

    field: str
    before: Any
    after: Any


class Unfolding:
    """The state of one stream while its events are applied in the order of their versions.

    Events may be left out. What is applied before the stream's beginning changes nothing: as of that
    moment the stream had not begun.
    """

    def __init__(self) -> None:
        self._made: Any = None
        self._count = 0
        self._state: dict[str, Any] | None = {}

    @property
    def aggregate(self) -> Aggregate | None:
        """What the events have made so far; None before the beginning."""
        made: Aggregate | None = self._made
        return made

    @property
    def state(self) -> dict[str, Any]:
        """The state as plain JSON values; empty before the beginning."""
        if self._state is None:
            self._state = plain_state(self._made)
        return self._state

    def apply(self, event: DomainEvent) -> None:
        """Evolve by one event."""
        if self._made is None and not isinstance(event, CreatedEvent):
            return
        # Numbered anew, because the versions of the chosen events may have gaps.
        self._count += 1
        self._made = msgspec.structs.replace(event, originator_version=self._count).mutate(self._made)
        self._state = None

    def observe(self, event: DomainEvent) -> tuple[Change, ...]:
        """Evolve by one event; what it changed."""
        before = self.state
        self.apply(event)
        return changes(before, self.state)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The fields in which two states differ, sorted; lists are compared whole."""
    return tuple(_differences(before, after, ""))


def plain_state(aggregate: Aggregate) -> dict[str, Any]:
    """The state of an aggregate as plain JSON values, by the names of its fields."""
    shown = {name: value for name, value in vars(aggregate).items() if not name.startswith("_")}
    return {name: plain(value) for name, value in sorted(shown.items())}


def plain(value: Any) -> Any:
    """A value of an aggregate's state as JSON: sets sorted, keys as text."""
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, dict):
        return {_key(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        return {name: plain(one) for name, one in fields.items() if one is not msgspec.UNSET}
    return msgspec.to_builtins(value)


def _key(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, _NOTHING), after.get(name, _NOTHING)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{path}{name}.")
        elif old != new:
            yield Change(field=path + name, before=_or_none(old), after=_or_none(new))


def _or_none(value: Any) -> Any:
    return None if value is _NOTHING else value
