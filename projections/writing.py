"""Reading and writing many rows with one statement, on each engine the way it does that fast."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Connection, Row, Table

from projections.view import write_json

PIECE: Final = 10_000
"""Rows in one statement: keeps memory flat, and one array far below what PostgreSQL takes."""


def select_among(
    connection: Connection, table: Table, field: str, values: Sequence[Any]
) -> Sequence[Row[Any]]:
    """The rows whose field is one of the values, all of which are texts or all numbers; as stored."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    if connection.dialect.name == "sqlite":
        among, given = "IN (SELECT value FROM json_each(?))", write_json(list(values))
    else:
        kind = table.columns[field].type
        among, given = f"= ANY (%s::{_base(kind)}[])", _array(values, _element(kind))
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
    marks = ", ".join(f"%s::{_base(column.type)}[]" for column in table.columns)
    columns = zip(*rows, strict=True)
    arrays = tuple(
        _array(values, _element(column.type)) for column, values in zip(table.columns, columns, strict=True)
    )
    connection.exec_driver_sql(_statement(table, f"SELECT * FROM unnest({marks})"), arrays)  # noqa: S608


def _statement(table: Table, source: str) -> str:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    others = [column.name for column in table.columns if not column.primary_key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    end = f"DO UPDATE SET {changes}" if others else "DO NOTHING"
    return f'INSERT INTO "{table.name}" ({names}) {source} ON CONFLICT ({key}) {end}'


def _base(kind: Any) -> str:
    return "bigint" if isinstance(kind, BigInteger) else "boolean" if isinstance(kind, Boolean) else "text"


def _element(kind: Any) -> Callable[[Any], str]:
    if isinstance(kind, BigInteger | Boolean):
        return str
    return _quote


def _array(values: Iterable[Any], element: Callable[[Any], str]) -> str:
    # Written here, because psycopg dumps arrays element by element in Python: five times slower.
    return "{" + ",".join("NULL" if value is None else element(value) for value in values) + "}"


def _quote(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
