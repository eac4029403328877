"""The ledger from the command line: keys, checkpoints, receipts, and what a check finds."""

import json
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from api.cli import ledger_export
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.note import SigningKey, VerifierKey
from domain.ledger.proof import Receipt
from domain.ledger.tiles import parse_bundle
from infrastructure.sealed_streams import SealedStreams
from tests.api.cli.installation import Installation
from tests.api.cli.quarter import draw_teams, import_registries, publish_plan


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
    told = founded.run("ledger", "verify", "--log-only", lang="zh").stdout
    assert "说明" in told
    assert "事件内容被改动" in told


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


def test_a_check_says_what_it_did_not_look_at(founded: Installation) -> None:
    report = founded.done("ledger", "verify")
    assert (report["witnessed"], report["stamped"]) == (0, 0)
    assert set(report["unchecked"]) <= {"personal-data", "projections", "frames"}


def test_a_policy_or_keys_but_not_both(founded: Installation) -> None:
    vkey = (founded.data / "ledger" / "vkey").read_text().strip()
    policy = founded.file("policy", f"log {vkey}\nquorum none\n".encode())
    assert founded.done("ledger", "verify", "--policy", policy)["sound"]
    refusal = founded.refused("ledger", "verify", "--policy", policy, "--vkey", vkey, status=2)
    assert refusal["code"] == "trust-twice"


def test_a_checkpoint_that_is_held_elsewhere_is_compared(founded: Installation) -> None:
    kept = founded.file("held", (founded.data / "ledger" / "checkpoint").read_bytes())
    assert founded.done("ledger", "verify", "--checkpoint", kept)["checkpoints"] >= 1
    _tamper(founded.data, "DELETE FROM latch")
    (founded.data / "ledger" / "checkpoint").unlink()
    _tamper(founded.data, "DELETE FROM events WHERE idx = (SELECT max(idx) FROM events)")
    report = founded.run("ledger", "verify", "--checkpoint", kept, "--json")
    assert (report.exit_code, '"log.cut_off"' in report.stdout) == (1, True)


def test_progress_is_not_kept_where_the_service_writes(founded: Installation) -> None:
    refusal = founded.refused("ledger", "verify", "--resume", founded.data / "progress", status=2)
    assert refusal["code"] == "resume.refused"
    file = founded.folder / "progress"
    assert founded.done("ledger", "verify", "--resume", file)["sound"]
    assert not file.exists()


def test_an_export_is_verified_offline(founded: Installation) -> None:
    out = founded.folder / "out"
    told = founded.done("ledger", "export", out)
    report = founded.done("ledger", "verify", out)
    assert (report["sound"], report["size"]) == (True, told["size"])
    assert report["unchecked"][0] == "states"
    assert founded.refused("ledger", "export", out, status=2)["code"] == "folder-not-empty"
    assert founded.done("ledger", "export", out, "--update") == told
    assert founded.refused("ledger", "export", status=2)["code"] == "export-where"
    archive = founded.folder / "export.tar.gz"
    assert founded.done("ledger", "export", "--archive", archive)["size"] == told["size"]
    assert archive.stat().st_size > 1000
    warned = founded.run("ledger", "verify", out, "--trust-folder")
    assert (warned.exit_code, "agrees with itself" in warned.stderr) == (0, True)
    assert founded.refused("ledger", "verify", "--trust-folder", status=2)["code"] == "trust-twice"
    refusal = founded.refused("ledger", "verify", out, "--resume", founded.folder / "r", status=2)
    assert refusal["code"] == "resume-live-only"


def test_states_are_not_for_everybody(founded: Installation) -> None:
    out = founded.folder / "out"
    assert founded.refused("ledger", "export", out, "--states", status=2)["code"] == "token-missing"
    refusal = founded.refused("ledger", "export", out, "--states", "--reason", "审计", by="admin")
    assert refusal["code"] == "permission-missing"
    assert not out.exists()


def test_receipts_hashes_and_positions_are_looked_up(founded: Installation) -> None:
    by_position = founded.done("ledger", "show", 1)
    assert (by_position["kind"], by_position["proved"]) == ("entry", True)
    entry = by_position["entry"]
    file = founded.folder / "1.tlog-proof"
    founded.done("ledger", "receipt", 1, "--out", file)
    by_receipt = founded.done("ledger", "show", file)
    assert (by_receipt["kind"], by_receipt["entry"]) == ("receipt", entry)
    assert founded.done("ledger", "show", entry["leaf"])["kind"] == "leaf"
    assert founded.done("ledger", "show", entry["state"], "--scan")["entry"] == entry
    root = founded.done("ledger", "show")["root"]
    assert founded.done("ledger", "show", root)["kind"] == "root"
    assert founded.refused("ledger", "show", "0" * 64)["code"] == "not-found"
    file.write_bytes(file.read_bytes().replace(b"index 1\n", b"index 0\n"))
    wrong = founded.run("ledger", "show", file, "--json")
    assert (wrong.exit_code, '"proved": false' in wrong.stdout) == (1, True)
    assert founded.run("ledger", "show", 1).exit_code == 0


def test_an_auditor_looks_a_receipt_up_in_a_copy(founded: Installation) -> None:
    file, copy = founded.folder / "1.tlog-proof", founded.folder / "copy"
    founded.done("ledger", "receipt", 1, "--out", file)
    founded.done("ledger", "export", copy)
    told = founded.done("ledger", "show", file)
    shutil.rmtree(founded.folder / "data" / "ledger")
    assert founded.refused("ledger", "show", file)["code"] == "receipt-ahead"
    found = founded.done("ledger", "show", file, "--folder", copy, "--vkey", copy / "vkey")
    assert (found["proved"], found["entry"]) == (True, told["entry"])


def test_states_are_taken_out_by_the_entitled_and_the_reading_is_recorded_first(
    staffed: Installation,
) -> None:
    out = staffed.folder / "out"
    reason = ("--states", "--reason", "年度审计")
    assert staffed.refused("ledger", "export", out, *reason, by="auditor")["code"] == "permission-missing"
    staffed.open_account("inspectorate", "discipline", region="140000")
    assert staffed.refused("ledger", "export", out, "--states", by="inspectorate")["code"] == (
        "reading-reason-missing"
    )
    assert not out.exists()
    told = staffed.done("ledger", "export", out, *reason, by="inspectorate")
    states = b"".join(file.read_bytes() for file in sorted((out / "states").rglob("*")))
    assert states.count(b"\n") == told["size"]
    assert b'"kind":"states"' in states.splitlines()[-1]
    report = staffed.done("ledger", "verify", out)
    assert (report["sound"], report["unchecked"][0]) == (True, "personal-data")


def test_what_a_draw_decided_is_left_out_until_it_is_opened(staffed: Installation) -> None:
    import_registries(staffed)
    draw = draw_teams(staffed, publish_plan(staffed))
    staffed.open_account("inspectorate", "discipline", region="140000")
    out, all_of_it = staffed.folder / "out", staffed.folder / "all"
    staffed.done("ledger", "export", out, "--states", "--reason", "审计", by="inspectorate")
    assert "states" in staffed.done("ledger", "verify", out)["unchecked"]
    hidden = _states_of(out, draw)
    assert set(hidden) == {b""}
    words = ("--states", "--sealed", "--reason", "核查抽取")
    staffed.done("ledger", "export", all_of_it, *words, by="inspectorate")
    assert b"" not in _states_of(all_of_it, draw)
    assert "states" not in staffed.done("ledger", "verify", all_of_it)["unchecked"]
    assert staffed.refused("ledger", "export", staffed.folder / "x", *words, by="officer")["code"] == (
        "permission-missing"
    )


@pytest.mark.parametrize("words", [(), ("--sealed",)])
def test_a_draw_sealed_while_an_export_is_asked_for_stays_sealed(
    staffed: Installation, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    import_registries(staffed)
    draw = draw_teams(staffed, publish_plan(staffed))
    staffed.open_account("inspectorate", "discipline", region="140000")
    out = staffed.folder / "out"
    # Nothing was sealed when it was looked at, and so nothing sealed was allowed and recorded as read.
    monkeypatch.setattr(ledger_export, "sealed_now", lambda store: SealedStreams((), frozenset()))
    staffed.done("ledger", "export", out, "--states", "--reason", "审计", *words, by="inspectorate")
    assert set(_states_of(out, draw)) == {b""}


def _states_of(out: Path, stream: str) -> list[bytes]:
    """The lines of a stream's events in an export of less than 256 × 256 events."""
    found: list[bytes] = []
    for bundle in sorted(file for file in (out / "tile" / "entries").rglob("*") if file.is_file()):
        index = bundle.parent.name.removesuffix(".p") if bundle.parent.suffix else bundle.name
        lines = (out / "states" / index).read_bytes().split(b"\n")[:-1]
        entries = parse_bundle(bundle.read_bytes(), len(lines))
        pairs = zip(entries, lines, strict=True)
        found += [line for entry, line in pairs if f'"stream":"{stream}"'.encode() in entry]
    assert found
    return found


def test_certificates_that_are_none_are_the_callers_own_mistake(founded: Installation) -> None:
    bad = founded.file("authority.pem", b"no certificate\n")
    refusal = founded.refused("ledger", "verify", "--tsa", bad, status=2)
    assert refusal["code"] == "tsa-unusable"
    assert "SUNLOT" not in json.dumps(refusal)


def test_files_that_nothing_is_compared_with_are_named(founded: Installation) -> None:
    out = founded.folder / "strange"
    founded.done("ledger", "export", out)
    (out / "checkpoints" / "77.tsr").parent.mkdir(exist_ok=True)
    (out / "checkpoints" / "77.tsr").write_bytes(b"?")
    report = founded.done("ledger", "verify", out)
    assert (report["unread"], report["unchecked"][-1]) == (["checkpoints/77.tsr"], "files")


def test_the_report_says_how_far_ones_own_checkpoints_reach(founded: Installation) -> None:
    out, folder = founded.folder / "out", founded.data / "ledger"
    founded.done("ledger", "publish")
    held = founded.file("held", (folder / "checkpoint").read_bytes())
    size = founded.done("ledger", "show")["size"]
    founded.done("account", "sign-in", "--login", "admin", given="correct horse battery\n")
    founded.done("ledger", "publish")
    total = founded.done("ledger", "export", out)["size"]
    assert total > size
    for place in ((), (out,)):
        report = founded.done("ledger", "verify", *place, "--checkpoint", held)
        assert (report["sound"], report["held_by_you"], report["covered"]) == (True, size, total)
        alone = founded.run("ledger", "verify", *place)
        assert (alone.exit_code, "proves nothing" in alone.stdout) == (0, True)
        assert "proves nothing" not in founded.run("ledger", "verify", *place, "--checkpoint", held).stdout


def test_a_checkpoint_of_ones_own_that_disagrees_reaches_nowhere(founded: Installation) -> None:
    founded.done("ledger", "publish")
    key = SigningKey.parse((founded.data / "ledger.key").read_text().strip())
    false = sign_checkpoint(Checkpoint(key.name, 2, b"\7" * 32), key)
    held = founded.file("held", false)
    told = founded.run("ledger", "verify", "--checkpoint", held, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["held_by_you"] == 0


def test_a_policy_that_names_no_key_of_the_log_is_no_ground_to_check_on(founded: Installation) -> None:
    founded.done("ledger", "publish")
    policy = founded.file("policy", b"quorum none\n")
    refused = founded.refused("ledger", "verify", "--policy", policy, status=2)
    assert refused["code"] == "policy-without-log"
    vkey = founded.data / "ledger" / "vkey"
    assert founded.done("ledger", "verify", "--policy", policy, "--vkey", vkey)["sound"]
