"""Witnesses over REST: a seal waits for the quorum and fails closed; all that is kept can be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from domain.errors import LedgerDiverged
from domain.ledger.merkle import verify_consistency
from domain.ledger.note import Note
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from domain.ledger.submission import SIZE_TYPE
from tests.api.rest.service import Service, serving
from tests.api.rest.story import SECRETS, Story, done, site
from tests.api.rest.test_transcript import refused
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.infrastructure.outsiders import (
    Answer,
    KeptWitness,
    Lie,
    Outsider,
    policy_text,
    serving_witness,
)

ORIGIN = "sunlot.example/140100"


class Watched:
    """A service with one witness, who is the quorum."""

    def __init__(self, service: Service, witness: KeptWitness, server: Outsider) -> None:
        self.service, self.witness, self.server = service, witness, server
        self.policy = TrustPolicy.parse(service.nobody.page("/ledger/trust-policy").content)
        self.tags: dict[str, str] = {}
        witness.logs = {ORIGIN: self.policy.keys}

    def seal(self, draw: str) -> Response:
        """The sealing command, each time as it was first sent."""
        officer = self.service.officer
        tag = self.tags.setdefault(draw, officer.etag(f"/draws/{draw}"))
        return officer.post(f"/draws/{draw}/seal", {}, match=tag, key=f"seal-{draw}")


def unknown(_: bytes) -> Answer:
    """What a witness says that does not know the log yet."""
    return Answer(404, b"")


@contextmanager
def watched(folder: Path, clock: FakeClock, lie: Lie | None = None) -> Iterator[Watched]:
    """The service, its witness behind HTTP."""
    witness = KeptWitness("witness.example/1", clock)
    with serving_witness(witness) as server, sqlite_url(folder / "store") as url:
        policy = folder / "policy"
        policy.write_text(policy_text({witness: server.url}))
        more: dict[str, Any] = {"trust_policy_file": policy, "quorum_seconds": 1.0, "witness_seconds": 3600.0}
        witness.lie = lie or unknown
        with serving(url, folder / "data", clock, **more) as service:
            one = Watched(service, witness, server)
            witness.lie = lie
            yield one


@pytest.fixture
def one(tmp_path: Path, clock: FakeClock) -> Iterator[Watched]:
    """The service with its witness."""
    with watched(tmp_path, clock) as one:
        yield one


def committed(one: Watched) -> tuple[Story, str]:
    """A draw that is ready to be sealed."""
    story = Story(one.service)
    draw = story.announced_draw()
    story.commit(draw)
    return story, draw


def test_a_seal_is_answered_once_the_quorum_has_cosigned_it(one: Watched) -> None:
    story, draw = committed(one)
    sealed = done(one.seal(draw))
    receipt = story.custodian("agency").get(f"/draws/{draw}/seal/receipt").content
    opened = one.policy.open(Receipt.parse(receipt).checkpoint)
    assert opened.checkpoint.size > sealed["position"]
    assert set(opened.cosigned) == {"witness.example/1"}
    story.reveal(draw)
    assert one.service.officer.get(f"/draws/{draw}").json()["status"] == "revealed"


LIES = {
    "down": Answer(503, b""),
    "garbage": Answer(200, b"\xff\xff"),
    "huge": Answer(200, b"x" * 200_000),
    "409 for ever": Answer(409, b"1\n", SIZE_TYPE),
    "refuses": Answer(403, b""),
}


@pytest.mark.parametrize("lie", LIES)
def test_without_the_quorum_the_seal_stands_and_nobody_reveals(one: Watched, lie: str) -> None:
    story, draw = committed(one)
    one.service.system.publisher.publish_once()
    one.witness.lie = lambda _: LIES[lie]
    answer = one.seal(draw)
    refused(answer, 503, "not-witnessed")
    told = answer.json()
    assert told["facts"]["cosigned"] == []
    assert told["facts"]["missing"] == ["witness.example/1"]
    assert "witness.example/1" in told["detail"]
    assert answer.headers["retry-after"] == "2"
    one.service.system.projections.catch_up()
    assert one.service.officer.get(f"/draws/{draw}").json()["status"] == "sealed"
    custodian = story.custodian("agency")
    refused(custodian.get(f"/draws/{draw}/seal/receipt"), 503, "not-witnessed")
    early = one.service.system.published.receipt(told["facts"]["size"] - 1).decode()
    body = {"party": "agency", "secret": SECRETS["agency"], "receipt": early}
    closed = custodian.post(f"/draws/{draw}/reveals", body, match=custodian.etag(f"/draws/{draw}"))
    refused(closed, 422, "receipt-wrong")
    assert "重新取一次" in closed.json()["detail"]
    size = one.service.size()
    refused(one.seal(draw), 503, "not-witnessed")
    one.witness.lie = None
    retried = done(one.seal(draw))
    assert one.service.size() == size
    assert retried["id"] == draw
    story.reveal(draw)
    assert one.service.officer.get(f"/draws/{draw}").json()["status"] == "revealed"


def test_a_slow_witness_costs_a_seal_no_more_than_the_set_time(one: Watched) -> None:
    _, draw = committed(one)
    one.service.system.publisher.publish_once()
    one.server.stall.set()
    answer = one.seal(draw)
    refused(answer, 503, "not-witnessed")
    assert answer.elapsed.total_seconds() < 4
    one.server.stall.clear()
    one.server.free.set()
    done(one.seal(draw))


def test_what_is_kept_is_there_to_be_read_by_pages_of_any_origin(one: Watched) -> None:
    _, draw = committed(one)
    done(one.seal(draw))
    nobody = one.service.nobody
    listed = nobody.page("/ledger/checkpoints")
    newest = listed.json()["items"][0]
    assert (newest["quorum"], newest["time_stamped"]) == (True, None)
    [cosigning] = newest["cosigned"]
    assert cosigning["witness"] == "witness.example/1"
    assert newest["time"] == cosigning["at"]
    kept = nobody.page(f"/ledger/checkpoints/{newest['size']}")
    assert set(one.policy.open(kept.content).cosigned) == {"witness.example/1"}
    assert one.policy.witnesses[0].url == one.server.url
    for answer in (
        listed,
        kept,
        *(nobody.page(f"/ledger/{name}") for name in ("checkpoint", "vkey", "trust-policy")),
    ):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    same = nobody.page(
        f"/ledger/checkpoints/{newest['size']}", headers={"If-None-Match": kept.headers["etag"]}
    )
    assert (same.status_code, same.content) == (304, b"")
    head = nobody.page(f"/ledger/checkpoints/{newest['size']}", "HEAD")
    assert (head.status_code, head.content, head.headers["content-length"]) == (
        200,
        b"",
        str(len(kept.content)),
    )
    assert head.headers["etag"] == kept.headers["etag"]
    for path in ("checkpoint", "vkey", "trust-policy", "receipts/0"):
        assert nobody.page(f"/ledger/{path}", "HEAD").status_code == 200


def test_what_is_not_kept_is_not_found_and_no_path_leads_out(one: Watched) -> None:
    nobody = one.service.nobody
    for path in ("checkpoints/999999", "checkpoints/999999.tsr"):
        refused(nobody.page(f"/ledger/{path}"), 404, "not-found")
    for path in ("checkpoints/0", "checkpoints/-1", "checkpoints/x", "checkpoints/1.tsx"):
        refused(nobody.page(f"/ledger/{path}"), 422, "request-invalid")
    for path in (
        "checkpoints/..%2f..%2fledger.key",
        "checkpoints/../.witnessed",
        "abandoned/1/checkpoint",
        ".witnessed",
    ):
        assert nobody.page(f"/ledger/{path}").status_code in (404, 422), path


def test_what_was_given_up_can_be_read_and_nothing_beside_it(one: Watched) -> None:
    folder = one.service.system.settings.ledger_dir
    (folder / "abandoned" / "9" / "tile" / "0" / "000.p").mkdir(parents=True)
    (folder / "abandoned" / "9" / "checkpoint").write_bytes(b"note")
    (folder / "abandoned" / "9" / "tile" / "0" / "000.p" / "9").write_bytes(b"tile")
    nobody = one.service.nobody
    assert nobody.page("/ledger/abandoned/9/checkpoint").content == b"note"
    assert nobody.page("/ledger/abandoned/9/tile/0/000.p/9").content == b"tile"
    for path in (
        "9/checkpoints/7",
        "8/checkpoint",
        "9/tile/0/..%2f..%2fcheckpoint",
        "9/../../ledger.key",
        "9/",
        "9/.kept",
    ):
        assert nobody.page(f"/ledger/abandoned/{path}").status_code == 404, path
    refused(nobody.page("/ledger/abandoned/9/..%2f..%2f..%2fledger.key"), 404, "not-found")


def test_a_proof_of_consistency_is_in_the_reference_s_shape(one: Watched) -> None:
    for number in range(3):
        done(one.service.officer.post("/sites", site(number)))
    one.service.system.publisher.publish_once()
    nobody, size = one.service.nobody, one.service.size()
    answer = nobody.page(f"/ledger/consistency?old=3&new={size}")
    told = answer.json()
    assert list(told) == ["new", "new_root", "old", "old_root", "proof"]
    proof = [bytes.fromhex(line) for line in told["proof"]]
    verify_consistency(3, bytes.fromhex(told["old_root"]), size, bytes.fromhex(told["new_root"]), proof)
    note = Note.parse(nobody.page("/ledger/checkpoint").content)
    assert str(size) in note.text
    refused(nobody.page("/ledger/consistency?old=4&new=3"), 422, "sizes-out-of-order")
    refused(nobody.page("/ledger/consistency?old=0&new=999999"), 409, "receipt-ahead")
    refused(nobody.page("/ledger/consistency?old=-1&new=3"), 422, "request-invalid")


def test_a_log_that_a_witness_contradicts_is_not_ready_and_says_why(tmp_path: Path, clock: FakeClock) -> None:
    def ahead(_: bytes) -> Answer:
        return Answer(409, b"99999\n", SIZE_TYPE)

    with watched(tmp_path, clock, ahead) as one:
        with pytest.raises(LedgerDiverged) as refusal:
            one.service.system.publisher.publish_once()
        assert refusal.value.facts["witness"] == "witness.example/1"
        ready = one.service.nobody.page("/readyz")
        checks = {check["name"]: check for check in ready.json()["checks"]}
        assert ready.status_code == 503
        assert checks["ledger"]["state"] == "ledger-diverged"
        assert checks["witness witness.example/1"]["state"] == "ahead"
        assert 'sunlot_well{part="ledger"} 0.0' in one.service.nobody.page("/metrics").text
        refused(one.service.nobody.page("/ledger/checkpoint"), 404, "not-found")
