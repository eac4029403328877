"""“Was I in the drum, with what chance?”: each line proved, each absence proved, nothing else provable."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.canonical import merkle_root
from domain.drawing.errors import DrawingError, WrongFigure, WrongShape
from domain.drawing.frame_index import PIECE, FrameIndex
from domain.drawing.frame_line import (
    Chance,
    LineProof,
    chance_of,
    proof_json,
    read_proof,
    verify_absence,
    verify_line,
)
from domain.drawing.lines import Site, read_frame
from domain.drawing.rules import Rules, read_rules
from domain.drawing.select import select_sites
from domain.drawing.tree import leaf_of, path_up, root_by, root_over
from tests.domain.drawing.vectors import NAMES, load_files


class Drum:
    """The frame of a vector, indexed."""

    def __init__(self, name: str) -> None:
        files = load_files(name)
        self.frame = files["frame.jsonl"]
        self.rules: Rules = read_rules(files["rules.json"])
        self.sites = read_frame(self.frame)
        self.seed = bytes(range(32))
        self.index = FrameIndex(self.rules, self.seed, self.frame.splitlines(keepends=True))

    def read(self, offset: int, length: int) -> bytes:
        return self.frame[offset : offset + length]

    def find(self, id: str) -> LineProof:
        found = self.index.find(id, self.read)
        assert found is not None
        return found


@given(size=st.integers(1, 600), data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_path_leads_to_the_root_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    lines = [b"line %d" % number for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    leaves = [leaf_of(line) for line in lines]
    path = path_up(leaves, index)
    assert root_over(leaves) == merkle_root(lines)
    assert root_by(leaves[index], index, size, path) == merkle_root(lines)
    assert root_by(leaf_of(b"another"), index, size, path) != merkle_root(lines)
    assert root_by(leaves[index], index, size, [*path, b"\0" * 32]) is None
    assert root_by(leaves[index], size, size, path) is None


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_a_frame_is_proved(name: str) -> None:
    drum = Drum(name)
    for number, site in enumerate(drum.sites):
        proof = drum.find(site.id)
        assert proof.place == number
        assert verify_line(drum.rules, proof) == site
        assert read_proof(proof_json(proof)) == proof


def test_a_line_that_was_changed_moved_or_of_another_draw_is_not_proved() -> None:
    drum, other = Drum("weighted"), Drum("equal")
    proof = drum.find(drum.sites[300].id)
    wrong = [
        proof._replace(line=proof.line.replace(b'"weight":', b'"weight":1')),
        proof._replace(place=proof.place - 1),
        proof._replace(place=len(drum.sites)),
        proof._replace(path=proof.path[1:]),
        proof._replace(path=(bytes(32), *proof.path[1:])),
    ]
    for one in wrong:
        with pytest.raises(WrongFigure) as refused:
            verify_line(drum.rules, one)
        assert refused.value.rule == "line-not-in-frame"
    with pytest.raises(WrongFigure):
        verify_line(other.rules, proof)


def test_a_leaf_that_is_no_line_of_a_frame_is_refused_where_it_stands() -> None:
    drum = Drum("equal")
    size = 1
    listing = replace(drum.rules.frame, root=leaf_of(b"[]").hex(), size=size)
    with pytest.raises(WrongShape) as refused:
        verify_line(replace(drum.rules, frame=listing), LineProof(0, b"[]", ()))
    assert (refused.value.file, refused.value.line) == ("frame.jsonl", 1)


def absent_ids(drum: Drum) -> list[str]:
    """Before all, after all, behind the first, and at the edge of two pieces."""
    ids = [site.id for site in drum.sites]
    edge = [f"{ids[PIECE - 1]}~", f"{ids[PIECE]}~"] if len(ids) > PIECE else []
    return ["!", "~", f"{ids[0]}~", *edge]


@pytest.mark.parametrize("name", NAMES)
def test_who_is_not_in_the_frame_is_proved_not_to_be(name: str) -> None:
    drum = Drum(name)
    for id in absent_ids(drum):
        assert drum.index.find(id, drum.read) is None
        verify_absence(drum.rules, id, *drum.index.neighbours(id, drum.read))


def test_a_line_that_is_there_cannot_be_denied() -> None:
    drum = Drum("weighted")
    before, here, after = (drum.find(drum.sites[number].id) for number in (99, 100, 101))
    id = drum.sites[100].id
    first, last = drum.find(drum.sites[0].id), drum.find(drum.sites[-1].id)
    for left, right in (
        (before, after),
        (None, after),
        (before, None),
        (here, after),
        (None, first),
        (last, None),
    ):
        with pytest.raises(WrongFigure) as refused:
            verify_absence(drum.rules, id, left, right)
        assert refused.value.rule == "absence-not-proved"


@pytest.mark.parametrize("name", NAMES)
def test_the_place_in_the_reserve_is_that_of_the_draw(name: str) -> None:
    drum = Drum(name)
    selection = select_sites(drum.seed, drum.rules.strata, drum.sites)
    by_id = {site.id: site for site in drum.sites}
    for drawn in selection.sample:
        assert drum.index.reserve_place(by_id[drawn.id]) is None
    for reserve in selection.reserves.values():
        for place, id in enumerate(islice(reserve, 400), start=1):
            assert drum.index.reserve_place(by_id[id]) == place
    for site in drum.sites:
        if not site.eligible:
            assert drum.index.reserve_place(site) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_chances_of_a_stratum_add_up_to_its_sample(name: str) -> None:
    drum = Drum(name)
    for stratum in drum.rules.strata:
        chances = [drum.index.chance(site) for site in drum.sites if site.stratum == stratum.code]
        assert sum(Fraction(*one) for one in chances) == stratum.sample


def site(weight: int, *, eligible: bool = True) -> Site:
    return Site("s", "key", "140100", "00" * 16, weight, eligible, "" if eligible else "capped")


def test_a_chance_is_an_exact_fraction() -> None:
    assert chance_of(site(1), 1, {1: 4}) == Chance(1, 4)
    assert chance_of(site(2), 2, {1: 4, 2: 2}) == Chance(1, 2)
    assert chance_of(site(100), 2, {1: 4, 100: 1}) == Chance(1, 1)
    assert chance_of(site(1), 2, {1: 4, 100: 1}) == Chance(1, 4)
    assert chance_of(site(1, eligible=False), 2, {1: 4}) == Chance(0, 1)
    assert chance_of(site(1), 0, {1: 4}) == Chance(0, 1)


def test_a_chance_in_percent_is_rounded_without_floats() -> None:
    assert [Chance(*one).percent for one in ((1, 3), (2, 3), (1, 1), (0, 1), (1, 20_000))] == [
        "33.33",
        "66.67",
        "100.00",
        "0.00",
        "0.01",
    ]


def test_an_index_of_another_frame_is_refused() -> None:
    drum = Drum("equal")
    with pytest.raises(WrongFigure) as refused:
        FrameIndex(drum.rules, drum.seed, drum.frame.splitlines(keepends=True)[1:])
    assert refused.value.rule == "frame-root"


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"index": -1, "line": "", "path": []},
        {"index": 0, "line": "", "path": ["00"]},
        {"index": 0, "line": "", "path": ["00" * 32] * 65},
    ],
)
def test_what_is_no_proof_is_refused(value: object) -> None:
    with pytest.raises(DrawingError):
        read_proof(value)  # type: ignore[arg-type]
