"""When entries were recorded, held against what people outside say: who cosigned or time-stamped a checkpoint
of a size at a time had seen every entry below that size, and none from there on was stored yet.

Each proof is good within a minute, which is what clocks are allowed to differ and an answer may take.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.ledger.entry import CLOCK_TOLERANCE, format_at
from domain.ledger.finding import Finding

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class OutsideTime:
    """Somebody (`source`) vouched for the checkpoint of `size` at this time, in seconds since 1970."""

    size: int
    at: int
    source: str


@dataclass(frozen=True, slots=True)
class _Bound:
    limit: str
    proof: OutsideTime


class TimeBounds:
    """Names the first entry that lies on the wrong side of each proof.

    `told` are the proofs that an entry was found against already, by their number; saved and restored by who
    interrupts a check.
    """

    def __init__(self, times: Iterable[OutsideTime]) -> None:
        proofs = sorted(times)
        self._sizes = [proof.size for proof in proofs]
        self._latest = _running([_bound(one, CLOCK_TOLERANCE) for one in reversed(proofs)], least=True)
        self._earliest = _running([_bound(one, -CLOCK_TOLERANCE) for one in proofs], least=False)
        self.told: set[tuple[str, str]] = set()

    def fits(self, first: int, earliest: str, latest: str) -> bool:
        """Whether entries from position `first` up to the next proof's size, recorded between these times,
        are on the right side of every proof.
        """
        after, before = self._around(first)
        return (after is None or latest <= after.limit) and (before is None or before.limit <= earliest)

    def check(self, first: int, times: Sequence[tuple[int, str]]) -> Iterator[Finding]:
        """What is wrong with the recorded times (idx, `at`) of such entries, where they can be read."""
        after, before = self._around(first)
        for idx, at in times:
            if after and at > after.limit:
                yield from self._tell("at.after_proof", idx, at, after)
            if before and at and at < before.limit:
                yield from self._tell("at.before_proof", idx, at, before)

    def _around(self, first: int) -> tuple[_Bound | None, _Bound | None]:
        """The tightest proof that covers the position, and the tightest that does not."""
        place = bisect_right(self._sizes, first)
        covering = len(self._sizes) - place
        return (
            self._latest[covering - 1] if covering else None,
            self._earliest[place - 1] if place else None,
        )

    def _tell(self, code: str, idx: int, at: str, bound: _Bound) -> Iterator[Finding]:
        proof = bound.proof
        if (code, proof.source) not in self.told:
            self.told.add((code, proof.source))
            proved = format_at(_moment(proof.at))
            yield Finding(code, idx, {"at": at, "proof": proved, "size": proof.size, "source": proof.source})


def _running(bounds: Sequence[_Bound], *, least: bool) -> list[_Bound]:
    """The tightest of the first bounds, for each number of them."""
    running: list[_Bound] = []
    for bound in bounds:
        if running and (running[-1].limit <= bound.limit if least else running[-1].limit >= bound.limit):
            running.append(running[-1])
        else:
            running.append(bound)
    return running


def _bound(proof: OutsideTime, tolerance: timedelta) -> _Bound:
    moment = _moment(proof.at)
    return _Bound(format_at(moment + tolerance if moment < _LAST - abs(tolerance) else moment), proof)


def _moment(seconds: int) -> datetime:
    """The time, or the last that can be written: a witness may say any number of seconds."""
    return _EPOCH + timedelta(seconds=seconds) if seconds < (_LAST - _EPOCH).total_seconds() else _LAST
