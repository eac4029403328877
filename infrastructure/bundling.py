"""What the ledger and the installation put into a draw's bundle: proofs, the verifier, and how to use it."""

from collections.abc import Sequence
from itertools import chain
from typing import Protocol

from application.bundle_ports import BundleFacts, ProvedEvent
from domain.errors import NotFound
from infrastructure.draw_guide import guide
from infrastructure.event_store.recorder import EventRecorder, Row
from infrastructure.standalone import standalone_verifier


class Receipts(Protocol):
    """Where receipts come from, such as `PublishedLedger`."""

    def receipts(self, positions: Sequence[int]) -> list[bytes]:
        """The proofs of several events under one checkpoint."""
        ...


class LedgerBundling:
    """Port Bundling, over the stored log and its published ledger."""

    def __init__(self, recorder: EventRecorder, ledger: Receipts) -> None:
        self._recorder, self._ledger = recorder, ledger

    def proofs(self, stream: str) -> Sequence[ProvedEvent]:
        """All events of a stream by version, with receipts under one checkpoint; `NotWitnessed`."""
        rows = self._rows(stream)
        receipts = self._ledger.receipts([row.idx for row in rows])
        return [
            ProvedEvent(idx=row.idx, topic=row.topic, entry=row.entry, state=row.state, receipt=receipt)
            for row, receipt in zip(rows, receipts, strict=True)
        ]

    def position(self, stream: str, version: int) -> int:
        """Where a version of a stream stands in the log; `NotFound`."""
        idx = self._recorder.locate(stream, version)
        if idx is None:
            raise NotFound(kind="event", id=f"{stream}/{version}")
        return idx

    def _rows(self, stream: str) -> list[Row]:
        pages: list[list[Row]] = [self._recorder.versions(stream)]
        while pages[-1]:
            pages.append(self._recorder.versions(stream, after=pages[-1][-1].ver))
        return list(chain.from_iterable(pages))

    def verifier(self) -> bytes:
        """The verifier as one Python file."""
        return standalone_verifier()

    def guide(self, facts: BundleFacts) -> bytes:
        """VERIFY.md."""
        return guide(facts)
