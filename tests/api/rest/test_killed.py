"""A serving process killed in the middle of requests loses nothing that it has acknowledged."""

import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

from httpx2 import Client, HTTPError

from api.bootstrap import build
from infrastructure.ledger_check import verify_store
from tests.api.rest.story import site
from tests.serving import Server, found_office, served, settings_of

REQUESTS = 200
CLIENTS = 4


@dataclass
class Witness:
    """What the clients were told before the end: the body of each answer by the number of its request."""

    told: dict[int, dict[str, Any]] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)
    enough: Event = field(default_factory=Event)

    def ask(self, http: Client, number: int) -> None:
        """Register a site under a key of its own; the answer may never come."""
        try:
            answer = register(http, number)
        except HTTPError:
            self.unanswered.append(number)
            return
        assert answer["id"].startswith("site-")
        self.told[number] = answer
        if len(self.told) >= REQUESTS // 4:
            self.enough.set()


def register(http: Client, number: int) -> dict[str, Any]:
    """The answer to the registration of a site."""
    answer = http.post("/api/v1/sites", json=site(number), headers={"Idempotency-Key": f"k-{number}"})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def until_killed(server: Server) -> Witness:
    """Ask from several threads, and kill the server when a quarter is answered."""
    witness, numbers = Witness(), count()

    def work(_: int) -> None:
        with client(server) as http:
            while (number := next(numbers)) < REQUESTS:
                witness.ask(http, number)

    with ThreadPoolExecutor(CLIENTS) as threads:
        working = [threads.submit(work, number) for number in range(CLIENTS)]
        assert witness.enough.wait(60)
        server.kill()
        for one in working:
            one.result()
    assert server.process.returncode == -signal.SIGKILL
    return witness


def client(server: Server) -> Client:
    """A city officer's."""
    return Client(base_url=server.address, headers={"Authorization": f"Bearer {server.token}"}, timeout=30)


def test_a_service_killed_in_the_middle_keeps_all_it_acknowledged(store_url: str, tmp_path: Path) -> None:
    home = tmp_path / "data"
    token = found_office(store_url, home)
    with served(store_url, home, token) as server:
        witness = until_killed(server)
    assert witness.told
    assert witness.unanswered
    with served(store_url, home, token) as server, client(server) as http:
        for number, told in witness.told.items():
            assert http.get(f"/api/v1/sites/{told['id']}").json()["uscc"] == site(number)["uscc"]
            assert register(http, number) == told
        retried = [register(http, number) for number in witness.unanswered]
        assert len({one["position"] for one in [*retried, *witness.told.values()]}) == REQUESTS
    check_log(store_url, home, [*retried, *witness.told.values()])


def check_log(store_url: str, home: Path, answers: Sequence[dict[str, Any]]) -> None:
    """The ledger verifies, and holds each site exactly once, where its answer said."""
    system = build(settings_of(store_url, home))
    try:
        system.publisher.publish_once()
        assert verify_store(system.store, home / "ledger", [system.publisher.vkey]).sound
        registered = {
            row.stream: row.idx for row in system.store.recorder.rows() if row.topic.startswith("site.")
        }
        assert registered == {one["id"]: one["position"] for one in answers}
    finally:
        system.close()
