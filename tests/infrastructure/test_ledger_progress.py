"""A check that was interrupted, at any place and in any way, ends with the report of one that was not."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.ledger.errors import ResumeRefused
from domain.ledger.finding import Saved
from domain.ledger.verify import Report
from infrastructure import ledger_links
from infrastructure.database import Store
from infrastructure.ledger_check import Trust, verify_store
from infrastructure.ledger_progress import ProgressFile
from infrastructure.ledger_publisher import LedgerPublisher
from tests.infrastructure.ledger_samples import KEY, VKEY, append
from tests.infrastructure.tampering import tamper
from tests.infrastructure.test_outside_proofs import POLICY, cosigned, keep, now

EVENTS = 3000
STEP = 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "auditor" / "progress.json"


@pytest.fixture
def log(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A log with something of everything wrong in it, and a check that saves at every opportunity."""
    monkeypatch.setattr(ledger_links, "STEP", STEP)
    monkeypatch.setattr(ledger_links, "SAVE_SECONDS", 0.0)
    append(store, 1000)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    early = now(store) - timedelta(hours=1)
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), early))
    append(store, EVENTS - 1000)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    tamper(
        store,
        ("UPDATE events SET state = ? WHERE idx = 77", (b"{}",)),
        ("UPDATE events SET ver = ver + 1000 WHERE idx = 2998", ()),
        ("UPDATE events SET entry = (SELECT entry FROM events WHERE idx = 7) WHERE idx = 2222", ()),
    )
    tile = folder / "tile" / "0" / "005"
    tile.write_bytes(tile.read_bytes()[:-1] + b"?")
    return store


class Interrupted(Exception):
    """Ctrl-C, at a moment of the test's choosing."""


def check(store: Store, folder: Path, file: Path | None = None, after: int | None = None) -> Report:
    """A check; it is interrupted at the `after`-th word about progress."""
    words = 0

    def listen(done: int, total: int) -> None:
        nonlocal words
        words += 1
        if words == after:
            raise Interrupted

    keeper = ProgressFile(file, service=folder, seconds=0) if file is not None else None
    return verify_store(store, folder, Trust(policy=POLICY), listen, keeper=keeper)


def test_the_report_is_that_of_an_uninterrupted_check(log: Store, folder: Path, file: Path) -> None:
    expected = check(log, folder)
    assert {one.code for one in expected.findings} >= {
        "state.differs",
        "entry.differs",
        "version.gap",
        "prev.differs",
        "root.differs",
        "tile.differs",
        "at.after_proof",
    }

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.integers(1, 45), min_size=1, max_size=4))
    def interrupted(places: list[int]) -> None:
        for place in places:
            try:
                report = check(log, folder, file, place)
            except Interrupted:
                continue
            assert report == expected
        assert check(log, folder, file) == expected
        assert not file.exists()

    interrupted()


def test_it_goes_on_and_does_not_begin_anew(log: Store, folder: Path, file: Path) -> None:
    with pytest.raises(Interrupted):
        check(log, folder, file, 25)
    kept = json.loads(file.read_bytes())["parts"]
    assert kept["rows"]["check"]["size"] >= 1536
    steps: list[int] = []
    keeper = ProgressFile(file, service=folder)
    verify_store(log, folder, Trust(policy=POLICY), lambda done, total: steps.append(done), keeper=keeper)
    assert steps[0] > 1536


def test_the_log_may_go_on_meanwhile(log: Store, folder: Path, file: Path) -> None:
    expected = check(log, folder)
    with pytest.raises(Interrupted):
        check(log, folder, file, 20)
    more = [StoredEvent("sample-more", ver, "sample.noted.v1", b"{}") for ver in range(1, 1101)]
    log.recorder.insert_events(more)
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), now(log)))
    assert check(log, folder, file) == expected


@pytest.mark.parametrize("after", [3, 20])
def test_a_kill_is_no_different(log: Store, folder: Path, file: Path, after: int) -> None:
    expected = check(log, folder)
    script = f"""
import os, signal
from pathlib import Path
from infrastructure import ledger_links
from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from tests.infrastructure.test_ledger_progress import ProgressFile, POLICY, Trust, verify_store
ledger_links.STEP, ledger_links.SAVE_SECONDS = {STEP}, 0.0
words = 0
def listen(done, total):
    global words
    words += 1
    if words == {after}:
        os.kill(os.getpid(), signal.SIGKILL)
folder = Path({str(folder)!r})
keeper = ProgressFile(Path({str(file)!r}), service=folder, seconds=0)
store = open_store({log.url!r}, clock=SystemClock())
verify_store(store, folder, Trust(policy=POLICY), listen, keeper=keeper)
"""
    killed = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert check(log, folder, file) == expected


def test_the_second_pass_goes_on_in_its_process(
    log: Store, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = check(log, folder)
    monkeypatch.setattr(ledger_links, "LONG", 0)
    with pytest.raises(Interrupted):
        check(log, folder, file, 10)
    assert check(log, folder, file) == expected


def test_a_pass_that_is_killed_goes_on_from_where_it_was_heard_of(log: Store) -> None:
    whole = ledger_links.SecondPass(log, EVENTS, lambda rows: None)
    heard: list[Saved] = []
    with whole as links:
        links.report(lambda: heard.append(dict(links.saved or {})))
        expected = links.report()
    halfway = next(one for one in heard if one and one["counts"][0] >= EVENTS // 2)
    monkey: list[int] = []
    with ledger_links.SecondPass(log, EVENTS, monkey.append, halfway) as links:
        assert links.report() == expected
    assert monkey[0] > EVENTS // 2


@pytest.mark.parametrize("change", ["trust", "kept", "gone", "code", "log"])
def test_a_file_of_something_else_is_refused(
    log: Store, folder: Path, file: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        check(log, folder, file, 20)
    if change == "trust":
        with pytest.raises(ResumeRefused, match="trust"):
            verify_store(log, folder, [VKEY], keeper=ProgressFile(file, service=folder))
        return
    kept = folder / "checkpoints" / "1000"
    if change == "kept":
        kept.write_bytes(kept.read_bytes().replace(b"witness.example/a", b"witness.example/c"))
    elif change == "gone":
        kept.unlink()
    elif change == "code":
        monkeypatch.setattr("infrastructure.ledger_check.version_of_verifier", lambda: "another")
    else:
        tamper(log, ("UPDATE events SET leaf = ? WHERE idx = 0", (bytes(32),)))
    with pytest.raises(ResumeRefused, match="of something else"):
        check(log, folder, file)


def test_a_file_that_the_service_or_others_could_have_written_is_refused(
    log: Store, folder: Path, file: Path
) -> None:
    with pytest.raises(ResumeRefused, match="data folder"):
        check(log, folder, folder / "progress.json")
    with pytest.raises(Interrupted):
        check(log, folder, file, 20)
    os.chmod(file, 0o622)  # noqa: S103 (that is the point)
    with pytest.raises(ResumeRefused, match="others"):
        check(log, folder, file)


def test_a_file_that_somebody_else_put_there_is_refused(
    log: Store, folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Interrupted):
        check(log, folder, file, 20)
    assert not file.stat().st_mode & 0o077
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(ResumeRefused, match="others"):
        check(log, folder, file)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
def test_a_file_that_is_none_is_refused_and_left_alone(
    log: Store, folder: Path, file: Path, content: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    os.chmod(file, 0o600)
    with pytest.raises(ResumeRefused, match="unreadable"):
        check(log, folder, file)
    assert file.read_bytes() == content
