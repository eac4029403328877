"""Backing up and restoring one installation, wherever it keeps its things."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from application.ports import Clock
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import RowsReport
from infrastructure.backups.backup import Log, Made, Places, make_backup
from infrastructure.backups.manifest import Manifest
from infrastructure.backups.outside import Outside, read_outside
from infrastructure.backups.restore import Mark, Restored, read_mark, restore_backup
from infrastructure.backups.settling import Verdict, check_log, settle
from infrastructure.backups.source import Progress, check_backup, open_backup
from infrastructure.chance import SystemChance
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.ledger_check import Trust
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.settings import Settings

Extent = Literal["all", "new", "none"]
"""How much of a new backup is read again: all of it, what was not taken from the one before, or nothing."""


@dataclass(frozen=True)
class Backups:
    """The backups of the installation with this store and these places. Opens the store on demand."""

    url: str
    places: Places
    log: Log
    clock: Clock

    def make(self, place: Path, after: Path | None = None, progress: Progress | None = None) -> Made:
        """Back up into a new folder or archive; see `make_backup`."""
        with closing(self._store()) as store:
            now = self.clock.now()
            return make_backup(store, self.places, self.log, place, now, after=after, progress=progress)

    def read_again(self, made: Made, extent: Extent, progress: Progress | None = None) -> None:
        """See that a backup can be read; `BackupWrong`."""
        if extent == "none":
            return
        with open_backup(made.place) as source:
            check_backup(source, progress, skip=made.linked if extent == "new" else frozenset())

    def manifest(self, place: Path) -> Manifest:
        """What a backup says of itself; `BackupWrong`."""
        with open_backup(place) as source:
            return source.manifest

    def check(self, place: Path, progress: Progress | None = None) -> None:
        """Check every file of a backup against its hash; `BackupWrong`."""
        with open_backup(place) as source:
            check_backup(source, progress)

    def check_log(
        self, place: Path, policy: TrustPolicy, outside: Outside, progress: Progress | None = None
    ) -> RowsReport:
        """Check the log in a backup against its checkpoints and those outside, without restoring it."""
        with open_backup(place) as source:
            return check_log(source, Trust(policy=policy), outside, progress)

    def outside(self, policy: TrustPolicy, files: Sequence[Path], folder: Path | None) -> Outside:
        """What is held outside: checkpoints, and a copy of the published ledger; `HeldWrong`."""
        return read_outside(self.log.origin, policy.keys, files, folder)

    def restore(
        self, place: Path, outside: Outside, *, keep_tokens: bool = False, progress: Progress | None = None
    ) -> Restored:
        """Restore a backup that was checked, into this installation, which must be empty."""
        with open_backup(place) as source:
            tail = outside.tail(source.manifest.size)
            return restore_backup(
                source,
                self.url,
                self.places,
                self.log,
                self.clock,
                keep_tokens=keep_tokens,
                erasures=tail.erasures if tail is not None else (),
                progress=progress,
            )

    def pending(self) -> Mark | None:
        """The restore that waits to be verified, if there is one."""
        return read_mark(self.places.ledger)

    def settle(
        self,
        policy: TrustPolicy,
        outside: Outside,
        progress: Progress | None = None,
        *,
        acknowledged: Sequence[int] = (),
    ) -> Verdict:
        """Verify what was restored; see `settle`. `acknowledged`: sizes of checkpoints given up."""
        with closing(self._store()) as store, self._rebuilding(store) as runner:
            trust = Trust(policy=policy, acknowledged=acknowledged)
            places = self.places
            return settle(store, places.ledger, places.blobs, trust, outside, runner.rebuild, progress)

    def _store(self) -> Store:
        return open_store(self.url, clock=self.clock)

    @contextmanager
    def _rebuilding(self, store: Store) -> Iterator[ProjectionRunner]:
        runner = ProjectionRunner(store, EventMapper(SystemChance()), log=self.log.origin)
        with closing(runner):
            yield runner


def backups_of(settings: Settings, clock: Clock) -> Backups:
    """The backups of the installation that the settings describe."""
    return Backups(
        url=settings.store_url,
        places=Places(
            ledger=settings.ledger_dir,
            blobs=settings.blobs_dir,
            calendar=settings.calendar_dir,
            rulebooks=settings.rulebook_dir,
        ),
        log=Log(settings.origin, settings.region),
        clock=clock,
    )
