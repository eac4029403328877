"""Asking one witness: what each answer means, and that none holds us up or is believed unseen."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey
from domain.ledger.merkle import EMPTY_ROOT
from domain.ledger.note import Note
from domain.ledger.submission import SIZE_TYPE, Submission
from infrastructure.courier import Courier, is_address
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.witnesses import (
    AHEAD,
    COSIGNED,
    DIFFERS,
    HOLDS,
    REFUSED,
    SILENT,
    WRONG,
    Verdict,
    WitnessClient,
)
from tests.fakes import FakeClock
from tests.infrastructure.ledger_samples import KEY, MemoryLatch, MemoryLog
from tests.infrastructure.outsiders import Answer, KeptWitness, Outsider, serving_witness, trusted

SIZES = (0, 1, 2, 3, 255, 256, 257, 300, 512, 600)


@pytest.fixture
def witness(clock: FakeClock) -> KeptWitness:
    return KeptWitness("witness.example/1", clock)


@pytest.fixture
def server(witness: KeptWitness) -> Iterator[Outsider]:
    with serving_witness(witness) as server:
        yield server


@pytest.fixture
def client(witness: KeptWitness, server: Outsider, clock: FakeClock) -> Iterator[WitnessClient]:
    post = Courier(f"{server.url}/add-checkpoint", seconds=1.0, limit=10_000)
    client = WitnessClient(trusted(witness, server.url), post, clock)
    yield client
    client.close()


class Publication:
    """A published log that grows by steps, and the note of each size."""

    def __init__(self, folder: Path) -> None:
        self.log, self.files = MemoryLog("n600"), Published(folder)
        self._publisher = LedgerPublisher(self.log, MemoryLatch(), KEY, folder)

    def note(self, size: int) -> bytes:
        """The checkpoint of a size, newly published."""
        self.log.size = size
        self._publisher.publish_once()
        note = self.files.checkpoint()
        assert note is not None
        return note


@pytest.fixture
def published(tmp_path: Path) -> Publication:
    return Publication(tmp_path / "ledger")


def test_it_cosigns_a_log_that_grows(
    client: WitnessClient, witness: KeptWitness, published: Publication
) -> None:
    for size in SIZES[1:]:
        verdict = client.submit(published.note(size), published.files.read)
        assert (verdict.state, verdict.size) == (COSIGNED, size), verdict
        assert verdict.at == int(witness.clock.now().timestamp())
    assert witness.held is not None
    assert witness.held.size == 600
    assert witness.asked == len(SIZES[1:]) + 1  # the first time it was asked what it holds


@pytest.mark.parametrize("held", SIZES[:-1])
def test_a_client_that_knows_nothing_learns_what_the_witness_holds(
    client: WitnessClient, witness: KeptWitness, published: Publication, clock: FakeClock, held: int
) -> None:
    if held:
        note = published.note(held)
        witness.answer(Submission(0, (), note).encode())
    verdict = client.submit(published.note(600), published.files.read)
    assert verdict.state == COSIGNED
    assert {size: len(roots) for size, roots in witness.seen.items()} == ({held: 1} if held else {}) | {
        600: 1
    }


def test_a_witness_that_holds_more_is_ahead(
    client: WitnessClient, witness: KeptWitness, published: Publication
) -> None:
    small = published.note(300)
    assert client.submit(published.note(600), published.files.read).state == COSIGNED
    verdict = client.submit(small, published.files.read)
    assert (verdict.state, verdict.held, verdict.answered) == (AHEAD, 600, True)


@pytest.mark.parametrize("held", [7, 256, 600])
def test_a_witness_that_holds_another_history_differs(
    client: WitnessClient, witness: KeptWitness, published: Publication, tmp_path: Path, held: int
) -> None:
    other = Publication(tmp_path / "other")
    other.log.kept[3] = other.log.kept[4]._replace(idx=3)
    witness.answer(Submission(0, (), other.note(held)).encode())
    verdict = client.submit(published.note(600), published.files.read)
    assert (verdict.state, verdict.held) == (DIFFERS, held)
    assert witness.seen.keys() == {held}


def test_lies_are_told_and_never_believed(
    client: WitnessClient, witness: KeptWitness, published: Publication, clock: FakeClock
) -> None:
    note = published.note(300)
    stranger = WitnessSigningKey("witness.example/1", b"s" * 32)
    text = Note.parse(note).text
    now = int(clock.now().timestamp())
    honest = witness.cosign(note)
    spoilt = honest[:-8] + (b"AAAA" if honest[-8:-4] != b"AAAA" else b"BBBB") + honest[-4:]
    cases: list[tuple[Answer, str, str]] = [
        (Answer(200, f"{stranger.cosign(text, now).encode()}\n".encode()), WRONG, "answer"),
        (Answer(200, spoilt), WRONG, "signature.invalid"),
        (Answer(200, witness.cosign(published_other(text))), WRONG, "signature.invalid"),
        (Answer(200, witness.cosign(note, at=now + 3600)), WRONG, "clock"),
        (Answer(200, witness.cosign(note, at=now - 61)), WRONG, "clock"),
        (Answer(200, b""), WRONG, "answer"),
        (Answer(200, honest[:-1]), WRONG, "answer"),
        (Answer(200, b"\xff\xfe garbage\n"), WRONG, "answer"),
        (Answer(200, b"\n" * 9_000), WRONG, "note.malformed"),
        (Answer(200, b"x" * 10_001), SILENT, "too-large"),
        (Answer(409, b"no size at all", "text/plain"), WRONG, "no-size"),
        (Answer(409, b"0300\n", SIZE_TYPE), WRONG, "no-size"),
        (Answer(409, b"5\n", SIZE_TYPE), REFUSED, "conflict"),
        (Answer(302, b"http://127.0.0.1:9/"), REFUSED, "302"),
        (Answer(403, b""), REFUSED, "403"),
        (Answer(404, b""), REFUSED, "404"),
        (Answer(500, b""), REFUSED, "500"),
        (Answer(204, b""), REFUSED, "204"),
    ]
    for answer, state, reason in cases:
        witness.lie = lambda _, answer=answer: answer
        verdict = client.submit(note, published.files.read)
        assert (verdict.state, verdict.reason) == (state, reason), answer
        assert verdict.signature is None
    witness.lie = None
    assert client.submit(note, published.files.read).state == COSIGNED


def published_other(text: str) -> bytes:
    """A note of another text."""
    return f"{text}more\n\n— x AAAAAAAA\n".encode()


def test_an_answer_of_409_for_ever_ends(
    client: WitnessClient, witness: KeptWitness, published: Publication
) -> None:
    sizes = iter(range(1, 300))
    witness.lie = lambda _: Answer(409, f"{next(sizes)}\n".encode(), SIZE_TYPE)
    verdict = client.submit(published.note(300), published.files.read)
    assert (verdict.state, verdict.reason) == (REFUSED, "conflict")
    assert witness.asked == 4


def test_a_slow_witness_is_given_up_in_time(
    client: WitnessClient, server: Outsider, published: Publication
) -> None:
    server.stall.set()
    began = time.monotonic()
    assert client.submit(published.note(300), published.files.read) == Verdict(
        "witness.example/1", SILENT, 300, "timeout"
    )
    assert time.monotonic() - began < 3
    server.free.set()
    server.stall.clear()
    assert client.submit(published.note(300), published.files.read).state == COSIGNED


def test_a_witness_that_is_down_is_silent_and_asked_again_once_it_is_back(
    witness: KeptWitness, clock: FakeClock, published: Publication
) -> None:
    with serving_witness(witness) as server:
        url = server.url
    client = WitnessClient(trusted(witness, url), Courier(f"{url}/add-checkpoint", seconds=1.0), clock)
    verdict = client.submit(published.note(7), published.files.read)
    assert (verdict.state, verdict.reason, verdict.answered) == (SILENT, "unreachable", False)


def test_damaged_tiles_accuse_nobody(
    client: WitnessClient, witness: KeptWitness, published: Publication
) -> None:
    witness.answer(Submission(0, (), published.note(7)).encode())
    note = published.note(600)
    tile = published.files.folder / "tile" / "0" / "000"
    tile.write_bytes(b"\0" * len(tile.read_bytes()))
    verdict = client.submit(note, published.files.read)
    assert (verdict.state, verdict.reason) == (WRONG, "tiles-damaged")


def test_an_empty_log_asks_without_saying_anything(
    client: WitnessClient, witness: KeptWitness, published: Publication
) -> None:
    empty = sign_checkpoint(Checkpoint(KEY.name, 0, EMPTY_ROOT), KEY)
    witness.lie = lambda _: Answer(400, b"")
    assert client.submit(empty, published.files.read).state == HOLDS
    witness.lie = None
    assert client.submit(empty, published.files.read).state == COSIGNED
    witness.answer(Submission(0, (), published.note(7)).encode())
    assert client.submit(empty, published.files.read)[1:5] == (AHEAD, 0, "", 7)


def test_requests_go_where_they_are_configured_and_nowhere_else(
    client: WitnessClient,
    witness: KeptWitness,
    server: Outsider,
    published: Publication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Outsider(lambda _: Answer(200, b"here"))
    try:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, other.url)
        witness.lie = lambda _: Answer(307, f"{other.url}/add-checkpoint".encode())
        assert client.submit(published.note(7), published.files.read).state == REFUSED
        witness.lie = None
        assert client.submit(published.note(7), published.files.read).state == COSIGNED
        assert other.requests == []
        assert {path for path, _ in server.requests} == {"/add-checkpoint"}
    finally:
        other.close()


def test_an_answer_that_drips_is_cut(witness: KeptWitness, clock: FakeClock, published: Publication) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-")
            for _ in range(100):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return
                time.sleep(0.1)

    dripping = Timer(0, drip)
    dripping.start()
    try:
        courier = Courier(f"http://127.0.0.1:{port}/add-checkpoint", seconds=0.5)
        client = WitnessClient(trusted(witness, ""), courier, clock)
        began = time.monotonic()
        assert client.submit(published.note(7), published.files.read).state == SILENT
        assert time.monotonic() - began < 3
    finally:
        listener.close()
        dripping.join()


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("https://witness.example", True),
        ("http://127.0.0.1:8100/some/prefix", True),
        ("ftp://witness.example", False),
        ("https://user:secret@witness.example", False),
        ("https://witness.example?a=b", False),
        ("https://witness.example/#x", False),
        ("https://witness.example:99999", False),
        ("witness.example", False),
        ("https://", False),
        ("https://见证.example", False),
    ],
)
def test_an_address_is_a_plain_one(url: str, sound: bool) -> None:
    assert is_address(url) is sound
