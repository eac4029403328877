"""Publishing: the vectors' bytes, at most one truth, and going on from wherever a run was cut off."""

import errno
import os
import shutil
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from domain.errors import LedgerDiverged, NotFound, ReceiptAhead, StoreUnavailable
from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.note import SigningKey, VerifierKey
from domain.ledger.proof import Receipt
from infrastructure.database import Store
from infrastructure.ledger_check import verify_store
from infrastructure.ledger_publisher import LedgerPublisher, Published
from tests.infrastructure.ledger_samples import (
    KEY,
    VECTORS,
    VKEY,
    MemoryLatch,
    MemoryLog,
    append,
    files_below,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog("n600")


@pytest.fixture
def latch() -> MemoryLatch:
    return MemoryLatch()


def publisher(log: MemoryLog, latch: MemoryLatch, folder: Path) -> LedgerPublisher:
    return LedgerPublisher(log, latch, KEY, folder)


def published(folder: Path) -> Checkpoint:
    note = Published(folder).checkpoint()
    assert note is not None
    return open_checkpoint(note, [KEY.verifier])


def reason(refusal: pytest.ExceptionInfo[LedgerDiverged]) -> str:
    return str(refusal.value.facts["reason"])


@pytest.mark.parametrize("name", ["n7", "n600"])
def test_the_published_files_are_the_vectors_byte_for_byte(
    name: str, folder: Path, latch: MemoryLatch
) -> None:
    vkey = VerifierKey.parse((VECTORS / name / "log.vkey").read_text().strip())
    seed = bytes.fromhex((VECTORS / name / "test-only-signing-seed.hex").read_text().strip())
    one = LedgerPublisher(MemoryLog(name), latch, SigningKey(vkey.name, seed), folder)
    one.publish_once()
    expected = files_below(VECTORS / name / "tiles")
    trust = {
        "vkey": f"{vkey.encode()}\n".encode(),
        "trust-policy": f"log {vkey.encode()}\nquorum none\n".encode(),
    }
    assert files_below(folder) == {**expected, **trust}
    receipt = (VECTORS / name / "one.tlog-proof").read_bytes()
    assert one.receipt(Receipt.parse(receipt).index) == receipt


def test_growing_by_steps_ends_in_the_same_files(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    one = publisher(log, latch, folder)
    for size in (0, 1, 2, 255, 256, 257, 511, 512, 513, 600):
        log.size = size
        checkpoint = one.publish_once()
        assert (checkpoint.size if checkpoint else 0) == size
    assert one.publish_once() is None
    whole = publisher(log, MemoryLatch(), folder.with_name("whole"))
    whole.publish_once()
    grown, at_once = files_below(folder), files_below(folder.with_name("whole"))
    assert at_once.items() <= grown.items()
    assert not any(path.startswith(("tile/0/000.p", "tile/0/001.p", "tile/entries/000.p")) for path in grown)


def test_every_checkpoint_on_the_way_keeps_its_receipts(
    log: MemoryLog, latch: MemoryLatch, folder: Path
) -> None:
    one = publisher(log, latch, folder)
    for size in (1, 7, 256, 300, 600):
        log.size = size
        one.publish_once()
        for idx in {0, size // 2, size - 1}:
            entry, checkpoint = Receipt.parse(one.receipt(idx)).verify(log.kept[idx].entry, [KEY.verifier])
            assert (entry.idx, checkpoint.size) == (idx, size)


def test_a_receipt_needs_a_published_position(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    one = publisher(log, latch, folder)
    with pytest.raises(ReceiptAhead):
        one.receipt(0)
    log.size = 7
    one.publish_once()
    with pytest.raises(ReceiptAhead) as refusal:
        one.receipt(7)
    assert refusal.value.facts == {"idx": 7, "size": 7}
    with pytest.raises(NotFound):
        one.receipt(-1)


def test_a_restart_goes_on_at_any_size(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    for size in (3, 255, 256, 300, 512, 600):
        log.size = size
        checkpoint = publisher(log, latch, folder).publish_once()
        assert checkpoint is not None
        assert published(folder) == checkpoint


class Killed(BaseException):
    """Stands for kill -9 at a place of the test's choice."""


@pytest.mark.parametrize("step", range(8))
def test_cut_off_anywhere_the_next_run_completes_it(
    log: MemoryLog, latch: MemoryLatch, folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    log.size = 250
    publisher(log, latch, folder).publish_once()
    log.size = 600
    left = [step]

    def replace(part: Path, place: Path) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        os.replace(part, place)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(Killed):
            publisher(log, latch, folder).publish_once()
    assert published(folder).size == 250
    publisher(log, latch, folder).publish_once()
    assert published(folder).size == 600
    whole = publisher(log, MemoryLatch(), folder.with_name("whole"))
    whole.publish_once()
    assert files_below(folder.with_name("whole")).items() <= files_below(folder).items()


def test_a_latch_ahead_of_the_file_is_shown_as_it_was_signed(
    log: MemoryLog, latch: MemoryLatch, folder: Path
) -> None:
    one = publisher(log, latch, folder)
    log.size = 300
    one.publish_once()
    old = (folder / "checkpoint").read_bytes()
    log.size = 600
    one.publish_once()
    new = (folder / "checkpoint").read_bytes()
    (folder / "checkpoint").write_bytes(old)
    assert publisher(log, latch, folder).publish_once() is None
    assert (folder / "checkpoint").read_bytes() == new


@pytest.mark.parametrize("lost", ["tile/0", "tile/entries", "tile", ""])
def test_lost_files_are_made_again_from_the_store(
    log: MemoryLog, latch: MemoryLatch, folder: Path, lost: str
) -> None:
    publisher(log, latch, folder).publish_once()
    before = files_below(folder)
    shutil.rmtree(folder / lost)
    publisher(log, latch, folder).publish_once()
    assert files_below(folder) == before


def test_a_damaged_tile_is_mended_once_it_is_needed(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    one = publisher(log, latch, folder)
    one.publish_once()
    before = files_below(folder)
    tile = folder / "tile" / "0" / "002.p" / "88"
    tile.write_bytes(b"\0" * len(tile.read_bytes()))
    one.publish_once()
    assert files_below(folder) == before
    assert one.failure == ""


def test_a_restored_backup_is_not_signed(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    log.size = 300
    publisher(log, latch, folder).publish_once()
    backup = latch.held
    log.size = 600
    publisher(log, latch, folder).publish_once()
    before, root = files_below(folder), published(folder).root.hex()
    log.size, latch.held = 300, backup
    one = publisher(log, latch, folder)
    with pytest.raises(LedgerDiverged) as refusal:
        one.publish_once()
    assert refusal.value.facts == {"reason": "store-behind", "size": 300, "published": 600, "root": root}
    assert one.failure == "ledger-diverged: store-behind"
    log.size = 400
    with pytest.raises(LedgerDiverged):
        one.publish_once()
    assert (files_below(folder), latch.held) == (before, backup)


def test_a_store_without_its_tail_is_not_signed(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    publisher(log, latch, folder).publish_once()
    log.size = 599
    with pytest.raises(LedgerDiverged) as refusal:
        publisher(log, latch, folder).publish_once()
    assert reason(refusal) == "store-behind"


def test_a_store_with_another_history_is_not_signed(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    log.size = 300
    publisher(log, latch, folder).publish_once()
    log.size = 600
    log.kept[299] = log.kept[299]._replace(entry=log.kept[299].entry.replace(b'"v":1', b'"v":2'))
    one = publisher(log, latch, folder)
    with pytest.raises(LedgerDiverged) as refusal:
        one.publish_once()
    assert reason(refusal) == "root-differs"
    assert published(folder).size == 300


def test_two_roots_of_one_size_are_never_both_shown(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    publisher(log, latch, folder).publish_once()
    other = sign_checkpoint(Checkpoint(KEY.name, 600, b"\1" * 32), KEY)
    latch.held = (600, other)
    with pytest.raises(LedgerDiverged) as refusal:
        publisher(log, latch, folder).publish_once()
    assert reason(refusal) == "root-differs"
    assert (folder / "checkpoint").read_bytes() != other


def test_a_gap_in_the_store_is_not_signed(log: MemoryLog, latch: MemoryLatch, folder: Path) -> None:
    del log.kept[100]
    with pytest.raises(LedgerDiverged) as refusal:
        publisher(log, latch, folder).publish_once()
    assert reason(refusal) == "gap"
    assert latch.held is None


@pytest.mark.parametrize("spoil", [b"", b"nothing like a note\n"])
def test_an_unreadable_checkpoint_is_not_overwritten(
    log: MemoryLog, latch: MemoryLatch, folder: Path, spoil: bytes
) -> None:
    publisher(log, latch, folder).publish_once()
    (folder / "checkpoint").write_bytes(spoil)
    with pytest.raises(LedgerDiverged) as refusal:
        publisher(log, latch, folder).publish_once()
    assert reason(refusal) == "checkpoint-unreadable"
    assert (folder / "checkpoint").read_bytes() == spoil


def test_a_checkpoint_of_another_key_stops_unless_it_is_a_former_one(
    log: MemoryLog, latch: MemoryLatch, folder: Path
) -> None:
    log.size = 300
    publisher(log, latch, folder).publish_once()
    log.size = 600
    new = SigningKey(KEY.name, b"n" * 32)
    with pytest.raises(LedgerDiverged) as refusal:
        LedgerPublisher(log, latch, new, folder).publish_once()
    assert reason(refusal) == "latch-unreadable"
    LedgerPublisher(log, latch, new, folder, former=[KEY.verifier]).publish_once()
    note = (folder / "checkpoint").read_bytes()
    assert open_checkpoint(note, [new.verifier]).size == 600


def test_a_publisher_that_loses_a_race_goes_on_from_the_winner(
    log: MemoryLog, latch: MemoryLatch, folder: Path
) -> None:
    latch.racing = 2
    checkpoint = publisher(log, latch, folder).publish_once()
    assert checkpoint is not None
    assert checkpoint.size == 600
    latch.racing, log.kept, latch.held = 100, log.kept, None
    with pytest.raises(StoreUnavailable):
        publisher(log, latch, folder.with_name("other")).publish_once()


def test_a_full_disk_leaves_the_last_checkpoint_and_is_made_good(
    log: MemoryLog, latch: MemoryLatch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    one = publisher(log, latch, folder)
    log.size = 300
    one.publish_once()
    log.size = 600
    with monkeypatch.context() as patch:
        patch.setattr("infrastructure.files.os.fsync", full)
        with pytest.raises(StoreUnavailable) as refusal:
            one.publish_once()
    assert refusal.value.facts["reason"] == "disk-full"
    assert one.failure == "store-unavailable: disk-full"
    assert published(folder).size == 300
    one.publish_once()
    assert published(folder).size == 600


def test_published_files_may_be_read_by_a_web_server(
    log: MemoryLog, latch: MemoryLatch, folder: Path
) -> None:
    publisher(log, latch, folder).publish_once()
    modes = {
        file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file() and file.name[0] != "."
    }
    assert modes == {0o644}


def test_the_loop_publishes_within_two_seconds_and_once_more_at_its_end(store: Store, folder: Path) -> None:
    one = LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder)
    stop = Event()
    loop = Thread(target=one.run, args=(stop, 0.5))
    loop.start()
    try:
        append(store, 3)
        deadline = time.monotonic() + 2
        while one.published < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert one.published == 3
        append(store, 2)
    finally:
        stop.set()
        loop.join(10)
    assert published(folder).size == 5
    assert one.vkey == VKEY


def test_the_loop_goes_on_looking_at_a_log_that_has_diverged(
    log: MemoryLog, latch: MemoryLatch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher(log, latch, folder).publish_once()
    held, whole = latch.held, log.size
    log.size, latch.held = 0, None
    one, stop, told = publisher(log, latch, folder), Event(), list[tuple[str, float]]()

    def wait(seconds: float) -> bool:
        told.append((one.failure, seconds))
        log.size, latch.held = whole, held
        return len(told) > 1

    monkeypatch.setattr(stop, "wait", wait)
    one.run(stop, 0.01)
    assert told == [("ledger-diverged: store-behind", 5.0), ("", 0.01)]


def test_the_loop_outlives_what_nobody_foresaw(
    log: MemoryLog, latch: MemoryLatch, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, stop, told = publisher(log, latch, folder), Event(), list[str]()

    def fail() -> None:
        raise RuntimeError("not foreseen")

    def wait(_: float) -> bool:
        told.append(one.failure)
        monkeypatch.setattr(latch, "read", read)
        return len(told) > 1

    read = latch.read
    monkeypatch.setattr(latch, "read", fail)
    monkeypatch.setattr(stop, "wait", wait)
    one.run(stop, 0.01)
    assert told == ["internal: RuntimeError", ""]
    assert (one.failure, one.published) == ("", log.size)


def test_publishers_side_by_side_agree_on_one_log(store: Store, folder: Path) -> None:
    publishers = [LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder) for _ in range(4)]
    failures: list[BaseException] = []

    def publish(one: LedgerPublisher) -> None:
        try:
            for _ in range(12):
                one.publish_once()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [Thread(target=publish, args=(one,)) for one in publishers]
    for thread in threads:
        thread.start()
    for _ in range(6):
        append(store, 70)
    for thread in threads:
        thread.join()
    publishers[0].publish_once()
    assert failures == []
    assert published(folder).size == 420
    assert verify_store(store, folder, [VKEY]).sound
