"""Backing up and restoring from the command line, with a real installation and its read models."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.note import Note, SigningKey, VerifierKey
from tests.api.cli.installation import PASSWORD, Installation
from tests.engines import PostgresServer, postgres_url


@pytest.fixture
def elsewhere(founded: Installation, tmp_path: Path) -> Installation:
    """Another machine: nothing but the ledger's key."""
    other = Installation(tmp_path / "elsewhere", founded.clock)
    other.data.mkdir(parents=True)
    shutil.copy(founded.data / "ledger.key", other.data)
    return other


def backed_up(made: Installation, name: str = "backup", *words: object) -> Path:
    """A backup of it."""
    place = made.folder / name
    made.done("backup", *(words or (place,)))
    return place


def held(made: Installation) -> tuple[object, ...]:
    """The newest checkpoint, as somebody outside would hold it."""
    return ("--checkpoint", made.data / "ledger" / "checkpoint")


def answered(made: Installation, *words: object, status: int) -> Any:
    """What a command answers in JSON, with its exit status."""
    result = made.run(*words, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_an_installation_goes_on_elsewhere(founded: Installation, elsewhere: Installation) -> None:
    made = founded.done("backup", founded.folder / "backup")
    assert made["size"] == made["published_size"] == founded.done("ledger", "show")["size"]
    restored = elsewhere.done(
        "restore", founded.folder / "backup", "--verify", "--ledger", founded.data / "ledger"
    )
    assert (restored["verified"], restored["findings"], restored["missing"]) == (True, [], None)
    assert restored["root"] == made["root"]
    token = elsewhere.token("admin")
    elsewhere.done("account", "sign-in", "--login", "admin", "--out", token, given=f"{PASSWORD}\n")
    assert elsewhere.done("account", "list", by="admin")
    elsewhere.done("account", "add", "--name", "某人", by="admin")
    assert elsewhere.done("ledger", "verify")["sound"]
    assert elsewhere.done("ledger", "show")["size"] > made["size"]


def test_tokens_come_revoked_unless_asked_for(founded: Installation, elsewhere: Installation) -> None:
    backup = backed_up(founded)
    kept = founded.copied(founded.folder / "kept")
    shutil.rmtree(kept.data)
    kept.data.mkdir()
    shutil.copy(founded.data / "ledger.key", kept.data)
    kept.done("restore", backup, "--verify", "--keep-tokens", *held(founded))
    assert kept.done("account", "list", by="admin")
    elsewhere.done("restore", backup, "--verify", *held(founded))
    shutil.copy(founded.token("admin"), elsewhere.token("admin"))
    assert elsewhere.refused("account", "list", by="admin")["code"] == "token-refused"


def test_without_verify_it_is_not_done_and_signs_nothing(
    founded: Installation, elsewhere: Installation
) -> None:
    backup = backed_up(founded)
    assert answered(elsewhere, "restore", backup, status=1)["verified"] is False
    refusal = elsewhere.refused("ledger", "publish", status=2)
    assert (refusal["code"], refusal["facts"]["reason"]) == ("ledger-diverged", "restore-unverified")
    checks = {one["name"]: one for one in answered(elsewhere, "doctor", status=1)["checks"]}
    assert checks["ledger"]["state"] == "wrong"
    assert "sunlot restore --verify" in checks["ledger"]["advice"]
    assert elsewhere.done("restore", "--verify", *held(founded))["verified"]
    refusal = elsewhere.refused("restore", "--verify", *held(founded), status=2)
    assert refusal["code"] == "restore-nothing-waits"
    elsewhere.done("ledger", "publish")


def test_a_backup_older_than_what_is_held_exits_1_and_says_what_is_missing(
    founded: Installation, elsewhere: Installation
) -> None:
    backup = backed_up(founded)
    size = founded.done("ledger", "show")["size"]
    founded.done("account", "add", "--name", "某人", by="admin")
    later = founded.done("ledger", "show")["size"]
    verdict = answered(elsewhere, "restore", backup, "--verify", *held(founded), status=1)
    assert (verdict["verified"], [one["code"] for one in verdict["findings"]]) == (False, ["log.cut_off"])
    assert (verdict["missing"]["first"], verdict["missing"]["last"]) == (size, later - 1)
    refusal = elsewhere.refused("ledger", "publish", status=2)
    assert refusal["facts"]["reason"] == "store-behind"
    token = elsewhere.token("admin")
    elsewhere.done("account", "sign-in", "--login", "admin", "--out", token, given=f"{PASSWORD}\n")
    result = elsewhere.run("account", "add", "--name", "别人", by="admin")
    assert "ledger-diverged" in result.stderr


def test_people_are_told_in_plain_words(founded: Installation, elsewhere: Installation) -> None:
    backup = backed_up(founded)
    founded.done("account", "add", "--name", "某人", by="admin")
    result = elsewhere.run("restore", backup, "--verify", "--ledger", founded.data / "ledger")
    assert result.exit_code == 1
    assert "are missing (recorded 2024-" in result.stderr
    assert "log.cut_off" in result.stdout
    assert "entries, a held checkpoint" in " ".join(result.stdout.split())
    assert "last recorded" not in result.stdout
    assert "sunlot ledger resume" in result.stderr


def test_a_backup_is_checked_without_restoring_it(founded: Installation, elsewhere: Installation) -> None:
    backup = backed_up(founded, "backup.tar.gz", "--archive", founded.folder / "backup.tar.gz")
    checked = elsewhere.done("restore", backup, "--check", "--vkey", founded.data / "ledger" / "vkey")
    assert (checked["findings"], checked["covered"]) == ([], checked["size"])
    assert {file.name for file in elsewhere.data.iterdir()} == {"ledger.key"}
    founded.done("account", "add", "--name", "某人", by="admin")
    checked = answered(elsewhere, "restore", backup, "--check", *held(founded), status=1)
    assert [one["code"] for one in checked["findings"]] == ["log.cut_off"]


def test_a_damaged_backup_is_refused_with_the_file_named(
    founded: Installation, elsewhere: Installation
) -> None:
    backup = backed_up(founded)
    file = backup / "store" / "events" / "000000000000.ndjson.gz"
    file.write_bytes(file.read_bytes()[:-1])
    for words in (("--check",), ("--verify", *held(founded)), ()):
        refusal = elsewhere.refused("restore", backup, *words)
        assert refusal["code"] == "backup-wrong"
        assert refusal["facts"]["file"] == "store/events/000000000000.ndjson.gz"


def test_a_checkpoint_that_nobody_trusted_signed_counts_for_nothing(
    founded: Installation, elsewhere: Installation
) -> None:
    backup = backed_up(founded)
    stranger = SigningKey("sunlot.example/140100", b"o" * 32)
    note = sign_checkpoint(Checkpoint(stranger.name, 99, b"\1" * 32), stranger)
    foreign = founded.file("foreign", note)
    refusal = elsewhere.refused("restore", backup, "--verify", "--checkpoint", foreign)
    assert refusal["code"] == "held-checkpoint-wrong"
    assert {file.name for file in elsewhere.data.iterdir()} == {"ledger.key"}


def test_keys_come_from_who_restores_and_not_from_the_backup(
    founded: Installation, elsewhere: Installation
) -> None:
    backup = backed_up(founded)
    (elsewhere.data / "ledger.key").unlink()
    words = ("restore", backup, "--verify")
    assert elsewhere.refused(*words, *held(founded), status=2)["code"] == "vkey-missing"
    other = SigningKey("sunlot.example/140100", b"o" * 32)
    note = sign_checkpoint(Checkpoint(other.name, 1, b"\1" * 32), other)
    theirs = ("--vkey", other.verifier.encode(), "--checkpoint", founded.file("theirs", note))
    verdict = answered(elsewhere, *words, *theirs, status=1)
    assert "key.unknown" in {one["code"] for one in verdict["findings"]}


def test_nothing_held_outside_verifies_nothing(founded: Installation, elsewhere: Installation) -> None:
    """A log that was set back agrees with itself: were that enough, it would quietly sign on."""
    backup = backed_up(founded)
    founded.done("account", "add", "--name", "某人", by="admin")
    refusal = elsewhere.refused("restore", backup, "--verify", status=2)
    assert refusal["code"] == "restore-outside-missing"
    assert {file.name for file in elsewhere.data.iterdir()} == {"ledger.key"}
    answered(elsewhere, "restore", backup, status=1)
    refusal = elsewhere.refused("restore", "--verify", status=2)
    assert refusal["code"] == "restore-outside-missing"
    refusal = elsewhere.refused("ledger", "publish", status=2)
    assert refusal["facts"]["reason"] == "restore-unverified"


def test_a_trust_policy_names_keys_and_witnesses(founded: Installation, elsewhere: Installation) -> None:
    """What witnesses of the policy signed is checked as well."""
    backup, witness = backed_up(founded), WitnessSigningKey("jw.example/1", b"w" * 32)
    (elsewhere.data / "ledger.key").unlink()
    checkpoint = founded.data / "ledger" / "checkpoint"
    text = Note.parse(checkpoint.read_bytes()).text
    log = VerifierKey.parse(vkey(founded.data / "ledger"))
    lines = f"log {log.encode()}\nwitness jw {witness.verifier.encode()}\nquorum jw\n"
    policy = ("--policy", founded.file("policy", lines.encode()))
    wrong = witness.cosign(text.replace(log.name, "other"), 1_700_000_000)
    forged = founded.file("forged", add_signatures(checkpoint.read_bytes(), [wrong]))
    verdict = answered(elsewhere, "restore", backup, "--verify", *policy, "--checkpoint", forged, status=1)
    assert "cosignature.invalid" in {one["code"] for one in verdict["findings"]}
    at = int(founded.clock.now().timestamp())
    signed = founded.file("signed", add_signatures(checkpoint.read_bytes(), [witness.cosign(text, at)]))
    assert elsewhere.done("restore", "--verify", *policy, "--checkpoint", signed)["verified"]


def test_nothing_is_written_over(founded: Installation, elsewhere: Installation) -> None:
    backup = backed_up(founded)
    assert founded.refused("backup", backup, status=2)["code"] == "file-exists"
    refusal = founded.refused("restore", backup, "--verify", *held(founded))
    assert refusal["code"] == "restore-not-empty"
    assert "events" in refusal["facts"]["found"]
    assert founded.done("ledger", "verify")["sound"]


def test_the_next_backup_goes_on_from_the_last(founded: Installation) -> None:
    first = backed_up(founded)
    second = founded.done("backup", founded.folder / "second", "--after", first, "--check", "new")
    assert second["linked"] >= 0
    assert second["root"] == founded.done("restore", first, "--check")["root"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "backup-where"),
        (("folder", "--archive", "a.tar"), "backup-where"),
        (("folder.tar",), "backup-name"),
        (("--archive", "a.zip"), "backup-name"),
    ],
)
def test_what_is_asked_for_must_be_clear(founded: Installation, words: tuple[str, ...], code: str) -> None:
    assert founded.refused("backup", *words, status=2)["code"] == code
    assert founded.refused("restore", status=2)["code"] == "restore-what"
    assert founded.refused("restore", "--check", status=2)["code"] == "restore-nothing-waits"


def test_archives_are_not_gone_on_from(founded: Installation) -> None:
    first = backed_up(founded)
    words = ("backup", "--archive", founded.folder / "a.tar", "--after", first)
    assert founded.refused(*words, status=2)["code"] == "backup-after-archive"


def test_a_damaged_file_of_the_installation_is_told_and_exits_1(founded: Installation) -> None:
    digest = "ab" * 32
    blob = founded.data / "blobs" / "ab" / "ab" / digest
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"not what its name says")
    assert answered(founded, "backup", founded.folder / "backup", status=1)["damaged"] == [digest]


def test_an_installation_moves_to_postgresql_and_back(
    founded: Installation, elsewhere: Installation, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    first = backed_up(founded)
    with postgres_url(postgres_server) as url:
        elsewhere.database = url
        assert elsewhere.done("restore", first, "--verify", *held(founded))["verified"]
        assert not (elsewhere.data / "store.db").exists()
        made = elsewhere.done("backup", tmp_path / "second")
    home = Installation(tmp_path / "home", founded.clock)
    home.data.mkdir(parents=True)
    shutil.copy(founded.data / "ledger.key", home.data)
    restored = home.done("restore", tmp_path / "second", "--verify", *held(elsewhere))
    assert (restored["verified"], restored["root"]) == (True, made["root"])
    assert home.done("doctor")["sound"]


@pytest.mark.parametrize("option", ["--ledger", "--checkpoint"])
def test_two_people_let_a_log_go_on_that_lost_its_tail(
    staffed: Installation, tmp_path: Path, option: str
) -> None:
    for who in ("discipline", "leader"):
        staffed.done("account", "grant", staffed.accounts[who], who, "--region", "140000", by="admin")
    backup = backed_up(staffed)
    mirror = shutil.copytree(staffed.data / "ledger", staffed.folder / "mirror")
    for number in range(3):
        staffed.done("account", "add", "--name", f"后来者{number}", by="admin")
    shutil.copytree(staffed.data / "ledger", mirror, dirs_exist_ok=True)
    lost = open_checkpoint((mirror / "checkpoint").read_bytes(), [VerifierKey.parse(vkey(mirror))])
    shutil.move(staffed.data, staffed.folder / "burnt")
    staffed.data.mkdir()
    shutil.copy(staffed.folder / "burnt" / "ledger.key", staffed.data)
    brought = mirror if option == "--ledger" else mirror / "checkpoint"
    answered(staffed, "restore", backup, "--verify", "--keep-tokens", option, brought, status=1)
    assert staffed.refused("ledger", "publish", status=2)["facts"]["reason"] == "store-behind"
    staffed.done("ledger", "resume", "--reason", "机房失火，备份之后的事件已无副本", by="discipline")
    staffed.done("ledger", "resume", "--confirm", lost.root.hex(), by="leader")
    while staffed.done("ledger", "show")["stored"] <= lost.size:
        staffed.done("account", "add", "--name", "补录", by="admin")
    staffed.done("ledger", "publish")
    shown = staffed.data / "ledger" / "checkpoint"
    found = open_checkpoint(shown.read_bytes(), [VerifierKey.parse(vkey(mirror))])
    assert found.size > lost.size
    assert staffed.done("ledger", "verify", "--acknowledge", lost.size)["sound"]
    again = backed_up(staffed, "again")
    other = Installation(tmp_path / "elsewhere", staffed.clock)
    other.data.mkdir(parents=True)
    shutil.copy(staffed.data / "ledger.key", other.data)
    copy = ("--ledger", staffed.data / "ledger")
    assert other.done("restore", again, "--check", *copy)["findings"] == []
    verdict = answered(other, "restore", again, "--verify", *copy, status=1)
    assert [one["code"] for one in verdict["findings"]] == ["log.resumed"]
    assert other.done("restore", "--verify", *copy, "--acknowledge", lost.size)["verified"]
    assert other.done("ledger", "publish")["size"] == found.size


def vkey(ledger: Path) -> str:
    """The verifier key beside a published ledger."""
    return (ledger / "vkey").read_text().strip()
