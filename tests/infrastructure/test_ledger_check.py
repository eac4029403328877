"""The live check: each tampering with a real store, past its triggers, is found and named.

The forger of the harder tests owns the database: he recomputes states, entries and links as we would.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import format_entry, parse_entry
from domain.ledger.errors import KeyMalformed
from domain.ledger.held import Held
from domain.ledger.merkle import leaf_hash
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import encode_bundle, parse_bundle
from domain.ledger.verify import Report
from infrastructure.database import Store
from infrastructure.ledger_check import Trust, verify_store
from infrastructure.ledger_publisher import LedgerPublisher
from tests.infrastructure.ledger_samples import KEY, VKEY, append
from tests.infrastructure.tampering import (
    COLUMNS,
    Change,
    Event,
    forged,
    rewrite,
    tamper,
    without_constraints,
)

EVENTS = 600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(store: Store, folder: Path) -> Store:
    """A published log of 600 events, with 20 more that are not published yet."""
    append(store, EVENTS)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    append(store, 20)
    return store


def check(store: Store, folder: Path, vkeys: Sequence[str] = (VKEY,)) -> Report:
    return verify_store(store, folder, vkeys)


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(finding.code, finding.idx) for finding in report.findings}


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def test_an_honest_log_is_sound_and_says_how_far_it_is_covered(log: Store, folder: Path) -> None:
    report = check(log, folder)
    assert report.findings == ()
    assert (report.size, report.covered, report.streams, report.checkpoints) == (EVENTS + 20, EVENTS, 7, 1)


def test_an_empty_log_is_sound(store: Store, folder: Path) -> None:
    assert check(store, folder).sound


def test_progress_reaches_its_end(log: Store, folder: Path) -> None:
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()
    steps: list[tuple[int, int]] = []
    verify_store(log, folder, [VKEY], lambda done, total: steps.append((done, total)))
    assert steps[-1] == (2 * (EVENTS + 20),) * 2


def test_a_changed_byte_of_a_state(log: Store, folder: Path) -> None:
    state = next(log.recorder.rows(123, 1)).state
    tamper(log, ("UPDATE events SET state = ? WHERE idx = 123", (state.replace(b"123", b"124", 1),)))
    assert found(check(log, folder)) == {("state.differs", 123)}


def test_a_forged_recorded_time_beside_its_entry(log: Store, folder: Path) -> None:
    tamper(log, ("UPDATE events SET at = ? WHERE idx = 123", ("2023-01-01T00:00:00.000000Z",)))
    report = check(log, folder)
    assert found(report) == {("entry.differs", 123)}
    assert report.findings[0].params["field"] == "at"


def test_a_forged_leaf_beside_its_entry(log: Store, folder: Path) -> None:
    tamper(log, ("UPDATE events SET leaf = ? WHERE idx = 123", (b"\1" * 32,)))
    report = check(log, folder)
    assert found(report) == {("entry.differs", 123)}
    assert report.findings[0].params["field"] == "leaf"


def test_a_changed_state_with_its_entry_recomputed(log: Store, folder: Path) -> None:
    def change(events: list[Event]) -> list[Event]:
        events[123]["state"] = events[123]["state"].replace(b"123", b"124", 1)
        return forged(events)

    rewrite(log, change)
    assert codes(check(log, folder)) == {"root.differs", "tile.differs"}


def test_a_changed_byte_of_an_entry(log: Store, folder: Path) -> None:
    entry = next(log.recorder.rows(200, 1)).entry
    other = entry.replace(b"sample.noted", b"sample.noteb")
    tamper(log, ("UPDATE events SET entry = ? WHERE idx = 200", (other,)))
    report = check(log, folder)
    assert {("entry.differs", 200), ("prev.differs", 207)} <= found(report)
    assert {"root.differs", "tile.differs"} <= codes(report)


def test_an_event_deleted(log: Store, folder: Path) -> None:
    tamper(log, ("DELETE FROM events WHERE idx = 300", ()))
    assert {("idx.gap", 301), ("version.gap", 307)} <= found(check(log, folder))


def test_an_event_deleted_with_everything_after_it_renumbered_and_recomputed(
    log: Store, folder: Path
) -> None:
    def change(events: list[Event]) -> list[Event]:
        del events[300]
        return forged(events)

    rewrite(log, change)
    assert codes(check(log, folder)) == {"root.differs", "tile.differs"}


def test_two_events_swapped_as_they_are(log: Store, folder: Path) -> None:
    tamper(
        log,
        ("UPDATE events SET idx = 9999 WHERE idx = 50", ()),
        ("UPDATE events SET idx = 50 WHERE idx = 51", ()),
        ("UPDATE events SET idx = 51 WHERE idx = 9999", ()),
    )
    assert {("entry.differs", 50), ("entry.differs", 51)} <= found(check(log, folder))


def test_two_events_swapped_with_everything_recomputed(log: Store, folder: Path) -> None:
    def change(events: list[Event]) -> list[Event]:
        events[50], events[51] = events[51], events[50]
        return forged(events)

    rewrite(log, change)
    assert codes(check(log, folder)) == {"root.differs", "tile.differs"}


def test_the_tail_cut_off(log: Store, folder: Path) -> None:
    tamper(log, ("DELETE FROM events WHERE idx >= 590", ()))
    assert ("log.cut_off", 590) in found(check(log, folder))


def test_the_tail_and_the_latch_taken_back_together(log: Store, folder: Path) -> None:
    events = list(log.recorder.rows(0, 300))
    assert len(events) == 300
    tamper(log, ("DELETE FROM events WHERE idx >= 300", ()), ("DELETE FROM latch", ()))
    report = check(log, folder)
    assert ("log.cut_off", 300) in found(report)
    assert "checkpoint.missing" in codes(report)


def test_recorded_time_going_backwards(log: Store, folder: Path) -> None:
    def change(events: list[Event]) -> list[Event]:
        events[610]["at"] = "2024-03-31T00:00:00.000000Z"
        return forged(events)

    rewrite(log, change)
    assert found(check(log, folder)) == {("at.backwards", 610)}


def test_a_stream_with_a_gap_in_its_versions(log: Store, folder: Path) -> None:
    tamper(log, ("UPDATE events SET ver = ver + 100 WHERE idx >= 605 AND stream = ?", (f"sample-{3:032x}",)))
    report = check(log, folder)
    first = next(idx for idx in range(605, 620) if idx % 7 == 3)
    assert {("version.gap", first), ("entry.differs", first)} <= found(report)


def test_a_broken_link_within_a_stream(log: Store, folder: Path) -> None:
    entry = parse_entry(next(log.recorder.rows(615, 1)).entry)
    text = format_entry(entry.at, 615, "0" * 64, entry.state, entry.stream, entry.topic, entry.ver)
    tamper(log, ("UPDATE events SET entry = ? WHERE idx = 615", (text.encode(),)))
    assert found(check(log, folder)) == {("prev.differs", 615), ("entry.differs", 615)}


def test_a_tile_that_differs_from_its_entries(log: Store, folder: Path) -> None:
    tile = folder / "tile" / "0" / "001"
    content = bytearray(tile.read_bytes())
    content[32 * 5] ^= 1
    tile.write_bytes(content)
    report = check(log, folder)
    assert found(report) == {("tile.differs", 256 + 5)}
    assert report.findings[0].params == {"path": "tile/0/001"}


def test_a_bundle_that_differs_from_its_entries(log: Store, folder: Path) -> None:
    bundle = folder / "tile" / "entries" / "002.p" / "88"
    entries = parse_bundle(bundle.read_bytes(), 88)
    bundle.write_bytes(encode_bundle([*entries[:10], entries[11], entries[10], *entries[12:]]))
    assert found(check(log, folder)) == {("tile.differs", 512 + 10)}


def test_a_bundle_with_bytes_behind_it(log: Store, folder: Path) -> None:
    bundle = folder / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes() + b"\0")
    assert codes(check(log, folder)) == {"tile.differs"}


def test_a_tile_that_is_gone(log: Store, folder: Path) -> None:
    (folder / "tile" / "1" / "000.p" / "2").unlink()
    assert found(check(log, folder)) == {("tile.missing", 0)}


def test_a_checkpoint_of_an_unknown_key_with_the_known_name(log: Store, folder: Path) -> None:
    other = SigningKey(KEY.name, b"o" * 32)
    note = sign_checkpoint(Checkpoint(KEY.name, EVENTS, b"\1" * 32), other)
    (folder / "checkpoint").write_bytes(note)
    report = check(log, folder)
    assert found(report) == {("key.unknown", None)}
    assert report.findings[0].params["checkpoint"] == "checkpoint"


def test_two_checkpoints_of_one_size(log: Store, folder: Path) -> None:
    other = sign_checkpoint(Checkpoint(KEY.name, EVENTS, b"\1" * 32), KEY)
    tamper(log, ("UPDATE latch SET note = ?", (other,)))
    assert "checkpoint.conflict" in codes(check(log, folder))


def test_a_kept_checkpoint_that_the_log_does_not_extend(log: Store, folder: Path) -> None:
    kept = folder / "checkpoints" / "100"
    kept.parent.mkdir()
    kept.write_bytes(sign_checkpoint(Checkpoint(KEY.name, 100, b"\1" * 32), KEY))
    assert codes(check(log, folder)) == {"root.differs"}


@pytest.mark.parametrize("spoil", [b"", b"spoilt\n"])
def test_a_checkpoint_that_cannot_be_read(log: Store, folder: Path, spoil: bytes) -> None:
    (folder / "checkpoint").write_bytes(spoil)
    assert codes(check(log, folder)) == {"note.malformed"}


def test_a_latch_that_is_gone_although_a_checkpoint_was_published(log: Store, folder: Path) -> None:
    tamper(log, ("DELETE FROM latch", ()))
    assert codes(check(log, folder)) == {"checkpoint.missing"}


def test_a_log_that_nobody_has_signed_yet_is_covered_by_nothing(log: Store, folder: Path) -> None:
    (folder / "checkpoint").unlink()
    tamper(log, ("DELETE FROM latch", ()))
    report = check(log, folder)
    assert report.covered == 0


def test_a_publisher_killed_between_latch_and_checkpoint_file(log: Store, folder: Path) -> None:
    (folder / "checkpoint").unlink()
    report = check(log, folder)
    assert report.sound
    assert report.covered == 600


def test_a_key_that_is_none_is_refused(log: Store, folder: Path) -> None:
    with pytest.raises(KeyMalformed):
        check(log, folder, ["not a key"])


def test_another_logs_key_believes_nothing(log: Store, folder: Path) -> None:
    stranger = SigningKey("sunlot.example/140200", b"o" * 32).verifier.encode()
    report = check(log, folder, [stranger])
    assert codes(report) == {"signature.missing"}
    assert report.covered == 0


def test_an_event_without_an_entry_and_an_entry_without_an_event(log: Store, folder: Path) -> None:
    without_constraints(log)
    tamper(
        log,
        ("UPDATE events SET state = NULL WHERE idx = 612", ()),
        ("UPDATE events SET entry = NULL WHERE idx = 619", ()),
    )
    assert found(check(log, folder)) == {
        ("event.missing", 612),
        ("entry.missing", 619),
        ("prev.differs", 619),
    }


def test_a_row_with_neither_is_not_taken_for_nothing(log: Store, folder: Path) -> None:
    without_constraints(log)
    tamper(log, ("UPDATE events SET entry = NULL, state = NULL WHERE idx = 300", ()))
    assert {("event.missing", 300), ("entry.missing", 300)} <= found(check(log, folder))


def test_a_repeated_position_and_a_repeated_version(log: Store, folder: Path) -> None:
    without_constraints(log)
    tamper(log, (f"INSERT INTO events ({COLUMNS}) SELECT {COLUMNS} FROM events WHERE idx = 615", ()))  # noqa: S608
    assert {("idx.repeated", 615), ("version.repeated", 615)} <= found(check(log, folder))


def test_an_entry_over_65535_bytes(log: Store, folder: Path) -> None:
    without_constraints(log)
    row = next(log.recorder.rows(619, 1))
    entry = parse_entry(row.entry)
    stream = "s" * 65_536
    text = format_entry(entry.at, 619, entry.prev, entry.state, stream, entry.topic, entry.ver)
    statement = "UPDATE events SET entry = ?, stream = ?, leaf = ? WHERE idx = 619"
    tamper(log, (statement, (text.encode(), stream, leaf_hash(text.encode()))))
    assert ("entry.too_large", 619) in found(check(log, folder))


def test_a_checkpoint_with_base64_that_is_not_canonical(log: Store, folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    assert note.endswith(b"=\n")
    spoilt = bytearray(note)
    spoilt[-3] = ord("B") if spoilt[-3] == ord("A") else spoilt[-3] + 1
    (folder / "checkpoint").write_bytes(bytes(spoilt))
    assert codes(check(log, folder)) == {"note.malformed"}


def test_two_events_of_one_stream_swapped_with_everything_recomputed_against_a_checkpoint_outside(
    log: Store, folder: Path
) -> None:
    outside = [Held("outside", (folder / "checkpoint").read_bytes())]

    def change(events: list[Event]) -> list[Event]:
        events[10]["state"], events[17]["state"] = events[17]["state"], events[10]["state"]
        return forged(events)

    forge_it_all(log, folder, change)
    assert check(log, folder).sound
    assert codes(check_with(log, folder, outside)) == {"root.differs"}


def test_an_event_deleted_and_everything_signed_again_is_found_by_who_holds_a_checkpoint(
    log: Store, folder: Path
) -> None:
    outside = [Held("outside", (folder / "checkpoint").read_bytes())]

    def change(events: list[Event]) -> list[Event]:
        del events[300]
        return forged(events)

    forge_it_all(log, folder, change)
    assert check(log, folder).sound
    report = check_with(log, folder, outside)
    assert codes(report) == {"root.differs"}
    assert report.findings[0].params["size"] == EVENTS


def test_a_backup_restored_with_its_latch_and_its_files_is_shorter_than_what_is_held(
    log: Store, folder: Path
) -> None:
    outside = [Held("outside", (folder / "checkpoint").read_bytes())]
    forge_it_all(log, folder, lambda events: events[:400])
    assert check(log, folder).sound
    assert found(check_with(log, folder, outside)) == {("log.cut_off", 400)}


def forge_it_all(log: Store, folder: Path, change: Change) -> None:
    """Events, latch, key and published files: all that the agency has."""
    rewrite(log, change)
    tamper(log, ("DELETE FROM latch", ()))
    shutil.rmtree(folder)
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()


def check_with(log: Store, folder: Path, outside: list[Held]) -> Report:
    return verify_store(log, folder, Trust(policy=TrustPolicy.of_keys([KEY.verifier]), held=outside))
