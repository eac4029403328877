"""Every write of a publication fails, fails but persists, or is the last before a kill; then it goes on.

The writes of a run are counted first, and then each of them is let down in each way: files, folders, flushes,
the latch, requests to the witness and the time-stamp authority.
"""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest

from domain.errors import DomainError, StoreUnavailable
from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.merkle import EMPTY_ROOT, Frontier, leaf_hash
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from domain.ledger.published_tiles import verify_tiles
from domain.ledger.rows import Row
from domain.ledger.verify import verify_log
from infrastructure import files
from infrastructure.attestation import Attestation, Pace
from infrastructure.courier import Reply, Unanswered
from infrastructure.ledger_files import LedgerFolder
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.timestamps import TimestampRefused
from infrastructure.trust import Trust
from infrastructure.witnesses import WitnessClient
from tests.fakes import FakeClock
from tests.infrastructure.attested import WrittenCharter
from tests.infrastructure.ledger_samples import KEY, MemoryLatch, MemoryLog
from tests.infrastructure.outsiders import KeptWitness, policy_text

BEFORE, GROWN, AFTER = 254, 258, 260
WAYS = [(persisted, killed) for persisted in (False, True) for killed in (False, True)]


class Killed(BaseException):
    """Stands for kill -9: nothing that comes after it is done any more."""


class Faults:
    """Lets the write number `at` down; without a number it only counts."""

    def __init__(self, at: int | None = None, *, persisted: bool = False, killed: bool = False) -> None:
        self.count, self.at, self.persisted, self.killed = 0, at, persisted, killed
        self.dead = False
        self.done: list[str] = []

    def write(self, name: str, work: Callable[[], Any], failure: BaseException) -> Any:
        """Do a write, unless it is the one that fails or the process is dead."""
        if self.dead:
            raise Killed
        self.count += 1
        self.done.append(name)
        if self.count - 1 != self.at:
            return work()
        if self.persisted:
            work()
        self.dead = self.killed
        raise Killed if self.killed else failure

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        """Stand before all that changes files."""
        for owner, name in (
            (os, "fsync"),
            (os, "fchmod"),
            (os, "utime"),
            (Path, "replace"),
            (Path, "unlink"),
            (Path, "mkdir"),
            (Path, "touch"),
            (shutil, "rmtree"),
            (files, "NamedTemporaryFile"),
        ):
            patch.setattr(owner, name, self._standing_before(name, getattr(owner, name)))

    def _standing_before(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def stand(*args: Any, **more: Any) -> Any:
            return self.write(name, lambda: real(*args, **more), OSError(errno.EIO, "fault"))

        return stand


class FaultyLatch(MemoryLatch):
    """A latch whose outcome may be unknown."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self.faults = faults

    def swap(self, old_size: int | None, size: int, note: bytes) -> bool:
        """Move it, if it is let."""
        moved: bool = self.faults.write(
            "latch", lambda: super(FaultyLatch, self).swap(old_size, size, note), StoreUnavailable(reason="x")
        )
        return moved


class DirectPost:
    """Carries a submission to a witness without a network."""

    def __init__(self, witness: KeptWitness, faults: Faults) -> None:
        self._witness, self._faults = witness, faults

    def post(self, body: bytes, media: str) -> Reply:
        """The witness's answer."""

        def ask() -> Reply:
            said = self._witness.answer(body)
            return Reply(said.status, said.media.partition(";")[0], said.body)

        reply: Reply = self._faults.write("witness", ask, Unanswered("unreachable"))
        return reply

    def close(self) -> None:
        """Nothing is open."""


class Stamps:
    """An authority whose tokens are words."""

    certificates = ()

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def stamp(self, text: str) -> bytes:
        """A token."""
        token: bytes = self._faults.write("stamp", text.encode, TimestampRefused("unreachable"))
        return token

    def close(self) -> None:
        """Nothing is open."""


class InTurn(Attestation):
    """Asks one after the other in this thread: a kill ends all of it, and writes have an order."""

    def _begin(self, work: Callable[[], None], done: "Queue[None] | None" = None) -> Thread:
        try:
            work()
        except (DomainError, OSError):
            pass
        finally:
            if done is not None:
                done.put(None)
        return Thread()


class World:
    """What outlives a process: the store, the folder, the witness."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.folder, self.faults = folder, Faults()
        self.log, self.latch, self.charter = MemoryLog("n600"), FaultyLatch(self.faults), WrittenCharter()
        self.witness = KeptWitness("witness.example/1", clock)
        self.policy = TrustPolicy.parse(policy_text({self.witness: "http://witness.example"}).encode())

    def open(self, faults: Faults, *, key: SigningKey = KEY) -> LedgerPublisher:
        """A process."""
        self.latch.faults = faults
        trust = Trust(key.verifier, self.policy, self.charter)
        post = DirectPost(self.witness, faults)
        clients = [WitnessClient(self.policy.witnesses[0], post, self.witness.clock)]
        stamps: Any = Stamps(faults)
        pace = Pace(witnesses=1e-9, authority=1e-9, quorum=1.0)
        attestation = InTurn(trust, LedgerFolder(self.folder), clients, stamps, pace)
        return LedgerPublisher(self.log, self.latch, key, self.folder, trust=trust, attestation=attestation)

    def grow(self, size: int, faults: Faults) -> None:
        """A process publishes, has it witnessed and asks once more, as far as it comes."""
        self.log.size = size
        publisher = self.open(faults)
        publisher.publish_witnessed(size - 1)
        publisher.attestation.ask_all()

    def require_sound(self, size: int) -> None:
        """Everything verifies: store, tiles, each checkpoint that anybody holds, receipts, the witness."""
        published, rows = Published(self.folder), self.log.kept[: self.log.size]
        roots, frontier = {}, Frontier()
        for row in rows:
            frontier.append(leaf_hash(row.entry))
            roots[frontier.size] = frontier.root()
        notes = [("checkpoint", published.checkpoint()), ("latch", (self.latch.held or (0, None))[1])]
        notes += [(str(one), published.kept.note(one)) for one in published.kept.sizes()]
        notes += [("witnessed", published.kept.witnessed())]
        held = [(name, note) for name, note in notes if note is not None]
        sizes = {name: open_checkpoint(note, [KEY.verifier]) for name, note in held}
        assert all(one.root == roots[one.size] for one in sizes.values())
        assert sizes["checkpoint"].size == sizes["latch"].size == size
        entries = ((row.idx, row.entry) for row in rows)
        assert list(verify_tiles(entries, size, published.read)) == []
        told: list[Row] = [
            (row.idx, row.entry, row.state, row.stream, row.topic, row.ver, row.at, row.leaf) for row in rows
        ]
        links = sorted((row.stream, row.ver, row.idx, row.entry) for row in rows)
        by_stream = [(idx, entry, stream, ver) for stream, ver, idx, entry in links]
        assert verify_log(told, by_stream, held, [KEY.verifier]).findings == ()
        for idx in {0, size // 2, size - 1}:
            Receipt.parse(published.receipt(idx)).verify(self.log.kept[idx].entry, [KEY.verifier])
        for one, found in self.witness.seen.items():
            assert found == {roots[one] if one else EMPTY_ROOT}


@pytest.fixture(autouse=True)
def _no_flushing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power fails here, and flushing to the disk takes most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def run(
    folder: Path, clock: FakeClock, faults: Faults, monkeypatch: pytest.MonkeyPatch, first: int = 0
) -> World:
    """A log that is published up to 254, and then grows under faults; with `first` from nothing at all."""
    world = World(folder, clock)
    if not first:
        world.grow(BEFORE, Faults())
    with monkeypatch.context() as patch:
        faults.patch(patch)
        with suppress(Killed, DomainError):
            world.grow(first or GROWN, faults)
    return world


@pytest.mark.parametrize("first", [0, 7])
@pytest.mark.parametrize(("persisted", "killed"), WAYS)
def test_whatever_write_fails_the_log_verifies_and_goes_on(
    tmp_path: Path,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    persisted: bool,
    killed: bool,
    first: int,
) -> None:
    counting = Faults()
    run(tmp_path / "counted", clock, counting, monkeypatch, first).require_sound(first or GROWN)
    assert {"fsync", "replace", "latch", "witness", "stamp"} <= set(counting.done)
    for at in range(counting.count):
        faults = Faults(at, persisted=persisted, killed=killed)
        world = run(tmp_path / str(at), clock, faults, monkeypatch, first)
        assert faults.count > at
        world.grow(first or GROWN, Faults())
        world.grow(AFTER, Faults())
        world.require_sound(AFTER)
        newest = world.witness.held
        assert newest is not None
        assert newest.size == AFTER
        shutil.rmtree(tmp_path / str(at))


@pytest.mark.parametrize("persisted", [False, True])
def test_a_process_that_lives_on_makes_it_good_itself(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, persisted: bool
) -> None:
    at = 0
    while True:
        world, faults = World(tmp_path / str(at), clock), Faults(at, persisted=persisted)
        world.grow(BEFORE, Faults())
        world.log.size = GROWN
        publisher = world.open(faults)
        with monkeypatch.context() as patch:
            faults.patch(patch)
            with suppress(DomainError):
                publisher.publish_witnessed(GROWN - 1)
        if faults.count <= at:
            break
        publisher.publish_witnessed(GROWN - 1)
        assert publisher.failure == ""
        world.require_sound(GROWN)
        at += 1
    assert at > 10
