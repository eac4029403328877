"""How fast a draw is: selecting beside the bare hashing that it needs, and matching teams.

The inputs are made by counting, not by chance, so that two runs measure the same work.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from time import perf_counter

from domain.drawing.lines import Inspector, Site
from domain.drawing.match import match_teams
from domain.drawing.rules import SeatRule, Stratum, form_strata
from domain.drawing.select import select_sites
from tests.benchmarks.figure import Figure

SEED = sha256(b"benchmark").digest()
SALT = "0" * 32
SKILLS = ("air", "noise", "radiation", "soil", "solid-waste", "water")
NEEDS = tuple(tuple(sorted({one, other})) for one in SKILLS for other in SKILLS)
AREAS = tuple(f"{140000 + number}" for number in range(30))
WEIGHTS = (1, 2, 3, 5, 8)
TEAM = (SeatRule("lead", lead=True, skilled=True), SeatRule("second", lead=False, skilled=False))
ROUNDS = 3
FULL_FRAME, FULL_SAMPLE = 1_000_000, 50_000


def figures(scale: float = 1.0) -> list[Figure]:
    """Measure both; `scale` shrinks the numbers of sites and inspectors."""
    return [
        measure_selection(round(FULL_FRAME * scale)),
        measure_matching(round(FULL_SAMPLE * scale), round(20_000 * scale)),
    ]


def measure_selection(count: int) -> Figure:
    """Draw a twentieth of `count` weighted sites in 300 strata, beside one bare SHA-256 for each."""
    codes = [f"stratum-{number:03}" for number in range(300)]
    sites = [make_site(number, codes, AREAS) for number in range(count)]
    strata = form_strata(sites, dict.fromkeys(codes, (1, 20)))
    messages = [message_of(site) for site in sites]
    bare, seconds = measure(
        lambda: [sha256(message).digest() for message in messages], lambda: draw_all(strata, sites)
    )
    times = seconds / bare
    return Figure(
        name=f"select {sum(stratum.sample for stratum in strata):,} of {count:,} sites",
        value=seconds,
        unit="s",
        beside_name="bare hashlib.sha256 of the same messages",
        beside=bare,
        target="≤ 3× (aim 2×)",
        holds=times <= 3 if count >= FULL_FRAME else None,
        note=f"{times:.2f}×",
    )


def measure_matching(count: int, inspectors: int) -> Figure:
    """Fill two seats of each of `count` sites from a pool in 30 areas."""
    sites = [make_site(number, ["general"], AREAS) for number in range(count)]
    pool = [make_inspector(number) for number in range(inspectors)]
    filled: list[int] = []

    def fill() -> None:
        teams = match_teams(SEED, TEAM, sites, pool)
        filled.append(sum(seated.inspector is not None for team in teams for seated in team.seats))

    (seconds,) = measure(fill)
    return Figure(
        name=f"match {count:,} sites × 2 seats over {inspectors:,} inspectors",
        value=seconds,
        unit="s",
        beside_name="",
        beside=None,
        target="≤ 1 s",
        holds=seconds <= 1 if count >= FULL_SAMPLE else None,
        note=f"{filled[-1]:,} seats filled",
    )


def make_site(number: int, strata: Sequence[str], areas: Sequence[str]) -> Site:
    """A site of a frame that is sorted by id, its stratum, area and weight spread as if by chance."""
    spread = number * 2654435761 % 2**32
    needs = NEEDS[spread % len(NEEDS)]
    stratum, weight = strata[spread // 7 % len(strata)], WEIGHTS[spread // 3 % len(WEIGHTS)]
    return Site(
        f"site-{number:08x}{spread % 1000000:06}",
        stratum,
        areas[spread // 5 % len(areas)],
        SALT,
        weight,
        needs=needs,
    )


def make_inspector(number: int) -> Inspector:
    areas = tuple(sorted({AREAS[number % 30], AREAS[number // 30 % 30]}))
    skills = tuple(sorted({SKILLS[number % 6], SKILLS[number // 5 % 6]}))
    ref = f"inspector-{number * 2654435761 % 2**32:08x}{number:05}"
    return Inspector(ref, areas, 12, SALT, number % 3 == 0, skills)


def message_of(site: Site) -> bytes:
    """What is hashed for this site's ticket."""
    return b"sunlot-object-v1\0" + SEED + site.stratum.encode() + b"\0" + site.id.encode()


def draw_all(strata: tuple[Stratum, ...], sites: list[Site]) -> None:
    """Select, and show that the right number came."""
    drawn = select_sites(SEED, strata, sites).sample
    if len(drawn) != sum(stratum.sample for stratum in strata):
        raise AssertionError("the sample is not complete")


def measure(*works: Callable[[], object]) -> list[float]:
    """Seconds of each one's best of a few rounds, taken in turns, so that a busy machine harms them alike."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            gc.collect()
            start = perf_counter()
            work()
            best[number] = min(best[number], perf_counter() - start)
    return best


if __name__ == "__main__":
    for figure in figures(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0):
        sys.stdout.write(f"{figure}\n")
