"""The ledger as the application sees it: publish now, prove one event, check a proof handed in."""

from domain.errors import NotFound, ReceiptWrong
from domain.ledger.errors import LedgerError
from domain.ledger.proof import Receipt
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.trust import Trust


class PublishedLedger:
    """Port Ledger, over the store's rows and the published files."""

    def __init__(
        self,
        origin: str,
        recorder: EventRecorder,
        publisher: LedgerPublisher,
        files: Published,
        trust: Trust,
    ) -> None:
        self.origin = origin
        self._recorder = recorder
        self._publisher = publisher
        self._files = files
        self._trust = trust

    def publish(self, idx: int) -> None:
        """Publish a checkpoint that covers the event; where a quorum is asked for, wait until it cosigned.

        `NotWitnessed` if it has not in time; the next call asks again. `LedgerDiverged`, `StoreUnavailable`.
        """
        self._publisher.publish_witnessed(idx)

    def receipt(self, idx: int) -> bytes:
        """The proof of one event; `ReceiptAhead` while it is not published, `NotFound` without the event."""
        return self._files.receipt(idx)

    def check_receipt(self, receipt: bytes, stream: str, version: int) -> None:
        """`ReceiptWrong` unless it proves this event under a checkpoint that the trust policy accepts."""
        idx = self._recorder.locate(stream, version)
        if idx is None:
            raise NotFound(kind="event", id=f"{stream}/{version}")
        row = next(self._recorder.rows(idx, 1))
        try:
            parsed, policy = Receipt.parse(receipt), self._trust.policy()
            policy.open(parsed.checkpoint)
            entry, _ = parsed.verify(row.entry, policy.keys)
        except LedgerError as error:
            raise ReceiptWrong("/receipt", reason=str(error)) from error
        if entry.idx != idx:
            raise ReceiptWrong("/receipt", reason="another event")
