"""What the store keeps beside its events, against the events: claims, vault and files."""

from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import Mapper

from domain.ledger.finding import Findings
from infrastructure.blobs import FolderBlobs
from infrastructure.database import Store
from infrastructure.event_store.database import Session
from infrastructure.replay_check.blobs import BlobsFold
from infrastructure.replay_check.claims import ClaimsFold
from infrastructure.replay_check.persons import PersonsFold
from infrastructure.replay_check.replay import Replay, Step, position_at
from infrastructure.replay_check.scratch import Scratch


def check_beside(store: Store, mapper: Mapper[str], blobs: FolderBlobs, step: Step) -> Findings:
    """Fold the log once, and compare claims, vault and files with what it gives; their findings are listed
    with `ClaimsFold`, `PersonsFold` and `BlobsFold`.

    Time grows with the number of events, and with the bytes of all files that they name, which are read.
    Memory is flat; the temporary folder takes a row for each claim, person and file.
    """
    with Scratch() as scratch:
        claims, persons, files = ClaimsFold(scratch), PersonsFold(scratch), BlobsFold(scratch)
        replay = Replay(store.recorder, mapper, scratch, (claims, persons, files), step=step)
        with _together(store, replay) as session:
            found = [claims.differences(session), persons.differences(session)]
        return joined(claims.findings, *found, files.check(blobs))


def check_claims(store: Store, mapper: Mapper[str], step: Step) -> Findings:
    """The claims alone; time grows with the number of events, memory is flat."""
    with Scratch() as scratch:
        claims = ClaimsFold(scratch)
        replay = Replay(store.recorder, mapper, scratch, (claims,), step=step)
        with _together(store, replay) as session:
            return joined(claims.findings, claims.differences(session))


@contextmanager
def _together(store: Store, replay: Replay) -> Iterator[Session]:
    """A reading of the store as of a moment, and the log folded up to that very moment."""
    replay.to(position_at(store.recorder))
    with store.database.snapshot() as session:
        last = session.fetch("SELECT max(idx) FROM events")[0][0]
        replay.to(-1 if last is None else last)
        yield session


def joined(*parts: Findings) -> Findings:
    """All findings, in the order of the parts."""
    whole = Findings()
    for part in parts:
        whole.join(part)
    return whole
