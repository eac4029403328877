"""Appending on PostgreSQL: one call of `sunlot_append`, which takes the log's lock and writes everything."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg.types.numeric import Int8

from application.ports import AnswerKept, Append, Clock
from domain.errors import ClaimTaken, ClockBehind, RegistryMoved
from domain.ledger.entry import format_at
from infrastructure.event_store.beside import (
    answer_text,
    check_names,
    credential_row,
    encode_json,
    erasure_row,
    keeps_nothing,
    token_row,
    vault_row,
)
from infrastructure.event_store.claims import turns
from infrastructure.event_store.postgres import UNKNOWN, PostgresDatabase
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.event_store.shared_commit import SharedCommit

_CALL = "SELECT sunlot_append(%s, %b::text[], %b::bigint[], %b::text[], %b::bytea[], %s::json)"

Params = tuple[Any, ...]
"""What `sunlot_append` is called with."""


class PostgresRecorder(EventRecorder):
    """The log in a PostgreSQL schema; `clock` gives the recorded time."""

    database: PostgresDatabase

    def __init__(self, database: PostgresDatabase, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock
        self.shared = SharedCommit(self._append_alone, self._append_together)

    def append(self, stored_events: Sequence[StoredEvent], append: Append | None) -> int:
        """Write the events and all that goes with them at once; the position of the first event."""
        check_names(stored_events)
        params = (
            format_at(self._clock.now()),
            [str(event.originator_id) for event in stored_events],
            [Int8(event.originator_version) for event in stored_events],
            [event.topic for event in stored_events],
            [event.state for event in stored_events],
            None if append is None or keeps_nothing(append) else _beside(append),
        )
        return self.shared.write(params)

    def _append_alone(self, params: Params) -> int:
        with self.database.session(lost=UNKNOWN) as session:
            return _call(session.connection, params)

    def _append_together(self, appends: Iterable[Params]) -> list[int]:
        # The function's lock is held until the commit: nobody comes between.
        with self.database.session(lost=UNKNOWN) as session, session.connection.transaction():
            return [_call(session.connection, params) for params in appends]


def _call(connection: psycopg.Connection[Any], params: Params) -> int:
    try:
        row = connection.execute(_CALL, params, prepare=True).fetchone()
    except psycopg.DatabaseError as error:
        raise _refusal(error) from error
    first: int = row[0] if row else 0
    return first


def _beside(append: Append) -> str:
    """What goes with the events, as the function reads it."""
    kept: dict[str, Any] = {
        "claims": [{"nth": nth, **claim._asdict()} for nth, claim in enumerate(turns(append.claims))],
        "vault": [*map(vault_row, append.vault), *map(erasure_row, append.erasures)],
        "credentials": [credential_row(write) for write in append.credentials],
        "tokens": [token_row(write) for write in append.tokens],
        "quiet": append.quiet,
        "retry": append.retry,
        "answer": answer_text(append),
        "position": append.answer.position if append.answer else -1,
    }
    return encode_json({name: value for name, value in kept.items() if value}).decode()


def _refusal(error: psycopg.DatabaseError) -> Exception:
    """What the function refused, in the words of the domain; any other error as it is."""
    facts = (
        msgspec.json.decode(error.diag.message_detail or "{}")
        if error.diag.message_primary == "sunlot"
        else {}
    )
    match error.sqlstate:
        case "SL001":
            return AnswerKept()
        case "SL002":
            return ClockBehind(**facts)
        case "SL003":
            return RegistryMoved(**facts)
        case "SL004":
            return ClaimTaken(**facts)
        case "SL005":
            return IntegrityError("{stream} has no version before {version}".format(**facts))
    return error
