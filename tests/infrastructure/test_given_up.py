"""A log that went back: known from a witness or the files, given up by two people, gone on with beyond."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.errors import LedgerDiverged
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.proof import Receipt
from infrastructure.attestation import Pace
from tests.fakes import FakeClock
from tests.infrastructure.attested import Office, office
from tests.infrastructure.ledger_samples import KEY, MemoryLog, files_below

NEVER = Pace(witnesses=86_400, authority=86_400, quorum=1.0)


@pytest.fixture
def lenient(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    """An office with one witness and no quorum."""
    with office(tmp_path / "ledger", clock, quorum="none") as office_:
        yield office_


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("lost", ["", "everything"])
def test_a_restored_backup_is_known_from_the_witness_alone(lenient: Office, lost: str) -> None:
    lenient.log.size = 300
    publisher = lenient.open()
    publisher.publish_once()
    backup, before = lenient.latch.held, files_below(lenient.folder)
    lenient.log.size = 600
    publisher.publish_witnessed(599)
    publisher.close()
    wait_for(lambda: lenient.witnesses[0].held is not None and lenient.witnesses[0].held.size == 600)
    shutil.rmtree(lenient.folder)
    for path, content in {} if lost else before.items():
        (lenient.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (lenient.folder / path).write_bytes(content)
    lenient.latch.held = None if lost else backup
    lenient.log.size = 400
    restored = lenient.open()
    for _ in range(2):
        with pytest.raises(LedgerDiverged) as refusal:
            restored.publish_once()
        assert refusal.value.facts["reason"] == "witness-ahead"
        assert refusal.value.facts["published"] == 600
    assert lenient.latch.held == (None if lost else backup)
    assert restored.failure == "ledger-diverged: witness-ahead"
    restored.close()


def other_history(log: MemoryLog) -> None:
    """Let the log have another past from its 301st entry on."""
    log.kept[300] = log.kept[300]._replace(entry=log.kept[300].entry.replace(b'"ver":', b'"ver":9'))


def test_a_witness_with_another_history_stops_us(lenient: Office) -> None:
    lenient.log.size = 400
    first = lenient.open()
    first.publish_witnessed(399)
    first.close()
    other_history(lenient.log)
    shutil.rmtree(lenient.folder)
    lenient.latch.held, lenient.log.size = None, 400
    rewritten = lenient.open()
    with pytest.raises(LedgerDiverged) as refusal:
        rewritten.publish_once()
    assert refusal.value.facts["reason"] in ("witness-ahead", "witness-differs")
    assert lenient.latch.held is None
    rewritten.close()
    lenient.require_one_root_of_each_size()


def diverged(office_: Office) -> tuple[Checkpoint, dict[str, bytes]]:
    """A log of which 400 entries were published and witnessed, set back to 300 that go on otherwise."""
    office_.log.size = 300
    first = office_.open(pace=NEVER)
    first.publish_witnessed(299)
    backup = office_.latch.held
    office_.log.size = 400
    first.publish_witnessed(399)
    first.close()
    given_up, before = office_.published(), files_below(office_.folder)
    other_history(office_.log)
    office_.latch.held, office_.log.size = backup, 350
    with pytest.raises(LedgerDiverged):
        office_.open().publish_once()
    return given_up, before


def test_after_two_people_gave_it_up_signing_goes_on_only_beyond(lenient: Office) -> None:
    given_up, before = diverged(lenient)
    lenient.charter.give_up(given_up.size, b"\0" * 32)
    with pytest.raises(LedgerDiverged) as refusal:
        lenient.open().publish_once()
    assert refusal.value.facts["reason"] != "given-up"  # another root was given up
    lenient.charter.give_up(given_up.size, given_up.root)
    resumed = lenient.open()
    for size in (350, 399, 400):
        lenient.log.size = size
        with pytest.raises(LedgerDiverged) as refusal:
            resumed.publish_once()
        assert refusal.value.facts["reason"] == "given-up"
    lenient.log.size = 401
    resumed.publish_once()
    assert lenient.published().size == 401
    after = files_below(lenient.folder)
    abandoned = {
        path.removeprefix("abandoned/400/"): kept for path, kept in after.items() if "abandoned/" in path
    }
    assert abandoned["checkpoint"] == before["checkpoint"]
    assert abandoned["tile/entries/000"] == before["tile/entries/000"]
    assert abandoned.keys() >= {path for path in before if path.startswith("tile/")}
    assert ("checkpoints/300" in after, "checkpoints/400" in after) == (True, False)
    assert abandoned["checkpoints/400"] == before["checkpoints/400"]
    for idx in (0, 299, 300, 400):
        Receipt.parse(lenient.files.receipt(idx)).verify(lenient.log.kept[idx].entry, [KEY.verifier])
    lenient.log.size = 500
    resumed.publish_once()
    resumed.close()
    lenient.require_one_root_of_each_size()
    assert lenient.witnesses[0].held == given_up


@pytest.mark.parametrize("step", range(11))
def test_killed_while_abandoning_it_is_completed(
    lenient: Office, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    given_up, before = diverged(lenient)
    lenient.charter.give_up(given_up.size, given_up.root)
    lenient.log.size = 500
    left = [step]
    replace = Path.replace

    def killing(part: Path, place: Path) -> Path:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return replace(part, place)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killing)
        with pytest.raises(KeyboardInterrupt):
            lenient.open(pace=NEVER).publish_once()
    lenient.open(pace=NEVER).publish_once()
    assert lenient.published().size == 500
    after = files_below(lenient.folder)
    for path, content in before.items():
        if path not in ("vkey", "trust-policy", "checkpoints/300"):
            assert after[f"abandoned/400/{path}"] == content
    for idx in (0, 300, 499):
        Receipt.parse(lenient.files.receipt(idx)).verify(lenient.log.kept[idx].entry, [KEY.verifier])
    lenient.require_one_root_of_each_size()
