"""A log that a witness is sent: honest, or as false as a test wants it."""

from collections.abc import Sequence
from hashlib import sha256

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.cosignature import WitnessSigningKey
from domain.ledger.merkle import consistency_proof, leaf_hash, node_hash, root_at
from domain.ledger.note import SigningKey
from domain.ledger.submission import Submission

ORIGIN = "sunlot.example/140100"
KEY = SigningKey(ORIGIN, b"the log of the witness's tests..")
NEXT_KEY = SigningKey(ORIGIN, b"the log's key after a change....")
STRANGER = SigningKey(ORIGIN, b"a key that nobody has heard of..")
WITNESS = WitnessSigningKey("witness.example/jw", b"the disciplinary office's key...")


class SampleLog:
    """A log of any entries; `fork` is another story from a position on."""

    def __init__(self, entries: Sequence[bytes], origin: str = ORIGIN) -> None:
        self.origin = origin
        self._leaves = [leaf_hash(entry) for entry in entries]

    @classmethod
    def of(cls, size: int, *, forked_at: int | None = None, story: bytes = b"other") -> "SampleLog":
        """A log of that many entries, which are other ones from `forked_at` on."""
        at = size if forked_at is None else forked_at
        return cls([b"entry %d" % one if one < at else b"%s %d" % (story, one) for one in range(size)])

    def checkpoint(self, size: int) -> Checkpoint:
        """The checkpoint of this size."""
        root = root_at(size, self._node) if size else sha256(b"").digest()
        return Checkpoint(self.origin, size, root)

    def note(self, size: int, key: SigningKey = KEY) -> bytes:
        """The signed checkpoint of this size."""
        return sign_checkpoint(self.checkpoint(size), key)

    def submission(self, old: int, size: int, key: SigningKey = KEY) -> bytes:
        """The body that an honest log would send."""
        proof = consistency_proof(min(old, size), size, self._node)
        return Submission(old, tuple(proof), self.note(size, key)).encode()

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return self._leaves[index]
        return node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))
