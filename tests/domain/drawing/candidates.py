"""Made-up frames, pools and rules for the drawing tests; hypothesis chooses them."""

from __future__ import annotations

from hypothesis import strategies as st

from domain.drawing.lines import Inspector, Site
from domain.drawing.rules import SeatRule

SALT = "0123456789abcdef" * 2
AREAS = ("140105", "140106", "140107")
SKILLS = ("air", "noise", "soil", "water")
TEAM = (SeatRule("lead", lead=True, skilled=True), SeatRule("second", lead=False, skilled=False))

seeds = st.binary(min_size=32, max_size=32)


def some_of(words: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(words)).map(lambda chosen: tuple(sorted(chosen)))


@st.composite
def frames(draw: st.DrawFn, size: int = 25, weights: tuple[int, ...] = (1, 1, 2, 5, 100)) -> list[Site]:
    count = draw(st.integers(0, size))
    return [draw(candidate_sites(number, weights)) for number in range(count)]


@st.composite
def candidate_sites(draw: st.DrawFn, number: int, weights: tuple[int, ...]) -> Site:
    eligible = draw(st.sampled_from([True, True, True, False]))
    return Site(
        id=f"site-{number:03}",
        stratum=draw(st.sampled_from(["general", "key"])),
        area=draw(st.sampled_from(AREAS)),
        salt=SALT,
        weight=draw(st.sampled_from(weights)),
        eligible=eligible,
        reason="" if eligible else "停产",
        needs=draw(some_of(SKILLS)),
    )


@st.composite
def pools(draw: st.DrawFn, size: int = 12) -> list[Inspector]:
    return [draw(candidate_inspectors(number)) for number in range(draw(st.integers(0, size)))]


@st.composite
def candidate_inspectors(draw: st.DrawFn, number: int) -> Inspector:
    return Inspector(
        ref=f"inspector-{number:03}",
        areas=draw(some_of(AREAS)),
        cap=draw(st.integers(0, 5)),
        salt=SALT,
        lead=draw(st.booleans()),
        skills=draw(some_of(SKILLS)),
        conflicts=draw(some_of(tuple(f"site-{number:03}" for number in range(6)))),
    )


teams = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=4).map(
    lambda flags: tuple(SeatRule(f"seat-{n}", lead, skilled) for n, (lead, skilled) in enumerate(flags))
)
