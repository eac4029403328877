"""The witnesses outside the agency (C2SP tlog-witness): each is shown a checkpoint and asked to cosign it.

A witness remembers what it cosigned. If that is more than we have, or something else, our log is not the
one that it saw: a restored backup, or a second history.
"""

from threading import Lock
from typing import Final, NamedTuple

from application.ports import Clock
from domain.ledger.checkpoint import Checkpoint, parse_decimal
from domain.ledger.errors import CheckpointMalformed, LedgerError
from domain.ledger.merkle import consistency_proof, root_at, verify_consistency
from domain.ledger.note import Note, Signature, parse_signature
from domain.ledger.policy import TrustedWitness
from domain.ledger.submission import SIZE_TYPE, Submission
from domain.ledger.tiles import Opener, TileReader
from infrastructure.courier import Post, Reply, Unanswered

TOLERANCE: Final = 60
"""How many seconds a witness's clock may be apart from ours."""

COSIGNED: Final = "cosigned"
HOLDS: Final = "holds"
AHEAD: Final = "ahead"
DIFFERS: Final = "differs"
REFUSED: Final = "refused"
SILENT: Final = "silent"
WRONG: Final = "wrong"
_TRIES: Final = 4


class Verdict(NamedTuple):
    """What a witness said to a checkpoint of a `size`.

    `state`: cosigned (with its `signature`, at `at` in seconds since 1970), holds (nothing of this log, and
    does not cosign an empty one), ahead (it holds the larger size `held`), differs (it holds another history
    at `held`), refused (`reason` is the status), silent (no answer), wrong (an answer that is none).
    """

    witness: str
    state: str
    size: int
    reason: str = ""
    held: int = 0
    signature: Signature | None = None
    at: int = 0

    @property
    def answered(self) -> bool:
        """Whether the witness has told what it holds."""
        return self.state in (COSIGNED, HOLDS, AHEAD, DIFFERS)

    def contradicts(self, given_up: int) -> bool:
        """Whether it holds what our log does not, beyond the size up to which that was given up."""
        return self.state in (AHEAD, DIFFERS) and self.held > given_up


class WitnessClient:
    """Asks one witness, and remembers which size it holds. Threads may share it."""

    def __init__(self, witness: TrustedWitness, post: Post, clock: Clock) -> None:
        self.name = witness.name
        self._key, self._post, self._clock = witness.key, post, clock
        self._lock = Lock()
        self._held: int | None = None

    def submit(self, note: bytes, read: Opener) -> Verdict:
        """Show it a signed checkpoint; `read` opens the published tiles, which reach as far.

        Raises what `read` raises for a broken disk.
        """
        checkpoint = Checkpoint.parse(Note.parse(note).text)
        # A witness of which nothing is known yet is asked about this very size, which costs no proof.
        with self._lock:
            held = self._held
        old = checkpoint.size if held is None or held > checkpoint.size else held
        try:
            return self._submit(note, checkpoint, old, TileReader(read, checkpoint.size))
        except Unanswered as error:
            return Verdict(self.name, SILENT, checkpoint.size, error.reason)

    def close(self) -> None:
        """Close the connection."""
        self._post.close()

    def _submit(self, note: bytes, checkpoint: Checkpoint, old: int, node: TileReader) -> Verdict:
        size = checkpoint.size
        for _ in range(_TRIES):
            try:
                proof = tuple(consistency_proof(old, size, node))
                verify_consistency(old, root_at(old, node), size, checkpoint.root, proof)
            except (FileNotFoundError, LedgerError):
                # Our own tiles do not prove it: that says nothing about what the witness holds.
                return Verdict(self.name, WRONG, size, "tiles-damaged")
            reply = self._post.post(Submission(old, proof, note).encode(), "text/plain; charset=utf-8")
            if reply.status != 409:
                return self._judged(reply, note, size, old)
            held = _size_of(reply)
            if held is None and old == 0:
                return Verdict(self.name, WRONG, size, "no-size")
            verdict = self._conflict(size, old, held)
            if verdict is not None:
                return verdict
            old = held or 0
        return Verdict(self.name, REFUSED, size, "conflict")

    def _conflict(self, size: int, old: int, held: int | None) -> Verdict | None:
        """What a 409 means; None if it only asks for another proof."""
        if held is None:
            return None
        if held > size:
            return Verdict(self.name, AHEAD, size, held=held)
        if held == old == size:
            return Verdict(self.name, DIFFERS, size, held=held)
        if held == old:
            return Verdict(self.name, REFUSED, size, "conflict")
        return None

    def _judged(self, reply: Reply, note: bytes, size: int, old: int) -> Verdict:
        if reply.status == 200:
            return self._cosigned(reply, note, size)
        if size == 0 and reply.status in (400, 422):
            # It compares what it holds (409) before it looks at the rest: so it holds nothing.
            return Verdict(self.name, HOLDS, size)
        if reply.status == 422 and old > 0:
            return Verdict(self.name, DIFFERS, size, held=old)
        return Verdict(self.name, REFUSED, size, str(reply.status))

    def _cosigned(self, reply: Reply, note: bytes, size: int) -> Verdict:
        try:
            line, at = self._own_line(reply.body.decode("utf-8"), Note.parse(note).text)
        except ValueError as error:
            reason = error.code if isinstance(error, LedgerError) else "answer"
            return Verdict(self.name, WRONG, size, reason)
        if abs(at - self._clock.now().timestamp()) > TOLERANCE:
            return Verdict(self.name, WRONG, size, "clock")
        with self._lock:
            self._held = size
        return Verdict(self.name, COSIGNED, size, signature=line, at=at)

    def _own_line(self, body: str, text: str) -> tuple[Signature, int]:
        """The witness's line of an answer, verified; lines of other keys are ignored."""
        if not body.endswith("\n"):
            raise ValueError("no line end")
        lines = [parse_signature(line) for line in body[:-1].split("\n")]
        own = [one for one in lines if (one.name, one.key_id) == (self._key.name, self._key.id)]
        if not own:
            raise ValueError("another key")
        return own[0], self._key.verify(own[0].signature, text)


def _size_of(reply: Reply) -> int | None:
    """The size that a 409 names."""
    if reply.media != SIZE_TYPE or not reply.body.endswith(b"\n") or not reply.body.isascii():
        return None
    try:
        return parse_decimal(reply.body[:-1].decode("ascii"))
    except CheckpointMalformed:
        return None
