"""Whatever fails, wherever a witness is killed: never two roots of one size, never back in time or size."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import ClockBehind, StoreUnavailable
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import read_cosignatures
from domain.ledger.errors import LedgerError
from domain.ledger.note import Note, parse_signature
from infrastructure.witness import Witness
from infrastructure.witness_evidence import Kind
from tests.fakes import FakeClock
from tests.infrastructure.witness_samples import KEY, ORIGIN, WITNESS, SampleLog

LOGS = {ORIGIN: (KEY.verifier,)}
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
STORIES = {name: SampleLog.of(40, forked_at=at) for name, at in (("honest", 40), ("a", 5), ("b", 17))}
ROOT = Path(__file__).parents[2]


class Killed(BaseException):
    """Stands for kill -9 at a place of the test's choice."""


@contextmanager
def failing(patch: pytest.MonkeyPatch, place: int, failure: BaseException, *, after: bool) -> Iterator[None]:
    """The `place`-th change of the disk fails, undone or once it is done, and so does every later one."""
    done = iter(range(10**6))

    def broken(change: Callable[..., Any]) -> Callable[..., Any]:
        def one(*args: Any, **kwargs: Any) -> Any:
            number = next(done)
            if number < place:
                return change(*args, **kwargs)
            if number == place and after:
                change(*args, **kwargs)
            raise failure

        return one

    with patch.context() as inner:
        for name in ("fsync", "write", "ftruncate"):
            inner.setattr(os, name, broken(getattr(os, name)))
        for name in ("replace", "unlink", "mkdir"):
            inner.setattr(Path, name, broken(getattr(Path, name)))
        yield


def opened(folder: Path, clock: FakeClock) -> Witness:
    return Witness(WITNESS, LOGS, folder, clock)


class Public:
    """All that ever left a witness: roots and times by size, and that they agree."""

    def __init__(self) -> None:
        self.roots: dict[int, bytes] = {}
        self.last = (0, 0)

    def hear(self, note: bytes, line: bytes) -> None:
        """A signature came out."""
        text = Note.parse(note).text
        signed = Note(text, (parse_signature(line.decode().removesuffix("\n")),))
        (found,) = read_cosignatures(signed, [WITNESS.verifier])
        checkpoint = Checkpoint.parse(text)
        assert self.roots.setdefault(checkpoint.size, checkpoint.root) == checkpoint.root, "two roots"
        assert (checkpoint.size, found.at) >= self.last, "went back"
        assert found.at >= self.last[1], "time went back"
        self.last = (checkpoint.size, found.at)

    def check(self, witness: Witness) -> None:
        """What is remembered is nothing less than what was heard."""
        lines = [line for line in witness.state.lines(ORIGIN) if not line.reason]
        told = {line.size: Checkpoint.parse(Note.parse(line.note.encode()).text).root for line in lines}
        assert self.roots.items() <= told.items()
        assert [line.size for line in lines] == sorted(line.size for line in lines)
        assert [line.at for line in lines] == sorted(line.at for line in lines)
        roots = {(line.size, told[line.size]) for line in lines}
        assert len(roots) == len(told), "the history tells two roots of one size"


# --- every write fails -----------------------------------------------------------------------

PLACES = range(34)


@pytest.mark.parametrize("after", [False, True], ids=["fails", "fails but is done"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("failure", [Killed(), OSError(ENOSPC, "full")], ids=["killed", "full"])
def test_a_failure_at_every_write_leaves_one_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, after: bool, failure: BaseException
) -> None:
    clock, public = FakeClock(START), Public()
    witness = opened(tmp_path, clock)
    size = 0
    for target in (10, 20):
        clock.advance(minutes=2)
        honest = STORIES["honest"]
        expected = (Killed, StoreUnavailable, LedgerError)
        with suppress(*expected), failing(monkeypatch, place, failure, after=after):
            line = witness.add_checkpoint(honest.submission(size, target))
            public.hear(honest.note(target), line)
        witness = opened(tmp_path, clock) if isinstance(failure, Killed) else witness
        size = _size(witness)
        assert size in (0, 10, 20)
        # The same again, and the other story at the size that may or may not have been kept.
        with suppress(LedgerError):
            other = STORIES["a"]
            line = witness.add_checkpoint(other.submission(size, target))
            public.hear(other.note(target), line)
        size = _size(witness)
        with suppress(LedgerError):
            line = witness.add_checkpoint(honest.submission(size, max(size, target)))
            public.hear(honest.note(max(size, target)), line)
        size = _size(witness)
        public.check(witness)
    public.check(opened(tmp_path, clock))


def test_the_places_were_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the last place everything is done: no write was left out."""
    witness = opened(tmp_path, FakeClock(START))
    with failing(monkeypatch, PLACES[-1], Killed(), after=False):
        witness.add_checkpoint(STORIES["honest"].submission(0, 10))
    assert _size(witness) == 10


@pytest.mark.parametrize("place", range(10))
@pytest.mark.parametrize("after", [False, True])
def test_forgetting_that_is_killed_is_done_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, after: bool
) -> None:
    clock = FakeClock(START)
    witness = opened(tmp_path, clock)
    witness.add_checkpoint(STORIES["honest"].submission(0, 10))
    clock.advance(minutes=1)
    with suppress(Killed), failing(monkeypatch, place, Killed(), after=after):
        witness.forget(ORIGIN, reason="恢复")
    again = opened(tmp_path, clock)
    if _size(again):
        again.forget(ORIGIN, reason="恢复")
    clock.advance(minutes=1)
    again.add_checkpoint(STORIES["a"].submission(0, 20))
    assert _size(opened(tmp_path, clock)) == 20
    reasons = [line.reason for line in again.state.lines(ORIGIN)]
    assert reasons[0] == reasons[-1] == ""
    assert set(reasons[1:-1]) == {"恢复"}


def test_a_torn_line_of_the_history_is_made_whole(tmp_path: Path) -> None:
    clock, public = FakeClock(START), Public()
    witness = opened(tmp_path, clock)
    for old, new in ((0, 10), (10, 20)):
        public.hear(
            STORIES["honest"].note(new), witness.add_checkpoint(STORIES["honest"].submission(old, new))
        )
        clock.advance(minutes=1)
    history = witness.state.history(ORIGIN)
    history.write_bytes(history.read_bytes()[:-30])
    witness.add_checkpoint(STORIES["honest"].submission(20, 30))
    assert [line.size for line in witness.state.lines(ORIGIN)] == [10, 20, 30]
    public.check(witness)


def _size(witness: Witness) -> int:
    held = witness.state.held(ORIGIN)
    return held.checkpoint.size if held else 0


# --- any order of honest and lying logs ------------------------------------------------------


class Watched(RuleBasedStateMachine):
    """Several stories under one key, restarts, clocks that jump, and a witness in a real folder."""

    @initialize()
    def begin(self) -> None:
        """A fresh folder."""
        from tempfile import TemporaryDirectory

        self.temporary = TemporaryDirectory(prefix="sunlot-witness-")
        self.clock, self.public = FakeClock(START), Public()
        self.witness = opened(Path(self.temporary.name), self.clock)
        self.convicting = 0

    @rule(
        story=st.sampled_from(sorted(STORIES)),
        size=st.integers(1, 40),
        old=st.integers(0, 40) | st.none(),
        seconds=st.integers(-5, 90),
    )
    def submit(self, story: str, size: int, old: int | None, seconds: int) -> None:
        """Somebody sends a checkpoint of one of the stories, mostly from the size that is held."""
        self.clock.advance(seconds=seconds)
        held = self.witness.state.held(ORIGIN)
        start = old if old is not None else held.checkpoint.size if held else 0
        log = STORIES[story]
        if held and held.checkpoint.size == size and held.checkpoint.root != log.checkpoint(size).root:
            self.convicting += start <= size
        try:
            line = self.witness.add_checkpoint(log.submission(start, size))
        except ClockBehind:
            assert self.clock.now().timestamp() < (held.at if held else 0)
        except LedgerError:
            return
        else:
            self.public.hear(log.note(size), line)

    @rule()
    def restart(self) -> None:
        """The process ends and another begins."""
        self.witness = opened(self.witness.state.folder, self.clock)

    @invariant()
    def one_story(self) -> None:
        """What is remembered is what was heard, and lies were kept."""
        if not hasattr(self, "witness"):
            return
        self.public.check(self.witness)
        kept = [one for _, one in self.witness.evidence.all() if one.kind is Kind.TWO_ROOTS]
        assert bool(kept) >= bool(self.convicting)
        for one in kept:
            first, second = (
                Checkpoint.parse(Note.parse(note.encode()).text) for note in (one.held, one.submitted)
            )
            assert first.size == second.size
            assert first.root != second.root

    def teardown(self) -> None:
        """Clean up."""
        if hasattr(self, "temporary"):
            self.temporary.cleanup()


TestWatched = Watched.TestCase
TestWatched.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


# --- two processes ---------------------------------------------------------------------------


def _race(folder: str, story: str, out: "multiprocessing.Queue[tuple[str, int, bytes]]") -> None:
    witness = opened(Path(folder), FakeClock(START))
    log = STORIES[story]
    for _ in range(60):
        size = _size(witness)
        if size >= 40:
            return
        with suppress(LedgerError):
            out.put((story, size + 1, witness.add_checkpoint(log.submission(size, size + 1))))


def test_two_processes_tell_one_story(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[tuple[str, int, bytes]] = context.Queue()
    racers = [context.Process(target=_race, args=(str(tmp_path), story, out)) for story in ("a", "b", "a")]
    for one in racers:
        one.start()
    for one in racers:
        one.join(60)
        assert one.exitcode == 0
    heard = dict[int, bytes]()
    while not out.empty():
        story, size, line = out.get()
        root = STORIES[story].checkpoint(size).root
        assert heard.setdefault(size, root) == root
        assert parse_signature(line.decode().removesuffix("\n")).name == WITNESS.name
    public = Public()
    public.roots = heard
    public.check(opened(tmp_path, FakeClock(START)))
    assert heard


# --- a real kill -9 --------------------------------------------------------------------------

DOOMED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from tests.fakes import FakeClock
from tests.infrastructure.test_witness_crashes import START, STORIES, opened
place, clock, done = int(sys.argv[2]), FakeClock(START), 0
sync = os.fsync
def doomed(handle):
    global done
    sync(handle)
    done += 1
    if done == place:
        os.kill(os.getpid(), signal.SIGKILL)
witness = opened(Path(sys.argv[1]), clock)
witness.add_checkpoint(STORIES["honest"].submission(0, 10))
os.fsync = doomed
sys.stdout.buffer.write(witness.add_checkpoint(STORIES["honest"].submission(10, 20)))
"""


@pytest.mark.parametrize("place", [1, 2, 3])
def test_killed_between_write_and_answer_it_never_tells_another_story(tmp_path: Path, place: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", DOOMED, str(tmp_path), str(place)], capture_output=True, cwd=ROOT, check=False
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert "—".encode() not in ran.stdout
    witness = opened(tmp_path, FakeClock(START))
    held = _size(witness)
    assert held == (10 if place == 1 else 20)
    if held == 20:
        with pytest.raises(LedgerError):
            witness.add_checkpoint(STORIES["b"].submission(20, 20))
    witness.add_checkpoint(STORIES["honest"].submission(held, 20))
    assert [line.size for line in witness.state.lines(ORIGIN)][:2] == [10, 20]
