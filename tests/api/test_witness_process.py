"""Service and witness as processes of their own: cosigned while it runs, going on without it, and again."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from httpx2 import Client

from domain.ledger.policy import TrustPolicy
from tests.api.rest.story import site
from tests.engines import sqlite_url
from tests.serving import PATIENCE, ROOT, RUN, found_office, served


def sunlot(*words: object) -> list[str]:
    """A command line."""
    return [sys.executable, "-c", RUN, *map(str, words)]


@contextmanager
def witness_process(folder: Path, log: str, port: int) -> Iterator[str]:
    """`sunlot ledger witness serve` until the end of the block; its address."""
    words = ("--key", folder / "witness.key", "--state", folder / "state", "--log", log, "--port", port)
    process = subprocess.Popen(
        sunlot("ledger", "witness", "serve", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "SUNLOT_LANG": "en", "SUNLOT_LOG_LEVEL": "ERROR"},
    )
    try:
        assert process.stdout is not None
        said = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
        yield said.rstrip("/.,")
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def wait_for(found: Callable[[], Any]) -> Any:
    """Ask until there is an answer."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def test_a_service_goes_on_with_and_without_its_witness(tmp_path: Path) -> None:
    made = subprocess.run(
        sunlot(
            "ledger",
            "witness",
            "keygen",
            "--name",
            "jw.example/1",
            "--out",
            tmp_path / "witness.key",
            "--json",
        ),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    vkey = next(word.strip('",') for word in made.stdout.split() if "jw.example/1+" in word)
    with sqlite_url(tmp_path / "store") as url:
        token = found_office(url, tmp_path / "data")
        policy = tmp_path / "policy"
        policy.write_text("quorum none\n")
        with served(url, tmp_path / "data", token) as server, Client(base_url=server.address) as http:
            log = http.get("/ledger/vkey").text.strip()
        with witness_process(tmp_path, log, 0) as address:
            port = int(address.rsplit(":", 1)[1])
            policy.write_text(f"witness jw {vkey} {address}\nquorum none\n")
            settings = {"SUNLOT_TRUST_POLICY_FILE": str(policy), "SUNLOT_WITNESS_SECONDS": "1"}
            with (
                served(url, tmp_path / "data", token, **settings) as server,
                Client(base_url=server.address, headers={"Authorization": f"Bearer {token}"}) as http,
            ):
                first = register(http, 1)
                newest = wait_for(lambda: cosigned_beyond(http, first))
                trusted = TrustPolicy.parse(http.get("/ledger/trust-policy").content)
                note = http.get(f"/ledger/checkpoints/{newest['size']}").content
                assert set(trusted.open(note).cosigned) == {"jw"}
        with (
            served(url, tmp_path / "data", token, **settings) as server,
            Client(base_url=server.address, headers={"Authorization": f"Bearer {token}"}) as http,
        ):
            second = register(http, 2)
            wait_for(lambda: http.get(f"/ledger/receipts/{second}").status_code == 200)
            assert cosigned_beyond(http, second) is None
            with witness_process(tmp_path, log, port):
                assert wait_for(lambda: cosigned_beyond(http, second))["size"] > second


def register(http: Client, number: int) -> int:
    """The position of a newly registered site."""
    answer = http.post("/api/v1/sites", json=site(number))
    assert answer.status_code == 201, answer.text
    position: int = answer.json()["position"]
    return position


def cosigned_beyond(http: Client, position: int) -> dict[str, Any] | None:
    """The newest kept checkpoint, if it covers the position and was cosigned."""
    for one in http.get("/ledger/checkpoints").json()["items"]:
        if one["size"] > position and one["cosigned"]:
            found: dict[str, Any] = one
            return found
    return None
