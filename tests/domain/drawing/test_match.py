from __future__ import annotations

from collections import Counter
from hashlib import sha256
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.lines import Inspector, Site
from domain.drawing.match import match_teams, may_sit
from domain.drawing.rules import SeatRule
from tests.domain.drawing.candidates import SALT, TEAM, frames, pools, seeds, teams

ordinary = settings(max_examples=60, deadline=None)

Seats = list[tuple[str, list[str | None]]]


def match_naively(seed: bytes, team: tuple[SeatRule, ...], sites: list[Site], pool: list[Inspector]) -> Seats:
    """Scan the whole pool for each seat, word for word from the format."""
    loads = Counter[str]()
    order = sorted(
        sites, key=lambda site: (sha256(b"sunlot-order-v1\0" + seed + site.id.encode()).digest(), site.id)
    )
    result: Seats = []
    for site in order:
        seated: list[str | None] = []
        for rule in team:
            able = [
                one
                for one in pool
                if qualifies(one, site, rule) and one.ref not in seated and loads[one.ref] < one.cap
            ]
            chosen = min(
                able,
                key=lambda one: (loads[one.ref], lot(seed, loads[one.ref], one.ref), one.ref),
                default=None,
            )
            seated.append(chosen.ref if chosen else None)
            if chosen:
                loads[chosen.ref] += 1
        result.append((site.id, seated))
    return result


def lot(seed: bytes, load: int, ref: str) -> bytes:
    return sha256(b"sunlot-inspector-v1\0" + seed + load.to_bytes(4, "big") + ref.encode()).digest()


def qualifies(inspector: Inspector, site: Site, rule: SeatRule) -> bool:
    if site.area not in inspector.areas or site.id in inspector.conflicts:
        return False
    if rule.lead and not inspector.lead:
        return False
    return not (rule.skilled and site.needs) or any(need in inspector.skills for need in site.needs)


@ordinary
@given(seeds, teams, frames(), pools())
def test_the_heaps_choose_as_a_scan_of_the_pool_does(
    seed: bytes, team: tuple[SeatRule, ...], sites: list[Site], pool: list[Inspector]
) -> None:
    found = match_teams(seed, team, sites, pool)
    assert [(one.id, [seated.inspector for seated in one.seats]) for one in found] == match_naively(
        seed, team, sites, pool
    )
    assert all([seated.seat for seated in one.seats] == [rule.seat for rule in team] for one in found)


def test_a_larger_pool_is_matched_as_by_a_scan_until_it_is_used_up() -> None:
    chance, areas, skills = Random(7), ("1", "2", "3", "4"), ("air", "soil", "water")  # noqa: S311 - a test repeats

    def some(words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(chance.sample(words, chance.randint(0, len(words)))))

    sites = [Site(f"s{n:03}", "general", chance.choice(areas), SALT, needs=some(skills)) for n in range(300)]
    ids = tuple(site.id for site in sites)
    pool = [
        Inspector(
            f"i{n:03}",
            some(areas),
            chance.randint(0, 9),
            SALT,
            n % 3 == 0,
            some(skills),
            tuple(sorted(chance.sample(ids, 9))),
        )
        for n in range(90)
    ]
    found = match_teams(bytes(32), TEAM, sites, pool)
    plain: Seats = [(one.id, [seated.inspector for seated in one.seats]) for one in found]
    assert plain == match_naively(bytes(32), TEAM, sites, pool)
    assert any(None in seats for _, seats in plain)
    assert max(Counter(ref for _, seats in plain for ref in seats if ref).values()) > 4


@ordinary
@given(seeds, teams, frames(), pools())
def test_nobody_sits_twice_on_a_team_or_more_often_than_the_cap(
    seed: bytes, team: tuple[SeatRule, ...], sites: list[Site], pool: list[Inspector]
) -> None:
    found = match_teams(seed, team, sites, pool)
    seated = [[seat.inspector for seat in one.seats if seat.inspector] for one in found]
    assert all(len(refs) == len(set(refs)) for refs in seated)
    loads = Counter(ref for refs in seated for ref in refs)
    assert all(loads[inspector.ref] <= inspector.cap for inspector in pool)


@ordinary
@given(seeds, frames(), pools(), st.randoms(use_true_random=False))
def test_the_order_of_sites_and_pool_is_of_no_account(
    seed: bytes, sites: list[Site], pool: list[Inspector], chance: Random
) -> None:
    shuffled = match_teams(seed, TEAM, chance.sample(sites, len(sites)), chance.sample(pool, len(pool)))
    assert shuffled == match_teams(seed, TEAM, sites, pool)


@ordinary
@given(teams, frames(), pools())
def test_who_may_sit_is_as_the_format_says(
    team: tuple[SeatRule, ...], sites: list[Site], pool: list[Inspector]
) -> None:
    for rule in team:
        for site in sites:
            assert [may_sit(one, site, rule) for one in pool] == [qualifies(one, site, rule) for one in pool]
