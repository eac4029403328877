"""Every size from 0 to 2,000 and around 65,536: roots, frontiers, tiles, proofs, and that nothing else
passes for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from domain.ledger.errors import FrontierMalformed, ProofRefused
from domain.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)
from domain.ledger.tiles import Tile, TileReader, TileWriter, read_tile, tile_width, tiles_written
from tests.domain.ledger.trees import Log

SMALL = range(2001)
LARGE = (*range(65_277, 65_284), *range(65_530, 65_546), *range(65_789, 65_796))
SIZES = (*SMALL, *LARGE)


@pytest.fixture(scope="module")
def log() -> Log:
    return Log([b"entry %d" % number * (number % 5) for number in range(LARGE[-1] + 1)])


def root_by_promotion(leaves: Sequence[bytes]) -> bytes:
    """The root by another way than the standard's recursion: neighbours are hashed, an odd one moves up."""
    level = list(leaves)
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        level = [node_hash(*two) for two in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0] if level else EMPTY_ROOT


def test_the_root_of_every_size_is_one_however_it_is_come_by(log: Log) -> None:
    grown = Frontier()
    for size in SMALL:
        root = root_at(size, log)
        assert grown.root() == root, size
        assert root_at(size, TileReader(log.read, size)) == root, size
        grown.append(log(0, size))
    for size in (*SMALL[::37], 65_535, 65_536, 65_537, LARGE[-1]):
        extended = Frontier()
        extended.extend(log.rows[0][:size])
        assert extended.root() == root_by_promotion(log.rows[0][:size]) == root_at(size, log), size
        assert root_at(size, TileReader(log.read, size)) == extended.root(), size


def test_no_two_sizes_share_a_root(log: Log) -> None:
    assert len({root_at(size, log) for size in SIZES}) == len(SIZES)


def test_a_frontier_is_saved_and_goes_on_at_every_size(log: Log) -> None:
    for first, sizes in ((0, SMALL), (LARGE[0], range(LARGE[0], LARGE[-1] + 1))):
        frontier = Frontier()
        frontier.extend(log.rows[0][:first])
        for size in sizes:
            saved = frontier.encode()
            assert len(saved) == 8 + 32 * size.bit_count(), size
            frontier = Frontier.decode(saved)
            assert (frontier.size, frontier.root(), frontier.encode()) == (size, root_at(size, log), saved)
            frontier.append(log(0, size))


def test_a_frontier_of_another_size_or_length_is_refused_at_every_size(log: Log) -> None:
    for size in SIZES:
        saved, hashes = saved_frontier(size, log), size.bit_count()
        for data in (saved[:-1], saved + b"\x00", saved + bytes(32), saved[:7]):
            with pytest.raises(FrontierMalformed):
                Frontier.decode(data)
        for claimed in range(max(0, size - 3), size + 4):
            if claimed.bit_count() != hashes:
                with pytest.raises(FrontierMalformed):
                    Frontier.decode(claimed.to_bytes(8, "big") + saved[8:])


def test_a_changed_bit_of_a_saved_frontier_gives_another_root_at_every_size(log: Log) -> None:
    for size in SIZES[1:]:
        changed = bytearray(saved_frontier(size, log))
        bit = dice(size).randrange(64, len(changed) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        assert Frontier.decode(bytes(changed)).root() != root_at(size, log), size


def test_a_log_that_grows_one_by_one_writes_each_tile_as_it_is_defined(log: Log) -> None:
    for first, last in ((0, SMALL[-1]), (LARGE[0], LARGE[-1])):
        for size in range(first, last):
            writer, files = grow(log, size, size + 1)
            assert files == {tile.path(): log.read(tile.path()) for tile in tiles_written(size, size + 1)}, (
                size
            )
            assert (writer.size, writer.root()) == (size + 1, root_at(size + 1, log)), size
            assert writer.frontier().encode() == saved_frontier(size + 1, log), size


@pytest.mark.parametrize("seed", range(8))
def test_a_log_that_grows_in_any_steps_publishes_the_files_that_it_publishes_at_once(
    log: Log, seed: int
) -> None:
    chance, stepwise = dice(seed), dict[str, bytes]()
    sizes = sorted({0, 2000, *(chance.choices(SMALL, k=30))})
    for old, new in pairwise(sizes):
        written = grow(log, old, new)[1]
        assert {tile.path() for tile in tiles_written(old, new)} == written.keys()
        stepwise |= written
    at_once = grow(log, 0, 2000)[1]
    assert at_once.items() <= stepwise.items()
    assert at_once.keys() == {tile.path() for tile in tiles_written(0, 2000)}


def test_one_writer_goes_on_through_every_size_without_being_resumed(log: Log) -> None:
    writer, files = TileWriter(), dict[str, bytes]()
    for size in SMALL[1:]:
        files |= {tile.path(): data for tile, data in writer.extend([log.entries[size - 1]])}
        assert writer.root() == root_at(size, log), size
    files |= {tile.path(): data for tile, data in writer.partials()}
    assert files == {tile.path(): log.read(tile.path()) for tile in tiles_written(0, SMALL[-1])}


def test_tiles_of_every_size_hold_every_entry_once(log: Log) -> None:
    for size in SIZES:
        for level in range(-1, 4):
            tiles = [tile for tile in tiles_written(0, size) if tile.level == level]
            assert sum(tile.width for tile in tiles) == size >> 8 * max(level, 0), size
            assert [tile.index for tile in tiles] == list(range(len(tiles))), size
            assert all(tile.width == tile_width(level, tile.index, size) for tile in tiles), size


def test_a_partial_tile_of_any_width_is_read_from_the_full_one(log: Log) -> None:
    def only_full(path: str) -> bytes:
        if ".p/" in path:
            raise FileNotFoundError(path)
        return log.read(path)

    for size in (*range(1, 256), *range(65_281, 65_536)):
        for level in (-1, 0):
            tile = Tile(level, (size - 1) // 256, size % 256)
            assert read_tile(only_full, tile, size) == log.read(tile.path()), size


def test_an_inclusion_proof_verifies_at_every_size_and_no_altered_one_does(log: Log) -> None:
    for size in SIZES[1:]:
        root, chance, read = root_at(size, log), dice(size), TileReader(log.read, size)
        indexes = [0, size - 1, size // 2, chance.randrange(size), chance.randrange(size)]
        for index in indexes:
            proof = inclusion_proof(index, size, log)
            verify_inclusion(index, size, log(0, index), proof, root)
            assert inclusion_proof(index, size, read) == proof, (size, index)
        index = chance.choice(indexes)
        for altered in altered_inclusions(index, size, log, chance):
            refused(altered, size, index)


def test_a_consistency_proof_verifies_at_every_size_and_no_altered_one_does(log: Log) -> None:
    for new in SIZES:
        chance, read = dice(new), TileReader(log.read, new)
        power = min(new, 1 << max(0, new.bit_length() - 1))
        olds = [0, min(1, new), max(0, new - 1), new, power, *chance.choices(range(new + 1), k=3)]
        for old in olds:
            proof = consistency_proof(old, new, log)
            verify_consistency(old, root_at(old, log), new, root_at(new, log), proof)
            assert consistency_proof(old, new, read) == proof, (old, new)
        old = chance.choice(olds)
        for altered in altered_consistencies(old, new, log, chance):
            refused(altered, old, new)


@pytest.mark.parametrize(
    ("index", "size"), [(0, 1), (4, 7), (255, 257), (1999, 2000), (65_536, 65_537), (7, 65_545)]
)
def test_every_single_bit_of_an_inclusion_proof_counts(log: Log, index: int, size: int) -> None:
    parts = [log(0, index), root_at(size, log), *inclusion_proof(index, size, log)]
    for leaf, root, *proof in every_bit(parts):
        refused(partial(verify_inclusion, index, size, leaf, proof, root), index, size)


@pytest.mark.parametrize(
    ("old", "new"), [(1, 2), (3, 7), (256, 257), (777, 2000), (65_535, 65_536), (65_537, 65_545)]
)
def test_every_single_bit_of_a_consistency_proof_counts(log: Log, old: int, new: int) -> None:
    parts = [root_at(old, log), root_at(new, log), *consistency_proof(old, new, log)]
    for old_root, new_root, *proof in every_bit(parts):
        refused(partial(verify_consistency, old, old_root, new, new_root, proof), old, new)


def dice(seed: int) -> Random:
    """The same chance every time for the same size."""
    return Random(seed)  # noqa: S311


def grow(log: Log, old: int, new: int) -> tuple[TileWriter, dict[str, bytes]]:
    """What a publisher writes that takes up the log at `old` and stops at `new`."""
    writer = TileWriter.resume(old, log.read)
    assert writer.root() == root_at(old, log)
    files = {tile.path(): data for tile, data in writer.extend(log.entries[old:new])}
    return writer, files | {tile.path(): data for tile, data in writer.partials()}


def saved_frontier(size: int, log: Log) -> bytes:
    """By the format's definition: the size, then the complete subtrees' roots, largest first."""
    peaks, start = list[bytes](), 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(log(level, start >> level))
            start += 1 << level
    return size.to_bytes(8, "big") + b"".join(peaks)


def altered_inclusions(index: int, size: int, log: Log, chance: Random) -> Iterator[Callable[[], None]]:
    """Calls that must be refused: another bit, length, order, position, or a tree of another size."""
    leaf, root, proof = log(0, index), root_at(size, log), inclusion_proof(index, size, log)
    for changed_leaf, changed_root, *path in one_bit_of_each([leaf, root, *proof], chance):
        yield partial(verify_inclusion, index, size, changed_leaf, path, changed_root)
    for path in other_lengths(proof):
        yield partial(verify_inclusion, index, size, leaf, path, root)
    for other in (index - 1, index + 1, size, chance.randrange(size)):
        if other != index:
            yield partial(verify_inclusion, other, size, leaf, proof, root)
    for other in (size - 1, size + 1, chance.choice(SMALL)):
        if other != size:
            yield partial(verify_inclusion, index, other, leaf, proof, root_at(other, log))


def altered_consistencies(old: int, new: int, log: Log, chance: Random) -> Iterator[Callable[[], None]]:
    """Calls that must be refused: another bit, length, or a tree of another size on either side."""
    roots, proof = (root_at(old, log), root_at(new, log)), consistency_proof(old, new, log)
    for old_root, new_root, *path in one_bit_of_each([*roots, *proof], chance):
        if old or old_root != roots[0] or path != proof:  # everything goes on from nothing
            yield partial(verify_consistency, old, old_root, new, new_root, path)
    for path in other_lengths(proof):
        yield partial(verify_consistency, old, roots[0], new, roots[1], path)
    for other in (old - 1, old + 1, new + 1, chance.choice(SMALL)):
        if other != old and (other > 0 or proof):
            yield partial(verify_consistency, other, root_at(max(0, other), log), new, roots[1], proof)
    if old not in (0, new):
        for other in (new - 1, new + 1, old):
            yield partial(verify_consistency, old, roots[0], other, root_at(other, log), proof)
        yield partial(verify_consistency, new, roots[1], old, roots[0], proof)


def other_lengths(proof: list[bytes]) -> Iterator[list[bytes]]:
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]
    if proof:
        yield proof[1:]
        yield proof[:-1]
    if len(proof) > 1:
        yield proof[::-1]


def one_bit_of_each(parts: list[bytes], chance: Random) -> Iterator[list[bytes]]:
    for which in range(len(parts)):
        yield flipped(parts, which, chance.randrange(256))


def every_bit(parts: list[bytes]) -> Iterator[list[bytes]]:
    for which in range(len(parts)):
        for bit in range(256):
            yield flipped(parts, which, bit)


def flipped(parts: list[bytes], which: int, bit: int) -> list[bytes]:
    changed = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    return [*parts[:which], changed, *parts[which + 1 :]]


def refused(call: Callable[[], None], *where: int) -> None:
    try:
        call()
    except ProofRefused:
        return
    raise AssertionError(f"accepted at {where}: {call}")
