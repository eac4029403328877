"""The witness over a real socket: each rule of C2SP tlog-witness, byte for byte."""

import http.client
import json
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest

from domain.ledger.cosignature import read_cosignatures
from domain.ledger.note import Note, parse_signature
from domain.ledger.submission import Submission
from tests.infrastructure.witness_samples import (
    KEY,
    NEXT_KEY,
    ORIGIN,
    STRANGER,
    WITNESS,
    SampleLog,
)
from tests.witness_serving import NOW, Served, refused, serving

LOG = SampleLog.of(40)
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "state") as one:
        yield one


# --- 200 -------------------------------------------------------------------------------------


def test_the_answer_is_signature_lines_of_the_witness_and_nothing_else(served: Served) -> None:
    answer = served.submit(LOG.submission(0, 7))
    assert (answer.status, answer.type) == (200, TEXT)
    at = int(NOW.timestamp())
    assert answer.body == f"{WITNESS.cosign(LOG.checkpoint(7).text(), at).encode()}\n".encode()
    together = Note.parse(LOG.note(7) + answer.body)
    ((found),) = read_cosignatures(together, [WITNESS.verifier])
    assert (found.witness, found.at) == (WITNESS.verifier, at)


def test_the_example_of_a_growing_log(served: Served) -> None:
    for old, new in ((0, 1), (1, 2), (2, 2), (2, 33), (33, 40)):
        assert served.submit(LOG.submission(old, new)).status == 200


def test_connections_are_kept_alive(served: Served) -> None:
    line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    for old, new in ((0, 1), (1, 2), (2, 3)):
        line.request("POST", "/add-checkpoint", LOG.submission(old, new))
        answer = line.getresponse()
        assert (answer.status, answer.read() != b"") == (200, True)
    line.close()


def test_a_checkpoint_may_have_many_signatures_and_those_of_strangers_are_ignored(served: Served) -> None:
    lines = [line for key in (STRANGER, NEXT_KEY, KEY) for line in Note.parse(LOG.note(7, key)).signatures]
    note = Note(LOG.checkpoint(7).text(), tuple(lines)).encode()
    assert served.submit(Submission(0, (), note).encode()).status == 200


def test_it_persists_before_it_answers(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        answer = served.submit(LOG.submission(0, 7))
        refused(answer, 503)
        assert answer.headers["retry-after"] == "60"
    assert served.ask("GET", f"/checkpoint/{served.witness.state.place(ORIGIN).name}").status == 404
    assert served.submit(LOG.submission(0, 7)).status == 200


# --- 400 -------------------------------------------------------------------------------------

GOOD = LOG.submission(0, 7)
GROWN = LOG.submission(7, 20)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 0",
        b"old 0\n\n",
        GOOD.removeprefix(b"old 0\n"),
        GOOD.replace(b"old 0", b"old 00"),
        GOOD.replace(b"old 0", b"old -1"),
        GOOD.replace(b"old 0", b"old  0"),
        GOOD.replace(b"old 0", b"old +0"),
        GOOD.replace(b"old 0", b"Old 0"),
        GOOD.replace(b"old 0", b"old 0 "),
        GOOD.replace(b"old 0\n", b"old 0\r\n"),
        GOOD.replace(b"old 0", "old ٠".encode()),
        GOOD.replace(b"old 0\n", b"old 0\nnot base64\n"),
        GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"),
        GOOD.replace(b"old 0", b"old 9223372036854775808"),
        GOOD.removesuffix(b"\n"),
        GOOD.replace(b"\n7\n", b"\n07\n"),
        b"old 8\n" + GOOD.removeprefix(b"old 0\n"),
        GROWN.split(b"\n\n")[0] + b"\nA" * 64 + b"\n\n" + GROWN.split(b"\n\n", 1)[1],
    ],
)
def test_what_is_no_submission_is_a_bad_request(served: Served, body: bytes) -> None:
    refused(served.submit(body), 400)
    assert served.witness.state.held(ORIGIN) is None


def test_sixty_four_hashes_are_too_many(served: Served) -> None:
    served.submit(GOOD)
    hashes = tuple(bytes([one]) * 32 for one in range(64))
    refused(served.submit(Submission(7, hashes, LOG.note(20)).encode()), 400)
    refused(served.submit(Submission(7, hashes[:63], LOG.note(20)).encode()), 422)


def test_an_old_size_above_the_checkpoints_is_a_bad_request(served: Served) -> None:
    refused(served.submit(LOG.submission(8, 7)), 400)


# --- 403, 404 --------------------------------------------------------------------------------


def test_an_unknown_log_is_not_found(served: Served) -> None:
    other = SampleLog.of(3)
    other.origin = "sunlot.example/140999"
    body = Submission(0, (), Note(other.checkpoint(3).text(), Note.parse(LOG.note(3)).signatures).encode())
    refused(served.submit(body.encode()), 404)


def test_a_signature_of_no_trusted_key_is_forbidden(served: Served) -> None:
    refused(served.submit(LOG.submission(0, 7, STRANGER)), 403)
    note = Note(LOG.checkpoint(7).text(), Note.parse(LOG.note(8)).signatures)
    refused(served.submit(Submission(0, (), note.encode()).encode()), 403)
    assert served.witness.state.held(ORIGIN) is None


# --- 409, 422 --------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "size"), [(0, 20), (6, 20), (8, 20), (0, 7), (5, 5)])
def test_another_old_size_is_told_the_size_that_is_held(served: Served, old: int, size: int) -> None:
    served.submit(LOG.submission(0, 7))
    answer = served.submit(LOG.submission(old, size))
    refused(answer, 409)
    assert (answer.type, answer.body) == (SIZE, b"7\n")


def test_a_log_never_seen_is_held_at_nought(served: Served) -> None:
    answer = served.submit(LOG.submission(5, 7))
    refused(answer, 409)
    assert (answer.type, answer.body) == (SIZE, b"0\n")


@pytest.mark.parametrize("old", [0, 7])
def test_another_root_of_the_size_held_is_a_conflict(served: Served, old: int) -> None:
    served.submit(LOG.submission(0, 7))
    answer = served.submit(SampleLog.of(7, forked_at=2).submission(old, 7))
    refused(answer, 409)
    assert answer.body == b"7\n"


@pytest.mark.parametrize(
    "body",
    [
        Submission(7, (), LOG.note(20)).encode(),
        Submission(7, (bytes(32),), LOG.note(20)).encode(),
        SampleLog.of(20, forked_at=3).submission(7, 20),
        Submission(7, (bytes(32),), LOG.note(7)).encode(),
    ],
)
def test_a_proof_that_does_not_verify_is_unprocessable(served: Served, body: bytes) -> None:
    served.submit(LOG.submission(0, 7))
    refused(served.submit(body), 422)
    held = served.witness.state.held(ORIGIN)
    assert held is not None
    assert held.checkpoint.size == 7


def test_the_proof_from_nothing_is_empty(served: Served) -> None:
    refused(served.submit(Submission(0, (bytes(32),), LOG.note(7)).encode()), 422)


def test_other_methods_and_places(served: Served) -> None:
    assert served.ask("GET", "/add-checkpoint").status == 405
    assert served.ask("PUT", "/add-checkpoint", GOOD).status == 405
    assert served.ask("POST", "/elsewhere", GOOD).status == 404


# --- what the office reads -------------------------------------------------------------------


def test_everybody_may_see_the_key_and_the_last_checkpoint(served: Served) -> None:
    assert served.ask("GET", "/vkey").body == f"{WITNESS.verifier.encode()}\n".encode()
    served.submit(LOG.submission(0, 7))
    overview = json.loads(served.ask("GET", "/").body)
    (log,) = overview["logs"]
    assert (log["origin"], log["size"], log["root"]) == (ORIGIN, 7, LOG.checkpoint(7).root.hex())
    shown = served.ask("GET", f"/checkpoint/{log['log']}").body
    line = served.witness.state.held(ORIGIN)
    assert line is not None
    assert shown == line.note
    assert parse_signature(shown.decode().splitlines()[-1]).name == WITNESS.name
    assert served.ask("GET", "/checkpoint/elsewhere").status == 404


def test_history_and_evidence_are_for_this_machine(served: Served) -> None:
    served.submit(LOG.submission(0, 7))
    served.submit(SampleLog.of(7, forked_at=2).submission(7, 7))
    name = served.witness.state.place(ORIGIN).name
    (line,) = served.ask("GET", f"/history/{name}").body.splitlines()
    assert json.loads(line)["size"] == 7
    (one,) = json.loads(served.ask("GET", "/evidence").body)
    found = json.loads(served.ask("GET", f"/evidence/{one['name']}").body)
    assert found["kind"] == "two-roots"
    assert found["request"] == SampleLog.of(7, forked_at=2).submission(7, 7).decode()
    for path in (f"/history/{name}", "/evidence", f"/evidence/{one['name']}"):
        proxied = served.ask("GET", path, None, **{"X-Forwarded-For": "203.0.113.9"})
        assert proxied.status == 403
        assert served.ask("POST", path).status == 405
    assert served.ask("GET", "/evidence/two-roots/elsewhere").status == 404
