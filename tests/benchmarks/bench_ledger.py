"""How fast the ledger is checked: a whole log beside bare hashing of the same bytes, and one receipt.

Rows are made a batch at a time as they are read, so that memory shows what verifying needs; the time to make
them is taken off.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import chain
from domain.ledger.note import SigningKey
from domain.ledger.proof import make_receipt
from domain.ledger.tiles import TileReader, TileWriter
from domain.ledger.verify import Link, Row, verify_log
from tests.benchmarks.figure import Figure

TOPIC = "inspection.finding-recorded.v1"
VERSIONS = 10
FILLER = b"x" * 400
KEY = SigningKey("sunlot.example/140100", sha256(b"benchmark").digest())
BATCH = 1000
RECEIPTS = 200


def figures(scale: float = 1.0) -> list[Figure]:
    """Measure both; `scale` shrinks the log, for a run that only shows that it runs."""
    count = max(VERSIONS, round(1_000_000 * scale))
    return [measure_verifying(count), measure_receipts(max(VERSIONS, count // 10))]


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


def measure_receipts(count: int) -> Figure:
    """Receipts out of tiles on disk, each with a fresh reader, as a request makes it."""
    with TemporaryDirectory() as folder:
        read = partial(read_file, Path(folder))
        note = publish(count, Path(folder))
        step = max(1, count // RECEIPTS)
        started = perf_counter()
        for index in range(0, count, step):
            make_receipt(index, count, note, TileReader(read, count)).encode()
        seconds = (perf_counter() - started) / len(range(0, count, step))
    return Figure(
        name=f"receipt from a log of {count:,}",
        value=seconds * 1000,
        unit="ms",
        beside_name="",
        beside=None,
        target="≤ 1 ms",
        holds=seconds <= 0.001,
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


def publish(count: int, folder: Path) -> bytes:
    """Write a log's tiles and give its signed checkpoint."""
    writer = TileWriter()
    entries = (entry for _, entry, *_ in make_rows(count) if entry is not None)
    for tiles in (writer.extend(entries), writer.partials()):
        for tile, data in tiles:
            path = folder / tile.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return sign_checkpoint(Checkpoint(KEY.name, count, writer.root()), KEY)


def read_file(folder: Path, path: str) -> bytes:
    """A tile's bytes."""
    return (folder / path).read_bytes()


def peak_memory() -> int:
    """The most memory this process has held so far, in KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if os.uname().sysname == "Darwin" else peak
