"""Reading and writing many rows with one statement, on each engine the way it does that fast."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Row, Table

from projections.view import write_json

PIECE: Final = 10_000
"""Rows in one statement: keeps memory flat, and one array far below what PostgreSQL takes."""

_PART: Final = "\x1f"
_NONE: Final = "\x1e"


def select_among(
    connection: Connection, table: Table, field: str, values: Sequence[Any]
) -> Sequence[Row[Any]]:
    """The rows whose field is one of the values, all of which are texts or all numbers; as stored."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    if connection.dialect.name == "sqlite":
        among, given = "IN (SELECT value FROM json_each(?))", write_json(list(values))
    else:
        array, given = _array(_base(table.columns[field].type), values)
        among = f"= ANY ({array})"
    statement = f'SELECT {names} FROM "{table.name}" WHERE "{field}" {among}'  # noqa: S608
    return connection.exec_driver_sql(statement, (given,)).all()


def upsert(connection: Connection, table: Table, rows: Iterable[Sequence[Any]]) -> None:
    """Insert the rows, or replace those whose key is there. Values are as the engine stores them."""
    remaining = iter(rows)
    while piece := list(islice(remaining, PIECE)):
        _write(connection, table, piece)


def delete(connection: Connection, table: Table, keys: Sequence[Sequence[Any]]) -> None:
    """Delete the rows with these keys, each a sequence of the primary key's values."""
    where = " AND ".join(f'"{column.name}" = ?' for column in table.primary_key)
    marks = where if connection.dialect.name == "sqlite" else where.replace("?", "%s")
    if keys:
        connection.exec_driver_sql(f'DELETE FROM "{table.name}" WHERE {marks}', [tuple(k) for k in keys])  # noqa: S608


def _write(connection: Connection, table: Table, rows: list[Sequence[Any]]) -> None:
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(_statement(table, f"VALUES ({marks})"), [tuple(row) for row in rows])
        return
    columns = zip(table.columns, zip(*rows, strict=True), strict=True)
    arrays = [_array(_base(column.type), values) for column, values in columns]
    source = ", ".join(expression for expression, _ in arrays)
    statement = _statement(table, f"SELECT * FROM unnest({source})")  # noqa: S608
    connection.exec_driver_sql(statement, tuple(text for _, text in arrays))


def _statement(table: Table, source: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    others = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    end = f"DO UPDATE SET {changes}" if others else "DO NOTHING"
    return f'INSERT INTO "{table.name}" ({names}) {source} ON CONFLICT ({key}) {end}'


def _base(kind: Any) -> str:
    return "bigint" if isinstance(kind, BigInteger) else "boolean" if isinstance(kind, Boolean) else "text"


def _array(base: str, values: Sequence[Any]) -> tuple[str, str]:
    """The SQL of an array and its one parameter.

    Written here, because psycopg dumps arrays element by element in Python: the values joined, or the
    array's own notation where one of them holds the signs that part them.
    """
    words = values if base == "text" else [None if value is None else str(value) for value in values]
    joined = _PART.join([_NONE if word is None else word for word in words])
    parts = joined.count(_PART) + 1 == len(words) and joined.count(_NONE) == words.count(None)
    if joined and parts:
        return f"string_to_array(%s, E'\\x1f', E'\\x1e')::{base}[]", joined
    return f"%s::{base}[]", "{" + ",".join(map(_quote, words)) + "}"


def _quote(word: str | None) -> str:
    if word is None:
        return "NULL"
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
