"""Many at once: nobody loses what was written, readers miss nothing, one of two rivals wins."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import sleep
from typing import Any, cast

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from application.ports import Answer, AnswerKept, Append, RetryKey
from application.workflow import Workflow
from domain.errors import ClaimTaken, DomainError, Stale
from infrastructure.database import Store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.event_store.postgres_recorder import PostgresRecorder
from tests.contracts.checks import assert_whole
from tests.contracts.sample import ACT, Seal, call, claiming, stored, taking
from tests.fakes import SeededChance

RIVALS = 6


def outcomes(action: Callable[[int], Any], count: int = RIVALS) -> list[Any]:
    """What each of `count` threads got that started at once: a value or the error."""
    ready = Barrier(count)

    def run(nth: int) -> Any:
        ready.wait()
        try:
            return action(nth)
        except (DomainError, IntegrityError, AnswerKept) as error:
            return error

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def test_one_of_many_takes_the_claim(store: Store) -> None:
    def take(nth: int) -> Any:
        return store.recorder.insert_events(stored(f"s-{nth}"), append=claiming(taking(f"s-{nth}", "1")))

    got = outcomes(take)
    winners = [nth for nth, result in enumerate(got) if isinstance(result, list)]
    assert len(winners) == 1
    holder = f"s-{winners[0]}"
    losers = [result for result in got if not isinstance(result, list)]
    assert all(isinstance(loser, ClaimTaken) and loser.facts["holder"] == holder for loser in losers)
    assert store.claims.holder("seal", "1") == holder
    assert store.recorder.head() == 0


def test_appends_that_wait_share_a_transaction(postgres_store: Store) -> None:
    works = [stored(f"s-{nth}", 1, 2) for nth in range(5)]
    got = _appended_while_one_waits(postgres_store, works)
    assert sorted(list(one) for one in got) == [[2, 3], [4, 5], [6, 7], [8, 9], [10, 11]]
    sql = "SELECT count(DISTINCT xmin::text) FROM events WHERE idx > 0"
    assert postgres_store.database.fetch(sql) == [(1,)]
    assert_whole(postgres_store)


def test_appends_that_wait_share_no_refusal(postgres_store: Store) -> None:
    clash, gap = stored("first", 1), stored("s", 7)
    works = [stored("s-0"), clash, stored("s-1"), gap, stored("s-2", 1, 2)]
    got = _appended_while_one_waits(postgres_store, works)
    assert [isinstance(one, IntegrityError) for one in got] == [False, True, False, True, False]
    assert [len(one) for one in got[::2]] == [1, 1, 2]
    assert postgres_store.recorder.head() == 4
    assert_whole(postgres_store)


def _appended_while_one_waits(store: Store, works: Sequence[Sequence[StoredEvent]]) -> list[Any]:
    """What each append got, all of them having come while the first waited for a rival's lock."""
    recorder = cast(PostgresRecorder, store.recorder)
    with ThreadPoolExecutor(1 + len(works)) as threads, psycopg.connect(store.url) as rival:
        rival.execute("SELECT sunlot_lock()")
        first = threads.submit(recorder.insert_events, stored("first"))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while rival.execute(waiting).fetchall() == [(0,)]:
            sleep(0.01)
        others = [threads.submit(recorder.insert_events, work) for work in works]
        while len(recorder.shared.waiting) < len(works):
            sleep(0.01)
        rival.rollback()
    assert first.result() == [1]
    return [one.exception() or one.result() for one in others]


def test_one_of_many_writes_the_version(store: Store) -> None:
    store.recorder.insert_events(stored("s", 1))
    got = outcomes(lambda nth: store.recorder.insert_events(stored("s", 2, state=b"%d" % nth)))
    winners = [nth for nth, result in enumerate(got) if isinstance(result, list)]
    assert len(winners) == 1
    assert sum(isinstance(result, IntegrityError) for result in got) == RIVALS - 1
    assert [event.state for event in store.recorder.select_events("s", gt=1)] == [b"%d" % winners[0]]


def test_one_of_many_answers_the_retry_key(store: Store) -> None:
    def append(nth: int) -> Any:
        beside = Append(
            retry=RetryKey("account-1", "k", "r"), answer=Answer(id=f"s-{nth}", version=1, position=-1)
        )
        return store.recorder.insert_events(stored(f"s-{nth}"), append=beside)

    got = outcomes(append)
    winners = [nth for nth, result in enumerate(got) if isinstance(result, list)]
    assert len(winners) == 1
    assert sum(isinstance(result, AnswerKept) for result in got) == RIVALS - 1
    kept = store.answers.find("account-1", "k")
    assert kept is not None
    assert kept.answer == Answer(id=f"s-{winners[0]}", version=1, position=0)


def test_twins_of_one_command_get_one_answer(store: Store) -> None:
    workflow = _workflow(store)

    def set_seal(nth: int) -> Answer:
        def command() -> Answer:
            seal = Seal.set(ACT, id=f"seal-{nth}", number="7")
            return workflow.commit(call("key"), seal)

        return workflow.once(call("key"), command)

    answers = outcomes(set_seal)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert len({answer.id for answer in answers}) == 1
    assert {answer.position for answer in answers} == {0}
    assert store.recorder.head() == 0


def test_the_slower_of_two_changes_is_stale(store: Store) -> None:
    workflow = _workflow(store)
    workflow.commit(call(), Seal.set(ACT, id="seal-1", number="7"))
    both = [workflow.load(Seal, "seal-1") for _ in range(2)]
    for seal in both:
        seal.break_it(ACT, "time")
    workflow.commit(call(), both[0])
    with pytest.raises(Stale):
        workflow.commit(call(), both[1])
    assert workflow.load(Seal, "seal-1").why == "time"
    assert store.claims.holder("seal", "7") is None


def _workflow(store: Store) -> Workflow:
    return Workflow(recorder=store.recorder, mapper=EventMapper(SeededChance()), answers=store.answers)


def test_readers_that_follow_eight_writers_miss_nothing(store: Store) -> None:
    writers, appends = 8, 25
    finished = Event()

    def write(nth: int) -> None:
        for ver in range(1, appends + 1):
            store.recorder.insert_events([*stored(f"w-{nth}", ver), *stored(f"w-{nth}-{ver}")])

    def follow(_: int) -> list[int]:
        seen: list[int] = []
        last = False
        while True:
            page = store.recorder.select_notifications(seen[-1] if seen else 0, 20, inclusive_of_start=False)
            seen += [notification.id for notification in page]
            if last and not page:
                return seen
            last = finished.is_set()

    with ThreadPoolExecutor(3) as following, ThreadPoolExecutor(writers) as writing:
        followers = [following.submit(follow, nth) for nth in range(3)]
        list(writing.map(write, range(writers)))
        finished.set()
        for follower in followers:
            assert follower.result() == list(range(1, 2 * writers * appends + 1))
    assert_whole(store)


WRITER = """
import sys
from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from tests.contracts.sample import stored
url, name = sys.argv[1:]
store = open_store(url, clock=SystemClock())
print("ready", flush=True)
sys.stdin.readline()
for ver in range(1, 101):
    store.recorder.insert_events(stored(name, ver))
store.close()
"""


def test_processes_lose_nothing_to_each_other(store: Store) -> None:
    names = ("p-1", "p-2", "p-3")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, store.url, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("go\n", timeout=120)
        assert writer.returncode == 0
    assert store.recorder.head() == 299
    for name in names:
        assert len(store.recorder.select_events(name)) == 100
    assert_whole(store)
