"""The ledger from the command line: keys, checkpoints, receipts, and what a check finds."""

import os
import shutil
import sqlite3
from pathlib import Path

from domain.ledger.note import VerifierKey
from domain.ledger.proof import Receipt
from tests.api.cli.installation import Installation


def test_a_key_is_never_made_twice(empty: Installation) -> None:
    made = empty.run("ledger", "keygen")
    assert made.exit_code == 0
    secret = (empty.data / "ledger.key").read_text().strip()
    assert secret not in made.output
    refusal = empty.refused("ledger", "keygen", status=2)
    assert refusal["facts"]["reason"] == "exists"
    assert (empty.data / "ledger.key").read_text().strip() == secret


def test_everything_recorded_is_published_before_the_command_ends(founded: Installation) -> None:
    founded.done("account", "add", "--name", "某人", by="admin")
    shown = founded.done("ledger", "show")
    assert shown["size"] == shown["stored"] == shown["latched"] > 3
    assert founded.done("ledger", "publish") == shown


def test_a_receipt_proves_an_event(founded: Installation) -> None:
    file = founded.folder / "0.tlog-proof"
    founded.done("ledger", "receipt", 0, "--out", file)
    receipt = Receipt.parse(file.read_bytes())
    vkey = (founded.data / "ledger" / "vkey").read_text().strip()
    entry = _entry(founded.data, 0)
    parsed, checkpoint = receipt.verify(entry, [VerifierKey.parse(vkey)])
    assert (parsed.idx, checkpoint.size) == (0, founded.done("ledger", "show")["size"])
    assert founded.refused("ledger", "receipt", 999)["code"] == "receipt-ahead"


def _entry(data: Path, idx: int) -> bytes:
    with sqlite3.connect(data / "store.db") as store:
        (entry,) = store.execute("SELECT entry FROM events WHERE idx = ?", (idx,)).fetchone()
    return bytes(entry)


def test_a_sound_ledger_is_found_sound(founded: Installation) -> None:
    report = founded.done("ledger", "verify")
    assert (report["sound"], report["findings"], report["covered"]) == (True, [], report["size"])


def test_the_key_comes_from_who_checks_and_not_from_the_ledger(founded: Installation) -> None:
    vkey = (founded.data / "ledger" / "vkey").read_text().strip()
    (founded.data / "ledger.key").unlink()
    assert founded.refused("ledger", "verify", status=2)["code"] == "vkey-missing"
    assert founded.done("ledger", "verify", "--vkey", vkey)["sound"]
    file = founded.file("trusted", vkey.encode())
    assert founded.done("ledger", "verify", "--vkey", file)["sound"]
    assert founded.refused("ledger", "verify", "--vkey", "sunlot+0+x", status=2)["code"] == "key.malformed"


def test_a_changed_state_is_named(founded: Installation) -> None:
    _tamper(founded.data, "UPDATE events SET state = x'7b7d' WHERE idx = 2")
    report = founded.run("ledger", "verify", "--json")
    assert report.exit_code == 1
    assert '"state.differs"' in report.stdout
    assert '"idx": 2' in report.stdout


def test_what_is_stored_beside_the_log_is_replayed_unless_left_out(founded: Installation) -> None:
    assert founded.done("ledger", "verify")["unchecked"] == []
    _tamper(founded.data, "DELETE FROM vault")
    assert founded.done("ledger", "verify", "--log-only")["unchecked"] == [
        "personal-data",
        "projections",
        "frames",
    ]
    report = founded.run("ledger", "verify", "--json")
    assert report.exit_code == 1
    assert '"person.missing"' in report.stdout


def _tamper(data: Path, statement: str) -> None:
    with sqlite3.connect(data / "store.db") as store:
        names = store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in names:
            store.execute(f"DROP TRIGGER {name}")
        assert store.execute(statement).rowcount == 1


def test_a_restored_backup_is_not_published_over(founded: Installation) -> None:
    kept = founded.folder / "kept"
    shutil.copytree(founded.data, kept)
    founded.done("account", "add", "--name", "某人", by="admin")
    for file in founded.data.glob("store.db*"):
        file.unlink()
    for file in kept.glob("store.db*"):
        shutil.copy(file, founded.data)
    shutil.rmtree(founded.data / "views.db", ignore_errors=True)
    refusal = founded.refused("ledger", "publish", status=2)
    assert refusal["code"] == "ledger-diverged"
    result = founded.run("account", "add", "--name", "别人", by="admin")
    assert result.exit_code == 0
    assert "ledger-diverged" in result.stderr


def test_a_key_that_others_can_read_is_not_used(founded: Installation) -> None:
    os.chmod(founded.data / "ledger.key", 0o644)
    refusal = founded.refused("account", "list", by="admin", status=2)
    assert (refusal["code"], refusal["facts"]["reason"]) == ("ledger-key-unusable", "exposed")
