"""What a draw's bundle needs of the world, as a port; `infrastructure/` implements it."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class ProvedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a draw: its entry and its state as they are stored, and the receipt (`.tlog-proof`)."""

    idx: int
    topic: str
    entry: bytes
    state: bytes
    receipt: bytes


class BundleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle's VERIFY.md tells. `names` are its other files; `frame_public` says whether anybody may
    have the frame; `sealed` is the position of the seal, None before it.
    """

    name: str
    log: str
    draw: str
    draw_no: int
    attempt: int
    plan_row: str
    public: bool
    frame_public: bool
    beacon: bool
    names: tuple[str, ...]
    sealed: int | None


class Bundling(Protocol):
    """What the ledger and the installation put into bundles."""

    def proofs(self, stream: str) -> Sequence[ProvedEvent]:
        """All events of a stream by version, with receipts under one checkpoint that covers the last.

        It is the first kept one that the trust policy accepts; where there is none yet it is published and
        the quorum is asked: `NotWitnessed`. Asked again, the same receipts come.
        """
        ...

    def position(self, stream: str, version: int) -> int:
        """Where a version of a stream stands in the log; `NotFound`."""
        ...

    def verifier(self) -> bytes:
        """The verifier as one Python file."""
        ...

    def guide(self, facts: BundleFacts) -> bytes:
        """VERIFY.md."""
        ...
