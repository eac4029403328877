"""The owner of the database: past every trigger, with everything recomputed that hashes would betray."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from domain.aggregate import Aggregate
from domain.ledger.entry import format_entry
from domain.ledger.merkle import leaf_hash
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.database import Store
from infrastructure.event_store.claims import rebuild_claims
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.views import VIEWS_FILE
from tests.fakes import SeededChance
from tests.ledger import ORIGIN

COLUMNS = "idx, stream, ver, topic, at, state, entry, leaf"
Event = dict[str, Any]
Statement = tuple[str, Sequence[object]]


def tamper(store: Store, *statements: Statement) -> None:
    """Run statements on the store, its triggers dropped and its constraints of the vault ignored."""
    if is_sqlite(store.url):
        _run_sqlite(store_file(store.url), statements)
    else:
        _run_postgres(store.url, statements)


def tamper_views(store: Store, *statements: Statement) -> None:
    """Run statements on the read models."""
    if is_sqlite(store.url):
        _run_sqlite(store_file(store.url).parent / VIEWS_FILE, statements)
    else:
        _run_postgres(store.url, statements)


def _run_sqlite(file: Path, statements: Iterable[Statement]) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for sql, values in statements:
            connection.execute(sql, values)


def _run_postgres(url: str, statements: Iterable[Statement]) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        for sql, values in statements:
            owner.execute(sql.replace("?", "%s").encode(), values)


def rewrite(store: Store, change: Callable[[list[Event]], list[Event]]) -> None:
    """Put other events in the place of all, with positions, versions, hashes and links recomputed."""
    events = forged(change([row._asdict() for row in store.recorder.rows()]))
    insert = f"INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
    tamper(store, ("DELETE FROM events", ()), *((insert, tuple(event.values())) for event in events))


def forged(events: list[Event]) -> list[Event]:
    """The events with everything recomputed as the service would have."""
    links: dict[str, tuple[int, str]] = {}
    for idx, event in enumerate(events):
        ver, prev = links.get(event["stream"], (0, ""))
        event["idx"], event["ver"] = idx, ver + 1
        state = sha256(event["state"]).hexdigest()
        text = format_entry(event["at"], idx, prev, state, event["stream"], event["topic"], ver + 1)
        event["entry"], event["leaf"] = text.encode(), leaf_hash(text.encode())
        links[event["stream"]] = ver + 1, event["leaf"].hex()
    return events


def with_state(event: Event, **changes: Any) -> Event:
    """The event with other facts in its state, written canonically."""
    state = msgspec.json.decode(event["state"]) | changes
    return {**event, "state": msgspec.json.encode(state, order="sorted")}


def inserted(events: list[Event], place: int, made: Aggregate) -> list[Event]:
    """The events with what an aggregate decided slipped in at a position, recorded when what stood there was.

    Seals keep the position they name: it points to one event less, which is none of a registry.
    """
    [event] = made.collect_events()
    stored = EventMapper(SeededChance(99)).to_stored_event(event)
    row: Event = dict.fromkeys(COLUMNS.split(", "))
    row |= {"stream": stored.originator_id, "topic": stored.topic, "state": stored.state}
    return [*events[:place], {**row, "at": events[place]["at"]}, *events[place:]]


def tidy(store: Store) -> None:
    """Make claims and read models fit the events as they are now."""
    mapper = EventMapper(SeededChance(98))
    rebuild_claims(store.database, mapper)
    runner = ProjectionRunner(store, mapper, log=ORIGIN)
    try:
        runner.rebuild()
    finally:
        runner.close()
