"""The service as a process of its own, over a store that was founded beforehand.

with served(store_url, folder) as server:
    httpx2.post(f"{server.address}/api/v1/sites", headers={"Authorization": f"Bearer {server.token}"}, json=…)
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from api.bootstrap import Settings, System, build, make_key, newest_rulebook
from application.accounts import found, give_role, issue_token, open_account
from application.authorisation import Actor, Grant
from application.workflow import Call
from domain.act import CHINA, Act
from tests.office import PASSWORD, SHANXI, TAIYUAN

ROOT: Final = Path(__file__).parents[1]
RUN: Final = "from api.cli.main import main; main()"
PATIENCE: Final = 60.0


@dataclass
class Server:
    """A serving process; `token` is a city officer's."""

    process: "subprocess.Popen[str]"
    address: str
    token: str

    @property
    def pid(self) -> int:
        """Of the serving process."""
        return self.process.pid

    def memory(self) -> float:
        """What of it lies in memory now, in MiB (Linux)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def processor(self) -> float:
        """The seconds of processor time that it has taken (Linux)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


def settings_of(store_url: str, folder: Path) -> Settings:
    """The settings of an installation, whatever the environment says."""
    return Settings(_env_file=None, data_dir=folder, database_url=store_url)  # type: ignore[call-arg]


def found_office(store_url: str, folder: Path) -> str:
    """Found the installation over a fresh store, with the machine's own clock; a city officer's token."""
    settings = settings_of(store_url, folder)
    key = make_key(settings)
    system = build(settings)
    try:
        administrator = _found(system, key)
        officer = open_account(
            system.office, _call(system, administrator), person={"name": "张"}, login="", password=""
        )
        until = None
        role = {"role": "city-officer", "region": TAIYUAN}
        give_role(system.office, _call(system, administrator), officer.id, until=until, **role)
        lifetime = timedelta(days=1)
        call = _call(system, administrator)
        return issue_token(system.office, call, officer.id, label="test", lifetime=lifetime).token
    finally:
        system.close()


@contextmanager
def served(store_url: str, folder: Path, token: str, **environment: str) -> Iterator[Server]:
    """Serve a founded installation on a free port of 127.0.0.1, until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--port", "0", "--data", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={
            **os.environ,
            "SUNLOT_DATABASE_URL": store_url,
            "SUNLOT_LOG_LEVEL": "ERROR",
            "SUNLOT_LANG": "en",
            **environment,
        },
    )
    try:
        yield Server(process, _address(process), token)
    finally:
        _end(process)


def _found(system: System, key: str) -> Actor:
    now = system.clock.now()
    answer = found(
        system.office,
        Act(by="", at=now, occurred_at=now),
        origin=system.settings.origin,
        verifier_key=key,
        rulebook=newest_rulebook(system, now.astimezone(CHINA).date()),
        region=SHANXI,
        login="administrator",
        password=PASSWORD,
        name="管理员",
    )
    return Actor(account=answer.id, grants=(Grant("administrator", SHANXI, None),))


def _call(system: System, actor: Actor) -> Call:
    now = system.clock.now()
    return Call(actor=actor, act=Act(by=actor.account, at=now, occurred_at=now))


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = [word for word in line.split() if word.startswith("http://")]
    if not found:
        raise RuntimeError(f"the service does not start: {line!r}")
    return found[0].rstrip("/")


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
