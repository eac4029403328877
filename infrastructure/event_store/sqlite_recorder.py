"""Appending to the embedded store: one IMMEDIATE transaction for events, entries and all beside them."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from eventsourcing.persistence import IntegrityError, StoredEvent

from application.ports import AnswerKept, Append, Clock, Erasure, Quiet, RetryKey, TokenWrite, VaultWrite
from domain.errors import ClaimTaken, ClockBehind, RegistryMoved
from domain.ledger.entry import chain, format_at, recorded_at
from domain.ledger.errors import ClockBehind as EntryClockBehind
from infrastructure.event_store.beside import (
    answer_position,
    answer_text,
    check_names,
    credential_row,
    token_row,
    vault_row,
)
from infrastructure.event_store.claims import Turn, turns
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.event_store.sqlite import SqliteDatabase, SqliteSession

NOTHING = Append()


class SqliteRecorder(EventRecorder):
    """The log in a SQLite file; `clock` gives the recorded time."""

    database: SqliteDatabase

    def __init__(self, database: SqliteDatabase, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock

    def append(self, stored_events: Sequence[StoredEvent], append: Append | None) -> int:
        """Write the events and all that goes with them at once; the position of the first event."""
        check_names(stored_events)
        beside = append or NOTHING
        claims = turns(beside.claims)
        with self.database.exclusively() as session:
            _refuse_twin(session, beside.retry)
            first, at = self._head(session)
            _refuse_moved(session, beside.quiet)
            _insert_events(session, stored_events, first, at)
            _move_claims(session, claims)
            _keep_persons(session, beside.vault)
            _erase_persons(session, beside.erasures, at)
            _keep_secrets(session, beside)
            position = answer_position(beside, len(stored_events), first)
            _keep_answer(session, beside, position)
        return first

    def _head(self, session: SqliteSession) -> tuple[int, str]:
        rows = session.fetch("SELECT idx, at FROM events ORDER BY idx DESC LIMIT 1")
        idx, last = rows[0] if rows else (-1, "")
        now = self._clock.now()
        try:
            return idx + 1, recorded_at(now, last)
        except EntryClockBehind as error:
            raise ClockBehind(now=format_at(now), last=last) from error


def _refuse_twin(session: SqliteSession, retry: RetryKey | None) -> None:
    sql = "SELECT 1 FROM answers WHERE account = ? AND key = ?"
    if retry is not None and session.fetch(sql, (retry.account, retry.key)):
        raise AnswerKept


def _refuse_moved(session: SqliteSession, quiet: Quiet | None) -> None:
    if quiet is None or not quiet.prefixes:
        return
    any_prefix = " OR ".join(["substr(topic, 1, ?) = ?"] * len(quiet.prefixes))
    sql = f"SELECT idx FROM events WHERE idx > ? AND ({any_prefix}) ORDER BY idx LIMIT 1"  # noqa: S608
    lengths = [value for prefix in quiet.prefixes for value in (len(prefix), prefix)]
    if rows := session.fetch(sql, (quiet.since, *lengths)):
        raise RegistryMoved(since=quiet.since, idx=rows[0][0])


def _insert_events(session: SqliteSession, events: Sequence[StoredEvent], first: int, at: str) -> None:
    prevs = _prevs(session, events)
    recorded = [(e.state, str(e.originator_id), e.topic, e.originator_version) for e in events]
    rows = (
        (idx, stream, ver, topic, state, at, entry, leaf)
        for idx, ((state, stream, topic, ver), (entry, leaf)) in enumerate(
            zip(recorded, chain(recorded, at=at, idx=first, prevs=prevs), strict=True), first
        )
    )
    columns = "idx, stream, ver, topic, state, at, entry, leaf"
    session.change_many(f"INSERT INTO events ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608


def _prevs(session: SqliteSession, events: Sequence[StoredEvent]) -> dict[str, str]:
    """The leaf hashes that the streams of the batch go on from; later gaps are refused by the table."""
    sql = "SELECT leaf FROM events WHERE stream = ? AND ver = ?"
    prevs: dict[str, str] = {}
    for stream, ver in _first_versions(events).items():
        if ver > 1:
            rows = session.fetch(sql, (stream, ver - 1))
            if not rows:
                raise IntegrityError(f"{stream} has no version {ver - 1}")
            prevs[stream] = rows[0][0].hex()
    return prevs


def _first_versions(events: Sequence[StoredEvent]) -> dict[str, int]:
    firsts: dict[str, int] = {}
    for event in events:
        firsts.setdefault(str(event.originator_id), event.originator_version)
    return firsts


def _move_claims(session: SqliteSession, claims: Sequence[Turn]) -> None:
    ordered = sorted(claims, key=lambda claim: claim.turn)
    for _, turn in groupby(ordered, key=lambda claim: claim.turn):
        moves = list(turn)
        for claim in moves:
            if claim.released:
                _release(session, claim)
        _take(session, [claim for claim in moves if not claim.released])


def _release(session: SqliteSession, claim: Turn) -> None:
    sql = "DELETE FROM claims WHERE kind = ? AND key = ? AND stream = ?"
    if not session.change(sql, (claim.kind, claim.key, claim.stream)):
        raise _taken(session, claim)


def _take(session: SqliteSession, claims: Sequence[Turn]) -> None:
    latest: list[Turn] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for claim in claims:
            latest[:] = [claim]
            yield claim.kind, claim.key, claim.stream

    try:
        session.change_many("INSERT INTO claims (kind, key, stream) VALUES (?, ?, ?)", rows())
    except sqlite3.IntegrityError as error:
        raise _taken(session, latest[0]) from error


def _taken(session: SqliteSession, claim: Turn) -> ClaimTaken:
    sql = "SELECT stream FROM claims WHERE kind = ? AND key = ?"
    rows = session.fetch(sql, (claim.kind, claim.key))
    return ClaimTaken(kind=claim.kind, key=claim.key, holder=rows[0][0] if rows else "")


def _keep_persons(session: SqliteSession, writes: Sequence[VaultWrite]) -> None:
    sql = (
        "INSERT INTO vault (person, value, salt, unique_key, retain_until) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (person) DO UPDATE SET value = excluded.value, salt = excluded.salt, "
        "unique_key = excluded.unique_key, retain_until = excluded.retain_until "
        "WHERE vault.erased_at IS NULL"
    )
    session.change_many(sql, (_unrivalled(session, vault_row(write)) for write in writes))


def _erase_persons(session: SqliteSession, erasures: Sequence[Erasure], at: str) -> None:
    sql = (
        "INSERT INTO vault (person, erased_at) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET "
        "value = NULL, salt = NULL, unique_key = NULL, "
        "erased_at = coalesce(vault.erased_at, excluded.erased_at)"
    )
    for erasure in erasures:
        session.change(sql, (erasure.person, at))
        session.change("DELETE FROM credentials WHERE account = ?", (erasure.account,))
    if erasures:
        # Pages that were split keep old keys in their unused room, which `secure_delete` does not see.
        session.change("REINDEX vault")
        session.change("REINDEX credentials")


def _unrivalled(session: SqliteSession, row: dict[str, Any]) -> tuple[Any, ...]:
    """The row, unless somebody else has its unique key; the rows before it are written by then."""
    if row["unique_key"]:
        sql = "SELECT person FROM vault WHERE unique_key = ? AND person <> ?"
        other = session.fetch(sql, (row["unique_key"], row["person"]))
        if other:
            raise ClaimTaken(kind="vault", key="", holder=other[0][0])
    return tuple(row.values())


def _keep_secrets(session: SqliteSession, beside: Append) -> None:
    for row in map(credential_row, beside.credentials):
        _keep_login(session, row)
    for token in beside.tokens:
        _keep_token(session, token)


def _keep_login(session: SqliteSession, row: dict[str, Any]) -> None:
    other = session.fetch(
        "SELECT account FROM credentials WHERE login = ? AND account <> ?", (row["login"], row["account"])
    )
    if other:
        raise ClaimTaken(kind="login", key=row["login"], holder=other[0][0])
    session.change(
        "INSERT INTO credentials (account, login, password_hash) VALUES (?, ?, ?) "
        "ON CONFLICT (account) DO UPDATE SET login = excluded.login, password_hash = excluded.password_hash, "
        "failures = 0, locked_until = NULL",
        tuple(row.values()),
    )


def _keep_token(session: SqliteSession, write: TokenWrite) -> None:
    session.change(
        "INSERT INTO tokens (token, account, digest, expires_at, revoked) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (token) DO UPDATE SET expires_at = excluded.expires_at, "
        "revoked = max(revoked, excluded.revoked)",
        tuple(token_row(write).values()),
    )


def _keep_answer(session: SqliteSession, beside: Append, position: int) -> None:
    if beside.retry is None:
        return
    session.change(
        "INSERT INTO answers (account, key, request, answer, position) VALUES (?, ?, ?, ?, ?)",
        (beside.retry.account, beside.retry.key, beside.retry.request, answer_text(beside), position),
    )
