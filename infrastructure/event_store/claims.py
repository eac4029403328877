"""Claims: names that one stream holds in the whole log."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from eventsourcing.persistence import Mapper, StoredEvent

from application.ports import ClaimWrite
from domain.aggregate import DomainEvent
from domain.errors import EventRefused
from infrastructure.event_store.database import Database, Session

PAGE = 1000
BATCH = 500
TEXT_LIMIT = 512


class Turn(NamedTuple):
    """One taking or giving back, as the engines write it.

    `turn` counts the claims of one (kind, key) within an append: inside a turn all names differ, so that an
    engine may handle it as a set, and turns in order keep the order of the events.
    """

    turn: int
    stream: str
    kind: str
    key: str
    released: bool


def turns(writes: Sequence[ClaimWrite]) -> list[Turn]:
    """The claims of an append with their turns. EventRefused for a name that no engine can index."""
    seen: defaultdict[tuple[str, str], int] = defaultdict(int)
    return [_turn(write, seen) for write in writes]


def _turn(write: ClaimWrite, seen: defaultdict[tuple[str, str], int]) -> Turn:
    claim = write.claim
    name = claim.kind, claim.key
    if len(claim.kind) > TEXT_LIMIT or len(claim.key) > TEXT_LIMIT or "\0" in claim.key:
        raise EventRefused(topic="", field="claim", why=f"a name over {TEXT_LIMIT} characters or with a zero")
    seen[name] += 1
    return Turn(seen[name], write.stream, claim.kind, claim.key, claim.released)


class StoredClaims:
    """The claims that are held now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holder(self, kind: str, key: str) -> str | None:
        """The stream that holds the claim, or None."""
        rows = self._database.fetch("SELECT stream FROM claims WHERE kind = ? AND key = ?", (kind, key))
        return rows[0][0] if rows else None

    def holders(self, kind: str, keys: Sequence[str]) -> Mapping[str, str]:
        """The streams that hold those of the keys that are held; any number of keys."""
        held: dict[str, str] = {}
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT key, stream FROM claims WHERE kind = ? AND key IN ({marks})"  # noqa: S608
            held.update(self._database.fetch(sql, (kind, *some)))
        return held

    def keys(self, kind: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """All held (key, stream) of a kind whose key starts with `prefix`, by the bytes of their keys."""
        sql = "SELECT key, stream FROM claims WHERE kind = ? AND key {} ? ORDER BY key LIMIT ?"
        page = self._database.fetch(sql.format(">="), (kind, prefix, PAGE))
        while page:
            for key, stream in page:
                if not key.startswith(prefix):
                    return
                yield key, stream
            page = self._database.fetch(sql.format(">"), (kind, page[-1][0], PAGE))

    def highest(self, kind: str) -> int:
        """The highest key of a kind whose keys are decimal integers; 0 where none is held."""
        sql = "SELECT coalesce(max(CAST(key AS bigint)), 0) FROM claims WHERE kind = ?"
        return int(self._database.fetch(sql, (kind,))[0][0])


def rebuild_claims(database: Database, mapper: Mapper[str]) -> int:
    """Make the claims anew from the events while nobody appends; how many are held."""
    with database.exclusively() as session:
        held: dict[tuple[str, str], str] = {}
        for event in _events(session, mapper):
            for claim in event.claims():
                if claim.released:
                    held.pop((claim.kind, claim.key), None)
                else:
                    held[claim.kind, claim.key] = event.originator_id
        session.change("DELETE FROM claims")
        rows = [(kind, key, stream) for (kind, key), stream in held.items()]
        session.change_many("INSERT INTO claims (kind, key, stream) VALUES (?, ?, ?)", rows)
        return len(rows)


def _events(session: Session, mapper: Mapper[str]) -> Iterator[DomainEvent]:
    sql = "SELECT idx, stream, ver, topic, state FROM events WHERE idx > ? ORDER BY idx LIMIT ?"
    last = -1
    while page := session.fetch(sql, (last, PAGE)):
        for _, *stored in page:
            yield cast(DomainEvent, mapper.to_domain_event(StoredEvent(*stored)))
        last = page[-1][0]
