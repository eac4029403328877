"""Witnesses and the publisher: the quorum, receipts, rounds, keys."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.errors import KeyUnusable, LedgerDiverged, NotWitnessed
from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.merkle import EMPTY_ROOT
from domain.ledger.note import Note, SigningKey
from domain.ledger.proof import Receipt
from domain.ledger.submission import SIZE_TYPE, Submission
from infrastructure.attestation import Pace
from infrastructure.clock import SystemClock
from infrastructure.courier import Courier
from infrastructure.timestamps import TimestampAuthority, load_certificates, read_token
from tests.fakes import FakeClock
from tests.infrastructure.attested import Office, office
from tests.infrastructure.ledger_samples import KEY
from tests.infrastructure.outsiders import Answer, Outsider, StampAuthority

NEW = SigningKey(KEY.name, b"the key that follows it, 32 byte")
NEVER = Pace(witnesses=86_400, authority=86_400, quorum=1.0)


@pytest.fixture
def one(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    """An office with one witness, who is the quorum."""
    with office(tmp_path / "ledger", clock) as office_:
        yield office_


@pytest.fixture
def three(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    """An office with three witnesses, of whom all are the quorum."""
    with office(tmp_path / "ledger", clock, count=3) as office_:
        yield office_


@pytest.fixture
def lenient(tmp_path: Path, clock: FakeClock) -> Iterator[Office]:
    """An office with one witness and no quorum."""
    with office(tmp_path / "ledger", clock, quorum="none") as office_:
        yield office_


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_witnessed_checkpoint_is_kept_and_shown_and_proves(one: Office) -> None:
    publisher = one.open()
    publisher.publish_witnessed(599)
    publisher.close()
    kept = one.files.kept.note(600)
    assert kept is not None
    opened = one.trusted().open(kept)
    assert (opened.checkpoint.size, set(opened.cosigned)) == (600, {"witness.example/1"})
    assert one.files.checkpoint() == kept == one.files.kept.witnessed()
    receipt = Receipt.parse(one.files.receipt(5))
    assert one.trusted().open(receipt.checkpoint).checkpoint.size == 600
    assert one.files.trust_policy() == one.trusted().encode()


def test_a_receipt_comes_under_the_newest_witnessed_checkpoint_that_covers_the_event(one: Office) -> None:
    publisher = one.open(pace=NEVER)
    one.log.size = 300
    publisher.publish_witnessed(299)
    one.log.size = 600
    publisher.publish_once()
    sizes = {
        idx: Checkpoint.parse(Note.parse(Receipt.parse(one.files.receipt(idx)).checkpoint).text).size
        for idx in (0, 299, 300, 599)
    }
    assert sizes == {0: 300, 299: 300, 300: 600, 599: 600}
    publisher.close()


def test_the_seal_waits_for_the_quorum_and_fails_closed(three: Office) -> None:
    publisher = three.open()
    publisher.publish_once()
    three.witnesses[1].lie = lambda _: Answer(503, b"")
    three.log.size = 600
    with pytest.raises(NotWitnessed) as refusal:
        publisher.attestation.attest(599)
    assert refusal.value.facts == {
        "size": 600,
        "quorum": "everyone",
        "cosigned": ["witness.example/1", "witness.example/3"],
        "missing": ["witness.example/2"],
    }
    three.witnesses[1].lie = None
    publisher.publish_witnessed(599)
    publisher.close()
    asked = [witness.asked for witness in three.witnesses]
    publisher.publish_witnessed(599)
    assert [witness.asked for witness in three.witnesses] == asked


def test_a_slow_witness_holds_up_neither_publication_nor_quorum(tmp_path: Path, clock: FakeClock) -> None:
    with office(tmp_path / "ledger", clock, count=3) as three:
        text = three.policy.encode().decode().replace("everyone 3", "everyone 2")
        three.policy = type(three.policy).parse(text.encode())
        publisher = three.open(patience=3.0)
        three.log.size = 300
        publisher.publish_once()
        three.servers[2].stall.set()
        began = time.monotonic()
        three.log.size = 600
        publisher.publish_witnessed(599)
        assert time.monotonic() - began < 1.5
        three.servers[2].free.set()
        publisher.close()
        # Who answers late is kept all the same.
        note = three.files.kept.note(600)
        assert note is not None
        assert len(three.policy.cosigners(note)) == 3


def test_a_lying_witness_is_no_quorum(one: Office) -> None:
    publisher = one.open()
    publisher.publish_once()
    stranger = SigningKey("witness.example/1", b"x" * 32)
    for lie in (
        Answer(200, b"garbage"),
        Answer(200, f"{stranger.sign(b'text').encode()}\n".encode()),
        Answer(200, b"x" * 200_000),
        Answer(409, b"3\n", SIZE_TYPE),
    ):
        one.witnesses[0].lie = lambda _, lie=lie: lie
        with pytest.raises(NotWitnessed):
            publisher.publish_witnessed(599)
    publisher.close()
    assert publisher.failure == ""


def test_with_a_quorum_nothing_is_signed_before_it_has_told_what_it_holds(one: Office) -> None:
    one.witnesses[0].lie = lambda _: Answer(500, b"")
    publisher = one.open()
    with pytest.raises(NotWitnessed):
        publisher.publish_once()
    assert publisher.failure.startswith("not-witnessed")
    assert one.latch.held is None
    one.witnesses[0].lie = None
    publisher.publish_once()
    assert one.published().size == 600
    one.witnesses[0].lie = lambda _: Answer(500, b"")
    one.log.size = 600
    assert publisher.publish_once() is None
    publisher.close()


def test_without_a_quorum_a_witness_that_is_down_stops_nothing(lenient: Office) -> None:
    lenient.servers[0].close()
    publisher = lenient.open()
    publisher.publish_witnessed(599)
    publisher.close()
    assert lenient.published().size == 600
    assert publisher.attestation.told["witness.example/1"].state == "silent"


def test_a_superseded_key_signs_nothing_and_both_sign_the_hand_over(one: Office) -> None:
    one.log.size = 300
    old = one.open()
    old.publish_once()
    one.charter.change_key(NEW)
    for witness in one.witnesses:
        witness.logs = {KEY.name: (KEY.verifier, NEW.verifier)}
    one.log.size = 400
    with pytest.raises(KeyUnusable) as refusal:
        old.publish_once()
    assert refusal.value.facts["reason"] == "superseded"
    assert old.failure == "ledger-key-unusable: superseded"
    assert one.latch.held is not None
    assert one.latch.held[0] == 300
    one.open(NEW, beside=[KEY]).publish_once()
    both = one.files.checkpoint()
    assert both is not None
    assert open_checkpoint(both, [KEY.verifier]) == open_checkpoint(both, [NEW.verifier])
    kept = one.files.kept.note(400)
    assert kept is not None
    assert set(Note.parse(kept).verify([KEY.verifier, NEW.verifier])) == {KEY.verifier, NEW.verifier}
    one.log.size = 500
    after = one.open(NEW)
    after.publish_witnessed(499)
    after.close()
    alone = one.files.checkpoint()
    assert alone is not None
    assert next(line.key_id for line in Note.parse(alone).signatures) == NEW.verifier.id
    assert KEY.verifier.id not in {line.key_id for line in Note.parse(alone).signatures}
    assert {log.key for log in one.trusted().logs} == {NEW.verifier, KEY.verifier}
    with pytest.raises(KeyUnusable) as unknown:
        one.open(SigningKey(KEY.name, b"q" * 32)).publish_once()
    assert unknown.value.facts["reason"] == "not-the-founders"


def test_the_old_key_never_signs_what_covers_its_own_end(one: Office) -> None:
    publisher = one.open()
    head = one.log.head

    def changed_meanwhile() -> int | None:
        found = head()
        one.charter.change_key(NEW)
        return found

    one.log.head = changed_meanwhile  # type: ignore[method-assign]
    with pytest.raises(KeyUnusable):
        publisher.publish_once()
    assert one.latch.held is None


def test_processes_that_share_a_folder_take_turns(lenient: Office) -> None:
    pace = Pace(witnesses=3600, authority=3600, quorum=1)
    first, second = lenient.open(pace=pace), lenient.open(pace=pace)
    first.publish_once()
    second.publish_once()
    lenient.folder.joinpath(".witnesses-asked").touch()
    asked = lenient.witnesses[0].asked
    for publisher in (first, second, first):
        publisher.attestation.ask_all()
    assert lenient.witnesses[0].asked == asked
    lenient.folder.joinpath(".witnesses-asked").unlink()
    first.attestation.ask_all()
    asked_anew = lenient.witnesses[0].asked
    assert asked_anew > asked
    for publisher in (second, first, second):
        publisher.attestation.ask_all()
    assert lenient.witnesses[0].asked == asked_anew


def test_asking_for_the_same_checkpoint_for_ever_keeps_the_first_line_of_each(one: Office) -> None:
    one.open().publish_once()
    note = one.files.checkpoint()
    assert note is not None
    for at in range(1_000, 1_120):
        line = Note.parse(note + one.witnesses[0].cosign(note, at=at)).signatures[-1]
        kept = one.files.kept.keep(note, [line])
    assert one.policy.cosigners(kept) == {"witness.example/1": 1_000}
    assert len(Note.parse(kept).signatures) == 2


def test_two_checkpoints_of_one_size_are_never_both_kept(one: Office) -> None:
    one.open().publish_witnessed(599)
    other = sign_checkpoint(Checkpoint(KEY.name, 600, b"\1" * 32), KEY)
    with pytest.raises(LedgerDiverged) as refusal:
        one.files.kept.keep(other)
    assert refusal.value.facts["reason"] == "kept-differs"


def test_rounds_in_the_background_cosign_and_stamp(lenient: Office, tmp_path: Path) -> None:
    stamps = StampAuthority(tmp_path / "authority")
    for witness in lenient.witnesses:
        witness.clock = SystemClock()
    failing = [True]
    server = Outsider(lambda query: Answer(500, b"") if failing.pop() else stamps.answer(query))
    authority = TimestampAuthority(load_certificates(stamps.root), Courier(server.url), SystemClock())
    publisher = lenient.open(authority=authority)
    try:
        publisher.publish_once()
        publisher.attestation.ask_all()
        assert publisher.attestation.stamping == "500"
        failing.append(False)
        time.sleep(0.06)
        publisher.attestation.tick()
        wait_for(lambda: lenient.files.kept.token(600) is not None)
        token, note = lenient.files.kept.token(600), lenient.files.kept.note(600)
        assert token is not None
        assert note is not None
        at = read_token(token, Note.parse(note).text.encode(), authority.certificates)
        told = publisher.attestation.tell(600)
        assert (told.stamped, set(told.cosigned), told.quorum) == (at, {"witness.example/1"}, True)
        assert publisher.attestation.stamping == ""
    finally:
        publisher.close()
        server.close()


def test_an_empty_log_learns_what_a_witness_holds(one: Office) -> None:
    one.log.size = 0
    publisher = one.open()
    assert publisher.publish_once() is None
    assert one.witnesses[0].seen == {0: {EMPTY_ROOT}}
    other = sign_checkpoint(Checkpoint(KEY.name, 5, b"\5" * 32), KEY)
    one.witnesses[0].answer(Submission(0, (), other).encode())
    with pytest.raises(LedgerDiverged) as refusal:
        one.open().publish_once()
    assert refusal.value.facts == {
        "reason": "witness-ahead",
        "size": 0,
        "published": 5,
        "root": "",
        "witness": "witness.example/1",
    }
