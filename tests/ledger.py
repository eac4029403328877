"""A ledger in memory: signed checkpoints and receipts over the store's own entries, nothing on disk."""

from collections.abc import Sequence

from domain.errors import NotFound, ReceiptAhead, ReceiptWrong
from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.note import SigningKey
from domain.ledger.proof import Receipt, make_receipt
from domain.ledger.tiles import TileReader, TileWriter
from infrastructure.event_store.recorder import EventRecorder

ORIGIN = "sunlot.test/taiyuan"


class MemoryLedger:
    """Port Ledger. Writes all tiles anew at each publication, which is enough for a test's log."""

    origin = ORIGIN

    def __init__(self, recorder: EventRecorder) -> None:
        self.key = SigningKey(ORIGIN, bytes(range(32)))
        self.checkpoint, self.size = b"", 0
        self._recorder = recorder
        self._files: dict[str, bytes] = {}

    def publish(self, idx: int) -> None:
        """Sign a checkpoint that covers all that is stored now."""
        writer = TileWriter()
        for tile, content in writer.extend(row.entry for row in self._recorder.rows()):
            self._files[tile.path()] = content
        for tile, content in writer.partials():
            self._files[tile.path()] = content
        self.size = writer.size
        self.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, writer.size, writer.root()), self.key)

    def receipt(self, idx: int) -> bytes:
        """The proof of one event under the last checkpoint."""
        if idx >= self.size:
            raise ReceiptAhead(idx=idx, size=self.size)
        node = TileReader(self._files.__getitem__, self.size)
        return make_receipt(idx, self.size, self.checkpoint, node).encode()

    def witnessed_receipt(self, idx: int) -> bytes:
        """The same: no witness is asked for."""
        return self.receipt(idx)

    def receipts(self, positions: Sequence[int]) -> list[bytes]:
        """The proofs of several events under one checkpoint."""
        if max(positions) >= self.size:
            self.publish(max(positions))
        return [self.receipt(idx) for idx in positions]

    def check_receipt(self, receipt: bytes, stream: str, version: int) -> None:
        """`ReceiptWrong` unless the receipt proves this event under this key."""
        idx = self._recorder.locate(stream, version)
        if idx is None:
            raise NotFound(kind="event", id=f"{stream}/{version}")
        row = next(self._recorder.rows(idx, 1))
        try:
            entry, _ = Receipt.parse(receipt).verify(row.entry, [self.key.verifier])
        except LedgerError as error:
            raise ReceiptWrong("/receipt", reason=str(error)) from error
        if entry.idx != idx:
            raise ReceiptWrong("/receipt", reason="another event")
