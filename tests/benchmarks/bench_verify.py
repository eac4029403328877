"""Checking the whole ledger of a live store and all that was published of it, beside bare hashing.

A million events, ten to a stream; the streams have names by chance and go on in turns, so that the order of
streams is not the order of events. The hashing beside reads nothing and compares nothing: no verifier of
these states and entries can do without it.
"""

import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from eventsourcing.persistence import StoredEvent

from domain.ledger.note import SigningKey
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.ledger_check import verify_store
from infrastructure.ledger_publisher import LedgerPublisher
from tests.benchmarks.figure import Figure
from tests.engines import PostgresMissing, postgres_url, running_postgres, sqlite_url

FULL = 1_000_000
SECONDS = 8.0
BATCH = 10_000
PAGE = 1_000
VERSIONS = 10
TURNS = 10_000
ROUNDS = 2
TOPIC = "inspection.finding-recorded.v1"
FILLER = b"x" * 400
KEY = SigningKey("sunlot.example/140100", sha256(b"benchmark").digest())


def figures(scale: float = 1.0) -> list[Figure]:
    """Seconds on each engine; `scale` shrinks the log."""
    count = max(VERSIONS, round(FULL * scale))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-bench-")))
        measured = [
            measure("SQLite", stack.enter_context(sqlite_url(folder / "store")), folder / "one", count)
        ]
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return measured
        url = stack.enter_context(postgres_url(server))
        return [*measured, measure("PostgreSQL", url, folder / "other", count)]


def measure(engine: str, url: str, folder: Path, count: int) -> Figure:
    """Fill a store, publish it, and take the better of a few checks, each between two rounds of hashing."""
    with closing(open_store(url, clock=SystemClock())) as store:
        for start in range(0, count, BATCH):
            store.recorder.insert_events(list(make_events(start, min(count, start + BATCH))))
        LedgerPublisher(store.recorder, store.ledger_latch, KEY, folder).publish_once()
        before = peak_memory()
        rounds = [(check(store, folder, count), hash_bare(store)) for _ in range(ROUNDS)]
    grown = peak_memory() - before
    seconds, bare = (min(times) for times in zip(*rounds, strict=True))
    return Figure(
        name=f"verify {count:,} events and their tiles, live store, {engine}",
        value=seconds,
        unit="s",
        beside_name="bare hashlib.sha256 of the same states and entries",
        beside=bare,
        target=f"≤ {SECONDS:.0f} s for a million, flat memory",
        holds=seconds <= SECONDS if count >= FULL else None,
        note=f"memory grew by {grown:,.0f} MiB",
    )


def make_events(start: int, stop: int) -> Iterator[StoredEvent]:
    """The events from `start` to `stop` of a log in which `TURNS` streams take turns until they end."""
    for number in range(start, stop):
        block, place = divmod(number, VERSIONS * TURNS)
        version, nth = divmod(place, TURNS)
        name = sha256(b"%d %d" % (block, nth)).hexdigest()[:32]
        state = b'{"note":"%b","salt":"%032x"}' % (FILLER, number)
        yield StoredEvent(f"inspection-{name}", version + 1, TOPIC, state)


def check(store: Store, folder: Path, count: int) -> float:
    """Seconds for the whole check of a log that is sound."""
    started = perf_counter()
    report = verify_store(store, folder, [KEY.verifier.encode()])
    seconds = perf_counter() - started
    if not report.sound or report.covered != count:
        raise AssertionError(report)
    return seconds


def hash_bare(store: Store) -> float:
    """Seconds for hashing each state and each entry, and nothing else."""
    seconds = 0.0
    for start in range(0, (store.recorder.head() or 0) + 1, PAGE):
        rows = list(store.recorder.rows(start, PAGE))
        started = perf_counter()
        for row in rows:
            sha256(row.state).digest()
            sha256(row.entry).digest()
        seconds += perf_counter() - started
    return seconds


def peak_memory() -> float:
    """The most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    for figure in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{figure}\n")
