"""The second pass of the ledger's check, beside the first: in a process of its own where the log is long.

Two processors then take the time of one pass for both. The process only saves time: if it does not start or
ends early, the pass is made here, and what is wrong with the store comes up here.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from domain.errors import StoreUnavailable
from domain.ledger.links import Link, LinksReport, verify_links
from domain.ledger.rows import Row
from infrastructure.clock import SystemClock
from infrastructure.collection import collection_paused
from infrastructure.database import Store, open_store

LONG: Final = 50_000
"""From so many events on: starting a process takes half a second."""

STEP: Final = 4096
"""How many rows are read between two words about progress."""

Progress = Callable[[int], None]
"""Called now and then with how many rows have been read."""

Read = TypeVar("Read")


class SecondPass:
    """Begins with the block, if the log is long; use as a context manager, so that no process stays."""

    def __init__(self, store: Store, size: int, progress: Progress) -> None:
        self._store, self._size, self._progress = store, size, progress
        self._report: LinksReport | None = None
        self._answers, self._far_end = get_context("spawn").Pipe(duplex=False)
        arguments = (store.url, size, self._far_end)
        self._process = get_context("spawn").Process(target=_run, args=arguments, daemon=True)

    def __enter__(self) -> Self:
        if self._size >= LONG:
            # A machine that has no room for another process still checks its ledger.
            with suppress(OSError):
                self._process.start()
        self._far_end.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._answers.close()

    @property
    def running(self) -> bool:
        """Whether there is a process that reads."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End the process, if there is one."""
        if self._process.pid is not None:
            self._process.terminate()
            self._process.join()

    def beside(self, rows: Iterable[Row], progress: Progress) -> Iterator[Row]:
        """The rows of the first pass as they come; the process is heard meanwhile."""

        def tell(done: int) -> None:
            self._listen()
            progress(done)

        return counted(rows, tell)

    def report(self) -> LinksReport:
        """What the whole pass found. Raises StoreUnavailable."""
        try:
            while self._report is None:
                self._hear()
        except EOFError:
            self._report = _read(self._store, self._size, self._progress)
        return self._report

    def _listen(self) -> None:
        with suppress(EOFError):
            while self._report is None and self._answers.poll():
                self._hear()

    def _hear(self) -> None:
        said: int | LinksReport = self._answers.recv()
        if isinstance(said, LinksReport):
            self._report = said
            self._progress(said.size)
        else:
            self._progress(said)


def counted(rows: Iterable[Read], progress: Progress) -> Iterator[Read]:
    """The rows as they come, a few thousand at a time; `progress` hears of them when they are done with."""
    return chain.from_iterable(_told(iter(rows), progress))


def _told(rows: Iterator[Read], progress: Progress) -> Iterator[list[Read]]:
    done = 0
    while some := list(islice(rows, STEP)):
        yield some
        done += len(some)
        progress(done)


def _run(url: str, size: int, answers: Any) -> None:
    """In the process. Without an answer, whoever started it makes the pass himself and meets the error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(StoreUnavailable, BrokenPipeError), collection_paused():
        store = open_store(url, clock=SystemClock())
        answers.send(_read(store, size, answers.send))


def _read(store: Store, size: int, progress: Progress) -> LinksReport:
    links: Iterator[Link] = counted(store.recorder.by_stream(size), progress)
    return verify_links(links)
