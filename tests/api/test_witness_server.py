"""Nobody holds the witness up: not by slowness, not by size, not by number."""

import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.witness import BODY_LIMIT
from api.witness_rate import Rate
from api.witness_server import HEAD_LIMIT, ImpatientProtocol
from tests.infrastructure.witness_samples import SampleLog
from tests.witness_serving import Served, refused, serving

GOOD = SampleLog.of(7).submission(0, 7)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "state") as one:
        yield one


def test_too_large_a_body_is_not_read(served: Served) -> None:
    refused(served.submit(b"old 0\n" + b"A" * BODY_LIMIT), 413)
    assert served.submit(GOOD).status == 200


def test_too_large_a_head_is_not_read(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        line.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nX: " + b"a" * (2 * HEAD_LIMIT))
        assert b" 400 " in line.recv(1000).split(b"\r\n")[0]


@pytest.mark.parametrize(
    "begun", [b"", b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n", b"P"], ids=["nothing", "head", "letter"]
)
def test_a_request_that_never_ends_is_ended(served: Served, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        started = time.monotonic()
        line.sendall(begun)
        assert ended(line, drip=b"a" if begun else b"")
        assert time.monotonic() - started < 3


def test_a_body_that_never_ends_is_ended(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        line.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 500\r\n\r\nold")
        assert b" 408 " in line.recv(1000).split(b"\r\n")[0]


def test_a_second_request_may_not_dawdle_either(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as line:
        line.sendall(b"GET /vkey HTTP/1.1\r\nHost: w\r\n\r\n")
        assert b" 200 " in line.recv(4000).split(b"\r\n")[0]
        line.sendall(b"GET /vkey HT")
        assert ended(line, drip=b"T")


def test_one_source_has_only_so_many_connections(served: Served) -> None:
    lines = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(6)]
    try:
        time.sleep(0.1)
        readable, _, _ = select.select(lines, [], [], 0)
        assert len(readable) == 2  # to be told that they are ended; the others wait for a request
    finally:
        for line in lines:
            line.close()


def test_one_source_may_submit_only_so_often(tmp_path: Path) -> None:
    with serving(tmp_path / "state", rate=Rate(burst=3, each_second=0.001)) as served:
        answers = [served.submit(GOOD) for _ in range(4)]
        assert [one.status for one in answers] == [200, 409, 409, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert served.ask("GET", "/vkey").status == 200


def ended(line: socket.socket, *, drip: bytes, patience: float = 3.0) -> bool:
    """Whether the other side ends the connection, however often something is sent."""
    deadline = time.monotonic() + patience
    line.settimeout(0.05)
    while time.monotonic() < deadline:
        try:
            if drip:
                line.sendall(drip)
            if line.recv(1000) == b"":
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


# --- the bucket ------------------------------------------------------------------------------


def test_a_bucket_empties_and_fills_again_for_each_source_alone() -> None:
    now = [0.0]
    rate = Rate(burst=2, each_second=0.5, clock=lambda: now[0])
    assert [rate.wait("192.0.2.1") for _ in range(4)] == [0, 0, 2, 2]
    assert rate.wait("192.0.2.2") == 0
    now[0] = 1.0
    assert rate.wait("192.0.2.1") == 1
    now[0] = 2.0
    assert rate.wait("192.0.2.1") == 0


def test_the_addresses_of_one_network_share_a_bucket() -> None:
    rate = Rate(burst=1, each_second=0.001, clock=lambda: 0.0)
    assert rate.wait("2001:db8:1:2::1") == 0
    assert rate.wait("2001:db8:1:2:ffff::9") > 0
    assert rate.wait("2001:db8:1:3::1") == 0
    assert rate.wait("::ffff:192.0.2.1") == 0
    assert rate.wait("192.0.2.1") > 0


def test_the_connections_of_one_network_are_counted_together() -> None:
    def connected(host: str) -> ImpatientProtocol:
        one = ImpatientProtocol.__new__(ImpatientProtocol)
        one.client = (host, 1)
        return one

    all_of_them = [connected(f"2001:db8:1:2::{number}") for number in range(1, 5)]
    all_of_them += [connected("2001:db8:1:3::1"), connected("192.0.2.1")]
    for one in all_of_them:
        one.connections = set(all_of_them)
    assert [one._others() for one in all_of_them] == [4, 4, 4, 4, 1, 1]


def test_only_so_many_sources_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.witness_rate.SOURCES", 2)
    rate = Rate(burst=1, each_second=0.001, clock=lambda: 0.0)
    for source in ("a", "b", "c"):
        assert rate.wait(source) == 0
    assert rate.wait("c") > 0
    assert rate.wait("a") == 0
