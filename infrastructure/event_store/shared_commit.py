"""Writers that wait for each other anyway share one transaction, and so one flush to the disk."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from domain.errors import StoreUnavailable

W = TypeVar("W")
R = TypeVar("R")

Place = tuple[W, Future[R]]

MOST = 64
"""How many share a transaction: the first of them waits for the last."""


class SharedCommit(Generic[W, R]):
    """Whoever comes while another writes waits; then one of those who wait writes for all of them.

    `alone` writes one work in a transaction of its own. `together` writes all that it is given in one
    transaction and gives their results in order; if it raises, it has written nothing, or it is
    StoreUnavailable for all of them. `waiting` are those whose turn has not come.
    """

    def __init__(self, alone: Callable[[W], R], together: Callable[[Iterable[W]], Sequence[R]]) -> None:
        self._alone, self._together = alone, together
        self.waiting: deque[Place[W, R]] = deque()
        self._turn = Lock()

    def write(self, work: W) -> R:
        """The work's own result, or its own error: what another one is refused for is not seen here."""
        mine: Future[R] = Future()
        self.waiting.append((work, mine))
        with self._turn:
            # Whoever had the turn before may have written this as well.
            while not mine.done():
                self._write_waiting()
        return mine.result()

    def _write_waiting(self) -> None:
        taken: list[Place[W, R]] = []
        try:
            if len(self.waiting) == 1 or not self._write_together(taken):
                for work, future in taken or self._take(taken, 1):
                    self._write_alone(work, future)
        finally:
            for _, future in taken:
                # Only where a thread is being ended.
                if not future.done():
                    future.set_exception(StoreUnavailable(reason="outcome-unknown"))

    def _take(self, taken: list[Place[W, R]], most: int) -> Iterator[Place[W, R]]:
        """Those who wait, and those who come while the ones before them are written."""
        while self.waiting and len(taken) < most:
            taken.append(self.waiting.popleft())
            yield taken[-1]

    def _write_together(self, taken: list[Place[W, R]]) -> bool:
        try:
            results = self._together(work for work, _ in self._take(taken, MOST))
        except StoreUnavailable as error:
            for _, future in taken:
                future.set_exception(error)
        except Exception:  # noqa: BLE001  whoever was refused is refused again when alone, and hears of it
            return False
        else:
            for (_, future), result in zip(taken, results, strict=True):
                future.set_result(result)
        return True

    def _write_alone(self, work: W, future: Future[R]) -> None:
        try:
            future.set_result(self._alone(work))
        except Exception as error:  # noqa: BLE001  it is raised again for whom it concerns
            future.set_exception(error)
