"""Events to stored bytes and back.

The stored state is canonical JSON: the event's fields without its stream id and version, and a random
`salt`, so that the hash of the state in the public ledger tells nobody what the state is.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent
from eventsourcing.utils import TopicError, get_topic, resolve_topic

from application.ports import Chance
from domain.aggregate import DomainEvent
from domain.errors import EventRefused, EventUnreadable

NUMBER_LIMIT = 2**53 - 1
SALT_SIZE = 16

_encode = msgspec.json.Encoder(order="sorted").encode


class EventMapper(Mapper[str]):
    """Writes and reads the stored bytes of events. `chance` gives the salts.

    No compressor and no cipher, whatever the library's environment variables say: the bytes are what the
    ledger hashes.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._decoders: dict[str, msgspec.json.Decoder[DomainEvent]] = {}

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """The event as it is stored.

        Raises EventRefused (facts `topic`, `field`, `why`) for a time without a zone, a float, an integer
        beyond 2⁵³−1, a lone surrogate, or anything else that canonical JSON cannot say.
        """
        return stored_with(domain_event, self._chance.token(SALT_SIZE).hex())

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The event that was stored. Raises EventUnreadable: `stream`, `version`, `topic`, `reason`."""
        decoder = self._decoders.get(stored_event.topic) or self._decoder(stored_event)
        stream, version = _encode(stored_event.originator_id), stored_event.originator_version
        head = b'{"originator_id":%b,"originator_version":%d,' % (stream, version)
        try:
            if stored_event.state[:1] != b"{":
                raise msgspec.DecodeError("not a JSON object")
            return cast(DomainEventProtocol[str], decoder.decode(head + stored_event.state[1:]))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _unreadable(stored_event, str(error)) from error

    def _decoder(self, stored: StoredEvent) -> "msgspec.json.Decoder[DomainEvent]":
        decoder = msgspec.json.Decoder(_event_class(stored))
        self._decoders[stored.topic] = decoder
        return decoder


def stored_with(domain_event: DomainEventProtocol[str], salt: str) -> StoredEvent:
    """The event as it is stored with this salt (hex). Raises EventRefused as `to_stored_event` does."""
    topic = get_topic(type(domain_event))
    state = _plain_state(topic, domain_event)
    stream, version = state.pop("originator_id"), state.pop("originator_version")
    if "salt" in state:
        raise EventRefused(topic=topic, field="salt", why="the name is taken by the store")
    state["salt"] = salt
    return StoredEvent(stream, version, topic, _encoded(topic, state))


def _event_class(stored: StoredEvent) -> type[DomainEvent]:
    # A topic with a colon is an import path to the library: stored text must never name what is imported.
    if ":" in stored.topic:
        raise _unreadable(stored, "topic unknown")
    try:
        found = resolve_topic(stored.topic)
    except TopicError as error:
        raise _unreadable(stored, "topic unknown") from error
    if not (isinstance(found, type) and issubclass(found, DomainEvent)):
        raise _unreadable(stored, "topic is not an event's")
    return found


def _unreadable(stored: StoredEvent, reason: str) -> EventUnreadable:
    return EventUnreadable(
        stream=stored.originator_id,
        version=stored.originator_version,
        topic=stored.topic,
        reason=reason,
    )


class _Unfit(Exception):
    """A value that must never be stored; `path` leads to it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.path: list[str] = []

    def under(self, step: str) -> "_Unfit":
        self.path.insert(0, step)
        return self


def _plain_state(topic: str, event: object) -> dict[str, Any]:
    try:
        builtins = msgspec.to_builtins(event, builtin_types=(datetime, date), order="sorted")
        return _plain_object(cast(dict[str, Any], builtins))
    except _Unfit as unfit:
        raise _refused(topic, unfit) from unfit
    except TypeError as error:
        raise EventRefused(topic=topic, field="", why=str(error)) from error


def _encoded(topic: str, state: dict[str, Any]) -> bytes:
    try:
        return _encode(state)
    except UnicodeEncodeError as error:
        # Looking for lone surrogates costs more than encoding: it is done where there are some.
        raise _refused(topic, _surrogate_in(state)) from error


def _refused(topic: str, unfit: _Unfit) -> EventRefused:
    return EventRefused(topic=topic, field=".".join(unfit.path), why=str(unfit))


def _surrogate_in(value: Any) -> _Unfit:
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for step, part in parts:
        if _unencodable(step) or (isinstance(part, str) and _unencodable(part)):
            return _Unfit("a lone surrogate").under(_step(step))
        if isinstance(part, dict | list) and _unencodable(part):
            return _surrogate_in(part).under(_step(step))
    raise AssertionError("there is none")


def _unencodable(value: Any) -> bool:
    try:
        _encode(value)
    except UnicodeEncodeError:
        return True
    return False


def _step(name: Any) -> str:
    return ascii(name).strip("'")


def _plain(value: Any) -> Any:
    check = _CHECKS.get(type(value))
    if check is None:
        raise _Unfit(f"{type(value).__name__} cannot be stored")
    return check(value)


def _plain_object(value: Mapping[Any, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, item in value.items():
        try:
            if type(name) is not str:
                raise _Unfit("a name that is not text")
            plain[name] = item if type(item) is str else _plain(item)
        except _Unfit as unfit:
            raise unfit.under(_step(name)) from None
    return plain


def _plain_list(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    plain: list[Any] = []
    for nth, item in enumerate(value):
        try:
            plain.append(_plain(item))
        except _Unfit as unfit:
            raise unfit.under(str(nth)) from None
    return plain


def _plain_integer(value: int) -> int:
    if not -NUMBER_LIMIT <= value <= NUMBER_LIMIT:
        raise _Unfit("an integer beyond 2^53-1")
    return value


def _plain_time(value: datetime) -> str:
    if value.utcoffset() is None:
        raise _Unfit("a time without a zone")
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


# Of UTC times only: elsewhere two times that differ in `fold` alone would be taken for one.
@lru_cache(maxsize=1024)
def _utc_text(value: datetime) -> str:
    return value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _refuse_float(value: float) -> Any:
    raise _Unfit("a float")


def _same(value: Any) -> Any:
    return value


_CHECKS: dict[type, Callable[[Any], Any]] = {
    str: _same,
    int: _plain_integer,
    bool: _same,
    type(None): _same,
    datetime: _plain_time,
    date: date.isoformat,
    dict: _plain_object,
    list: _plain_list,
    tuple: _plain_list,
    float: _refuse_float,
}
