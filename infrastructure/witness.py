"""A witness (C2SP tlog-witness): cosigns what goes on from a log's last checkpoint, and keeps what does not.

It needs no store and no service, only its key, its folder and the verifier keys of the logs it watches.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from application.ports import Clock
from domain.errors import ClockBehind, Invalid, NotFound
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import WitnessSigningKey
from domain.ledger.errors import ProofRefused, RootConflict, SizeConflict
from domain.ledger.note import Note, VerifierKey
from domain.ledger.submission import Submission, judge, open_submission
from infrastructure.clock import SystemClock
from infrastructure.files import disk_errors, sweep
from infrastructure.signing import witness_key
from infrastructure.witness_evidence import Evidence, EvidenceFolder, Kind
from infrastructure.witness_state import Held, WitnessState

FRESH_SECONDS: Final = 60
"""For so long the same checkpoint gets the same cosignature: repeating a request cannot fill the disk."""

SWEPT_AFTER: Final = 3600.0
"""How old, in seconds, half-written files of a killed process are before they go."""

_log = structlog.get_logger(__name__)


class ForgettingReasonMissing(Invalid):
    """A witness forgets nothing without a reason."""

    code = "forgetting-reason-missing"


class Witness:
    """The witness over its folder. `logs` has the verifier keys of each origin, several after a key change.

    Threads and processes may share the folder.
    """

    def __init__(
        self, key: WitnessSigningKey, logs: Mapping[str, Sequence[VerifierKey]], folder: Path, clock: Clock
    ) -> None:
        self.logs = logs
        self.vkey = key.verifier.encode()
        self.state = WitnessState(folder, key.verifier)
        self.evidence = EvidenceFolder(folder / "evidence")
        self._key, self._clock = key, clock
        self._kept: dict[str, bytes] = {}

    def add_checkpoint(self, body: bytes) -> bytes:
        """The signature line for a submission, once it is on the disk that it was given.

        Raises what `open_submission` and `judge` raise; `StoreUnavailable`, `WitnessStateDamaged` and
        `ClockBehind`, and then nothing was signed.
        """
        submission, checkpoint = open_submission(body, self.logs)
        with disk_errors(), self.state.alone():
            held = self.state.held(checkpoint.origin)
            try:
                judge(submission, checkpoint, held.checkpoint if held else None)
            except (RootConflict, SizeConflict, ProofRefused):
                self._accuse(body, submission, checkpoint, held)
                raise
            return self._cosign(submission, checkpoint, held)

    def forget(self, origin: str, *, reason: str) -> Held:
        """Let a log begin anew with the next checkpoint it sends; what was forgotten.

        People decide this after those of the log have said in public why they give up what was published.
        Raises `NotFound`, `ForgettingReasonMissing`, `ClockBehind`.
        """
        if not reason.strip():
            raise ForgettingReasonMissing("/reason")
        with disk_errors(), self.state.alone():
            held = self.state.held(origin)
            if held is None:
                raise NotFound(kind="log", id=origin)
            at = self._now(origin)
            note = held.note.decode()
            self.evidence.keep(Evidence(Kind.FORGOTTEN, origin, at, note, reason))
            self.state.forget(origin, held, at=at, reason=reason)
            self._kept.pop(origin, None)
        return held

    def _cosign(self, submission: Submission, checkpoint: Checkpoint, held: Held | None) -> bytes:
        now = self._now(checkpoint.origin)
        note = Note.parse(submission.note)
        if held and self._is_fresh(held, note, now):
            return f"{held.line.encode()}\n".encode()
        line = self._key.cosign(note.text, now)
        trusted = {(key.name, key.id) for key in self.logs[checkpoint.origin]}
        signed = [one for one in note.signatures if (one.name, one.key_id) in trusted]
        kept = Note(note.text, (*signed, line)).encode()
        self._kept.pop(checkpoint.origin, None)
        self.state.keep(checkpoint.origin, kept)
        self._kept[checkpoint.origin] = kept
        _log.info("witness.cosigned", origin=checkpoint.origin, size=checkpoint.size, at=now)
        return f"{line.encode()}\n".encode()

    def _is_fresh(self, held: Held, note: Note, now: int) -> bool:
        """Whether the held cosignature will do, and this process knows that it is on the disk."""
        same = Note.parse(held.note).text == note.text
        recent = now < held.at + FRESH_SECONDS
        return same and recent and self._kept.get(held.checkpoint.origin) == held.note

    def _now(self, origin: str) -> int:
        now, earliest = int(self._clock.now().timestamp()), self.state.earliest(origin)
        if now < earliest:
            _log.error("witness.clock-behind", now=now, last=earliest)
            raise ClockBehind(now=now, last=earliest)
        return now

    def _accuse(self, body: bytes, submission: Submission, checkpoint: Checkpoint, held: Held | None) -> None:
        """Keep a signed checkpoint that contradicts what was cosigned; other refusals are of everyday."""
        found = self._contradiction(submission, checkpoint, held) if held else None
        if found is not None:
            kind, before = found
            at = int(self._clock.now().timestamp())
            submitted = submission.note.decode()
            self.evidence.keep(
                Evidence(kind, checkpoint.origin, at, before.decode(), body.decode(), submitted)
            )

    def _contradiction(
        self, submission: Submission, checkpoint: Checkpoint, held: Held
    ) -> tuple[Kind, bytes] | None:
        """What the submission shows against the log, and the cosigned note that it contradicts."""
        size = held.checkpoint.size
        if not checkpoint.size:
            return None  # of an empty tree there is one only: so a log asks what is held
        if checkpoint.size < size:
            return self._looking_back(checkpoint, held)
        if checkpoint.size == size:
            return None if checkpoint.root == held.checkpoint.root else (Kind.TWO_ROOTS, held.note)
        return (Kind.INCONSISTENT, held.note) if submission.old == size else None

    def _looking_back(self, checkpoint: Checkpoint, held: Held) -> tuple[Kind, bytes]:
        """A smaller checkpoint against the one that was cosigned at its size, if any was."""
        earlier = self.state.cosigned(checkpoint.origin, checkpoint.size)
        if earlier is not None and Checkpoint.parse(Note.parse(earlier).text).root != checkpoint.root:
            return Kind.TWO_ROOTS, earlier
        return Kind.ROLLBACK, held.note


def open_witness(
    key_file: Path, folder: Path, keys: Sequence[VerifierKey], clock: Clock | None = None
) -> Witness:
    """A witness of the logs whose verifier keys these are; it has no store. `KeyUnusable`."""
    logs: dict[str, list[VerifierKey]] = {}
    for key in dict.fromkeys(keys):
        logs.setdefault(key.name, []).append(key)
    clock = clock or SystemClock()
    witness = Witness(witness_key(key_file), logs, folder, clock)
    sweep(folder, before=clock.now().timestamp() - SWEPT_AFTER)
    return witness
