"""Writers share a transaction, never a refusal, and nobody waits for ever."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic, sleep

import pytest

from domain.errors import Stale, StoreUnavailable
from infrastructure.event_store import shared_commit
from infrastructure.event_store.shared_commit import SharedCommit

REFUSED = 13


class Log:
    """Writes numbers, and refuses one of them; the first writer is held until `go`."""

    def __init__(self) -> None:
        self.go = Event()
        self.transactions: list[list[int]] = []
        self.failure: Exception | None = None
        self.shared = SharedCommit(self.alone, self.together)

    def alone(self, work: int) -> str:
        """One in a transaction of its own."""
        self.go.wait(10)
        return self.commit([work])[0]

    def together(self, works: Iterable[int]) -> list[str]:
        """All or none."""
        taken = list(works)
        if self.failure is not None:
            raise self.failure
        return self.commit(taken)

    def commit(self, works: Sequence[int]) -> list[str]:
        """Refuse all if there is one to be refused."""
        if REFUSED in works:
            raise Stale(id="s", expected=None, actual=None)
        self.transactions.append(list(works))
        return [f"wrote {work}" for work in works]


def written(log: Log, first: int, others: Sequence[int]) -> list[Future[str]]:
    """What each gets when the others come while the first writes."""
    with ThreadPoolExecutor(1 + len(others)) as threads:
        futures = [threads.submit(log.shared.write, first)]
        wait_until(lambda: not log.shared.waiting and log.shared._turn.locked())
        for nth, other in enumerate(others, 1):
            futures.append(threads.submit(log.shared.write, other))
            wait_until(lambda nth=nth: len(log.shared.waiting) == nth)  # type: ignore[misc]
        log.go.set()
    return futures


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = monotonic() + 10
    while not reached():
        assert monotonic() < deadline
        sleep(0.001)


def test_those_who_waited_share_one_transaction() -> None:
    log = Log()
    futures = written(log, 1, [2, 3, 4])
    assert [future.result() for future in futures] == ["wrote 1", "wrote 2", "wrote 3", "wrote 4"]
    assert log.transactions == [[1], [2, 3, 4]]


def test_one_who_is_refused_is_refused_alone() -> None:
    log = Log()
    first, second, refused, last = written(log, 1, [2, REFUSED, 4])
    assert [future.result() for future in (first, second, last)] == ["wrote 1", "wrote 2", "wrote 4"]
    with pytest.raises(Stale):
        refused.result()
    assert log.transactions == [[1], [2], [4]]


def test_more_than_share_a_transaction_are_all_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_commit, "MOST", 3)
    log = Log()
    futures = written(log, 1, range(2, 10))
    assert [future.result() for future in futures] == [f"wrote {nth}" for nth in range(1, 10)]
    assert log.transactions == [[1], [2, 3, 4], [5, 6, 7], [8, 9]]


def test_those_who_come_while_others_are_written_are_taken_along() -> None:
    log = Log()
    log.go.set()
    late: Future[str] = Future()

    def together(works: Iterable[int]) -> list[str]:
        results = list[str]()
        for work in works:
            results.append(f"wrote {work}")
            if work == 3:
                shared.waiting.append((4, late))
        return results

    shared = SharedCommit(log.alone, together)
    shared.waiting.append((2, Future()))
    assert shared.write(3) == "wrote 3"
    assert late.result(0) == "wrote 4"


def test_a_store_that_fails_fails_for_all_of_them_and_nothing_is_tried_again() -> None:
    log = Log()
    log.failure = StoreUnavailable(reason="outcome-unknown")
    first, *others = written(log, 1, [2, 3])
    assert first.result() == "wrote 1"
    for future in others:
        with pytest.raises(StoreUnavailable):
            future.result()
    assert log.transactions == [[1]]


def test_a_thread_that_is_ended_leaves_nobody_waiting() -> None:
    log = Log()
    log.failure = KeyboardInterrupt()  # type: ignore[assignment]
    first, *others = written(log, 1, [2, 3])
    assert first.result() == "wrote 1"
    errors = [future.exception() for future in others]
    assert {type(error) for error in errors} == {KeyboardInterrupt, StoreUnavailable}
    log.failure = None
    assert log.shared.write(5) == "wrote 5"
