"""The store's tables as a backup holds them: the same lines for both engines.

A row is one line, a JSON array of its columns. Bytes stand as text where they are text (states and entries
are), else as `{"base64": …}`; a hash stands in hex.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from infrastructure.event_store.database import Rows, Session

Kind = Literal["integer", "text", "text or null", "flag", "bytes", "hash"]
Row = tuple[Any, ...]


class Encoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes that are no text."""

    base64: str


def say_bytes(value: bytes) -> str | Encoded:
    """Bytes as they stand in a line."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return Encoded(b64encode(value).decode())


def read_bytes(said: str | Encoded) -> bytes:
    """The bytes again; ValueError for what is no base64."""
    return said.encode() if isinstance(said, str) else b64decode(said.base64, validate=True)


_TYPES: Final[dict[Kind, Any]] = {
    "integer": int,
    "text": str,
    "text or null": str | None,
    "flag": bool,
    "bytes": str | Encoded,
    "hash": str,
}
_SAY: Final[dict[Kind, Callable[[Any], Any]]] = {
    "flag": bool,
    "bytes": say_bytes,
    "hash": bytes.hex,
}
_READ: Final[dict[Kind, Callable[[Any], Any]]] = {
    "bytes": read_bytes,
    "hash": bytes.fromhex,
}


@dataclass(frozen=True)
class Table:
    """A table: its columns in the order of the lines, and its key, which comes first among them."""

    name: str
    columns: tuple[tuple[str, Kind], ...]
    key: int = 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The columns' kinds."""
        return tuple(kind for _, kind in self.columns)

    def page(self, session: Session, after: Row | None, limit: int) -> Rows:
        """The rows that follow the one with the key `after`, in the order of the keys."""
        key = self.names[: self.key]
        marks = ", ".join("?" * self.key)
        where = "" if after is None else f"WHERE ({', '.join(key)}) > ({marks}) "
        sql = f"SELECT {', '.join(self.names)} FROM {self.name} {where}ORDER BY {', '.join(key)} LIMIT ?"  # noqa: S608
        return session.fetch(sql, (*(after or ()), limit))

    def is_empty(self, session: Session) -> bool:
        """Whether it has no row."""
        return not session.fetch(f"SELECT 1 FROM {self.name} LIMIT 1")  # noqa: S608

    def encode(self, rows: Iterable[Row]) -> bytes:
        """The rows as lines."""
        changes = [(place, _SAY[kind]) for place, kind in enumerate(self.kinds) if kind in _SAY]
        return _ENCODER.encode_lines(_changed(row, changes) for row in rows)

    def decode(self, lines: bytes) -> list[Row]:
        """The rows of lines; ValueError for a line that is no row of this table."""
        changes = [(place, _READ[kind]) for place, kind in enumerate(self.kinds) if kind in _READ]
        try:
            return [tuple(_changed(row, changes)) for row in self._decoder.decode_lines(lines)]
        except (msgspec.DecodeError, Base64Error) as error:
            raise ValueError(str(error)) from error

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[Row]":
        return msgspec.json.Decoder(tuple[tuple(_TYPES[kind] for kind in self.kinds)])  # type: ignore[misc]


_ENCODER: Final = msgspec.json.Encoder()


def _changed(row: Sequence[Any], changes: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Any]:
    values = list(row)
    for place, change in changes:
        values[place] = change(values[place])
    return values


EVENTS: Final = Table(
    "events",
    (
        ("idx", "integer"),
        ("stream", "text"),
        ("ver", "integer"),
        ("topic", "text"),
        ("at", "text"),
        ("state", "bytes"),
        ("entry", "bytes"),
        ("leaf", "hash"),
    ),
)
CLAIMS: Final = Table("claims", (("kind", "text"), ("key", "text"), ("stream", "text")), key=2)
ANSWERS: Final = Table(
    "answers",
    (
        ("account", "text"),
        ("key", "text"),
        ("request", "text"),
        ("answer", "text"),
        ("position", "integer"),
    ),
    key=2,
)
VAULT: Final = Table(
    "vault",
    (
        ("person", "text"),
        ("value", "text or null"),
        ("salt", "text or null"),
        ("unique_key", "text or null"),
        ("retain_until", "text or null"),
        ("erased_at", "text or null"),
    ),
)
CREDENTIALS: Final = Table(
    "credentials",
    (
        ("account", "text"),
        ("login", "text"),
        ("password_hash", "text"),
        ("failures", "integer"),
        ("locked_until", "text or null"),
    ),
)
TOKENS: Final = Table(
    "tokens",
    (
        ("token", "text"),
        ("account", "text"),
        ("digest", "text"),
        ("expires_at", "text"),
        ("revoked", "flag"),
    ),
)
LATCH: Final = Table("latch", (("one", "integer"), ("size", "integer"), ("note", "bytes")))

TABLES: Final = {table.name: table for table in (EVENTS, CLAIMS, ANSWERS, VAULT, CREDENTIALS, TOKENS, LATCH)}
"""All tables that are backed up, in order. The read models are not: they are made again from the events."""
