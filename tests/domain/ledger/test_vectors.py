"""Byte for byte what an independent program made of the same events."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.merkle import Frontier, consistency_proof, leaf_hash, root_at, verify_consistency
from domain.ledger.note import VerifierKey
from domain.ledger.proof import Receipt, make_receipt
from domain.ledger.published_tiles import verify_tiles
from domain.ledger.tiles import TileReader, TileWriter, parse_bundle, tiles_written
from domain.ledger.verify import verify_log
from tests.domain.ledger.vectors import NAMES, ORIGIN, Vector, links, load


@pytest.fixture(params=NAMES)
def vector(request: pytest.FixtureRequest) -> Vector:
    return load(request.param)


def opener(files: dict[str, bytes]) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    return read


def test_every_tile_and_bundle_is_the_vectors(vector: Vector) -> None:
    writer = TileWriter()
    written = {tile.path(): data for tile, data in writer.extend(vector.entries())}
    written |= {tile.path(): data for tile, data in writer.partials()}
    assert written == vector.files()
    assert {tile.path() for tile in tiles_written(0, writer.size)} == set(written)


def test_the_verifier_key_comes_from_the_seed(vector: Vector) -> None:
    assert vector.key().verifier.encode() == vector.vkey()
    assert VerifierKey.parse(vector.vkey()) == vector.key().verifier


def test_the_signed_checkpoint_is_the_vectors(vector: Vector) -> None:
    frontier = Frontier()
    frontier.extend([leaf_hash(entry) for entry in vector.entries()])
    checkpoint = Checkpoint(ORIGIN, frontier.size, frontier.root())
    note = vector.read("tiles/checkpoint")
    assert sign_checkpoint(checkpoint, vector.key()) == note
    assert open_checkpoint(note, [VerifierKey.parse(vector.vkey())]) == checkpoint


def test_the_receipt_is_the_vectors_and_verifies(vector: Vector) -> None:
    data, entries = vector.read("one.tlog-proof"), vector.entries()
    node = TileReader(opener(vector.files()), len(entries))
    receipt = Receipt.parse(data)
    made = make_receipt(receipt.index, len(entries), vector.read("tiles/checkpoint"), node)
    assert made.encode() == data
    entry, checkpoint = receipt.verify(entries[receipt.index], [VerifierKey.parse(vector.vkey())])
    assert (entry.idx, checkpoint.size) == (receipt.index, len(entries))


def test_the_consistency_proof_is_the_vectors_and_verifies(vector: Vector) -> None:
    expected = vector.consistency()
    old, new = expected["old"], expected["new"]
    node = TileReader(opener(vector.files()), new)
    proof = consistency_proof(old, new, node)
    old_root, new_root = root_at(old, node), root_at(new, node)
    assert [digest.hex() for digest in proof] == expected["proof"]
    assert (old_root.hex(), new_root.hex()) == (expected["old_root"], expected["new_root"])
    verify_consistency(old, old_root, new, new_root, proof)


def test_bundles_hold_the_entries(vector: Vector) -> None:
    files = vector.files()
    bundles = [tile for tile in tiles_written(0, len(vector.entries())) if "entries" in tile.path()]
    entries = [entry for tile in bundles for entry in parse_bundle(files[tile.path()], tile.width)]
    assert entries == vector.entries()


def test_the_whole_log_verifies(vector: Vector) -> None:
    rows, notes = vector.rows(), [("checkpoint", vector.read("tiles/checkpoint"))]
    report = verify_log(rows, links(rows), notes, [VerifierKey.parse(vector.vkey())])
    assert report.sound
    assert report.covered == report.size == len(rows)
    assert list(verify_tiles(enumerate(vector.entries()), report.size, opener(vector.files()))) == []


@pytest.mark.parametrize("path", sorted(load("n600").files()))
def test_a_changed_byte_in_any_published_file_is_named(path: str) -> None:
    vector = load("n600")
    files = vector.files()
    files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])
    findings = list(verify_tiles(enumerate(vector.entries()), 600, opener(files)))
    assert [(finding.code, finding.params["path"]) for finding in findings] == [("tile.differs", path)]
    last = {"000": 255, "001": 511, "002": 599}[path.split("/")[2][:3]]
    assert findings[0].idx == (256 if path.startswith("tile/1/") else last)


def test_trailing_bytes_and_a_missing_file_are_named() -> None:
    vector = load("n600")
    files = vector.files()
    files["tile/entries/001"] += b"\x00\x00"
    del files["tile/0/002.p/88"]
    findings = list(verify_tiles(enumerate(vector.entries()), 600, opener(files)))
    assert [(finding.code, finding.idx) for finding in findings] == [
        ("tile.differs", 511),
        ("tile.missing", 512),
    ]
