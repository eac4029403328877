"""A private database for what a check makes anew: on disk, named by nobody, gone when it is closed."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from infrastructure.event_store.database import Rows

CACHE: Final = "-65536"
"""Memory for pages, in KiB (negative as SQLite wants it); what is beyond goes to the temporary folder."""


class Scratch:
    """One connection, as the read models want it (`connection`) and as the store's parts do (a `Session`).

    It lies where SQLite keeps temporary files (`SQLITE_TMPDIR`, `TMPDIR`), which needs room for as much as
    is made anew; the file has no name, so nothing stays behind whatever ends the process.
    """

    def __init__(self) -> None:
        self._raw = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in (f"cache_size={CACHE}", "journal_mode=MEMORY", "synchronous=OFF"):
            self._raw.execute(f"PRAGMA {pragma}")
        self._engine = create_engine("sqlite://", creator=lambda: self._raw, poolclass=StaticPool)
        self.connection: Connection = self._engine.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(self, sql: str, params: Sequence[Any] = ()) -> Rows:
        """All rows of a query."""
        return self._raw.execute(sql, params).fetchall()

    def each(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query as they are asked for; nothing may be written before the last one."""
        return iter(self._raw.execute(sql, params))

    def change(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it changed."""
        return self._raw.execute(sql, params).rowcount

    def change_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self._raw.executemany(sql, rows)

    @contextmanager
    def exclusively(self) -> Iterator[Self]:
        """One transaction: kept at the end, undone by an exception."""
        self._raw.execute("BEGIN")
        try:
            yield self
            self._raw.execute("COMMIT")
        finally:
            self.undo()

    def undo(self) -> None:
        """Undo the transaction, if one is open."""
        if self._raw.in_transaction:
            self._raw.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of everything."""
        self.connection.close()
        self._engine.dispose()
        self._raw.close()
