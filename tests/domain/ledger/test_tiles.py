from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.errors import BundleMalformed, EntryTooLarge, TileMalformed
from domain.ledger.merkle import Frontier, inclusion_proof, leaf_hash, root_at, verify_inclusion
from domain.ledger.tiles import (
    ENTRIES,
    Tile,
    TileReader,
    TileWriter,
    encode_bundle,
    parse_bundle,
    parse_tile,
    read_tile,
    tile_width,
    tiles_written,
)

ALL = [b"entry %d" % number for number in range(66_000)]


class Published:
    """A log's folder, in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.size = 0

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def grow(self, size: int) -> TileWriter:
        writer = TileWriter.resume(self.size, self.read)
        files = [*writer.extend(ALL[self.size : size]), *writer.partials()]
        assert sorted(tile for tile, _ in files) == sorted(tiles_written(self.size, size))
        for tile, data in files:
            assert len(self.files.get(tile.path(), data)) == len(data)
            self.files[tile.path()] = data
        self.size = size
        return writer


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(3, 999, 1), "tile/3/999.p/1"),
        (Tile(63, 1000, 255), "tile/63/x001/000.p/255"),
        (Tile(ENTRIES, 1234), "tile/entries/x001/234"),
        (Tile(ENTRIES, 2, 88), "tile/entries/002.p/88"),
    ],
)
def test_paths_are_those_of_the_standard(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/234",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/300",
        "tile/0/000.p/07",
        "tile/0/000.p",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/../0/000",
        "tile/entries/٠٠٠",
        "checkpoint",
    ],
)
def test_no_other_path_names_a_tile(path: str) -> None:
    with pytest.raises(TileMalformed):
        Tile.parse(path)


def test_the_tiles_of_70000_entries_are_those_of_the_standards_example() -> None:
    tiles = [tile for tile in tiles_written(0, 70_000) if tile.level >= 0]
    partial = [tile for tile in tiles if tile.width < 256]
    assert sum(tile.level == 0 for tile in tiles) == 274
    assert partial == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [tile.path() for tile in tiles_written(255, 256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 2000))
def test_growth_writes_what_changed_and_nothing_else(old: int, more: int) -> None:
    new = old + more
    for tile in tiles_written(old, new):
        assert tile.width == tile_width(tile.level, tile.index, new) > tile_width(tile.level, tile.index, old)
    if more:
        assert Tile(0, (new - 1) // 256, (new - 1) % 256 + 1) in set(tiles_written(old, new))
    else:
        assert list(tiles_written(old, new)) == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_a_log_that_grows_in_steps_publishes_the_same_files(steps: list[int]) -> None:
    stepwise, at_once, size = Published(), Published(), 0
    for step in steps:
        size += step
        writer = stepwise.grow(size)
    at_once.grow(size)
    assert at_once.files.items() <= stepwise.files.items()
    assert writer.root() == _frontier(size).root()
    assert writer.frontier().encode() == _frontier(size).encode()


def test_three_levels_of_tiles_prove_what_the_tree_proves() -> None:
    published = Published()
    published.grow(65_000)
    writer = published.grow(len(ALL))
    node = TileReader(published.read, len(ALL))
    assert "tile/2/000.p/1" in published.files
    assert root_at(len(ALL), node) == writer.root() == _frontier(len(ALL)).root()
    for index in (0, 255, 256, 65_535, 65_536, 65_999):
        proof = inclusion_proof(index, len(ALL), node)
        verify_inclusion(index, len(ALL), leaf_hash(ALL[index]), proof, writer.root())


def test_the_reader_holds_a_bounded_number_of_tiles() -> None:
    published = Published()
    published.grow(len(ALL))
    node = TileReader(published.read, len(ALL))
    assert [node(0, index) for index in range(0, 65_000, 256)] == [
        leaf_hash(ALL[i]) for i in range(0, 65_000, 256)
    ]
    assert len(node._rows) == TileReader.KEPT


def test_a_partial_tile_that_was_removed_is_read_from_the_full_one() -> None:
    published = Published()
    published.grow(100)
    published.grow(300)
    expected = {path: published.files.pop(path) for path in ("tile/0/000.p/100", "tile/entries/000.p/100")}
    assert read_tile(published.read, Tile(0, 0), 100) == expected["tile/0/000.p/100"]
    assert read_tile(published.read, Tile(ENTRIES, 0), 100) == expected["tile/entries/000.p/100"]
    with pytest.raises(FileNotFoundError):
        read_tile(published.read, Tile(0, 1), 301)
    with pytest.raises(FileNotFoundError):
        read_tile(published.read, Tile(0, 1), 512)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_reads_back_and_no_byte_may_follow_or_lack(entries: list[bytes]) -> None:
    bundle = encode_bundle(entries)
    assert parse_bundle(bundle, len(entries)) == entries
    for data, width in _damaged(bundle, len(entries)):
        with pytest.raises(BundleMalformed):
            parse_bundle(data, width)


def test_an_entry_too_large_for_a_bundle_is_refused() -> None:
    assert parse_bundle(encode_bundle([b"x" * 65_535]), 1) == [b"x" * 65_535]
    with pytest.raises(EntryTooLarge):
        encode_bundle([b"x" * 65_536])
    with pytest.raises(EntryTooLarge):
        list(TileWriter().extend([b"x" * 65_536] * 256))


def test_a_tile_of_another_length_is_refused() -> None:
    for data in (bytes(31), bytes(33), bytes(64), b""):
        with pytest.raises(TileMalformed):
            parse_tile(data, 1)


def _damaged(bundle: bytes, width: int) -> Iterator[tuple[bytes, int]]:
    yield bundle + b"\x00", width
    yield bundle, width + 1
    if width:
        yield bundle[:-1], width
        yield bundle, width - 1


def _frontier(size: int) -> Frontier:
    frontier = Frontier()
    frontier.extend([leaf_hash(entry) for entry in ALL[:size]])
    return frontier
