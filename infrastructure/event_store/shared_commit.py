"""Writers that wait for each other anyway share one transaction, and so one flush to the disk."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from domain.errors import StoreUnavailable

W = TypeVar("W")
R = TypeVar("R")

Place = tuple[W, Future[R]]


class SharedCommit(Generic[W, R]):
    """Whoever comes while another writes waits; then one of those who wait writes for all of them.

    `alone` writes one work in a transaction of its own. `together` writes several in one transaction and
    gives their results; if it raises, it has written nothing, or it is StoreUnavailable for all of them.
    `waiting` are those who have come while another writes.
    """

    def __init__(self, alone: Callable[[W], R], together: Callable[[Sequence[W]], Sequence[R]]) -> None:
        self._alone, self._together = alone, together
        self.waiting: deque[Place[W, R]] = deque()
        self._turn = Lock()

    def write(self, work: W) -> R:
        """The work's own result, or its own error: what another one is refused for is not seen here."""
        mine: Future[R] = Future()
        self.waiting.append((work, mine))
        with self._turn:
            # Whoever had the turn before may have written this as well.
            if not mine.done():
                self._write_all([self.waiting.popleft() for _ in range(len(self.waiting))])
        return mine.result()

    def _write_all(self, places: Sequence[Place[W, R]]) -> None:
        try:
            if len(places) == 1 or not self._write_together(places):
                for work, future in places:
                    self._write_alone(work, future)
        finally:
            for _, future in places:
                # Only where a thread is being ended.
                if not future.done():
                    future.set_exception(StoreUnavailable(reason="outcome-unknown"))

    def _write_together(self, places: Sequence[Place[W, R]]) -> bool:
        try:
            results = self._together([work for work, _ in places])
        except StoreUnavailable as error:
            for _, future in places:
                future.set_exception(error)
        except Exception:  # noqa: BLE001  whoever was refused is refused again when alone, and hears of it
            return False
        else:
            for (_, future), result in zip(places, results, strict=True):
                future.set_result(result)
        return True

    def _write_alone(self, work: W, future: Future[R]) -> None:
        try:
            future.set_result(self._alone(work))
        except Exception as error:  # noqa: BLE001  it is raised again for whom it concerns
            future.set_exception(error)
