"""The second pass of the ledger's check, beside the first: in a process of its own where the log is long.

Two processors then take the time of one pass for both. The process only saves time: if it does not start or
ends early, the pass is made here from where it was last heard of, and what is wrong with the store comes up
here.
"""

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from multiprocessing import get_context
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from domain.errors import StoreUnavailable
from domain.ledger.finding import Saved
from domain.ledger.links import LinkCheck, LinksReport
from domain.ledger.rows import Row
from infrastructure.clock import SystemClock
from infrastructure.collection import collection_paused
from infrastructure.database import Store, open_store

LONG: Final = 50_000
"""From so many events on: starting a process takes half a second."""

STEP: Final = 4096
"""How many rows are read between two words about progress."""

SAVE_SECONDS: Final = 2.0
"""How often the pass says all that it needs to go on elsewhere."""

Progress = Callable[[int], None]
"""Called now and then with how many rows have been read."""

Said = int | Saved | LinksReport
"""A word of the pass: rows read, all that it needs to go on, or that it has ended."""

Read = TypeVar("Read")


class SecondPass:
    """Begins with the block, if the log is long; use as a context manager, so that no process stays.

    `saved` is the last that was heard of a pass, by which another may go on. `read_from` is where an earlier
    one had come to.
    """

    def __init__(self, store: Store, size: int, progress: Progress, read_from: Saved | None = None) -> None:
        self._store, self._size, self._progress = store, size, progress
        self.saved = read_from
        self._report: LinksReport | None = None
        self._answers, self._far_end = get_context("spawn").Pipe(duplex=False)
        arguments = (store.url, size, read_from, self._far_end)
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

    def report(self, heard: Callable[[], None] = lambda: None) -> LinksReport:
        """What the whole pass found; `heard` is called when `saved` may have grown. `StoreUnavailable`."""
        try:
            while self._report is None:
                self._hear()
                heard()
        except EOFError:
            self._report = self._read_here(heard)
        return self._report

    def _listen(self) -> None:
        with suppress(EOFError):
            while self._report is None and self._answers.poll():
                self._hear()

    def _hear(self) -> None:
        self._take(self._answers.recv())

    def _take(self, said: Said) -> None:
        match said:
            case LinksReport():
                self._report = said
                self._progress(said.size)
            case dict():
                self.saved = said
            case _:
                self._progress(said)

    def _read_here(self, heard: Callable[[], None]) -> LinksReport:
        def take(said: Said) -> None:
            self._take(said)
            heard()

        return _read(self._store, self._size, self.saved, take)


def counted(rows: Iterable[Read], progress: Progress) -> Iterator[Read]:
    """The rows as they come, a few thousand at a time; `progress` hears of them when they are done with."""
    return chain.from_iterable(_told(iter(rows), progress))


def _told(rows: Iterator[Read], progress: Progress) -> Iterator[list[Read]]:
    done = 0
    while some := list(islice(rows, STEP)):
        yield some
        done += len(some)
        progress(done)


def _run(url: str, size: int, saved: Saved | None, answers: Any) -> None:
    """In the process. Without an answer, whoever started it makes the pass himself and meets the error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(StoreUnavailable, BrokenPipeError), collection_paused():
        store = open_store(url, clock=SystemClock())
        answers.send(_read(store, size, saved, answers.send))


def _read(store: Store, size: int, saved: Saved | None, say: Callable[[Said], None]) -> LinksReport:
    check, spoken = LinkCheck(), monotonic()
    if saved is not None:
        check.restore(saved)
    links = iter(store.recorder.by_stream(size, after=check.last))
    while some := list(islice(links, STEP)):
        say(check.run(some).size)
        if monotonic() - spoken >= SAVE_SECONDS:
            spoken = monotonic()
            say(check.save())
    say(check.save())
    return check.report
