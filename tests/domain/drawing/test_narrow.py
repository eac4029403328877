"""Narrow seats, held against asking everybody for every seat of every site."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.canonical import encode_lines
from domain.drawing.errors import WrongResult
from domain.drawing.lines import Inspector, Site
from domain.drawing.match import may_sit
from domain.drawing.narrow import NARROW_FILE, NarrowSeat, check_narrow, find_narrow, write_narrow
from domain.drawing.rules import SeatRule

AREAS, SKILLS = ("a", "b", "c"), ("air", "noise", "water")
IDS = tuple(f"site-{number}" for number in range(8))
TEAM = (SeatRule("lead", True, True), SeatRule("second", False, False), SeatRule("third", False, True))


def some(of: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(of), unique=True).map(lambda found: tuple(sorted(found)))


FRAMES = st.tuples(
    *(
        st.builds(
            Site,
            id=st.just(id),
            stratum=st.just("key"),
            area=st.sampled_from(AREAS),
            salt=st.just("0" * 32),
            eligible=st.booleans(),
            needs=some(SKILLS),
        )
        for id in IDS
    )
)
POOLS = st.lists(
    st.builds(
        Inspector,
        ref=st.integers(0, 999).map(lambda number: f"inspector-{number:03}"),
        areas=some(AREAS),
        cap=st.integers(0, 3),
        salt=st.just("0" * 32),
        lead=st.booleans(),
        skills=some(SKILLS),
        conflicts=some(IDS),
    ),
    unique_by=lambda one: one.ref,
    max_size=14,
)


@settings(max_examples=200, deadline=None)
@given(frame=FRAMES, pool=POOLS)
def test_the_narrow_seats_are_those_for_which_too_few_may_sit(
    frame: tuple[Site, ...], pool: list[Inspector]
) -> None:
    expected = [
        NarrowSeat(site.id, rule.seat, tuple(may))
        for site in frame
        if site.eligible
        for rule in TEAM
        if len(may := sorted(one.ref for one in pool if may_sit(one, site, rule))) < 3
    ]
    assert list(find_narrow(TEAM, frame, pool)) == expected


def example() -> tuple[list[Site], list[Inspector]]:
    frame = [Site(id, "key", "a", "0" * 32) for id in ("site-1", "site-2")]
    refs = ("inspector-1", "inspector-2", "inspector-3")
    pool = [
        Inspector(ref, ("a",), 9, "0" * 32, conflicts=("site-2",) if ref[-1] == "1" else ()) for ref in refs
    ]
    return frame, pool


def test_a_conflict_makes_a_seat_narrow_and_the_line_names_who_is_left() -> None:
    frame, pool = example()
    team = [SeatRule("second", False, False)]
    line = {"id": "site-2", "may_sit": ["inspector-2", "inspector-3"], "seat": "second"}
    data = b"".join(write_narrow(find_narrow(team, frame, pool)))
    assert data == encode_lines([line])
    check_narrow(data, team, frame, pool)


@pytest.mark.parametrize(
    ("forge", "line"),
    [
        (lambda data: b"", 1),
        (lambda data: data.replace(b"inspector-3", b"inspector-1"), 1),
        (lambda data: data + data, 2),
        (lambda data: data[:-1], 1),
    ],
)
def test_a_list_that_is_not_what_frame_and_pool_give(forge: object, line: int) -> None:
    frame, pool = example()
    team = [SeatRule("second", False, False)]
    data = b"".join(write_narrow(find_narrow(team, frame, pool)))
    with pytest.raises(WrongResult) as wrong:
        check_narrow(forge(data), team, frame, pool)  # type: ignore[operator]
    assert (wrong.value.rule, wrong.value.file, wrong.value.line) == (
        "narrow-seats-differ",
        NARROW_FILE,
        line,
    )
