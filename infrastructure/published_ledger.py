"""The ledger as the application sees it: publish now, prove one event, check a proof handed in."""

from collections.abc import Sequence

from domain.errors import NotFound, NotWitnessed, ReceiptAhead, ReceiptWrong
from domain.ledger.errors import LedgerError
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.kept_checkpoints import size_of
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

    def witnessed_receipt(self, idx: int) -> bytes:
        """The proof of one event under a checkpoint that the trust policy accepts, or `NotWitnessed`."""
        proof = self._files.receipt(idx)
        note, policy = Receipt.parse(proof).checkpoint, self._trust.policy()
        if not _is_accepted(policy, note):
            cosigned = policy.cosigners(note)
            raise NotWitnessed(
                size=size_of(note),
                quorum=policy.quorum,
                cosigned=sorted(cosigned),
                missing=[one.name for one in policy.witnesses if one.name not in cosigned],
            )
        return proof

    def receipts(self, positions: Sequence[int]) -> list[bytes]:
        """The proofs of several events under one checkpoint: the first kept that the trust policy accepts.

        Where none is kept yet, one is published and the quorum asked: `NotWitnessed`. Asked again, the same
        checkpoint is taken, so that what is made of the receipts stays the same.
        """
        last = max(positions)
        note = self._covering(last)
        if note is None:
            self._publisher.publish_witnessed(last)
            note = self._covering(last) or self._files.checkpoint()
        if note is None:
            raise ReceiptAhead(idx=last, size=0)
        return self._files.receipts_under(note, positions)

    def _covering(self, idx: int) -> bytes | None:
        """The smallest kept checkpoint that covers the event and that the trust policy accepts, or None."""
        policy = self._trust.policy()
        for size in sorted(size for size in self._files.kept.sizes() if size > idx):
            note = self._files.kept.note(size)
            if note is not None and _is_accepted(policy, note):
                return note
        return None

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


def _is_accepted(policy: TrustPolicy, note: bytes) -> bool:
    try:
        policy.open(note)
    except LedgerError:
        return False
    return True
