"""A log whose key was changed and that gave up what it had published, checked on real stores and offline."""

import json
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from api.offline import check_folder
from application.ports import Append, ClaimWrite
from domain.aggregate import Claim
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.merkle import Frontier
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import Report
from infrastructure.database import Store
from infrastructure.ledger_check import Trust, verify_store
from infrastructure.ledger_export import LedgerExport, States, write_folder
from infrastructure.ledger_files import Published
from infrastructure.ledger_publisher import LedgerPublisher
from tests.infrastructure.ledger_samples import KEY, append

NEW = SigningKey(KEY.name, b"the key that came after old ones")
POLICY = TrustPolicy.of_keys([NEW.verifier, KEY.verifier])
STREAM = f"installation-{0:032x}"
GIVEN_UP = Checkpoint(KEY.name, 250, b"\7" * 32)
CHANGED = 101
RESUMED = 102


def event(ver: int, topic: str, **facts: object) -> StoredEvent:
    state = json.dumps({**facts, "salt": f"{ver:032x}"}, sort_keys=True, separators=(",", ":"))
    return StoredEvent(STREAM, ver, f"installation.{topic}.v1", state.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(store: Store, folder: Path) -> Store:
    """Founded at 0, 100 events, the key changed at 101, a checkpoint given up at 102, and 300 more."""
    founded = event(1, "founded", origin=KEY.name, verifier_key=KEY.verifier.encode())
    claim = ClaimWrite(STREAM, Claim("installation", "1"))
    store.recorder.insert_events([founded], append=Append(claims=[claim]))
    others(store, 1, 100)
    keep(folder, signed(store, 101, KEY))
    changed = event(2, "key-changed", verifier_key=NEW.verifier.encode(), former=KEY.verifier.encode())
    resumed = event(3, "resumed", size=GIVEN_UP.size, root=GIVEN_UP.root.hex())
    store.recorder.insert_events([changed, resumed])
    others(store, 101, 300)
    publisher = LedgerPublisher(
        store.recorder, store.ledger_latch, NEW, folder, former=[KEY.verifier], beside=[KEY]
    )
    publisher.publish_once()
    place = folder / "abandoned" / "250" / "checkpoint"
    place.parent.mkdir(parents=True)
    place.write_bytes(sign_checkpoint(GIVEN_UP, KEY))
    return store


def others(store: Store, first: int, count: int) -> None:
    """One stream that has nothing to do with it."""
    numbers = range(first, first + count)
    made = [StoredEvent("sample-1", ver, "sample.noted.v1", b'{"n":%d}' % ver) for ver in numbers]
    store.recorder.insert_events(made)


def signed(store: Store, size: int, key: SigningKey) -> bytes:
    tree = Frontier()
    tree.extend([leaf for _, leaf in store.recorder.leaves(0, size)])
    return sign_checkpoint(Checkpoint(key.name, size, tree.root()), key)


def keep(folder: Path, note: bytes) -> None:
    size = note.split(b"\n")[1].decode()
    place = folder / "checkpoints" / size
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(note)


def checks(log: Store, folder: Path, out: Path, acknowledged: tuple[int, ...] = (250,)) -> list[Report]:
    """The live check, and that of an export with states."""
    write_folder(
        LedgerExport(Published(folder), states=States(recorder=log.recorder)), out, lambda done, size: None
    )
    return [
        verify_store(log, folder, Trust(policy=POLICY, acknowledged=acknowledged)),
        check_folder(out, POLICY, acknowledged=acknowledged),
    ]


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(finding.code, finding.idx) for finding in report.findings}


def test_both_keys_count_each_in_its_time(log: Store, folder: Path, tmp_path: Path) -> None:
    for report in checks(log, folder, tmp_path / "out"):
        assert report.findings == ()
        assert (report.size, report.covered) == (403, 403)
        assert "key-changes" not in report.unchecked


def test_what_was_given_up_is_told_by_the_logs_own_event(log: Store, folder: Path, tmp_path: Path) -> None:
    for report in checks(log, folder, tmp_path / "out", ()):
        assert found(report) == {("log.resumed", RESUMED)}
        assert report.findings[0].params == {"size": 250, "root": GIVEN_UP.root.hex()}


def test_the_old_key_signs_nothing_that_covers_its_change(log: Store, folder: Path, tmp_path: Path) -> None:
    keep(folder, signed(log, 300, KEY))
    for report in checks(log, folder, tmp_path / "out"):
        assert found(report) == {("key.retired", None)}
        assert report.findings[0].params["changed"] == CHANGED


def test_another_root_that_nobody_gave_up_is_compared(log: Store, folder: Path, tmp_path: Path) -> None:
    other = Checkpoint(KEY.name, 90, b"\7" * 32)
    (folder / "abandoned" / "90").mkdir()
    (folder / "abandoned" / "90" / "checkpoint").write_bytes(sign_checkpoint(other, KEY))
    for report in checks(log, folder, tmp_path / "out"):
        assert found(report) == {("root.differs", None)}


def test_without_states_nobody_tells_what_was_given_up(log: Store, folder: Path, tmp_path: Path) -> None:
    write_folder(LedgerExport(Published(folder)), tmp_path / "out", lambda done, size: None)
    report = check_folder(tmp_path / "out", POLICY, acknowledged=[250])
    assert found(report) == {("root.differs", None)}
    assert "key-changes" in report.unchecked


def test_an_unsound_event_gives_nothing_up(log: Store, folder: Path, tmp_path: Path) -> None:
    _, report = checks(log, folder, tmp_path / "out")
    states = tmp_path / "out" / "states" / "000"
    states.write_bytes(states.read_bytes().replace(b'"size":250', b'"size":251'))
    report = check_folder(tmp_path / "out", POLICY, acknowledged=[250])
    assert found(report) == {("state.differs", RESUMED), ("key.retired", None)}


def test_a_sample_log_without_a_founder_is_checked_all_the_same(store: Store, folder: Path) -> None:
    append(store, 10)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    assert verify_store(store, folder, Trust(policy=POLICY)).sound
