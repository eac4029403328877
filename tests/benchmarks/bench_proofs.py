"""How fast the ledger's tree grows and proves: hashing beside bare hashing, receipts and consistency proofs
out of tiles on disk, and out of a log a thousand times as large whose tiles are made up.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import chain
from domain.ledger.merkle import Frontier, consistency_proof, root_at, verify_consistency
from domain.ledger.note import SigningKey
from domain.ledger.proof import Receipt, make_receipt
from domain.ledger.tiles import Opener, Tile, TileReader, TileWriter
from tests.benchmarks.figure import Figure

FULL = 1_000_000
VAST = 1_000_000_000
BATCH = 256
SAMPLES = 500
AIM = 1.0
"""Milliseconds for a receipt."""

TOPIC = "inspection.finding-recorded.v1"
KEY = SigningKey("sunlot.example/140100", sha256(b"benchmark").digest())


def figures(scale: float = 1.0) -> list[Figure]:
    """All of them; `scale` shrinks the log on disk."""
    count = max(1000, round(FULL * scale))
    with TemporaryDirectory(prefix="sunlot-bench-") as name:
        folder = Path(name)
        before = peak_memory()
        note = publish(count, folder)
        publishing = peak_memory() - before
        read = partial(read_file, folder)
        return [
            measure_tree(count),
            measure_making(count, note, read, f"memory grew by {publishing:,.0f} MiB while publishing it"),
            measure_checking(count, note, read),
            measure_consistency(count, read),
            measure_vast(),
        ]


def measure_tree(count: int) -> Figure:
    """The right edge over `count` leaf hashes, beside hashing as many pairs with nothing around it."""
    leaves = [sha256(b"%d" % number).digest() for number in range(count)]
    rounds = [(grow(leaves), hash_pairs(leaves)) for _ in range(3)]
    seconds, bare = (min(times) for times in zip(*rounds, strict=True))
    return Figure(
        name=f"tree over {count:,} leaf hashes",
        value=seconds,
        unit="s",
        beside_name="bare hashlib.sha256 of as many pairs",
        beside=bare,
        target="≤ 2× bare",
        holds=seconds <= 2 * bare,
        note="what it holds is at most 64 hashes",
    )


def measure_making(count: int, note: bytes, read: Opener, about: str) -> Figure:
    """Receipts as the first request for each makes them: with a fresh reader, which holds no tile yet."""

    def make(index: int) -> None:
        make_receipt(index, count, note, TileReader(read, count)).encode()

    return timed(f"a receipt made from a log of {count:,} on disk", make, indexes(count), note=about)


def measure_checking(count: int, note: bytes, read: Opener) -> Figure:
    """Receipts as an outsider checks them, entry and checkpoint included; one Ed25519 check stands beside."""
    node, wanted = TileReader(read, count), indexes(count)
    files = {index: make_receipt(index, count, note, node).encode() for index in wanted}
    entries = {index: entry for index, entry in enumerate(make_entries(count)) if index in files}
    text = Checkpoint(KEY.name, count, root_at(count, node)).text().encode()
    signature = KEY.sign(text).signature

    def check(index: int) -> None:
        Receipt.parse(files[index]).verify(entries[index], [KEY.verifier])

    bare = sorted(clocked(lambda _: KEY.verifier.verify(signature, text), index) for index in wanted)
    return timed(
        f"a receipt of a log of {count:,} checked",
        check,
        wanted,
        beside_name="one Ed25519 verification",
        beside=bare[len(bare) // 2] * 1000,
    )


def measure_consistency(count: int, read: Opener) -> Figure:
    """Proofs between two sizes by chance, made from tiles on disk and checked, each with a fresh reader."""
    root = root_at(count, TileReader(read, count))

    def prove(old: int) -> None:
        node = TileReader(read, count)
        proof = consistency_proof(old, count, node)
        verify_consistency(old, root_at(old, node), count, root, proof)

    return timed(f"a consistency proof to {count:,}, made and checked", prove, indexes(count), aim=None)


def measure_vast() -> Figure:
    """The same work in a log that fits no test machine: tiles are made up as they are read."""

    def make(index: int) -> None:
        make_receipt(index, VAST, b"a note\n", TileReader(made_up, VAST)).encode()

    return timed(f"a receipt made from a log of {VAST:,}, tiles made up", make, indexes(VAST), aim=None)


def timed(
    name: str,
    work: Callable[[int], None],
    wanted: Sequence[int],
    *,
    beside_name: str = "",
    beside: float | None = None,
    aim: float | None = AIM,
    note: str = "",
) -> Figure:
    """The median of the work over some indexes, in milliseconds, and the slowest in a hundred."""
    each = sorted(clocked(work, index) * 1000 for index in wanted)
    middle, slowest = each[len(each) // 2], each[len(each) * 99 // 100]
    return Figure(
        name=name,
        value=middle,
        unit="ms",
        beside_name=beside_name,
        beside=beside,
        target="–" if aim is None else f"≤ {aim:g} ms",
        holds=None if aim is None else middle <= aim,
        note="; ".join(part for part in (f"median; p99 {slowest:.2f} ms", note) if part),
    )


def clocked(work: Callable[[int], None], index: int) -> float:
    """Seconds for the work."""
    started = perf_counter()
    work(index)
    return perf_counter() - started


def grow(leaves: Sequence[bytes]) -> float:
    """Seconds for the tree's root."""
    started = perf_counter()
    frontier = Frontier()
    for start in range(0, len(leaves), BATCH):
        frontier.extend(leaves[start : start + BATCH])
    frontier.root()
    return perf_counter() - started


def hash_pairs(leaves: Sequence[bytes]) -> float:
    """Seconds for hashing as many pairs as a tree of these leaves has nodes."""
    started = perf_counter()
    for left, right in zip(leaves, reversed(leaves), strict=True):
        sha256(b"\x01" + left + right).digest()
    return perf_counter() - started


def indexes(count: int) -> list[int]:
    """Some places in a log of `count`, the same in every run."""
    chance = Random(6962)  # noqa: S311
    return [chance.randrange(1, count) for _ in range(SAMPLES)]


def make_entries(count: int) -> Iterator[bytes]:
    """A log's entries, ten to a stream."""
    for stream in range(-(-count // 10)):
        first, last = stream * 10, min(count, stream * 10 + 10)
        name = f"inspection-{stream:032x}"
        recorded = [(b"%d" % idx, name, TOPIC, idx - first + 1) for idx in range(first, last)]
        yield from (
            entry for entry, _ in chain(recorded, at="2026-11-23T01:02:03.123456Z", idx=first, prevs={})
        )


def publish(count: int, folder: Path) -> bytes:
    """Write a log's tiles and give its signed checkpoint."""
    writer = TileWriter()
    for tiles in (writer.extend(make_entries(count)), writer.partials()):
        for tile, data in tiles:
            path = folder / tile.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return sign_checkpoint(Checkpoint(KEY.name, count, writer.root()), KEY)


def read_file(folder: Path, path: str) -> bytes:
    """A tile's bytes."""
    return (folder / path).read_bytes()


def made_up(path: str) -> bytes:
    """A tile of the right length; any bytes are hashes."""
    return sha256(path.encode()).digest() * Tile.parse(path).width


def peak_memory() -> float:
    """The most memory that this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    for figure in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{figure}\n")
