"""A witness cosigns what goes on, refuses everything else, and keeps what convicts a log."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import ClockBehind, NotFound
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import read_cosignatures
from domain.ledger.errors import KeyUnknown, ProofRefused, RootConflict, SizeConflict
from domain.ledger.note import Note, parse_signature
from domain.ledger.submission import Submission
from infrastructure.witness import ForgettingReasonMissing, Witness
from infrastructure.witness_evidence import EvidenceFolder, Kind
from infrastructure.witness_state import WitnessStateDamaged
from tests.fakes import FakeClock
from tests.infrastructure.witness_samples import (
    KEY,
    NEXT_KEY,
    ORIGIN,
    STRANGER,
    WITNESS,
    SampleLog,
)

LOG = SampleLog.of(300)
LOGS = {ORIGIN: (KEY.verifier,)}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 23, 1, 0, tzinfo=UTC))


@pytest.fixture
def witness(tmp_path: Path, clock: FakeClock) -> Witness:
    return Witness(WITNESS, LOGS, tmp_path / "state", clock)


def again(witness: Witness, clock: FakeClock) -> Witness:
    """The witness after a restart."""
    return Witness(WITNESS, witness.logs, witness.state.folder, clock)


def held_size(witness: Witness) -> int:
    held = witness.state.held(ORIGIN)
    return held.checkpoint.size if held else 0


def kinds(witness: Witness) -> list[Kind]:
    return [one.kind for _, one in witness.evidence.all()]


def cosigned_at(note: bytes, line: bytes) -> int:
    """When a signature line cosigned a note; it must verify."""
    signed = Note(Note.parse(note).text, (parse_signature(line.decode().removesuffix("\n")),))
    (found,) = read_cosignatures(signed, [WITNESS.verifier])
    return found.at


# --- cosigning -------------------------------------------------------------------------------


def test_it_cosigns_a_growing_log_with_its_time(witness: Witness, clock: FakeClock) -> None:
    size = 0
    for new in (1, 2, 7, 7, 64, 65, 300):
        line = witness.add_checkpoint(LOG.submission(size, new))
        assert cosigned_at(LOG.note(new), line) == int(clock.now().timestamp())
        assert held_size(again(witness, clock)) == new
        size = new
        clock.advance(minutes=2)
    lines = list(witness.state.lines(ORIGIN))
    assert [line.size for line in lines] == [1, 2, 7, 7, 64, 65, 300]
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert kinds(witness) == []


def test_it_remembers_the_logs_signature_and_its_own_and_no_others(witness: Witness) -> None:
    note = Note.parse(LOG.note(5))
    extra = (*Note.parse(LOG.note(5, STRANGER)).signatures, *note.signatures)
    witness.add_checkpoint(Submission(0, (), Note(note.text, extra).encode()).encode())
    held = witness.state.held(ORIGIN)
    assert held is not None
    kept = Note.parse(held.note)
    assert [line.key_id for line in kept.signatures] == [KEY.verifier.id, WITNESS.verifier.id]


def test_a_log_may_change_its_key(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    with pytest.raises(KeyUnknown):
        witness.add_checkpoint(LOG.submission(10, 20, NEXT_KEY))
    witness.logs = {ORIGIN: (KEY.verifier, NEXT_KEY.verifier)}
    both = Note.parse(LOG.note(20))
    both = Note(both.text, (*both.signatures, *Note.parse(LOG.note(20, NEXT_KEY)).signatures))
    body = LOG.submission(10, 20).replace(LOG.note(20), both.encode())
    witness.add_checkpoint(body)
    witness.add_checkpoint(LOG.submission(20, 30, NEXT_KEY))
    witness.logs = {ORIGIN: (NEXT_KEY.verifier,)}
    with pytest.raises(KeyUnknown):
        witness.add_checkpoint(LOG.submission(30, 40))
    witness.add_checkpoint(LOG.submission(30, 40, NEXT_KEY))
    assert held_size(witness) == 40


def test_logs_do_not_know_of_each_other(tmp_path: Path, clock: FakeClock) -> None:
    from domain.ledger.note import SigningKey

    other = SampleLog([b"a", b"b"], "sunlot.example/140200")
    key = SigningKey(other.origin, bytes(32))
    one = Witness(WITNESS, {**LOGS, other.origin: (key.verifier,)}, tmp_path / "state", clock)
    one.add_checkpoint(LOG.submission(0, 10))
    one.add_checkpoint(other.submission(0, 2, key))
    assert held_size(one) == 10
    assert sorted(one.state.origins()) == [ORIGIN, other.origin]


# --- repeating -------------------------------------------------------------------------------


def test_repeating_cannot_fill_the_disk_and_later_gets_a_new_time(witness: Witness, clock: FakeClock) -> None:
    first = witness.add_checkpoint(LOG.submission(0, 10))
    for _ in range(5):
        clock.advance(seconds=10)
        assert witness.add_checkpoint(LOG.submission(10, 10)) == first
    assert len(list(witness.state.lines(ORIGIN))) == 1
    clock.advance(seconds=10)
    assert witness.add_checkpoint(LOG.submission(10, 10)) != first
    assert len(list(witness.state.lines(ORIGIN))) == 2


# --- refusing --------------------------------------------------------------------------------


def test_another_root_of_the_same_size_is_evidence(witness: Witness, clock: FakeClock) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    fork = SampleLog.of(10, forked_at=4)
    for old in (10, 3):
        with pytest.raises(RootConflict):
            again(witness, clock).add_checkpoint(fork.submission(old, 10))
    ((_, found),) = witness.evidence.all()
    assert found.kind is Kind.TWO_ROOTS
    assert Note.parse(found.held.encode()).text == LOG.checkpoint(10).text()
    assert Note.parse(found.submitted.encode()).text == fork.checkpoint(10).text()
    assert found.request == fork.submission(10, 10).decode()
    assert found.at == int(clock.now().timestamp())
    assert held_size(witness) == 10


def test_another_history_is_evidence_and_not_cosigned(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    fork = SampleLog.of(20, forked_at=4)
    for _ in range(2):
        with pytest.raises(ProofRefused):
            witness.add_checkpoint(fork.submission(10, 20))
    assert kinds(witness) == [Kind.INCONSISTENT]
    witness.add_checkpoint(LOG.submission(10, 20))


def test_a_smaller_tree_is_told_what_is_held_and_kept_as_a_rollback(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    witness.add_checkpoint(LOG.submission(10, 20))
    for old, size in ((10, 10), (0, 10), (5, 15)):
        with pytest.raises(SizeConflict) as refusal:
            witness.add_checkpoint(LOG.submission(old, size))
        assert refusal.value.params["held"] == 20
    assert kinds(witness) == [Kind.ROLLBACK, Kind.ROLLBACK]


def test_a_second_root_of_an_earlier_size_is_found_in_the_history(witness: Witness, clock: FakeClock) -> None:
    size = 0
    for new in (3, 8, 8, 50, 51, 120, 300):
        witness.add_checkpoint(LOG.submission(size, new))
        size = new
        clock.advance(minutes=2)
    for at in (3, 8, 51, 120):
        with pytest.raises(SizeConflict):
            witness.add_checkpoint(SampleLog.of(at, forked_at=at - 1).submission(at, at))
    assert kinds(witness) == [Kind.TWO_ROOTS] * 4
    found = {Checkpoint.parse(Note.parse(one.held.encode()).text).size for _, one in witness.evidence.all()}
    assert found == {3, 8, 51, 120}


@pytest.mark.parametrize("size", [1, 5, 299])
def test_what_was_cosigned_is_found_by_its_size(witness: Witness, clock: FakeClock, size: int) -> None:
    for new in range(1, 300):
        witness.add_checkpoint(LOG.submission(new - 1, new))
    found = witness.state.cosigned(ORIGIN, size)
    assert found is not None
    assert Note.parse(found).text == LOG.checkpoint(size).text()
    assert witness.state.cosigned(ORIGIN, 300) is None


def test_an_everyday_refusal_is_no_evidence(witness: Witness) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    for old, size in ((0, 20), (5, 20), (0, 10), (5, 10), (0, 0)):
        with pytest.raises(SizeConflict):
            witness.add_checkpoint(LOG.submission(old, size))
    with pytest.raises(KeyUnknown):
        witness.add_checkpoint(SampleLog.of(10, forked_at=1).submission(10, 10, STRANGER))
    assert kinds(witness) == []


# --- evidence has room -----------------------------------------------------------------------


def test_the_first_evidence_stays_and_one_kind_takes_no_room_from_another(
    witness: Witness, tmp_path: Path
) -> None:
    room = {Kind.TWO_ROOTS: 2, Kind.INCONSISTENT: 1, Kind.ROLLBACK: 1}
    witness.evidence = EvidenceFolder(tmp_path / "evidence", room=room)
    witness.add_checkpoint(LOG.submission(0, 10))
    for size in (5, 6):
        with pytest.raises(SizeConflict):
            witness.add_checkpoint(LOG.submission(size, size))
    for story in (b"a", b"b", b"c"):
        with pytest.raises(RootConflict):
            witness.add_checkpoint(SampleLog.of(10, forked_at=2, story=story).submission(10, 10))
    kept = [(one.kind, Note.parse(one.submitted.encode()).text) for _, one in witness.evidence.all()]
    assert [kind for kind, _ in kept] == [Kind.TWO_ROOTS, Kind.TWO_ROOTS, Kind.ROLLBACK]
    first = {SampleLog.of(10, forked_at=2, story=story).checkpoint(10).text() for story in (b"a", b"b")}
    assert {text for kind, text in kept if kind is Kind.TWO_ROOTS} == first
    assert (Kind.ROLLBACK, LOG.checkpoint(5).text()) in kept


def test_evidence_has_only_so_many_bytes(witness: Witness, tmp_path: Path) -> None:
    witness.evidence = EvidenceFolder(tmp_path / "evidence", size=1)
    witness.add_checkpoint(LOG.submission(0, 10))
    for story in (b"a", b"b"):
        with pytest.raises(RootConflict):
            witness.add_checkpoint(SampleLog.of(10, forked_at=2, story=story).submission(10, 10))
    assert kinds(witness) == [Kind.TWO_ROOTS]


# --- time ------------------------------------------------------------------------------------


def test_it_signs_nothing_while_the_clock_is_behind(witness: Witness, clock: FakeClock) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    clock.advance(seconds=-1)
    for one in (witness, again(witness, clock)):
        with pytest.raises(ClockBehind):
            one.add_checkpoint(LOG.submission(10, 20))
        with pytest.raises(ClockBehind):
            one.add_checkpoint(LOG.submission(10, 10))
    assert held_size(witness) == 10
    clock.advance(seconds=1)
    witness.add_checkpoint(LOG.submission(10, 20))


# --- forgetting ------------------------------------------------------------------------------


def test_people_may_let_a_log_begin_anew(witness: Witness, clock: FakeClock) -> None:
    witness.add_checkpoint(LOG.submission(0, 10))
    clock.advance(minutes=1)
    assert witness.forget(ORIGIN, reason="两人已恢复签署").checkpoint.size == 10
    restored = SampleLog.of(20, forked_at=4)
    with pytest.raises(ClockBehind):
        witness.add_checkpoint(restored.submission(0, 6))
    clock.advance(seconds=1)
    for one in (witness, again(witness, clock)):
        one.add_checkpoint(restored.submission(held_size(one), held_size(one) + 6))
        clock.advance(minutes=1)
    lines = list(witness.state.lines(ORIGIN))
    assert [(line.size, line.reason) for line in lines] == [
        (10, ""),
        (0, "两人已恢复签署"),
        (6, ""),
        (12, ""),
    ]
    ((_, kept),) = witness.evidence.all()
    assert kept.kind is Kind.FORGOTTEN
    assert Note.parse(kept.held.encode()).text == LOG.checkpoint(10).text()
    assert kept.request == "两人已恢复签署"


def test_what_was_cosigned_before_it_was_forgotten_contradicts_nothing(
    witness: Witness, clock: FakeClock
) -> None:
    witness.add_checkpoint(LOG.submission(0, 5))
    witness.forget(ORIGIN, reason="恢复")
    clock.advance(minutes=1)
    restored = SampleLog.of(20, forked_at=4)
    witness.add_checkpoint(restored.submission(0, 12))
    with pytest.raises(SizeConflict):
        witness.add_checkpoint(restored.submission(0, 5))
    assert kinds(witness) == [Kind.ROLLBACK, Kind.FORGOTTEN]


def test_forgetting_needs_a_log_and_a_reason(witness: Witness) -> None:
    with pytest.raises(NotFound):
        witness.forget(ORIGIN, reason="恢复")
    witness.add_checkpoint(LOG.submission(0, 5))
    with pytest.raises(ForgettingReasonMissing):
        witness.forget(ORIGIN, reason=" ")
    assert held_size(witness) == 5


# --- a folder that is not its own ------------------------------------------------------------


def test_the_folder_of_another_witness_is_refused(witness: Witness, clock: FakeClock) -> None:
    from domain.ledger.cosignature import WitnessSigningKey

    witness.add_checkpoint(LOG.submission(0, 5))
    other = Witness(WitnessSigningKey("witness.example/jw", bytes(32)), LOGS, witness.state.folder, clock)
    with pytest.raises(WitnessStateDamaged) as refusal:
        other.add_checkpoint(LOG.submission(5, 6))
    assert refusal.value.facts["reason"] == "other-key"


def _damages() -> Iterator[tuple[str, bytes]]:
    yield "checkpoint", b""
    yield "checkpoint", b"nonsense"
    yield "checkpoint", LOG.note(4)
    yield "history", b"nonsense\n"
    yield "history", b'{"at":"never"}\n'


@pytest.mark.parametrize(("name", "content"), list(_damages()))
def test_a_damaged_memory_signs_nothing(
    witness: Witness, clock: FakeClock, name: str, content: bytes
) -> None:
    witness.add_checkpoint(LOG.submission(0, 5))
    (witness.state.place(ORIGIN) / name).write_bytes(content)
    with pytest.raises(WitnessStateDamaged):
        again(witness, clock).add_checkpoint(LOG.submission(5, 6))
    assert (witness.state.place(ORIGIN) / name).read_bytes() == content
