"""`sunlot vault`: asking, approving, refusing, whose data is due, who read it, and a kill in between."""

import json
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import officer

GONE = ("--ground", "unlawful-processing", "--reason", "误录")

KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
import application.erasure
from tests.api.cli.installation import Installation
from tests.fakes import FakeClock, SeededChance

def die(office):
    os.kill(os.getpid(), signal.SIGKILL)

application.erasure.finish_erasures = die
folder, now, person = sys.argv[1:]
made = Installation(Path(folder), FakeClock(datetime.fromisoformat(now)), SeededChance(99))
made.run("vault", "approve", person, by="leader")
"""


def left(made: Installation) -> dict[str, Any]:
    """An officer who came by a file and left: the registry's row."""
    file = made.table("inspectors", officer(77, name="欧阳擦除", certificate_no="140100-7788"))
    made.done("import", "inspectors", file, "--region", TAIYUAN, by="officer")
    (row,) = made.done("inspector", "list", by="officer")
    reason = ("--source", "人事处", "--reason", "退休", "--effective-from", "2024-01-01")
    made.done("inspector", "remove", row["id"], *reason, by="officer")
    found: dict[str, Any] = row
    return found


def asked(made: Installation) -> str:
    """The reference of a person whose erasure was asked for."""
    person = str(left(made)["person"])
    made.done("vault", "erase", person, *GONE, by="officer")
    return person


def test_one_account_asks_and_another_approves(staffed: Installation) -> None:
    person = asked(staffed)
    refusal = staffed.refused("vault", "approve", person, by="officer")
    assert refusal["code"] == "permission-missing"
    answer = staffed.done("vault", "approve", person, by="leader")
    assert (answer["id"], len(answer["also"]["originals"])) == (person, 1)
    (row,) = staffed.done("vault", "list", "--status", "erased", by="auditor")
    assert (row["person"], row["erased_on"]) == (person, "2024-04-08")
    assert "已擦除" in staffed.run("vault", "list", "--status", "erased", by="auditor", lang="zh").stdout
    assert "欧阳擦除" not in staffed.run("inspector", "list", by="officer").stdout
    told = staffed.run("replay", person, "--own", by="auditor", lang="zh").stdout
    assert f"{person}：个人信息已擦除（2024-04-08" in told
    report = staffed.done("ledger", "verify")
    assert report["sound"] is True


def test_a_refusal_keeps_the_data(staffed: Installation) -> None:
    person = asked(staffed)
    staffed.done("vault", "refuse", person, "--reason", "先核对", by="discipline")
    assert staffed.refused("vault", "approve", person, by="leader")["code"] == "erasure-not-asked"


def test_whose_data_is_due(staffed: Installation) -> None:
    person = left(staffed)["person"]
    assert staffed.done("vault", "due", by="officer") == []
    (row,) = staffed.done("vault", "due", "--by", "2029-04-08", by="officer")
    assert (row["person"], row["retain_until"]) == (person, "2029-04-08")


def test_the_report_of_readings_is_a_table_for_auditors_alone(staffed: Installation) -> None:
    asked(staffed)
    assert staffed.done("vault", "readings", by="auditor") == []
    for name in ("report.xlsx", "report.csv"):
        out = staffed.folder / name
        staffed.done("vault", "readings", "--out", out, "--from", "2024-01-01", by="discipline")
        assert out.stat().st_size > 0
    rows = list(load_workbook(BytesIO((staffed.folder / "report.xlsx").read_bytes())).worksheets[0].values)
    assert len(rows) == 1
    assert staffed.refused("vault", "readings", by="officer")["code"] == "permission-missing"
    assert staffed.run("vault", "readings", "--out", staffed.folder / "x.txt", by="auditor").exit_code == 2


def test_a_kill_between_commit_and_deletion_is_found_and_finished(staffed: Installation) -> None:
    person = asked(staffed)
    root = Path(__file__).parents[3]
    now = staffed.clock.now().isoformat()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(staffed.folder), now, person], cwd=root, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (row,) = staffed.done("vault", "list", "--status", "erased", by="auditor")
    assert row["person"] == person
    checks = {one["name"]: one for one in doctor(staffed)}
    assert checks["erasures"]["state"] == "wrong"
    assert len(checks["erasures"]["facts"]["not_erased"]) == 1
    assert "blob.not-erased" in checks["erasures"]["advice"]
    assert staffed.done("vault", "sweep") == {"removed": 1}
    checks = {one["name"]: one for one in doctor(staffed)}
    assert checks["erasures"]["state"] == "fine"
    assert staffed.done("vault", "sweep") == {"removed": 0}


def doctor(made: Installation) -> list[dict[str, Any]]:
    """What the doctor looked at."""
    found: list[dict[str, Any]] = json.loads(made.run("doctor", "--json").stdout)["checks"]
    return found
