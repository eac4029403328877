"""A table of a read model, defined by the type of its rows, on both engines alike.

Column types follow from the row's fields: text, whole numbers and flags as they are; times as UTC text
with six digits, days as ISO text (both sort as they stand); everything else as JSON text. Floats have
no column, because figures must add up.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar, get_type_hints

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Dialect, Index, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

R = TypeVar("R", bound=msgspec.Struct)

METADATA: Final = MetaData()


def write_instant(moment: datetime) -> str:
    """A time as it is stored: UTC, six digits, `Z`. ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


_encode = msgspec.json.Encoder(order="deterministic").encode


def write_json(value: Any) -> str:
    """A value as it is stored; the same value always gives the same text."""
    return _encode(value).decode()


class Instant(TypeDecorator[datetime]):
    """An aware time, kept as UTC text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else write_instant(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A day, kept as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """To text."""
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """From text."""
        return None if value is None else date.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """Any other value, kept as JSON text and read back as its type."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """To text."""
        return write_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """From text."""
        return None if value is None else self._decode(value)


_WORDS: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its bytes, so that pages come in one order on both engines."""


class Kind(NamedTuple):
    """How a field is kept: its column's type, and how a value is written and read; None for as it is."""

    column: TypeEngine[Any]
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None


_KINDS: Final[dict[Any, Kind]] = {
    str: Kind(_WORDS),
    int: Kind(BigInteger()),
    bool: Kind(Boolean(), read=bool),
    datetime: Kind(Instant(), write_instant, datetime.fromisoformat),
    date: Kind(Day(), date.isoformat, date.fromisoformat),
}


class View(Generic[R]):
    """A table and the type of its rows. `key` are the fields that tell rows apart.

    A row is a struct whose fields are the columns, in order. The name ends with the version of its
    read model: another shape is another table.
    """

    def __init__(self, name: str, row: type[R], key: Sequence[str], *indexes: Sequence[str]) -> None:
        self.name, self.row, self.key = name, row, tuple(key)
        self.indexes = tuple(tuple(fields) for fields in indexes)
        hints = get_type_hints(row)
        self._kinds = {field: _kind(hints[field]) for field in row.__struct_fields__}
        self.fields = tuple(self._kinds)
        self._writers = [(at, kind.write) for at, kind in enumerate(self._kinds.values()) if kind.write]
        self._readers = [(at, kind.read) for at, kind in enumerate(self._kinds.values()) if kind.read]
        self.table = self.beside("")

    def beside(self, suffix: str) -> Table:
        """The table under another name, for a rebuild beside the live one."""
        name = self.name + suffix
        if name in METADATA.tables:
            return METADATA.tables[name]
        columns = [
            Column(field, kind.column, primary_key=field in self.key, nullable=field not in self.key)
            for field, kind in self._kinds.items()
        ]
        table = Table(name, METADATA, *columns)
        for fields in self.indexes:
            Index("_".join((name, *fields)), *(table.c[field] for field in fields))
        return table

    def key_of(self, row: R) -> Any:
        """What tells the row apart: the key's value, or a tuple of the values of a longer key."""
        if len(self.key) == 1:
            return getattr(row, self.key[0])
        return tuple(getattr(row, field) for field in self.key)

    def values(self, row: R) -> list[Any]:
        """The row as the engine stores it."""
        values = list(msgspec.structs.astuple(row))
        for at, write in self._writers:
            if values[at] is not None:
                values[at] = write(values[at])
        return values

    def stored(self, values: Iterable[Any]) -> R:
        """The row that the engine has stored so."""
        found = list(values)
        for at, read in self._readers:
            if found[at] is not None:
                found[at] = read(found[at])
        return self.row(*found)


def _kind(hint: Any) -> Kind:
    for plain, kind in _KINDS.items():
        if hint == plain or hint == plain | None:
            return kind
    if hint is float:
        raise TypeError("a read model has no floats")
    return Kind(Json(hint), write_json, msgspec.json.Decoder(hint).decode)
