"""Our application and the library's as it comes, each over an empty store of its own on the same engine."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.application import Application

from application.workflow import Workflow
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import open_store
from infrastructure.event_store.mapper import EventMapper
from tests.engines import PostgresMissing, PostgresServer, postgres_url, running_postgres, sqlite_url

THREADS = 8

Both = tuple[Workflow, Application[Any]]


def both_on_each_engine() -> Iterator[tuple[str, Both]]:
    """The engine's name and both applications on it: on SQLite, then on PostgreSQL if there is one."""
    with _on_sqlite() as both:
        yield "SQLite", both
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return
        yield "PostgreSQL", stack.enter_context(_on_postgres(server))


@contextmanager
def _on_sqlite() -> Iterator[Both]:
    with tempfile.TemporaryDirectory(prefix="sunlot-bench-") as folder, ExitStack() as stack:
        url = stack.enter_context(sqlite_url(Path(folder) / "ours"))
        environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": f"{folder}/stock.db"}
        yield stack.enter_context(_ours(url)), stack.enter_context(_stock(environment))


@contextmanager
def _on_postgres(server: PostgresServer) -> Iterator[Both]:
    # Both by TCP: by socket the library's pipeline hangs on a batch over half a megabyte, lock held.
    server.run("CREATE DATABASE stock")
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": "stock",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": str(server.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "none",
        "POSTGRES_POOL_SIZE": str(THREADS),
    }
    with ExitStack() as stack:
        url = stack.enter_context(postgres_url(server, tcp=True))
        yield stack.enter_context(_ours(url)), stack.enter_context(_stock(environment))


@contextmanager
def _ours(url: str) -> Iterator[Workflow]:
    with closing(open_store(url, clock=SystemClock())) as store:
        yield Workflow(recorder=store.recorder, mapper=EventMapper(SystemChance()), answers=store.answers)


@contextmanager
def _stock(environment: dict[str, str]) -> Iterator[Application[Any]]:
    with closing(Application[Any](environment)) as application:
        yield application
