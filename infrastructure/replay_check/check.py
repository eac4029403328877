"""All checks of a live store by replay, one after the other."""

from collections.abc import Callable, Sequence
from typing import Final

from eventsourcing.persistence import Mapper

from domain.ledger.finding import Findings
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.blobs import FolderBlobs
from infrastructure.database import Store
from infrastructure.replay_check.beside import check_beside, joined
from infrastructure.replay_check.read_models import check_read_models
from infrastructure.replay_check.replay import Step, position_at
from infrastructure.replay_check.seals import check_seals
from infrastructure.replay_check.streams import check_streams
from infrastructure.views import VIEWS_FILE, Views
from projections.projection import Projection
from projections.register import PROJECTIONS

Progress = Callable[[int, int], None]
"""Called now and then with how many steps of how many are done."""

PASSES: Final = 4


def check_replay(
    store: Store,
    mapper: Mapper[str],
    blobs: FolderBlobs,
    *,
    log: str,
    progress: Progress | None = None,
    projections: Sequence[Projection] = PROJECTIONS,
) -> Findings:
    """Whether replaying the log gives everything that is stored: aggregates, claims, vault, files, sealed
    draws and read models.

    `log` is its name. Reads only, and what is appended meanwhile is left for the next check or taken in on
    both sides. The log is read four times (five where a read model differs); time grows with the events,
    the read models' rows and the bytes of the files, memory with the largest frame only. A hundred million
    events take hours and some hundred gigabytes of the temporary folder, where the read models are made
    again. Raises `StoreUnavailable`.
    """
    size = position_at(store.recorder) + 1
    passes = _Passes(size, progress)
    found = [check_streams(store, mapper, size, passes.step())]
    found.append(check_beside(store, mapper, blobs, passes.step()))
    found.append(check_seals(store, mapper, blobs, size, passes.step()))
    found.append(_read_models(store, mapper, log, projections, passes.step()))
    return joined(*found)


def _read_models(
    store: Store, mapper: Mapper[str], log: str, projections: Sequence[Projection], step: Step
) -> Findings:
    if is_sqlite(store.url) and not (store_file(store.url).parent / VIEWS_FILE).exists():
        return Findings()
    views = Views(store.url)
    try:
        return check_read_models(store, mapper, views, log, projections, step)
    finally:
        views.close()


class _Passes:
    """Progress of all passes, told as one sum."""

    def __init__(self, size: int, progress: Progress | None) -> None:
        self._size, self._progress = size, progress
        self._begun = 0

    def step(self) -> Step:
        """What the next pass tells."""
        before = self._begun * self._size
        self._begun += 1
        return lambda done: self._tell(before + min(done, self._size))

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, PASSES * self._size)
