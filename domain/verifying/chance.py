"""Whether the draw is proved to have been sealed before chance came, and to have been the only one.

The log's own clock proves nothing against the log's owner. What does: a receipt of the seal that an honest
contributor kept, or a witness that checks consistency and cosigned the seal before the source's time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from domain.drawing.verify import Files, Progress
from domain.ledger.policy import TrustPolicy
from domain.verifying.errors import WrongProof
from domain.verifying.proofs import Opener, Proved, check_receipt
from domain.verifying.steps import REVEALED, SEALED, Steps, chance_time

NOT_PROVED: Final = "not-proved"


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt of the seal that a party kept; `cosigned` as in `Proved`."""

    party: str
    cosigned: dict[str, int]


def check_kept(
    open_file: Opener, names: Collection[str], steps: Steps, policy: TrustPolicy | None
) -> list[Kept]:
    """The kept receipts, each seen to be the one its party handed in, and to prove the seal.

    Raises WrongProof: kept-receipt-missing, kept-receipt-differs, and what `check_receipt` raises for one
    that does not fit the log.
    """
    sealed = steps.one(SEALED)
    entry = open_file(sealed.event.file)
    kept: list[Kept] = []
    for step in steps.all(REVEALED):
        party = str(step.fact("party"))
        file = f"kept/{party}.tlog-proof"
        if file not in names:
            raise WrongProof("kept-receipt-missing", party, file=file)
        receipt = open_file(file)
        if sha256(receipt).hexdigest() != step.fact("receipt"):
            raise WrongProof("kept-receipt-differs", party, file=file)
        _, cosigned = check_receipt(receipt, entry, policy, file)
        kept.append(Kept(party, dict(cosigned)))
    return kept


def judge_chance(
    steps: Steps, files: Files, kept: Sequence[Kept], policy: TrustPolicy | None, progress: Progress
) -> None:
    """Note whether “sealed before chance” is proved, and by whom; it is no fault if it is not."""
    time = chance_time(steps, files)
    if policy is not None and (witness := first_witness(steps, kept, time)):
        progress.checked.append(f"sealed-before-chance: {witness}")
    else:
        progress.unchecked.append(("sealed-before-chance", NOT_PROVED))


def first_witness(steps: Steps, kept: Sequence[Kept], time: datetime) -> str:
    """The trusted witness whose cosignature over the seal is the earliest before `time`, or ""."""
    sealed = steps.one(SEALED).event
    held = [
        *(covering.cosigned for covering in _covering(steps.events, sealed)),
        *(one.cosigned for one in kept),
    ]
    before = [
        (at, name)
        for cosigned in held
        for name, at in cosigned.items()
        if datetime.fromtimestamp(at, UTC) < time
    ]
    return min(before)[1] if before else ""


def _covering(events: Sequence[Proved], sealed: Proved) -> list[Proved]:
    """The events whose checkpoints cover the seal."""
    return [event for event in events if event.checkpoint.size > sealed.entry.idx]
