"""Simulations: sites come in as often as intended, and seats are spread evenly.

Seeds are counted up, so that the figures are the same in every run. The statistics are those that
docs/explanation/the-draw-for-a-statistician.md speaks of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from itertools import combinations
from math import sqrt

import pytest

from domain.drawing.lines import Inspector, Site
from domain.drawing.match import match_teams
from domain.drawing.rules import SeatRule, Stratum
from domain.drawing.select import select_sites, split_certain
from tests.domain.drawing.candidates import SALT

DRAWS = 6000
SIGMAS = 4.5
"""One site in 150,000 is further off by chance."""

BIAS = 0.012
"""By how much Pareto sampling itself may miss the intended probability in a stratum as small as these."""


def seeds(count: int) -> Iterable[bytes]:
    return (sha256(b"simulation %d" % number).digest() for number in range(count))


def stratum_of(weights: list[int], sample: int) -> tuple[Stratum, list[Site]]:
    sites = [Site(f"site-{n:02}", "key", "140105", SALT, weight=weight) for n, weight in enumerate(weights)]
    return Stratum("key", len(sites), len(sites), (sample, len(sites)), sample), sites


def frequencies(weights: list[int], sample: int) -> list[float]:
    """How often each site was drawn, of all draws."""
    stratum, sites = stratum_of(weights, sample)
    drawn = Counter(one.id for seed in seeds(DRAWS) for one in select_sites(seed, [stratum], sites).sample)
    return [drawn[site.id] / DRAWS for site in sites]


def intended(weights: list[int], sample: int) -> list[float]:
    """1 for the certain, for the others m·w / W."""
    _, total, left = split_certain(Counter(weights), sample)
    certain = {weight for weights_of in split_certain(Counter(weights), sample)[0] for weight in weights_of}
    return [1.0 if weight in certain else left * weight / total for weight in weights]


def error(probability: float) -> float:
    """The standard error of a frequency."""
    return sqrt(probability * (1 - probability) / DRAWS)


def test_with_equal_weights_every_site_has_the_same_chance() -> None:
    for frequency in frequencies([1] * 30, 6):
        assert abs(frequency - 6 / 30) < SIGMAS * error(6 / 30)


def test_neighbours_in_the_list_are_no_likelier_together_than_others() -> None:
    """What took every ⌊N/n⌋-th row from one start could draw only ⌊N/n⌋ samples."""
    stratum, sites = stratum_of([1] * 12, 4)
    pairs: Counter[tuple[str, str]] = Counter()
    samples = set()
    for seed in seeds(DRAWS):
        ids = sorted(one.id for one in select_sites(seed, [stratum], sites).sample)
        samples.add(tuple(ids))
        pairs.update(combinations(ids, 2))
    expected = 4 * 3 / (12 * 11)
    for pair in combinations((site.id for site in sites), 2):
        assert abs(pairs[pair] / DRAWS - expected) < SIGMAS * error(expected)
    assert len(samples) == 495  # all that there are


WEIGHTED = [
    ([1] * 20 + [3] * 10, 9),
    ([1, 2, 3, 4, 5] * 6, 10),
    ([1] * 15 + [100] * 3, 6),
    ([5, 1] * 12, 5),
]


@pytest.mark.parametrize(("weights", "sample"), WEIGHTED)
def test_with_weights_the_chance_is_in_proportion(weights: list[int], sample: int) -> None:
    expected = intended(weights, sample)
    assert sum(expected) == pytest.approx(sample)
    for frequency, probability in zip(frequencies(weights, sample), expected, strict=True):
        assert abs(frequency - probability) < BIAS + SIGMAS * error(probability)


def test_a_site_whose_weight_makes_it_certain_is_always_drawn() -> None:
    assert frequencies([100, 1, 1, 1, 1, 1], 2)[0] == 1.0


def test_no_stratum_has_more_or_less_than_its_number() -> None:
    stratum, sites = stratum_of([1, 2, 3, 4, 5] * 6, 10)
    assert all(len(select_sites(seed, [stratum], sites).sample) == 10 for seed in seeds(200))


TEAM = (SeatRule("lead", lead=True, skilled=False), SeatRule("second", lead=False, skilled=False))


def officers(count: int) -> list[Inspector]:
    return [
        Inspector(f"inspector-{n:02}", ("140105",), 100, SALT, lead=True, skills=("air",))
        for n in range(count)
    ]


def test_seats_are_spread_evenly_in_every_draw() -> None:
    _, sites = stratum_of([1] * 23, 23)
    for seed in seeds(100):
        teams = match_teams(seed, TEAM, sites, officers(9))
        loads = Counter(seated.inspector for team in teams for seated in team.seats)
        assert max(loads.values()) - min(loads.values()) <= 1
        assert sum(loads.values()) == 46


def test_every_pair_of_officers_goes_together_as_often_as_another() -> None:
    _, sites = stratum_of([1] * 8, 8)
    pool, draws = officers(6), 1500
    pairs: Counter[frozenset[str | None]] = Counter()
    for seed in seeds(draws):
        for team in match_teams(seed, TEAM, sites, pool):
            pairs[frozenset(seated.inspector for seated in team.seats)] += 1
    expected = draws * 8 / 15
    assert len(pairs) == 15
    assert all(abs(count - expected) < 6 * sqrt(expected) for count in pairs.values())


def test_who_goes_where_does_not_depend_on_names() -> None:
    """Each officer goes to each site as often as to another."""
    _, sites = stratum_of([1] * 4, 4)
    pool, draws = officers(5), 3000
    visits: Counter[tuple[str, str | None]] = Counter()
    for seed in seeds(draws):
        for team in match_teams(seed, TEAM[:1], sites, pool):
            visits[team.id, team.seats[0].inspector] += 1
    expected = draws / 5
    assert all(abs(count - expected) < SIGMAS * sqrt(expected * 0.8) for count in visits.values())
    assert len(visits) == 20
