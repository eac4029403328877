"""The service as processes of its own: they start, do their work, and stop when told to."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from api.bootstrap import Settings
from api.cli.demo import play
from tests.api.cli.installation import PASSWORD, Installation
from tests.engines import PostgresServer, postgres_url

RUN = "import sys; from api.cli.main import main; main()"
PATIENCE = 60.0


@pytest.fixture
def own(founded: Installation) -> Installation:
    """An installation for processes with the machine's own clock."""
    founded.data.chmod(0o700)
    return founded


def _start(made: Installation, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "SUNLOT_LANG": "en", "SUNLOT_LOG_LEVEL": "WARNING"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *words, "--data", str(made.data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[3],
    )


def _until(found: Callable[[], bool]) -> None:
    ending = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < ending, "it did not happen in time"
        time.sleep(0.05)


def _stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGTERM), errors
    return errors


def test_the_worker_publishes_and_projects_until_it_is_told_to_stop(own: Installation) -> None:
    ledger = own.data / "ledger" / "checkpoint"
    ledger.unlink()
    worker = _start(own, "worker")
    try:
        _until(ledger.exists)
        _until(lambda: all(one["lag"] == 0 for one in own.done("projections", "status")))
    finally:
        errors = _stop(worker)
    assert "Traceback" not in errors


def test_migrating_twice_is_migrating_once(empty: Installation) -> None:
    assert empty.done("migrate") == empty.done("migrate") == {"store": "ready"}


def test_the_service_says_where_it_answers_and_stops_gracefully(own: Installation) -> None:
    service = _start(own, "serve", "--port", "0")
    try:
        assert service.stdout is not None
        line = service.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://"))
        assert address.startswith("http://127.0.0.1:")
        with urlopen(f"{address}livez", timeout=PATIENCE) as answer:  # noqa: S310 (our own, on loopback)
            assert answer.status == 200
    finally:
        errors = _stop(service)
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_named(own: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refusal = own.refused("serve", "--port", taken.getsockname()[1], status=2)
    assert refusal["code"] == "file-unusable"


def test_the_demo_is_played_in_the_folder_that_was_named(
    empty: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[Settings, bool]] = []
    monkeypatch.setattr(play, "run", lambda settings, *, serve, console: played.append((settings, serve)))
    assert empty.run("demo", "--no-serve").exit_code == 0
    assert empty.run("demo", "--host", "127.0.0.2", "--port", "0").exit_code == 0
    assert [(settings.data_dir, serve) for settings, serve in played] == [
        (empty.data, False),
        (empty.data, True),
    ]
    assert (played[1][0].host, played[1][0].port) == ("127.0.0.2", 0)


def test_the_same_commands_work_over_postgresql(empty: Installation, postgres_server: PostgresServer) -> None:
    with postgres_url(postgres_server) as url:
        empty.database = url
        init = ("account", "init", "--login", "admin", "--name", "管理员")
        assert empty.done(*init, given=f"{PASSWORD}\n")["position"] == 3
        assert empty.done(*init, given=f"{PASSWORD}\n")["founded"]
        sign_in = ("account", "sign-in", "--login", "admin", "--out", empty.token("admin"))
        empty.done(*sign_in, given=f"{PASSWORD}\n")
        account = empty.open_account("auditor", "auditor", region="140000")
        assert account in {one["id"] for one in empty.done("account", "list", by="admin")}
        assert empty.done("replay", account, by="auditor")["kind"] == "account"
        assert empty.done("ledger", "verify")["sound"]
        assert empty.done("doctor")["sound"]
        assert not (empty.data / "store.db").exists()
