"""Cosignatures and time-stamps of people outside, held against real stores that their owner has altered."""

import json
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey, add_signatures
from domain.ledger.entry import format_at
from domain.ledger.errors import TokenInvalid
from domain.ledger.held import Held
from domain.ledger.note import Note, Signature, SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import Report
from infrastructure.database import Store
from infrastructure.held_checkpoints import brought_checkpoints
from infrastructure.ledger_check import Trust, verify_store
from infrastructure.ledger_publisher import LedgerPublisher
from tests.fakes import FakeClock
from tests.infrastructure.ledger_samples import KEY, append
from tests.infrastructure.tampering import Event, forged, rewrite, tamper

WITNESSES = [WitnessSigningKey(f"witness.example/{name}", name.encode() * 32) for name in "ab"]
POLICY = TrustPolicy.parse(
    "".join(
        (
            f"log {KEY.verifier.encode()}\n",
            *(f"witness w{nth} {one.verifier.encode()}\n" for nth, one in enumerate(WITNESSES)),
            "group both all w0 w1\nquorum both\n",
        )
    ).encode()
)
AGO = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(store: Store, folder: Path) -> Store:
    """A published log of 300 events, cosigned by both witnesses, with 20 more that nobody has seen."""
    append(store, 300)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), now(store)))
    append(store, 20)
    return store


def now(store: Store) -> datetime:
    """When the last event was recorded."""
    (row,) = store.recorder.rows((store.recorder.head() or 0), 1)
    return datetime.fromisoformat(row.at)


def cosigned(note: bytes, at: datetime, witnesses: Sequence[WitnessSigningKey] = WITNESSES) -> bytes:
    lines = [one.cosign(Note.parse(note).text, int(at.timestamp())) for one in witnesses]
    return add_signatures(note, lines)


def keep(folder: Path, note: bytes, token: bytes = b"") -> None:
    size = Checkpoint.parse(Note.parse(note).text).size
    place = folder / "checkpoints" / str(size)
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(note)
    if token:
        place.with_name(f"{size}.tsr").write_bytes(token)


def read_token(token: bytes, text: bytes) -> int:
    """A stand-in for RFC 3161: the token is the time, or it is none."""
    if not token.isdigit():
        raise TokenInvalid(reason="malformed")
    return int(token)


def check(store: Store, folder: Path, **more: object) -> Report:
    return verify_store(store, folder, Trust(policy=POLICY, **more))  # type: ignore[arg-type]


def found(report: Report) -> set[tuple[str, int | None]]:
    return {(finding.code, finding.idx) for finding in report.findings}


def recorded_at(store: Store, idx: int, shift: timedelta) -> None:
    """Write the log anew with one event, and what follows it, recorded at another time."""

    def change(events: list[Event]) -> list[Event]:
        for event in events[idx:]:
            event["at"] = format_at(datetime.fromisoformat(event["at"]) + shift)
        return forged(events)

    rewrite(store, change)


def test_a_report_tells_how_far_each_kind_of_proof_reaches(log: Store, folder: Path) -> None:
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()
    report = check(log, folder)
    assert report.sound
    assert (report.size, report.covered, report.witnessed, report.stamped) == (320, 320, 300, 0)
    assert "tokens" not in report.unchecked


def test_an_entry_recorded_after_a_cosignature_that_covers_it(log: Store, folder: Path) -> None:
    recorded_at(log, 290, AGO)
    assert ("at.after_proof", 290) in found(check(log, folder))
    assert sum(one.code == "at.after_proof" for one in check(log, folder).findings) == 1


def test_an_entry_back_dated_before_a_cosignature_that_does_not_cover_it(
    store: Store, folder: Path, clock: FakeClock
) -> None:
    append(store, 300)
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
    clock.advance(hours=3)
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), clock.now()))
    append(store, 5)
    assert check(store, folder).sound
    recorded_at(store, 300, -AGO)
    report = check(store, folder)
    assert found(report) == {("at.before_proof", 300)}
    assert report.findings[0].params["size"] == 300


def test_clocks_may_differ_by_a_minute(log: Store, folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    for seconds in (-59, 59):
        keep(folder, cosigned(note, now(log) + timedelta(seconds=seconds)))
        assert check(log, folder).sound


def test_a_time_stamp_bounds_times_as_a_cosignature_does(log: Store, folder: Path) -> None:
    early = str(int((now(log) - AGO).timestamp())).encode()
    keep(folder, (folder / "checkpoint").read_bytes(), early)
    report = check(log, folder, read_token=read_token)
    assert found(report) == {("at.after_proof", 0)}
    assert report.stamped == 300
    assert "time-stamp" in str(report.findings[0].params["source"])


def test_a_token_that_proves_nothing(log: Store, folder: Path) -> None:
    keep(folder, (folder / "checkpoints" / "300").read_bytes(), b"none")
    assert found(check(log, folder, read_token=read_token)) == {("token.invalid", None)}
    assert "tokens" in check(log, folder).unchecked


def test_a_cosignature_that_does_not_verify(log: Store, folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    line = WITNESSES[0].cosign("another text\n", int(now(log).timestamp()))
    keep(folder, add_signatures(note, [line]))
    report = check(log, folder)
    assert found(report) == {("cosignature.invalid", None)}
    assert (report.covered, report.witnessed) == (300, 0)


def test_a_strangers_line_under_a_witnesss_name_counts_for_nothing(log: Store, folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    stranger = WitnessSigningKey(WITNESSES[1].name, b"s" * 32)
    keep(folder, cosigned(note, now(log), [WITNESSES[0], stranger]))
    report = check(log, folder)
    assert (report.sound, report.witnessed) == (True, 0)


def test_entries_that_the_quorum_has_not_seen_for_ten_minutes(log: Store, folder: Path) -> None:
    soon, late = now(log) + timedelta(minutes=9), now(log) + timedelta(minutes=11)
    assert check(log, folder, now=soon).sound
    report = check(log, folder, now=late)
    assert found(report) == {("quorum.missing", 300)}
    keep(folder, cosigned((folder / "checkpoint").read_bytes(), now(log), WITNESSES[:1]))
    report = check(log, folder, now=late)
    assert (found(report), report.witnessed) == ({("quorum.missing", 0)}, 0)


def test_two_notes_of_one_checkpoint_make_up_the_quorum_together(log: Store, folder: Path) -> None:
    note, at = (folder / "checkpoint").read_bytes(), now(log)
    keep(folder, cosigned(note, at, WITNESSES[:1]))
    other = Held("elsewhere", cosigned(note, at, WITNESSES[1:]))
    assert check(log, folder, held=[other]).witnessed == 300


@pytest.mark.parametrize("place", ["published", "kept", "latch", "brought"])
def test_a_second_root_of_one_size_from_anywhere(
    log: Store, folder: Path, place: str, tmp_path: Path
) -> None:
    other = cosigned(sign_checkpoint(Checkpoint(KEY.name, 300, b"\1" * 32), KEY), now(log))
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    if place == "published":
        (folder / "checkpoint").write_bytes(other)
    elif place == "kept":
        keep(folder, other)
    elif place == "latch":
        tamper(log, ("UPDATE latch SET note = ?", (other,)))
    else:
        (evidence / "second").write_bytes(other)
        (evidence / "first").write_bytes((folder / "checkpoint").read_bytes())
    report = check(log, folder, held=list(brought_checkpoints([evidence])))
    assert ("checkpoint.conflict", None) in found(report)
    assert report.covered == 300


def test_a_witness_holds_more_than_the_restored_log_has(log: Store, folder: Path) -> None:
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()
    ahead = Held("witness", cosigned((folder / "checkpoint").read_bytes(), now(log)))
    tamper(log, ("DELETE FROM events WHERE idx >= 310", ()), ("DELETE FROM latch", ()))
    shutil.rmtree(folder)
    LedgerPublisher(log.recorder, log.ledger_latch, KEY, folder).publish_once()
    assert found(check(log, folder, held=[ahead])) == {("log.cut_off", 310)}


def test_a_restored_log_that_went_on_is_told_by_the_first_time_that_no_witness_could_have_seen(
    log: Store, folder: Path
) -> None:
    def change(events: list[Event]) -> list[Event]:
        for event in events[250:]:
            event["at"] = format_at(datetime.fromisoformat(event["at"]) + AGO)
            event["state"] = event["state"].replace(b"number", b"NUMBER")
        return forged(events)

    rewrite(log, change)
    assert {("root.differs", None), ("at.after_proof", 250)} <= found(check(log, folder))


def test_a_line_of_an_unknown_key_under_the_logs_name(log: Store, folder: Path) -> None:
    note = Note.parse((folder / "checkpoint").read_bytes())
    stranger = SigningKey(KEY.name, b"x" * 32).sign(note.text.encode())
    keep(folder, Note(note.text, (stranger,)).encode())
    assert ("key.unknown", None) in found(check(log, folder))


def test_a_witness_may_say_any_time(log: Store, folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    line = WITNESSES[0].cosign(Note.parse(note).text, 2**62)
    assert isinstance(line, Signature)
    keep(folder, add_signatures(note, [line]))
    assert found(check(log, folder)) == {("at.before_proof", 300)}


def test_a_witnesss_evidence_is_two_checkpoints(log: Store, folder: Path, tmp_path: Path) -> None:
    held, other = (folder / "checkpoint").read_text(), Checkpoint(KEY.name, 300, b"\1" * 32)
    evidence = {"kind": "two-roots", "held": held, "submitted": sign_checkpoint(other, KEY).decode()}
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "one.json").write_text(json.dumps(evidence), encoding="utf-8")
    brought = list(brought_checkpoints([tmp_path / "evidence"]))
    assert len(brought) == 2
    assert ("checkpoint.conflict", None) in found(check(log, folder, held=brought))
