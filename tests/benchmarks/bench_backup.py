"""Backing up and restoring, beside writing the same bytes to the disk and nothing else.

The copy beside is of the finished backup's files, flushed each: no backup that survives a power cut can do
without it. Restoring is measured up to where the verification begins, whose figure stands elsewhere.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter

from infrastructure.backups.backup import Log, Places, make_backup
from infrastructure.backups.restore import restore_backup
from infrastructure.backups.source import check_backup, open_backup
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.ledger_publisher import LedgerPublisher
from tests.benchmarks.bench_verify import BATCH, KEY, make_events, peak_memory
from tests.benchmarks.figure import Figure
from tests.engines import PostgresMissing, postgres_url, running_postgres, sqlite_url

FULL = 300_000
MEMORY = 100.0
"""How many MiB more may be held, whatever the size of the log."""

LOG = Log(KEY.name, "140000")


def figures(scale: float = 1.0) -> list[Figure]:
    """Events a second on each engine; `scale` shrinks the log."""
    count = max(100, round(FULL * scale))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sunlot-bench-")))
        store = stack.enter_context(sqlite_url(folder / "store"))
        measured = measure("SQLite", store, f"sqlite:///{folder / 'target'}", folder / "one", count)
        try:
            server = stack.enter_context(running_postgres())
        except PostgresMissing:
            return measured
        store, target = (stack.enter_context(postgres_url(server)) for _ in range(2))
        return [*measured, *measure("PostgreSQL", store, target, folder / "other", count)]


def measure(engine: str, url: str, target: str, folder: Path, count: int) -> list[Figure]:
    """Fill a store, publish it, back it up, copy the backup, restore it."""
    original, restored = places(folder / "original"), places(folder / "restored")
    backup, clock = folder / "backup", SystemClock()
    with closing(open_store(url, clock=clock)) as store:
        fill(store, original, count)
        before = peak_memory()
        making = seconds(lambda: make_backup(store, original, LOG, backup, clock.now()))
    copying = seconds(lambda: copy(backup, folder / "copy"))
    with open_backup(backup) as source:
        checking = seconds(lambda: check_backup(source))
        loading = seconds(lambda: restore_backup(source, target, restored, LOG, clock))
    grown = peak_memory() - before
    note = f"memory grew by {grown:,.0f} MiB for both; hashes checked in {checking:.1f} s"
    works = (("back up", making), ("restore", loading))
    return [
        figure(
            f"{work} {count:,} events with their tiles, {engine}", count / taken, count / copying, grown, note
        )
        for work, taken in works
    ]


def figure(name: str, rate: float, copying: float, grown: float, note: str) -> Figure:
    """Events a second, beside those of the copy."""
    return Figure(
        name=name,
        value=rate,
        unit="events/s",
        beside_name="a flushed copy of the backup's files",
        beside=copying,
        target=f"flat memory: ≤ {MEMORY:.0f} MiB",
        holds=grown <= MEMORY,
        note=note,
    )


def places(folder: Path) -> Places:
    """An installation's folders."""
    return Places(folder / "ledger", folder / "blobs", folder / "calendar", folder / "rulebooks")


def fill(store: Store, where: Places, count: int) -> None:
    """A published log."""
    for start in range(0, count, BATCH):
        store.recorder.insert_events(list(make_events(start, min(count, start + BATCH))))
    LedgerPublisher(store.recorder, store.ledger_latch, KEY, where.ledger).publish_once()


def copy(source: Path, target: Path) -> None:
    """Copy every file, and flush each."""
    for file in source.rglob("*"):
        place = target / file.relative_to(source)
        if file.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as stream:
            stream.write(file.read_bytes())
            stream.flush()
            os.fsync(stream.fileno())


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


if __name__ == "__main__":
    for one in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{one}\n")
