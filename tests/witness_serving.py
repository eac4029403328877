"""A witness on a real socket, for tests: with a clock that a test moves and less patience than in earnest."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from api.listening import listen
from api.witness import create_witness_app
from api.witness_rate import Rate
from api.witness_server import ImpatientProtocol, witness_config
from infrastructure.witness import Witness
from tests.fakes import FakeClock
from tests.infrastructure.witness_samples import KEY, NEXT_KEY, ORIGIN, WITNESS

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    type: str
    body: bytes
    headers: dict[str, str]


class Quick(ImpatientProtocol):
    """The same, in less time."""

    head_seconds = 0.3
    life_seconds = 5.0
    of_one = 4


@dataclass(frozen=True)
class Served:
    """A witness that is served on a port."""

    witness: Witness
    clock: FakeClock
    port: int

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told.get("content-type", ""), answer.read(), told)
        finally:
            line.close()

    def submit(self, body: bytes) -> Answer:
        """An add-checkpoint request."""
        return self.ask("POST", "/add-checkpoint", body)


@contextmanager
def serving(folder: Path, *, rate: Rate | None = None, body_seconds: float = 0.5) -> Iterator[Served]:
    """A witness with a wrist watch, on a free port."""
    clock = FakeClock(NOW)
    witness = Witness(WITNESS, {ORIGIN: (KEY.verifier, NEXT_KEY.verifier)}, folder, clock)
    app = create_witness_app(witness, rate=rate or Rate(burst=1000), body_seconds=body_seconds)
    server = uvicorn.Server(witness_config(app, Quick))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            yield Served(witness, clock, listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)


def refused(answer: Answer, status: int) -> None:
    """It was refused, and nothing in the answer is a signature."""
    assert answer.status == status, answer
    assert "—".encode() not in answer.body
