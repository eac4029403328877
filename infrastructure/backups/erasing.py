"""What was erased after a backup is erased again when it is restored: erasures are public, data is not."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from domain.ledger.entry import Entry
from infrastructure.backups.outside import ORIGINAL_ERASED, PERSON_ERASED
from infrastructure.blobs import FolderBlobs
from infrastructure.event_store.database import Session
from infrastructure.event_store.sqlite import SqliteSession

ACCOUNT_OPENED: Final = "account.opened.v1"
PAGE: Final = 1000


@dataclass(frozen=True)
class Erased:
    """How many persons' data, and how many original files, were erased again."""

    persons: int = 0
    originals: int = 0


class Fact(msgspec.Struct):
    """What is needed here of an event: the file of an import, the person of an account."""

    original: str = ""
    person: str = ""


def erase_again(session: Session, blobs: FolderBlobs, erasures: Iterable[Entry]) -> Erased:
    """Erase what these entries say was erased, as far as the store's own log does not know of it yet.

    With a person goes the login of the account that was the person's.
    """
    known = "SELECT 1 FROM events WHERE stream = ? AND ver = ?"
    later = [entry for entry in erasures if not session.fetch(known, (entry.stream, entry.ver))]
    persons = {entry.stream: entry.at for entry in later if entry.topic == PERSON_ERASED}
    imports = [entry.stream for entry in later if entry.topic == ORIGINAL_ERASED]
    erased = Erased(
        persons=sum(_erase_person(session, person, at) for person, at in persons.items()),
        originals=sum(_erase_original(session, blobs, stream) for stream in imports),
    )
    if persons:
        _erase_logins(session, persons)
        _leave_no_keys(session)
    return erased


def _erase_person(session: Session, person: str, at: str) -> int:
    sql = (
        "UPDATE vault SET value = NULL, salt = NULL, unique_key = NULL, erased_at = ? "
        "WHERE person = ? AND erased_at IS NULL"
    )
    return session.change(sql, (at, person))


def _erase_logins(session: Session, persons: Collection[str]) -> None:
    """One reading of all accounts' first events, because only they tell whose account it is."""
    last = ""
    sql = "SELECT stream, state FROM events WHERE topic = ? AND stream > ? ORDER BY stream LIMIT ?"
    while page := session.fetch(sql, (ACCOUNT_OPENED, last, PAGE)):
        for stream, state in page:
            if msgspec.json.decode(state, type=Fact).person in persons:
                session.change("DELETE FROM credentials WHERE account = ?", (stream,))
        last = page[-1][0]


def _leave_no_keys(session: Session) -> None:
    """Pages of an embedded store's index that were split keep old keys in their unused room."""
    if isinstance(session, SqliteSession):
        session.change("REINDEX vault")
        session.change("REINDEX credentials")


def _erase_original(session: Session, blobs: FolderBlobs, stream: str) -> int:
    """The file that the import's first event names; 0 where it came after the backup."""
    rows = session.fetch("SELECT state FROM events WHERE stream = ? AND ver = 1", (stream,))
    digest = msgspec.json.decode(rows[0][0], type=Fact).original if rows else ""
    return int(blobs.remove(digest)) if digest else 0
