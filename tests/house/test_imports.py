"""Importing does nothing, the environment changes nothing, and the names are ours alone."""

import json
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.repository import PACKAGES, ROOT, module_names
from tests.vectors_of_events import FOLDER, read_vector

WATCHED = """
import json, os, sys, threading
deeds = []
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = {
    "socket.bind", "socket.connect", "socket.sendto", "subprocess.Popen", "os.system", "os.exec",
    "os.fork", "os.posix_spawn", "os.putenv", "os.unsetenv", "os.mkdir", "os.remove", "os.rename",
    "os.rmdir", "os.symlink", "os.truncate", "sqlite3.connect",
}
start = threading.Thread.start

def watch_start(thread):
    deeds.append(["thread", thread.name])
    start(thread)

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
    if writes or event in FORBIDDEN:
        deeds.append([event, repr(arguments)[:200]])

names = json.load(sys.stdin)
threading.Thread.start = watch_start
sys.addaudithook(watch)
for name in names:
    __import__(name)
json.dump({"deeds": deeds, "threads": threading.active_count()}, sys.stdout)
"""

STORING = """
import hashlib, json, sys
from pathlib import Path
from application.workflow import Workflow
from infrastructure.database import open_store
from infrastructure.migration import migrate
from tests.examples_of_events import examples
from tests.fakes import FakeClock
from tests.stages import published_plan
from tests.vectors_of_events import mapper

url = f"sqlite:///{sys.argv[1]}"
migrate(url)
store = open_store(url, clock=FakeClock())
workflow = Workflow(recorder=store.recorder, mapper=mapper(), answers=store.answers)
workflow.save(published_plan())
saved = [[row.topic, row.state.decode()] for row in store.recorder.rows()]
store.close()
states = {topic: mapper().to_stored_event(event).state.decode() for topic, event in examples().items()}
json.dump({"saved": saved, "states": states}, sys.stdout)
"""

MEDDLING = {
    "CIPHER_KEY": "MDEyMzQ1Njc4OTAxMjM0NQ==",
    "CIPHER_TOPIC": "eventsourcing.cipher:AESCipher",
    "COMPRESSOR_TOPIC": "zlib",
    "EVENTSOURCING_DISABLE_REDEFINITION_CHECK": "y",
    "IS_SNAPSHOTTING_ENABLED": "y",
    "MAPPER_TOPIC": "eventsourcing.persistence:Mapper",
    "PERSISTENCE_MODULE": "eventsourcing.popo",
    "POSTGRES_ENABLE_DB_FUNCTIONS": "y",
    "SQLITE_DBNAME": ":memory:",
    "TRANSCODER_TOPIC": "eventsourcing.persistence:JSONTranscoder",
    "WORKFLOW_COMPRESSOR_TOPIC": "zlib",
    "WORKFLOW_PERSISTENCE_MODULE": "eventsourcing.popo",
    "TZ": "America/New_York",
    "LC_ALL": "C",
}


def run_python(program: str, *arguments: str, given: str = "", **environment: str) -> dict[str, object]:
    """What a fresh interpreter prints as JSON."""
    inherited = {name: value for name, value in os.environ.items() if name not in MEDDLING}
    ran = subprocess.run(
        [sys.executable, "-B", "-c", program, *arguments],
        input=given,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "random", **environment},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    printed: dict[str, object] = json.loads(ran.stdout)
    return printed


def test_importing_every_module_does_nothing() -> None:
    names = module_names()
    assert {"domain.events", "application.workflow", "api.bootstrap"} <= set(names)
    assert run_python(WATCHED, given=json.dumps(names)) == {"deeds": [], "threads": 1}


@pytest.mark.parametrize(
    ("deed", "event"),
    [
        ("open('made', 'w').close()", "open"),
        ("import threading; threading.Thread(target=int).start()", "thread"),
        (
            "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(('127.0.0.1', 0))",
            "socket.bind",
        ),
        ("import os; os.environ['TOPIC'] = 'x'", "os.putenv"),
    ],
)
def test_an_import_that_does_something_would_be_found(tmp_path: Path, deed: str, event: str) -> None:
    (tmp_path / "meddler.py").write_text(f"import os; os.chdir({str(tmp_path)!r})\n{deed}\n")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{WATCHED}"
    deeds = run_python(program, given='["meddler"]')["deeds"]
    assert isinstance(deeds, list)
    assert event in [name for name, _ in deeds]


def test_the_environment_cannot_change_stored_bytes(tmp_path: Path) -> None:
    plain = run_python(STORING, str(tmp_path / "plain"))
    meddled = run_python(STORING, str(tmp_path / "meddled"), **MEDDLING)
    assert meddled == plain
    vectors = [read_vector(path) for path in sorted(FOLDER.glob("*.json"))]
    assert plain["states"] == {vector.topic: vector.state.decode() for vector in vectors}
    saved = plain["saved"]
    assert isinstance(saved, list)
    assert [topic for topic, _ in saved] == [
        f"plan.{name}.v1" for name in ("drafted", "row-set", "submitted", "approved", "published")
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_distribution_brings_a_package_of_our_name(package: str) -> None:
    assert set(packages_distributions().get(package, ())) <= {"sunlot"}
