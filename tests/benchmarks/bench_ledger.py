"""How fast a whole log is checked, beside bare hashing of the same bytes.

Rows are made a batch at a time as they are read, so that memory shows what verifying needs; the time to make
them is taken off.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from time import perf_counter

from domain.ledger.entry import chain
from domain.ledger.note import SigningKey
from domain.ledger.verify import Link, Row, verify_log
from tests.benchmarks.figure import Figure

TOPIC = "inspection.finding-recorded.v1"
VERSIONS = 10
FILLER = b"x" * 400
KEY = SigningKey("sunlot.example/140100", sha256(b"benchmark").digest())
BATCH = 1000


def figures(scale: float = 1.0) -> list[Figure]:
    """One figure; `scale` shrinks the log, for a run that only shows that it runs."""
    return [measure_verifying(max(VERSIONS, round(1_000_000 * scale)))]


def measure_verifying(count: int) -> Figure:
    """Both passes over a log of `count` events with states of about 450 bytes, ten to a stream."""
    before, source = peak_memory(), Source(count)
    started = perf_counter()
    report = verify_log(source.rows(), source.links(), [], [KEY.verifier])
    seconds = perf_counter() - started - source.making - source.bare
    if not report.sound or report.size != count:
        raise AssertionError(report.findings)
    grown = (peak_memory() - before) // 1024
    return Figure(
        name=f"verify {count:,} events, both passes",
        value=seconds,
        unit="s",
        beside_name="bare hashlib.sha256 of the same states and entries",
        beside=source.bare,
        target="≤ 8 s for a million, flat memory",
        holds=seconds <= 8 * count / 1_000_000,
        note=f"{seconds / source.bare:.1f}× bare; memory grew by {grown} MB; reading a store comes on top",
    )


def make_rows(count: int) -> Iterator[Row]:
    """A log's rows, stream after stream, ten events each: by position is by stream and version."""
    prevs: dict[str, str] = {}
    for idx in range(count):
        stream, version = divmod(idx, VERSIONS)
        if version == 0:
            prevs.clear()
        at = f"2026-11-23T01:02:00.{stream % 1_000_000:06d}Z"
        state = b'{"note":"%b","salt":"%032x"}' % (FILLER, idx)
        name = f"inspection-{stream:032x}"
        ((entry, _),) = chain([(state, name, TOPIC, version + 1)], at=at, idx=idx, prevs=prevs)
        yield idx, entry, state, name, TOPIC, version + 1


class Source:
    """A log's rows, batch by batch, with clocks for what is not the verifier's: making them, bare hashing."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.making = self.bare = 0.0

    def rows(self) -> Iterator[Row]:
        """The rows by position. Each batch is hashed bare before it is given out."""
        for batch in self._batches():
            started = perf_counter()
            for _, entry, state, *_ in batch:
                sha256(state or b"").digest()
                sha256(entry or b"").digest()
            self.bare += perf_counter() - started
            yield from batch

    def links(self) -> Iterator[Link]:
        """The same rows by stream and version."""
        for batch in self._batches():
            for idx, entry, _, stream, _, version in batch:
                yield idx, entry, stream, version

    def _batches(self) -> Iterator[list[Row]]:
        rows = make_rows(self._count)
        while True:
            started = perf_counter()
            batch = list(islice(rows, BATCH))
            self.making += perf_counter() - started
            if not batch:
                return
            yield batch


def peak_memory() -> int:
    """The most memory this process has held so far, in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if os.uname().sysname == "Darwin" else peak
