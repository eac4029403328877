"""The offline check runs where nothing of the service can be imported, and says what it finds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from infrastructure.ledger_export import LedgerExport, States, write_folder
from infrastructure.ledger_files import Published
from infrastructure.ledger_publisher import LedgerPublisher
from tests.engines import sqlite_url
from tests.infrastructure.ledger_samples import KEY, VKEY, append

ROOT = Path(__file__).parents[2]
ALONE = """
import runpy, sys
HIDDEN = "application infrastructure projections eventsourcing sqlalchemy msgspec fastapi typer".split()
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Nothing())
sys.argv[0] = "api.offline"
runpy.run_module("api.offline", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("offline")
    with sqlite_url(base / "store") as url:
        store = open_store(url, clock=SystemClock())
        append(store, 300)
        LedgerPublisher(store.recorder, store.ledger_latch, KEY, base / "ledger").publish_once()
        export = LedgerExport(Published(base / "ledger"), states=States(recorder=store.recorder))
        write_folder(export, base / "out", lambda done, size: None)
        store.close()
    return base / "out"


def alone(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ALONE, *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_needs_nothing_of_the_service(exported: Path) -> None:
    done = alone(exported, "--vkey", VKEY, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["sound"], report["covered"], report["findings"]) == (True, 300, [])


def test_a_finding_ends_with_status_1_and_is_named(exported: Path, tmp_path: Path) -> None:
    key = tmp_path / "vkey"
    key.write_text(f"{VKEY}\n")
    place = exported / "states" / "000"
    kept = place.read_bytes()
    place.write_bytes(kept.replace(b'"number":7,', b'"number":8,'))
    try:
        done = alone(exported, "--vkey", key)
    finally:
        place.write_bytes(kept)
    assert done.returncode == 1
    assert "state.differs at 7" in done.stdout


def test_a_folder_is_believed_only_if_that_is_said(exported: Path) -> None:
    assert alone(exported).returncode == 2
    done = alone(exported, "--trust-folder")
    assert done.returncode == 0
    assert "Warning" in done.stderr


def test_what_cannot_be_read_ends_with_status_2(exported: Path, tmp_path: Path) -> None:
    assert alone(exported, "--policy", tmp_path / "none").returncode == 2
    assert alone(exported, "--vkey", "a+b+c").returncode == 2
