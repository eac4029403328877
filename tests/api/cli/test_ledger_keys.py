"""Two people change the key, and two people go on after a divergence, by commands."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.note import Note, VerifierKey
from tests.api.cli.installation import Installation


def key_file(made: Installation) -> Path:
    return made.data / "ledger.key"


def published(made: Installation) -> bytes:
    return (made.data / "ledger" / "checkpoint").read_bytes()


def vkey(made: Installation) -> str:
    return str((made.data / "ledger" / "vkey").read_text().strip())


def asked(made: Installation) -> str:
    """The administrator asks for another key; the verifier key of the file that was made."""
    result = made.run("ledger", "rotate", "--reason", "例行更换", "--json", by="admin")
    assert result.exit_code == 0, result.output
    return next(word for word in result.stderr.split() if word.startswith("sunlot")).rstrip(".")


@pytest.fixture
def staffed(staffed: Installation) -> Installation:
    """An account in every role, three of them for the whole of the installation's region."""
    for who in ("leader", "discipline"):
        staffed.done("account", "grant", staffed.accounts[who], who, "--region", "140000", by="admin")
    return staffed


# --- rotation --------------------------------------------------------------------------------


def test_two_people_change_the_key_and_both_keys_sign_the_change(staffed: Installation) -> None:
    old = vkey(staffed)
    before = open_checkpoint(published(staffed), [VerifierKey.parse(old)])
    new = asked(staffed)
    assert new != old
    next_file = key_file(staffed).with_name("ledger.key.next")
    assert next_file.stat().st_mode & 0o777 == 0o600
    assert vkey(staffed) == old
    answer = staffed.done("ledger", "rotate", "--confirm", new, by="discipline")
    note = Note.parse(published(staffed))
    keys = {VerifierKey.parse(old), VerifierKey.parse(new)}
    assert set(note.verify(list(keys))) == keys
    assert open_checkpoint(published(staffed), [VerifierKey.parse(old)]).size == answer["position"] + 1
    assert answer["position"] + 1 > before.size
    former = key_file(staffed).with_name(f"ledger.key.former-{VerifierKey.parse(old).id.hex()}")
    assert (former.exists(), next_file.exists()) == (True, False)
    assert former.stat().st_mode & 0o777 == 0o600
    assert vkey(staffed) == new
    staffed.done("account", "sign-in", "--login", "admin", given="correct horse battery\n")
    (signer,) = Note.parse(published(staffed)).verify([VerifierKey.parse(new)])
    assert signer.encode() == new
    assert len(Note.parse(published(staffed)).signatures) == 1
    assert staffed.done("ledger", "verify", "--vkey", old, "--vkey", new)["sound"]


def test_who_asked_does_not_confirm_and_the_key_stays(staffed: Installation) -> None:
    new = asked(staffed)
    refused = staffed.refused("ledger", "rotate", "--confirm", new, by="admin")
    assert refused["code"] == "ledger-second-person-needed"
    assert key_file(staffed).with_name("ledger.key.next").exists()
    staffed.done("ledger", "publish")
    assert vkey(staffed) != new


def test_another_key_than_the_one_at_hand_is_not_confirmed(staffed: Installation) -> None:
    asked(staffed)
    old = vkey(staffed)
    refused = staffed.refused("ledger", "rotate", "--confirm", old, by="discipline", status=2)
    assert refused["code"] == "rotate-key-not-here"


def test_a_change_may_be_withdrawn(staffed: Installation) -> None:
    new = asked(staffed)
    assert (
        staffed.refused("ledger", "rotate", "--reason", "again", by="discipline")["code"]
        == "ledger-asking-open"
    )
    staffed.done("ledger", "rotate", "--withdraw", "--reason", "不换了", by="discipline")
    refused = staffed.refused("ledger", "rotate", "--confirm", new, by="discipline")
    assert refused["code"] == "ledger-asking-missing"


@pytest.mark.parametrize("who", ["officer", "auditor", "leader"])
def test_only_who_may_changes_the_key(staffed: Installation, who: str) -> None:
    refused = staffed.refused("ledger", "rotate", "--reason", "试试", by=who)
    assert refused["code"] == "permission-missing"
    assert not key_file(staffed).with_name("ledger.key.next").exists()


def test_a_key_that_was_made_for_a_refused_question_is_not_left(staffed: Installation) -> None:
    assert staffed.refused("ledger", "rotate", "--reason", "", by="admin")["code"]
    assert not key_file(staffed).with_name("ledger.key.next").exists()


@pytest.mark.parametrize("cut", ["before signing", "before renaming", "between the files"])
def test_a_change_that_was_killed_is_finished_later(
    staffed: Installation, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    new = asked(staffed)
    rename = Path.rename
    count = iter(range(99))

    class Killed(BaseException):
        pass

    def renamed(self: Path, target: Any) -> Path:
        if cut == "before renaming" or (cut == "between the files" and next(count) == 1):
            raise Killed
        return rename(self, target)

    def stopped(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        if cut == "before signing":
            patch.setattr("api.cli.ledger_keys.hand_over", stopped)
        else:
            patch.setattr(Path, "rename", renamed)
        with pytest.raises(Killed):
            staffed.run("ledger", "rotate", "--confirm", new, by="discipline")
    assert staffed.done("ledger", "hand-over")["vkey"] == new
    assert len(Note.parse(published(staffed)).signatures) == 2
    assert staffed.done("ledger", "hand-over")["vkey"] == new
    staffed.done("ledger", "publish")
    assert sorted(one.name.split("-")[0] for one in staffed.data.glob("ledger.key*")) == [
        "ledger.key",
        "ledger.key.former",
    ]


def test_nothing_is_handed_over_that_nobody_confirmed(staffed: Installation) -> None:
    asked(staffed)
    before = key_file(staffed).read_bytes()
    refused = staffed.refused("ledger", "hand-over", status=2)
    assert refused["facts"]["reason"] == "not-the-founders"
    assert key_file(staffed).read_bytes() == before


# --- going on --------------------------------------------------------------------------------


@pytest.fixture
def rewound(staffed: Installation) -> Installation:
    """A store that was restored from a backup, beside a ledger that had gone on."""
    store = staffed.data / "store.db"
    backup = staffed.folder / "backup"
    staffed.done("ledger", "publish")
    shutil.copy(store, backup)
    staffed.done("account", "add", "--name", "后来者", by="admin")
    staffed.done("account", "add", "--name", "又一人", by="admin")
    for rest in staffed.data.glob("store.db-*"):
        rest.unlink()
    shutil.copy(backup, store)
    return staffed


def test_two_people_let_a_restored_log_go_on(rewound: Installation) -> None:
    lost = open_checkpoint(published(rewound), [VerifierKey.parse(vkey(rewound))])
    assert rewound.refused("ledger", "publish", status=2)["code"] == "ledger-diverged"
    before = rewound.done("ledger", "show")["stored"]
    looked = rewound.run("ledger", "resume", "--look", by="discipline")
    assert (looked.exit_code, rewound.done("ledger", "show")["stored"]) == (0, before)
    told = rewound.run("ledger", "resume", "--reason", "恢复备份", by="discipline")
    assert told.exit_code == 0, told.output
    on_paper = published(rewound).split(b"\n")[2].decode()
    for shown in (looked, told):
        assert lost.root.hex() in shown.stderr
        assert on_paper in shown.stderr
    assert f"positions {lost.size - 2} to {lost.size - 1}" in told.stderr
    same = rewound.refused("ledger", "resume", "--confirm", lost.root.hex(), by="discipline")
    assert same["code"] == "ledger-second-person-needed"
    other = rewound.refused("ledger", "resume", "--confirm", "0" * 64, by="leader")
    assert other["code"] == "ledger-asking-differs"
    confirmed = rewound.run("ledger", "resume", "--confirm", on_paper, by="leader")
    assert confirmed.exit_code == 0, confirmed.output
    assert lost.root.hex() not in confirmed.output
    assert on_paper not in confirmed.output
    while rewound.done("ledger", "show")["stored"] <= lost.size:
        rewound.done("account", "add", "--name", "补录", by="admin")
    rewound.done("ledger", "publish")
    found = open_checkpoint(published(rewound), [VerifierKey.parse(vkey(rewound))])
    assert found.size > lost.size
    assert found.root != lost.root


def test_a_log_that_did_not_diverge_has_nothing_to_give_up(staffed: Installation) -> None:
    staffed.done("ledger", "publish")
    refused = staffed.refused("ledger", "resume", "--reason", "试试", by="discipline")
    assert refused["code"] == "ledger-nothing-to-give-up"


def test_what_somebody_else_held_may_be_given_up(staffed: Installation) -> None:
    staffed.done("ledger", "publish")
    backup = staffed.folder / "backup"
    shutil.copytree(staffed.data, backup)
    staffed.done("account", "add", "--name", "后来者", by="admin")
    held = staffed.file("held", published(staffed))
    shutil.rmtree(staffed.data)
    shutil.copytree(backup, staffed.data)
    lost = open_checkpoint(held.read_bytes(), [VerifierKey.parse(vkey(staffed))])
    words = ("ledger", "resume", "--checkpoint", held)
    staffed.done(*words, "--reason", "见证方持有更大的检查点", by="discipline")
    staffed.done(*words, "--confirm", lost.root.hex(), by="admin")


def test_a_checkpoint_of_another_log_gives_nothing_up(staffed: Installation) -> None:
    held = staffed.file("held", published(staffed).replace(b"\n", b"x\n", 1))
    words = ("ledger", "resume", "--checkpoint", held, "--reason", "试试")
    assert staffed.refused(*words, by="discipline")["code"] == "ledger-checkpoint-not-ours"


def test_giving_up_may_be_withdrawn(rewound: Installation) -> None:
    rewound.done("ledger", "resume", "--reason", "恢复备份", by="discipline")
    rewound.done("ledger", "resume", "--withdraw", "--reason", "找到完整备份", by="leader")
    root = open_checkpoint(published(rewound), [VerifierKey.parse(vkey(rewound))]).root.hex()
    refused = rewound.refused("ledger", "resume", "--confirm", root, by="leader")
    assert refused["code"] == "ledger-asking-missing"


@pytest.mark.parametrize("who", ["officer", "auditor"])
def test_only_who_may_gives_up(rewound: Installation, who: str) -> None:
    refused = rewound.refused("ledger", "resume", "--reason", "试试", by=who)
    assert refused["code"] == "permission-missing"


def test_a_backup_from_before_a_change_of_the_key_goes_on_with_the_key_of_its_time(
    staffed: Installation, tmp_path: Path
) -> None:
    staffed.done("ledger", "publish")
    old, old_key = vkey(staffed), key_file(staffed).read_bytes()
    staffed.done("backup", tmp_path / "backup")
    new = asked(staffed)
    staffed.done("ledger", "rotate", "--confirm", new, by="discipline")
    staffed.done("account", "add", "--name", "后来者", by="admin")
    held = staffed.file("held", published(staffed))
    lost = open_checkpoint(held.read_bytes(), [VerifierKey.parse(new)])
    shutil.rmtree(staffed.data)
    staffed.data.mkdir()
    key_file(staffed).write_bytes(old_key)
    key_file(staffed).chmod(0o600)
    keys = ("--vkey", old, "--vkey", new)
    words = ("restore", tmp_path / "backup", "--verify", *keys, "--checkpoint", held, "--keep-tokens")
    told = staffed.run(*words, "--json")
    assert told.exit_code == 1, told.output
    assert [one["code"] for one in json.loads(told.stdout)["findings"]] == ["log.cut_off"]
    refused = staffed.refused("ledger", "publish", status=2)
    assert refused["facts"]["reason"] == "store-behind"
    unknown = staffed.refused("ledger", "resume", "--reason", "恢复备份", by="discipline")
    assert unknown["code"] == "ledger-checkpoint-not-ours"
    staffed.done("ledger", "resume", "--vkey", new, "--reason", "恢复备份", by="discipline")
    root = lost.root.hex()
    staffed.done("ledger", "resume", "--vkey", new, "--confirm", root, by="leader")
    while staffed.done("ledger", "show")["stored"] <= lost.size:
        staffed.done("account", "add", "--name", "补录", by="admin")
    staffed.done("ledger", "publish")
    assert open_checkpoint(published(staffed), [VerifierKey.parse(old)]).size > lost.size
    verified = ("ledger", "verify", *keys, "--checkpoint", held, "--acknowledge", str(lost.size))
    assert staffed.done(*verified)["sound"]
