from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.errors import FrontierMalformed, ProofRefused
from domain.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    perfect_root,
    root_at,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [leaf_hash(b"entry %d" % number) for number in range(700)]
SIZES = st.integers(1, len(LEAVES))


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def node(level: int, index: int) -> bytes:
    return naive_root(LEAVES[index << level : (index + 1) << level])


def test_roots_known_from_certificate_transparency() -> None:
    """The reference vectors of google/certificate-transparency, sizes 0, 1, 2 and 8."""
    inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [leaf_hash(bytes.fromhex(data)) for data in inputs]
    known = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, root in known.items():
        frontier = Frontier()
        frontier.extend(leaves[:size])
        assert frontier.root().hex() == root


def test_the_frontier_has_the_root_of_every_size_to_300() -> None:
    frontier = Frontier()
    for size in range(301):
        assert (frontier.size, frontier.root()) == (size, naive_root(LEAVES[:size]))
        frontier.append(LEAVES[size])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 65_793])
def test_extending_in_blocks_gives_the_root_of_a_large_tree(size: int) -> None:
    leaves = [sha256(b"%d" % number).digest() for number in range(size)]
    frontier = Frontier()
    frontier.extend(leaves[:100])
    frontier.extend(leaves[100:])
    assert frontier.root() == naive_root(leaves)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=4))
def test_a_saved_frontier_goes_on_where_it_stood(steps: list[int]) -> None:
    frontier, taken = Frontier(), 0
    for step in steps:
        frontier = Frontier.decode(frontier.encode())
        frontier.extend(LEAVES[taken % 300 :][:step])
        taken += step
    again = Frontier.decode(frontier.encode())
    assert (again.size, again.root()) == (taken, frontier.root())
    assert len(frontier.encode()) == 8 + 32 * taken.bit_count()


@given(level=st.integers(0, 5), number=st.integers(0, 9), rest=st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_a_subtree_by_its_root_is_as_good_as_its_leaves(level: int, number: int, rest: int) -> None:
    leaves = [sha256(b"%d" % nth).digest() for nth in range((number << level) + rest)]
    grown, grafted = Frontier(), Frontier()
    grown.extend(leaves)
    for first in range(0, number << level, 1 << level):
        grafted.graft(perfect_root(leaves[first : first + (1 << level)]), level)
    grafted.extend(leaves[number << level :])
    assert (grafted.size, grafted.root()) == (grown.size, grown.root())


def test_a_subtree_is_grafted_only_where_one_may_begin() -> None:
    frontier = Frontier()
    frontier.append(sha256(b"").digest())
    with pytest.raises(FrontierMalformed):
        frontier.graft(sha256(b"").digest(), 1)


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, b"\x00" * 40, (3).to_bytes(8, "big") + b"\x00" * 32])
def test_a_frontier_whose_length_does_not_fit_is_refused(data: bytes) -> None:
    with pytest.raises(FrontierMalformed):
        Frontier.decode(data)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_an_inclusion_proof_verifies_and_a_flipped_bit_does_not(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_at(size, node), inclusion_proof(index, size, node)
    verify_inclusion(index, size, LEAVES[index], proof, root)
    parts = [LEAVES[index], root, *proof]
    leaf, changed_root, *path = _flip(parts, data)
    with pytest.raises(ProofRefused):
        verify_inclusion(index, size, leaf, path, changed_root)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_a_proof_of_another_length_or_position_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_at(size, node), inclusion_proof(index, size, node)
    wrong = [(index, [*proof, root]), (index + 1, proof), (size, proof), (-1, proof)]
    wrong += [(index, proof[:-1])] if proof else []
    for position, path in wrong:
        with pytest.raises(ProofRefused):
            verify_inclusion(position, size, LEAVES[index], path, root)


@settings(max_examples=60, deadline=None)
@given(SIZES, st.data())
def test_a_consistency_proof_verifies_and_a_flipped_bit_does_not(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(0, new))
    proof = consistency_proof(old, new, node)
    roots = root_at(old, node), root_at(new, node)
    verify_consistency(old, roots[0], new, roots[1], proof)
    if old:
        old_root, new_root, *path = _flip([*roots, *proof], data)
        with pytest.raises(ProofRefused):
            verify_consistency(old, old_root, new, new_root, path)
    for path in ([*proof, roots[1]], proof[:-1] if proof else [roots[0]]):
        with pytest.raises(ProofRefused):
            verify_consistency(old, roots[0], new, roots[1], path)


def test_another_history_of_the_same_length_is_not_consistent() -> None:
    rewritten = [leaf_hash(b"rewritten"), *LEAVES[1:400]]
    with pytest.raises(ProofRefused):
        verify_consistency(
            300, naive_root(rewritten[:300]), 400, root_at(400, node), consistency_proof(300, 400, node)
        )


def test_a_proof_of_a_smaller_tree_does_not_stand_for_a_larger_one() -> None:
    with pytest.raises(ProofRefused, match="too few hashes"):
        verify_inclusion(0, 4, LEAVES[0], inclusion_proof(0, 2, node), root_at(2, node))
    with pytest.raises(ProofRefused, match="too few hashes"):
        verify_consistency(3, root_at(3, node), 8, root_at(4, node), consistency_proof(3, 4, node))


def test_sizes_out_of_order_are_refused() -> None:
    with pytest.raises(ProofRefused):
        consistency_proof(8, 7, node)
    with pytest.raises(ProofRefused):
        inclusion_proof(7, 7, node)
    with pytest.raises(ProofRefused):
        verify_consistency(8, EMPTY_ROOT, 7, EMPTY_ROOT, [])


def test_the_empty_tree_proves_only_the_empty_root() -> None:
    assert root_at(0, node) == EMPTY_ROOT
    verify_consistency(0, EMPTY_ROOT, 5, root_at(5, node), [])
    with pytest.raises(ProofRefused):
        verify_consistency(0, LEAVES[0], 5, root_at(5, node), [])


def _flip(parts: list[bytes], data: st.DataObject) -> list[bytes]:
    which = data.draw(st.integers(0, len(parts) - 1))
    bit = data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(parts[which], "big") ^ (1 << bit)).to_bytes(32, "big")
    return [*parts[:which], flipped, *parts[which + 1 :]]
