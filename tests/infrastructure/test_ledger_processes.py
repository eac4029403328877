"""Several processes publish one log, on one machine and on two, and are killed at any moment."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.ledger.checkpoint import open_checkpoint
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.ledger_check import verify_store
from infrastructure.ledger_publisher import Published
from tests.infrastructure.ledger_samples import KEY, VKEY, append
from tests.infrastructure.outsiders import KeptWitness, policy_text, serving_witness

ROOT = Path(__file__).parents[2]


@contextmanager
def publishing(url: str, folder: Path, policy: Path) -> Iterator["subprocess.Popen[str]"]:
    """A publishing process until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.infrastructure.publishing", url, str(folder), str(policy)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def witnessed_store(url: str, tmp_path: Path) -> Iterator[tuple[Store, KeptWitness, Path]]:
    """A store, a witness that is its quorum, and the policy's file."""
    witness = KeptWitness("witness.example/1", SystemClock())
    with serving_witness(witness) as server:
        policy = tmp_path / "policy"
        policy.write_text(policy_text({witness: server.url}))
        store = open_store(url, clock=SystemClock())
        try:
            yield store, witness, policy
        finally:
            store.close()


def wait_for(process: "subprocess.Popen[str]", size: int) -> None:
    """Read what the process says until it had that size witnessed."""
    assert process.stdout is not None
    deadline = time.monotonic() + 60
    for line in process.stdout:
        assert line.strip().isdecimal(), line
        if int(line) >= size:
            return
        assert time.monotonic() < deadline
    raise AssertionError("the process ended")


def require_sound(store: Store, folders: Sequence[Path], witness: KeptWitness, size: int) -> None:
    """Each folder shows the whole log, all of it verifies, and the witness saw one root of each size."""
    roots: dict[int, set[bytes]] = {}
    for folder in folders:
        report = verify_store(store, folder, [VKEY])
        assert report.findings == ()
        published = Published(folder)
        for note in [published.checkpoint(), *map(published.kept.note, published.kept.sizes())]:
            assert note is not None
            checkpoint = open_checkpoint(note, [KEY.verifier])
            roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
        assert max(roots) == size
    for seen, found in witness.seen.items():
        roots.setdefault(seen, set()).update(found)
    assert {seen: len(found) for seen, found in roots.items() if len(found) > 1} == {}


@pytest.mark.parametrize("hosts", [1, 2])
def test_processes_side_by_side_never_contradict_each_other(
    store_url: str, tmp_path: Path, hosts: int
) -> None:
    folders = [tmp_path / f"ledger-{number % hosts}" for number in range(2)]
    with (
        witnessed_store(store_url, tmp_path) as (store, witness, policy),
        publishing(store_url, folders[0], policy) as one,
        publishing(store_url, folders[1], policy) as two,
    ):
        append(store, 1)
        for process in (one, two):
            wait_for(process, 1)
        for _ in range(12):
            append(store, 30)
            time.sleep(0.03)
        for process in (one, two):
            wait_for(process, 361)
        for process in (one, two):
            process.kill()
            process.wait()
        require_sound(store, sorted(set(folders)), witness, 361)


def test_a_publisher_killed_at_any_moment_leaves_a_log_that_verifies(store_url: str, tmp_path: Path) -> None:
    folder, moments = tmp_path / "ledger", random.Random(20261123)  # noqa: S311
    with witnessed_store(store_url, tmp_path) as (store, witness, policy):
        for _ in range(5):
            with publishing(store_url, folder, policy) as process:
                for _ in range(4):
                    append(store, moments.randrange(1, 120))
                    time.sleep(moments.uniform(0.0, 0.2))
                process.send_signal(signal.SIGKILL)
        append(store, 1)
        head = store.recorder.head()
        assert head is not None
        with publishing(store_url, folder, policy) as process:
            wait_for(process, head + 1)
        require_sound(store, [folder], witness, head + 1)
