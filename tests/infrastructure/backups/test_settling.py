"""A restore is done only when its ledger verifies against what is held outside; a rewound log never signs."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import LedgerDiverged
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.note import SigningKey
from infrastructure.backups.installation import Backups
from infrastructure.backups.outside import HeldWrong
from infrastructure.backups.settling import Missing, Verdict
from infrastructure.files import write_file
from infrastructure.ledger_check import verify_store
from infrastructure.views import VIEWS_FILE
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import LOG, Sample, opened, places, restore
from tests.infrastructure.ledger_samples import KEY, TRUST, VKEY, files_below
from tests.infrastructure.tampering import forged, rewrite


def settle(url: str, folder: Path, clock: FakeClock, *files: Path, copy: Path | None = None) -> Verdict:
    backups = Backups(url, places(folder), LOG, clock)
    return backups.settle(TRUST, backups.outside(TRUST, files, copy))


def refusal_to_sign(url: str, folder: Path, clock: FakeClock) -> str:
    with opened(url, folder, clock) as copy, pytest.raises(LedgerDiverged) as refusal:
        copy.publish()
    return str(refusal.value.facts["reason"])


def test_a_restored_installation_signs_nothing_before_it_is_verified(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", empty_url, folder, clock)
    before = files_below(folder / "ledger")
    assert refusal_to_sign(empty_url, folder, clock) == "restore-unverified"
    assert files_below(folder / "ledger") == before


def test_a_verified_installation_goes_on_and_publishes(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", empty_url, folder, clock)
    verdict = settle(empty_url, folder, clock, sample.places.ledger / "checkpoint", copy=sample.places.ledger)
    assert (verdict.signs, verdict.findings, verdict.missing) == (True, (), None)
    with opened(empty_url, folder, clock) as copy:
        copy.record("later", "sample.later.v1")
        assert copy.publish().published == 324
        assert verify_store(copy.store, copy.places.ledger, [VKEY]).covered == 324


def test_a_backup_older_than_a_held_checkpoint_is_kept_but_does_not_sign(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.backup(tmp_path / "backup")
    sample.record("later", "sample.later.v1")
    sample.publish()
    restore(tmp_path / "backup", empty_url, folder, clock)
    verdict = settle(empty_url, folder, clock, sample.places.ledger / "checkpoint")
    assert [finding.code for finding in verdict.findings] == ["log.cut_off"]
    assert verdict.missing == Missing(323, 323, "", "")
    assert (verdict.signs, verdict.held) == (False, True)
    assert refusal_to_sign(empty_url, folder, clock) == "store-behind"
    with opened(empty_url, folder, clock) as copy:
        assert len(copy.rows()["events"]) == 323
        append_nothing_signed(copy)


def append_nothing_signed(copy: Sample) -> None:
    """New events in the place of the lost ones are not signed either."""
    for number in range(5):
        copy.record(f"other-{number}", "sample.other.v1")
    with pytest.raises(LedgerDiverged):
        copy.publish()


def test_a_newer_copy_of_the_ledger_says_when_the_missing_events_were_recorded_and_is_published_on(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.backup(tmp_path / "backup")
    for number in range(3):
        clock.advance(hours=1)
        sample.record(f"later-{number}", "sample.later.v1")
    sample.publish()
    restore(tmp_path / "backup", empty_url, folder, clock)
    verdict = settle(empty_url, folder, clock, copy=sample.places.ledger)
    times = [row.at for row in sample.store.recorder.rows(323)]
    assert verdict.missing == Missing(323, 325, times[0], times[2])
    assert refusal_to_sign(empty_url, folder, clock) == "store-behind"
    shown, original = files_below(folder / "ledger"), files_below(sample.places.ledger)
    assert {path: shown[path] for path in original} == original


def test_a_clever_cheat_is_found_by_a_held_checkpoint(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    """He owns database, key and backup: cuts the tail, recomputes all, signs anew, backs up again."""
    held = tmp_path / "held"
    shutil.copy(sample.places.ledger / "checkpoint", held)
    rewrite(sample.store, lambda events: forged(events[:250]))
    sample.store.database.change("DELETE FROM latch")
    shutil.rmtree(sample.places.ledger)
    sample.publish()
    sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", empty_url, folder, clock)
    verdict = settle(empty_url, folder, clock, held)
    assert "log.cut_off" in {finding.code for finding in verdict.findings}
    assert not verdict.signs
    assert refusal_to_sign(empty_url, folder, clock) == "store-behind"


def test_another_history_of_the_same_length_never_signs(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    held = tmp_path / "held"
    shutil.copytree(sample.places.ledger, held)
    rewrite(sample.store, lambda events: forged([*events[:10], events[11], events[10], *events[12:]]))
    sample.store.database.change("DELETE FROM latch")
    shutil.rmtree(sample.places.ledger)
    sample.publish()
    sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", empty_url, folder, clock)
    verdict = settle(empty_url, folder, clock, copy=held)
    assert "root.differs" in {finding.code for finding in verdict.findings}
    assert (verdict.signs, verdict.held) == (False, False)
    assert refusal_to_sign(empty_url, folder, clock) == "restore-unverified"


def test_another_history_that_a_longer_copy_contradicts_is_not_merely_behind(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    sample, held = sqlite_sample, tmp_path / "held"
    sample.publish()
    shutil.copytree(sample.places.ledger, held)
    rewrite(sample.store, lambda events: forged([*events[:10], events[11], events[10], *events[12:200]]))
    sample.store.database.change("DELETE FROM latch")
    shutil.rmtree(sample.places.ledger)
    sample.publish()
    sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", sqlite_empty, folder, clock)
    verdict = settle(sqlite_empty, folder, clock, copy=held)
    assert {"log.cut_off", "root.differs"} <= {finding.code for finding in verdict.findings}
    assert (verdict.signs, verdict.held) == (False, False)
    assert refusal_to_sign(sqlite_empty, folder, clock) == "restore-unverified"


def test_a_changed_state_keeps_the_mark(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    def change(events: list[dict[str, object]]) -> list[dict[str, object]]:
        events[5]["state"] = b"{}"
        return events

    rewrite(sqlite_sample.store, change)
    sqlite_sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", sqlite_empty, folder, clock)
    verdict = settle(sqlite_empty, folder, clock, sqlite_sample.places.ledger / "checkpoint")
    assert [(finding.code, finding.idx) for finding in verdict.findings] == [("state.differs", 5)]
    assert refusal_to_sign(sqlite_empty, folder, clock) == "restore-unverified"


def test_read_models_are_made_before_it_is_done(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    sqlite_sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert not (folder / VIEWS_FILE).exists()
    assert settle(sqlite_empty, folder, clock).signs
    assert (folder / VIEWS_FILE).exists()


def test_what_is_held_counts_only_under_a_trusted_key_and_this_logs_name(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    backups = Backups(sqlite_empty, places(folder), LOG, clock)
    stranger = SigningKey(KEY.name, b"o" * 32)
    note = sign_checkpoint(Checkpoint(KEY.name, 999, b"\1" * 32), stranger)
    write_file(tmp_path / "held", note)
    with pytest.raises(HeldWrong) as refusal:
        backups.outside(TRUST, [tmp_path / "held"], None)
    assert refusal.value.facts["file"] == str(tmp_path / "held")
    elsewhere = replace(backups, log=replace(LOG, origin="sunlot.example/140200"))
    with pytest.raises(HeldWrong) as refusal:
        elsewhere.outside(TRUST, [sqlite_sample.places.ledger / "checkpoint"], None)
    assert refusal.value.facts["reason"] == "origin"


def test_a_copy_whose_entries_were_changed_is_not_believed(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sqlite_sample.places.ledger, copy)
    bundle = copy / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"sample.noted.v1", b"person.eraed.v1", 1))
    backups = Backups(sqlite_empty, places(folder), LOG, clock)
    with pytest.raises(HeldWrong) as refusal:
        backups.outside(TRUST, [], copy).tail(0)
    assert refusal.value.facts["reason"] == "root"


def test_a_short_copy_contradicts_nothing(
    sqlite_sample: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sqlite_sample.places.ledger, copy)
    append_more(sqlite_sample)
    sqlite_sample.backup(tmp_path / "backup")
    restore(tmp_path / "backup", sqlite_empty, folder, clock)
    assert settle(sqlite_empty, folder, clock, copy=copy).signs


def append_more(sample: Sample) -> None:
    """Go on, and publish."""
    for number in range(10):
        sample.record(f"more-{number}", "sample.more.v1")
    sample.publish()
