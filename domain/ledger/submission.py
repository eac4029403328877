"""C2SP tlog-witness: what a log sends to `add-checkpoint`, and how a witness judges it.

old 20852014
<base64 of a hash of the consistency proof, a line each>

<signed checkpoint>

A witness remembers one checkpoint of each log. It cosigns what goes on from that one and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, parse_decimal
from domain.ledger.errors import (
    CheckpointMalformed,
    LedgerError,
    OriginUnknown,
    RootConflict,
    SizeConflict,
    SubmissionMalformed,
)
from domain.ledger.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from domain.ledger.note import NOTE_LIMIT, Note, VerifierKey, decode_base64, encode_base64

PROOF_LIMIT = 63
SIZE_LIMIT = NOTE_LIMIT + 4096
"""The most bytes of a request's body that are looked at."""

SIZE_TYPE = "text/x.tlog.size"
"""The media type of the answer that names the size which the witness holds."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A signed checkpoint and the proof that it goes on from the one of size `old`."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The body of the request."""
        lines = (f"old {self.old}", *map(encode_base64, self.proof), "", "")
        return "\n".join(lines).encode() + self.note

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a body strictly, without verifying it. Raises SubmissionMalformed naming the line."""
        head, separator, note = body.partition(b"\n\n")
        if not separator or not note or len(body) > SIZE_LIMIT:
            raise SubmissionMalformed(line="checkpoint")
        try:
            first, *proof = head.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise SubmissionMalformed(line="proof") from error
        if len(proof) > PROOF_LIMIT:
            raise SubmissionMalformed(line="proof")
        return cls(_parse_old(first), tuple(map(_parse_hash, proof)), note)


def open_submission(body: bytes, logs: Mapping[str, Sequence[VerifierKey]]) -> tuple[Submission, Checkpoint]:
    """A submission whose checkpoint a known log has signed; `logs` has the keys of each origin.

    Raises SubmissionMalformed (400), OriginUnknown (404), and what `open_checkpoint` raises for a checkpoint
    that no trusted key signed (403); the numbers are the standard's.
    """
    submission = Submission.parse(body)
    checkpoint = _claimed(submission.note)
    keys = logs.get(checkpoint.origin)
    if keys is None:
        raise OriginUnknown(origin=checkpoint.origin)
    open_checkpoint(submission.note, keys)
    if submission.old > checkpoint.size:
        raise SubmissionMalformed(line="old")
    return submission, checkpoint


def judge(submission: Submission, checkpoint: Checkpoint, held: Checkpoint | None) -> None:
    """Return if the checkpoint may be cosigned by a witness that holds `held` (None before the first).

    Raises SizeConflict (409) where the log starts from another size than the one held, RootConflict (409)
    for another root at the size held, ProofRefused (422). Whoever cosigns must first have made sure that
    nobody changes `held` meanwhile, and that the new one will be held through a power cut.
    """
    size, root = (held.size, held.root) if held else (0, EMPTY_ROOT)
    if held and checkpoint.size == size and checkpoint.root != root:
        raise RootConflict(size=size, held=root.hex(), submitted=checkpoint.root.hex())
    if submission.old != size:
        raise SizeConflict(held=size, old=submission.old)
    verify_consistency(size, root, checkpoint.size, checkpoint.root, submission.proof)


def _claimed(note: bytes) -> Checkpoint:
    """What the checkpoint says, before anybody knows who signed it."""
    try:
        return Checkpoint.parse(Note.parse(note).text)
    except LedgerError as error:
        raise SubmissionMalformed(line="checkpoint") from error


def _parse_old(line: str) -> int:
    if not line.startswith("old "):
        raise SubmissionMalformed(line="old")
    try:
        return parse_decimal(line.removeprefix("old "))
    except CheckpointMalformed as error:
        raise SubmissionMalformed(line="old") from error


def _parse_hash(line: str) -> bytes:
    try:
        digest = decode_base64(line)
    except ValueError as error:
        raise SubmissionMalformed(line="proof") from error
    if len(digest) != HASH_SIZE:
        raise SubmissionMalformed(line="proof")
    return digest
