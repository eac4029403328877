"""An installation in folders over a store: published, with personal data, claims, blobs and tokens."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from eventsourcing.persistence import StoredEvent

from application.ports import Answer, Append, CredentialWrite, RetryKey, TokenWrite, VaultWrite
from infrastructure.backups.backup import Log, Made, Places, make_backup
from infrastructure.backups.outside import Outside
from infrastructure.backups.restore import Restored, restore_backup
from infrastructure.backups.source import check_backup, open_backup
from infrastructure.backups.tables import TABLES
from infrastructure.blobs import FolderBlobs
from infrastructure.database import Store, open_store
from infrastructure.ledger_publisher import LedgerPublisher
from tests.contracts.sample import taking
from tests.fakes import BEGINNING, FakeClock
from tests.infrastructure.ledger_samples import KEY, ORIGIN, append

LOG = Log(ORIGIN, "140000")
PERSONS = 3


@dataclass
class Sample:
    """A store and the folders beside it."""

    store: Store
    places: Places
    clock: FakeClock

    def publish(self) -> LedgerPublisher:
        """Sign and publish all that is stored."""
        publisher = LedgerPublisher(self.store.recorder, self.store.ledger_latch, KEY, self.places.ledger)
        publisher.publish_once()
        return publisher

    def blob(self, content: bytes) -> str:
        """Keep a file."""
        return FolderBlobs(self.places.blobs).put(content)

    def record(
        self, stream: str, topic: str, ver: int = 1, state: bytes = b'{"salt":"00"}', **beside: Any
    ) -> None:
        """Append one event, with what goes beside it."""
        self.store.recorder.insert_events([StoredEvent(stream, ver, topic, state)], append=Append(**beside))

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table, in plain values."""
        return all_rows(self.store)

    def backup(self, place: Path, **more: Any) -> Made:
        """Back it up."""
        return make_backup(self.store, self.places, LOG, place, self.clock.now(), **more)


def places(folder: Path) -> Places:
    """The places of an installation in a folder."""
    return Places(folder / "ledger", folder / "blobs", folder / "calendar", folder / "rulebooks")


def all_rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in plain values."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with store.database.snapshot() as session:
        for name, table in TABLES.items():
            rows = table.page(session, None, 1_000_000)
            found[name] = table.decode(table.encode(rows))
    return found


def fill(store: Store, folder: Path, clock: FakeClock, events: int = 300) -> Sample:
    """Everything that a backup must hold; published, with events after it."""
    sample = Sample(store, places(folder), clock)
    append(store, events)
    sample.blob(b"a photograph")
    sample.blob(b"\xff\xd8\xff another" * 1000)
    sample.places.calendar.mkdir(parents=True)
    (sample.places.calendar / "2031.toml").write_text("year = 2031\n")
    sample.publish()
    append(store, 20)
    for number in range(PERSONS):
        keep_person(sample, number)
    return sample


def keep_person(sample: Sample, number: int) -> str:
    """A person in the vault, with an account, a token, a claim and an answer that was kept."""
    person = f"person-{number:032x}"
    account = f"account-{number:032x}"
    sample.record(
        account,
        "sample.opened.v1",
        state=b"\xff\x00 no text %d" % number,
        claims=taking(account, f"seal-{number}"),
        retry=RetryKey(account, "key", "request"),
        answer=Answer(id=account, version=1, position=0),
        vault=[
            VaultWrite(
                person=person,
                value={"name": f"张{number}"},
                salt=f"{number:032x}",
                unique=f"unique-{number}",
                retain_until=date(2030, 1, 1),
            )
        ],
        credentials=[CredentialWrite(account=account, login=f"login{number}", password_hash="$argon2id$…")],
        tokens=[
            TokenWrite(
                token=f"token-{number}",
                account=account,
                digest=f"{number:064x}",
                expires_at=BEGINNING + timedelta(days=90),
            )
        ],
    )
    return person


def restore(backup: Path, url: str, folder: Path, clock: FakeClock, **more: Any) -> Restored:
    """Check a backup and restore it."""
    with open_backup(backup) as source:
        check_backup(source)
        return restore_backup(source, url, places(folder), LOG, clock, **more)


@contextmanager
def opened(url: str, folder: Path, clock: FakeClock) -> Iterator[Sample]:
    """A restored installation."""
    with closing(open_store(url, clock=clock)) as store:
        yield Sample(store, places(folder), clock)


__all__ = ["LOG", "Outside", "Sample", "all_rows", "fill", "keep_person", "opened", "places", "restore"]
