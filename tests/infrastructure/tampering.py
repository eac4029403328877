"""What the owner of a database can do to a log: drop the triggers, write what he likes, recompute hashes."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from typing import Any

import psycopg

from domain.ledger.entry import format_entry
from domain.ledger.merkle import leaf_hash
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.database import Store

COLUMNS = "idx, stream, ver, topic, at, state, entry, leaf"
Event = dict[str, Any]
_BYTEWISE = {True: "", False: ' COLLATE "C"'}
Change = Callable[[list[Event]], list[Event]]


def tamper(store: Store, *statements: tuple[str, Sequence[object]]) -> None:
    """Run statements as the owner of the database, who drops the triggers first."""
    if is_sqlite(store.url):
        with closing(sqlite3.connect(store_file(store.url))) as connection, connection:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for sql, values in statements:
                connection.execute(sql, values)
        return
    with psycopg.connect(store.url) as owner:
        owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        for sql, values in statements:
            owner.execute(sql.replace("?", "%s").encode(), values)


def without_constraints(store: Store) -> None:
    """Put a table that refuses nothing in the place of the log's."""
    stream = f"stream text{_BYTEWISE[is_sqlite(store.url)]}"
    columns = f"idx bigint, {stream}, ver bigint, topic text, at text, state bytea, entry bytea, leaf bytea"
    statements = (
        "ALTER TABLE events RENAME TO kept",
        f"CREATE TABLE events ({columns})",
        f"INSERT INTO events ({COLUMNS}) SELECT {COLUMNS} FROM kept",  # noqa: S608
        "DROP TABLE kept",
    )
    if is_sqlite(store.url):
        with closing(sqlite3.connect(store_file(store.url))) as connection, connection:
            for sql in statements:
                connection.execute(sql.replace("bytea", "blob").replace("bigint", "integer"))
        return
    with psycopg.connect(store.url) as owner:
        for sql in statements:
            owner.execute(sql.encode())


def rewrite(store: Store, change: Change) -> None:
    """Put other events in the place of all."""
    events = [row._asdict() for row in store.recorder.rows()]
    kept = change(events)
    insert = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    inserts: Iterable[tuple[str, Sequence[object]]] = ((insert, tuple(event.values())) for event in kept)
    tamper(store, ("DELETE FROM events", ()), *inserts)


def forged(events: list[Event]) -> list[Event]:
    """The events with everything recomputed: positions, versions, state hashes, links, leaves."""
    links: dict[str, tuple[int, str]] = {}
    for idx, event in enumerate(events):
        ver, prev = links.get(event["stream"], (0, ""))
        event["idx"], event["ver"] = idx, ver + 1
        state = sha256(event["state"]).hexdigest()
        text = format_entry(event["at"], idx, prev, state, event["stream"], event["topic"], ver + 1)
        event["entry"], event["leaf"] = text.encode(), leaf_hash(text.encode())
        links[event["stream"]] = ver + 1, event["leaf"].hex()
    return events
