from __future__ import annotations

from collections import Counter
from fractions import Fraction
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.errors import WrongFigure, WrongShape
from domain.drawing.lines import Site
from domain.drawing.rules import Stratum, form_strata, sample_size
from domain.drawing.select import draw_ticket, pareto_key, select_sites, split_certain
from tests.domain.drawing.candidates import SALT, frames, seeds

ordinary = settings(max_examples=60, deadline=None)
rates = st.tuples(st.integers(0, 5), st.integers(1, 5))


def order_naively(seed: bytes, stratum: Stratum, sites: list[Site]) -> list[str]:
    """The whole order of a stratum, word for word from the format, without any short cut."""
    left = {site.id: site for site in sites if site.eligible and site.stratum == stratum.code}
    message = b"sunlot-object-v1\0" + seed + stratum.code.encode() + b"\0"
    ticket = {id: sha256(message + id.encode()).digest() for id in left}
    certain: list[str] = []
    while (m := stratum.sample - len(certain)) > 0:
        total = sum(site.weight for site in left.values())
        sure = sorted((id for id in left if left[id].weight * m >= total), key=lambda one: (ticket[one], one))
        if not sure:
            break
        certain += sure
        for id in sure:
            del left[id]
    total = sum(site.weight for site in left.values())

    def key(id: str) -> tuple[int, bytes, str]:
        u, w = int.from_bytes(ticket[id], "big"), left[id].weight
        k = u * (total - m * w) * 2**64 // ((2**256 - u) * m * w) if m else 0
        return k, ticket[id], id

    return certain + sorted(left, key=key)


@ordinary
@given(seeds, frames(), st.tuples(rates, rates))
def test_sample_and_reserve_are_the_order_of_the_naive_formula(
    seed: bytes, frame: list[Site], pair: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    strata = form_strata(frame, dict(zip(("general", "key"), pair, strict=True)))
    selection = select_sites(seed, strata, frame)
    for stratum in strata:
        sample = [one for one in selection.sample if one.stratum == stratum.code]
        assert [one.rank for one in sample] == list(range(1, stratum.sample + 1))
        assert [one.id for one in sample] + list(selection.reserves[stratum.code]) == order_naively(
            seed, stratum, frame
        )
    assert [one.stratum for one in selection.sample] == sorted(one.stratum for one in selection.sample)


@pytest.mark.parametrize("rate", [(1, 100), (1, 20), (1, 3), (9, 10)])
def test_a_larger_stratum_is_in_the_naive_order_to_its_last_site(rate: tuple[int, int]) -> None:
    chance = Random(rate[1])  # noqa: S311 - a test repeats
    frame = [Site(f"site-{n:04}", "general", "140105", SALT, chance.randint(1, 100)) for n in range(1500)]
    strata = form_strata(frame, {"general": rate})
    seed = chance.randbytes(32)
    selection = select_sites(seed, strata, frame)
    order = [one.id for one in selection.sample] + list(selection.reserves["general"])
    assert order == order_naively(seed, strata[0], frame)


@ordinary
@given(seeds, frames(), st.randoms(use_true_random=False))
def test_the_order_of_the_frame_is_of_no_account(seed: bytes, frame: list[Site], chance: Random) -> None:
    strata = form_strata(frame, {"general": (1, 3), "key": (1, 2)})
    shuffled = chance.sample(frame, len(frame))
    assert select_sites(seed, strata, shuffled).sample == select_sites(seed, strata, frame).sample


@ordinary
@given(seeds, frames(weights=(7,)))
def test_equal_weights_draw_in_the_order_of_the_tickets(seed: bytes, frame: list[Site]) -> None:
    strata = form_strata(frame, {"general": (1, 3), "key": (1, 1)})
    for stratum in strata:
        ids = [site.id for site in frame if site.eligible and site.stratum == stratum.code]
        expected = sorted(ids, key=lambda one: draw_ticket(seed, stratum.code, one))
        drawn = [one.id for one in select_sites(seed, strata, frame).sample if one.stratum == stratum.code]
        assert drawn == expected[: stratum.sample]


@ordinary
@given(seeds, frames())
def test_only_eligible_sites_are_drawn_and_none_twice(seed: bytes, frame: list[Site]) -> None:
    strata = form_strata(frame, {"general": (1, 2), "key": (1, 1)})
    drawn = [one.id for one in select_sites(seed, strata, frame).sample]
    assert len(drawn) == len(set(drawn)) == sum(stratum.sample for stratum in strata)
    assert set(drawn) <= {site.id for site in frame if site.eligible}


@ordinary
@given(seeds, frames())
def test_a_site_whose_weight_makes_it_certain_is_always_drawn(seed: bytes, frame: list[Site]) -> None:
    strata = form_strata(frame, {"general": (1, 2), "key": (1, 4)})
    drawn = {one.id for one in select_sites(seed, strata, frame).sample}
    for stratum in strata:
        eligible = [site for site in frame if site.eligible and site.stratum == stratum.code]
        total = sum(site.weight for site in eligible)
        certain = {site.id for site in eligible if stratum.sample and site.weight * stratum.sample >= total}
        assert certain <= drawn


def test_every_eligible_site_has_its_chance_and_the_heavier_the_greater() -> None:
    frame = [
        Site(f"site-{number}", "general", "140105", SALT, weight)
        for number, weight in enumerate((1, 1, 1, 2, 3))
    ]
    strata = form_strata(frame, {"general": (2, 5)})
    drawn = Counter(
        one.id
        for number in range(2000)
        for one in select_sites(sha256(b"%d" % number).digest(), strata, frame).sample
    )
    assert set(drawn) == {site.id for site in frame}
    assert drawn["site-4"] > drawn["site-3"] > max(drawn["site-0"], drawn["site-1"], drawn["site-2"])
    # Pareto sampling comes close to m·w/W: 1/4 for the light ones, 3/4 for the heaviest.
    assert all(400 < drawn[f"site-{number}"] < 600 for number in range(3))
    assert 1350 < drawn["site-4"] < 1650


@ordinary
@given(st.integers(0, 10**6), st.integers(0, 10**6), rates)
def test_the_sample_is_the_rate_rounded_up_but_never_more_than_are_eligible(
    size: int, eligible: int, rate: tuple[int, int]
) -> None:
    exact = Fraction(size) * Fraction(*rate)
    rounded = exact.numerator // exact.denominator + (exact.denominator > 1)
    assert sample_size(size, eligible, rate) == min(eligible, rounded)


@ordinary
@given(st.dictionaries(st.integers(1, 100), st.integers(1, 50), max_size=8), st.data())
def test_certain_sites_are_never_more_than_the_sample(counts: dict[int, int], data: st.DataObject) -> None:
    sample = data.draw(st.integers(0, sum(counts.values())))
    rounds, total, left = split_certain(counts, sample)
    removed = [weight for weights in rounds for weight in weights]
    rest = {weight: count for weight, count in counts.items() if weight not in removed}
    assert left == sample - sum(counts[weight] for weight in removed) >= 0
    assert total == sum(weight * count for weight, count in rest.items())
    assert all(weight * left < total for weight in rest)


def test_the_key_of_nobody_to_draw_is_zero() -> None:
    assert pareto_key(b"\xff" * 32, 3, 10, 0) == 0
    assert pareto_key(b"\x80" + bytes(31), 1, 4, 1) == 3 * 2**64


def test_the_reserve_can_be_looked_at_in_any_order_and_again() -> None:
    frame = [Site(f"site-{number:02}", "general", "140105", SALT, 1 + number % 3) for number in range(40)]
    strata = form_strata(frame, {"general": (1, 10)})
    reserve = select_sites(bytes(32), strata, frame).reserves["general"]
    third, first = reserve.at(2), reserve.at(0)
    assert list(reserve) == list(reserve)
    assert [first, third] == list(reserve)[:3:2]
    assert len(list(reserve)) == 36
    assert reserve.at(36) is None


def test_a_site_of_a_stratum_without_a_rule_is_refused() -> None:
    frame = [Site("site-1", "general", "140105", SALT)]
    with pytest.raises(WrongFigure) as refused:
        select_sites(bytes(32), (), frame)
    assert refused.value.rule == "stratum-without-a-rule"


def test_more_to_draw_than_there_are_is_refused() -> None:
    frame = [Site("site-1", "general", "140105", SALT)]
    with pytest.raises(WrongFigure) as refused:
        select_sites(bytes(32), (Stratum("general", 2, 2, (1, 1), 2),), frame)
    assert refused.value.rule == "stratum-sample"


def test_an_id_with_a_newline_is_refused_and_not_drawn_as_two() -> None:
    frame = [Site("a\nb", "general", "140105", SALT)]
    with pytest.raises(WrongShape):
        select_sites(bytes(32), form_strata(frame, {"general": (1, 1)}), frame)
