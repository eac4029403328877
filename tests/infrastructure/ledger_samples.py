"""A log to publish: events appended to a store, and a log in memory that has the vectors' events."""

import json
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from domain.ledger.entry import chain
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from infrastructure.database import Store
from infrastructure.event_store.recorder import Row

VECTORS = Path(__file__).parents[1] / "vectors" / "ledger"
ORIGIN = "sunlot.example/140100"
KEY = SigningKey(ORIGIN, b"seed of the ledger's tests: 32 B")
VKEY = KEY.verifier.encode()
TRUST = TrustPolicy.of_keys([KEY.verifier])


def append(store: Store, events: int, *, streams: int = 7, batch: int = 500) -> None:
    """Append that many events, spread over the streams, each going on where it stands."""
    head = store.recorder.head()
    first = 0 if head is None else head + 1
    numbers = range(first, first + events)
    for start in range(0, events, batch):
        made = [
            StoredEvent(
                f"sample-{number % streams:032x}",
                number // streams + 1,
                "sample.noted.v1",
                b'{"number":%d,"salt":"%032x"}' % (number, number),
            )
            for number in numbers[start : start + batch]
        ]
        store.recorder.insert_events(made)


class MemoryLog:
    """A log in memory with the vectors' events; it may be cut to a smaller one."""

    def __init__(self, name: str) -> None:
        self.kept = list(_rows(VECTORS / name / "events.jsonl"))
        self.size = len(self.kept)

    def head(self) -> int | None:
        """The last idx."""
        return self.size - 1 if self.size else None

    def rows(self, start: int = 0, limit: int | None = None) -> Iterator[Row]:
        """Rows by idx."""
        stop = self.size if limit is None else min(self.size, start + limit)
        return iter(self.kept[start:stop])


class MemoryLatch:
    """A latch in memory; `racing` lets somebody else win as many times."""

    def __init__(self) -> None:
        self.held: tuple[int, bytes] | None = None
        self.racing = 0

    def read(self) -> tuple[int, bytes] | None:
        """What it holds."""
        return self.held

    def swap(self, old_size: int | None, size: int, note: bytes) -> bool:
        """Move it from the old size."""
        standing = self.held[0] if self.held else None
        if self.racing or standing != old_size:
            self.racing -= 1
            return False
        self.held = (size, note)
        return True


def _rows(file: Path) -> Iterator[Row]:
    prevs: dict[str, str] = {}
    positions = count()
    for line in file.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        idx, state = next(positions), told["state"].encode()
        recorded: Sequence[tuple[bytes, str, str, int]] = [
            (state, told["stream"], told["topic"], told["ver"])
        ]
        ((entry, leaf),) = chain(recorded, at=told["at"], idx=idx, prevs=prevs)
        yield Row(idx, told["stream"], told["ver"], told["topic"], told["at"], state, entry, leaf)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder that a reader may ask for, by its path."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith(".")
    }
