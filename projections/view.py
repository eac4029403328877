"""A table of a read model, defined by the type of its rows, on both engines alike.

Column types follow from the row's fields: text, whole numbers and flags as they are; times as UTC text
with six digits, days as ISO text (both sort as they stand); everything else as JSON text. Floats have
no column, because figures must add up.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Generic, TypeVar, get_type_hints

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


def write_text(text: str) -> str:
    """A text as it is stored: PostgreSQL has no zero character, so both engines get a replacement."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def write_json(value: Any) -> str:
    """A value as it is stored; the same value always gives the same text."""
    return msgspec.json.encode(value, order="deterministic").decode()


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

_TYPES: Final[dict[Any, tuple[TypeEngine[Any], Callable[[Any], Any] | None]]] = {
    str: (_WORDS, write_text),
    int: (BigInteger(), None),
    bool: (Boolean(), None),
    datetime: (Instant(), write_instant),
    date: (Day(), date.isoformat),
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
        kinds = {field: _kind(hints[field]) for field in row.__struct_fields__}
        self.fields = tuple(kinds)
        self.writers = tuple(writer for _, writer in kinds.values())
        self._types = {field: kind for field, (kind, _) in kinds.items()}
        self.table = self.beside("")

    def beside(self, suffix: str) -> Table:
        """The table under another name, for a rebuild beside the live one."""
        name = self.name + suffix
        if name in METADATA.tables:
            return METADATA.tables[name]
        columns = [
            Column(field, kind, primary_key=field in self.key, nullable=field not in self.key)
            for field, kind in self._types.items()
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

    def values(self, row: R) -> tuple[Any, ...]:
        """The row as the engine stores it."""
        return tuple(
            value if writer is None or value is None else writer(value)
            for value, writer in zip(msgspec.structs.astuple(row), self.writers, strict=True)
        )


def _kind(hint: Any) -> tuple[TypeEngine[Any], Callable[[Any], Any] | None]:
    for plain in _TYPES:
        if hint == plain or hint == plain | None:
            return _TYPES[plain]
    if hint is float:
        raise TypeError("a read model has no floats")
    return Json(hint), write_json
