"""What was erased after the backup does not come back by it."""

from pathlib import Path

import pytest

from infrastructure.backups.erasing import Erased
from infrastructure.backups.installation import Backups
from infrastructure.backups.outside import ORIGINAL_ERASED, PERSON_ERASED
from tests.fakes import FakeClock
from tests.infrastructure.backups.samples import LOG, Sample, keep_person, opened, places
from tests.infrastructure.ledger_samples import TRUST

ORIGINAL = b"name,telephone\n\xe5\xbc\xa0,1\n"


@pytest.fixture
def erased_later(sample: Sample, tmp_path: Path) -> Sample:
    """Two persons and an imported file are erased after the backup; one of the persons came after it too."""
    sample.record("account-x", "account.opened.v1", state=b'{"person":"person-' + b"0" * 31 + b'1"}')
    sample.store.database.change(
        "UPDATE credentials SET account = ? WHERE login = ?", ("account-x", "login1")
    )
    digest = sample.blob(ORIGINAL)
    sample.record("intake-x", "intake.completed.v1", state=b'{"original":"%b"}' % digest.encode())
    sample.backup(tmp_path / "backup")
    late = keep_person(sample, 77)
    for person in (f"person-{1:032x}", late):
        sample.record(person, PERSON_ERASED)
    sample.record("intake-x", ORIGINAL_ERASED, ver=2)
    sample.publish()
    return sample


def test_the_persons_and_files_are_erased_again_before_anybody_can_read_them(
    erased_later: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    backups = Backups(empty_url, places(folder), LOG, clock)
    outside = backups.outside(TRUST, [], erased_later.places.ledger)
    restored = backups.restore(tmp_path / "backup", outside)
    assert restored.erased == Erased(persons=1, originals=1)
    with opened(empty_url, folder, clock) as copy:
        assert set(copy.store.vault.read([f"person-{number:032x}" for number in range(3)])) == {
            f"person-{number:032x}" for number in (0, 2)
        }
        at = next(row.at for row in erased_later.store.recorder.rows() if row.topic == PERSON_ERASED)
        rows = {row[0]: row for row in copy.rows()["vault"]}
        assert rows[f"person-{1:032x}"] == (f"person-{1:032x}", None, None, None, "2030-01-01", at)
        assert {row[1] for row in copy.rows()["credentials"]} == {"login0", "login2"}
    kept = [file.read_bytes() for file in (folder / "blobs").rglob("*") if file.is_file()]
    assert len(kept) == 2
    assert ORIGINAL not in kept


def test_no_byte_of_them_stays_in_an_embedded_store(
    erased_later: Sample, tmp_path: Path, folder: Path, sqlite_empty: str, clock: FakeClock
) -> None:
    backups = Backups(sqlite_empty, places(folder), LOG, clock)
    backups.restore(tmp_path / "backup", backups.outside(TRUST, [], erased_later.places.ledger))
    stored = b"".join(file.read_bytes() for file in folder.glob("store.db*"))
    assert "张0".encode() in stored
    assert "张1".encode() not in stored
    assert b"unique-1" not in stored


def test_a_copy_that_comes_only_with_the_verification_erases_too(
    erased_later: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    backups = Backups(empty_url, places(folder), LOG, clock)
    backups.restore(tmp_path / "backup", backups.outside(TRUST, [], None))
    outside = backups.outside(TRUST, [], erased_later.places.ledger)
    assert backups.settle(TRUST, outside).erased == Erased(persons=1, originals=1)
    assert backups.settle(TRUST, outside).erased == Erased()


def test_what_was_erased_before_the_backup_is_in_no_backup(
    sample: Sample, tmp_path: Path, folder: Path, empty_url: str, clock: FakeClock
) -> None:
    sample.record(f"person-{1:032x}", PERSON_ERASED)
    sql = "UPDATE vault SET value = NULL, salt = NULL, unique_key = NULL, erased_at = ? WHERE person = ?"
    sample.store.database.change(sql, ("2024-04-01T01:00:00.000000Z", f"person-{1:032x}"))
    sample.publish()
    sample.backup(tmp_path / "backup")
    backups = Backups(empty_url, places(folder), LOG, clock)
    outside = backups.outside(TRUST, [], sample.places.ledger)
    assert backups.restore(tmp_path / "backup", outside).erased == Erased()
