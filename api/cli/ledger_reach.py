"""How far the checkpoints reach that the checker holds: what a thief of the key cannot have written."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from api.offline import brought_checkpoints
from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.policy import TrustPolicy
from domain.ledger.verify import Report


def held_by_checker(
    places: Sequence[Path], policy: TrustPolicy, report: Report, acknowledged: Collection[int]
) -> int:
    """The largest size of a checkpoint in these files to which the log's entries hash; 0 where there is none.

    One that was given up, whether it is `acknowledged` or not, is of another history.
    """
    named = {*acknowledged, *(one.params.get("size") for one in report.findings)}
    agreeing = (size for size in _sizes(places, policy) if size <= report.covered and size not in named)
    return max(agreeing, default=0)


def _sizes(places: Sequence[Path], policy: TrustPolicy) -> Iterator[int]:
    for held in brought_checkpoints(places):
        try:
            yield open_checkpoint(held.note, policy.keys).size
        except LedgerError:
            continue  # the report has it as a finding
