"""The doctor names what is wrong and what to do about it, and finds nothing where nothing is."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.ledger.note import VerifierKey
from domain.ledger.submission import SIZE_TYPE
from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import site
from tests.infrastructure.outsiders import Answer, KeptWitness, Lie, policy_text, serving_witness


def _checks(made: Installation, *, status: int) -> dict[str, dict[str, Any]]:
    result = made.run("doctor", "--json")
    assert result.exit_code == status, result.output
    return {check["name"]: check for check in json.loads(result.stdout)["checks"]}


def test_a_healthy_installation_has_nothing_wrong(founded: Installation) -> None:
    founded.data.chmod(0o700)
    checks = _checks(founded, status=0)
    assert {check["state"] for check in checks.values()} == {"fine"}
    assert {"python", "disk", "key", "store", "clock", "ledger", "blobs", "calendar", "rulebook"} <= set(
        checks
    )
    told = founded.run("doctor").stdout
    assert "✗" not in told
    assert "→" not in told


def test_an_empty_folder_is_told_to_begin(empty: Installation) -> None:
    checks = _checks(empty, status=1)
    assert checks["data"]["state"] == "wrong"
    assert "sunlot account init" in checks["data"]["advice"]
    assert checks["key"]["facts"]["reason"] == "missing"
    assert checks["store"]["state"] == "wrong"


def test_a_store_without_an_administrator_is_told_to_be_founded(empty: Installation) -> None:
    empty.done("migrate")
    empty.done("ledger", "keygen")
    assert _checks(empty, status=1)["founded"]["state"] == "wrong"


def test_a_key_open_to_others_is_wrong(founded: Installation) -> None:
    os.chmod(founded.data / "ledger.key", 0o640)
    assert _checks(founded, status=1)["key"]["facts"]["reason"] == "exposed"


def test_files_open_to_others_are_minded(founded: Installation) -> None:
    founded.data.chmod(0o755)
    (founded.data / "store.db").chmod(0o644)
    check = _checks(founded, status=0)["modes"]
    assert (check["state"], "store.db" in check["advice"]) == ("mind", True)


def test_a_clock_behind_the_log_is_wrong(founded: Installation) -> None:
    founded.clock.advance(days=-1)
    assert _checks(founded, status=1)["clock"]["state"] == "wrong"


def test_a_year_without_working_days_is_named(founded: Installation) -> None:
    def years(status: int) -> dict[int, str]:
        result = founded.run("doctor", "--json")
        assert result.exit_code == status, result.output
        checks = json.loads(result.stdout)["checks"]
        return {one["facts"]["year"]: one["state"] for one in checks if one["name"] == "calendar"}

    founded.clock.set(datetime(2090, 6, 1, tzinfo=UTC))
    assert years(1) == {2090: "wrong", 2091: "mind"}
    notice = {"year": 2090, "source": "通知", "rest": ["2090-01-01"], "work": []}
    (founded.data / "calendar").mkdir()
    (founded.data / "calendar" / "2090.json").write_text(json.dumps(notice))
    assert years(0) == {2090: "fine", 2091: "mind"}


def test_a_claim_that_was_deleted_is_found(founded: Installation) -> None:
    with closing(sqlite3.connect(founded.data / "store.db")) as store, store:
        store.execute("DELETE FROM claims WHERE kind = 'installation'")
    claims = _checks(founded, status=1)["claims"]
    assert claims["state"] == "wrong"
    assert claims["facts"] == {"found": 1, "first": ["claim.missing installation/1"]}
    assert "sunlot ledger verify" in claims["advice"]


def test_a_damaged_file_is_found(staffed: Installation) -> None:
    file = staffed.table("sites", site(1))
    staffed.done("import", "sites", file, "--region", TAIYUAN, by="officer")
    (kept,) = (path for path in (staffed.data / "blobs").rglob("*") if len(path.name) == 64)
    kept.chmod(0o600)
    kept.write_bytes(b"other")
    assert _checks(staffed, status=1)["blobs"]["facts"]["damaged"] == [kept.name]


def test_a_store_behind_what_was_published_is_wrong(founded: Installation) -> None:
    with sqlite3.connect(founded.data / "store.db") as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute("DELETE FROM events WHERE idx = (SELECT max(idx) FROM events)")
    check = _checks(founded, status=1)["ledger"]
    assert check["state"] == "wrong"
    assert "ledger verify" in check["advice"]


def test_an_unpublished_event_is_minded(founded: Installation) -> None:
    shutil.rmtree(founded.data / "ledger")
    assert _checks(founded, status=0)["ledger"]["state"] == "mind"


def test_a_setting_that_is_wrong_is_named_without_its_value(
    founded: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNLOT_PORT", "hunter2")
    result = founded.run("doctor")
    assert result.exit_code == 2
    assert "SUNLOT_PORT" in result.stderr
    assert "hunter2" not in result.output


# --- witnesses -------------------------------------------------------------------------------


def _witnessed(made: Installation, *, status: int, lie: Lie | None = None) -> dict[str, dict[str, Any]]:
    """The doctor's checks where a witness is the quorum, once it has seen what was published."""
    made.done("ledger", "publish")
    witness = KeptWitness("witness.example/1", made.clock)
    vkey = VerifierKey.parse((made.data / "ledger" / "vkey").read_text().strip())
    witness.logs, witness.lie = {vkey.name: [vkey]}, lie
    with serving_witness(witness) as server:
        (made.data / "trust-policy").write_text(policy_text({witness: server.url}))
        return _checks(made, status=status)


def test_each_witness_and_the_quorum_are_shown(founded: Installation) -> None:
    checks = _witnessed(founded, status=0)
    assert (checks["witness"]["state"], checks["witness"]["facts"]["state"]) == ("fine", "cosigned")
    assert checks["quorum"]["facts"] == {"quorum": "everyone", "answered": ["witness.example/1"]}


@pytest.mark.parametrize("state", ["ahead", "differs"])
def test_a_witness_that_contradicts_is_wrong(founded: Installation, state: str) -> None:
    def lie(body: bytes) -> Answer:
        size = int(body.partition(b"\n")[0].split()[1])
        return Answer(409, f"{size if state == 'differs' else 999_999}\n".encode(), SIZE_TYPE)

    check = _witnessed(founded, status=1, lie=lie)["witness"]
    assert (check["state"], check["facts"]["state"]) == ("wrong", state)
    assert "resume-a-diverged-log" in check["advice"]


def test_a_silent_witness_is_minded_and_a_missing_quorum_is_wrong(founded: Installation) -> None:
    checks = _witnessed(founded, status=1, lie=lambda _: Answer(503, b""))
    assert (checks["witness"]["state"], checks["quorum"]["state"]) == ("mind", "wrong")
