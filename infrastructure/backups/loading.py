"""Putting rows into a store's tables by plain INSERT: every trigger and check of the table is in force."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import psycopg

from infrastructure.backups.tables import TOKENS, Kind, Row, Table
from infrastructure.event_store.database import Session
from infrastructure.event_store.postgres import PostgresSession

UNFIT: Final = (sqlite3.IntegrityError, OverflowError, psycopg.IntegrityError, psycopg.DataError)
"""What the engines say to rows that a table does not take."""

BATCH: Final = 1000
_ARRAYS: Final[dict[Kind, str]] = {
    "integer": "%s::bigint[]",
    "text": "%s::text[]",
    "text or null": "%s::text[]",
    "flag": "%s::boolean[]",
    "bytes": "%b::bytea[]",
    "hash": "%b::bytea[]",
}


def insert_rows(session: Session, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows in their order. Raises one of `UNFIT` for a row that the table refuses."""
    if not isinstance(session, PostgresSession):
        marks = ", ".join("?" * len(table.columns))
        session.change_many(f"INSERT INTO {table.name} ({', '.join(table.names)}) VALUES ({marks})", rows)  # noqa: S608
        return
    for start in range(0, len(rows), BATCH):
        _insert_arrays(session, table, rows[start : start + BATCH])


def _insert_arrays(session: PostgresSession, table: Table, rows: Sequence[Row]) -> None:
    """One statement for many rows, an array for each column: no pipeline, which hangs on large statements."""
    arrays = ", ".join(_ARRAYS[kind] for kind in table.kinds)
    names = ", ".join(table.names)
    sql = (
        f"INSERT INTO {table.name} ({names}) "  # noqa: S608
        f"SELECT {names} FROM unnest({arrays}) WITH ORDINALITY AS u ({names}, nth) ORDER BY nth"
    )
    session.connection.execute(sql.encode(), [list(column) for column in zip(*rows, strict=True)])


def revoked(rows: Sequence[Row]) -> list[Row]:
    """Rows of tokens, all revoked: what was revoked after the backup must not be valid again."""
    place = TOKENS.names.index("revoked")
    return [(*row[:place], True, *row[place + 1 :]) for row in rows]
