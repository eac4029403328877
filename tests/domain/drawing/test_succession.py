from __future__ import annotations

from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.drawing.errors import ChangeRefused, WrongResult
from domain.drawing.lines import Change, Inspector, Recusal, Seated, Site, Team
from domain.drawing.match import match_teams, may_sit
from domain.drawing.rules import form_strata
from domain.drawing.select import select_sites
from domain.drawing.succession import Standing
from tests.domain.drawing.candidates import SALT, TEAM, frames, pools, seeds

ordinary = settings(max_examples=40, deadline=None)
RATES = {"general": (1, 2), "key": (1, 3)}


def stand(
    seed: bytes, frame: list[Site], pool: list[Inspector], changes: tuple[Change, ...] = ()
) -> Standing:
    selection = select_sites(seed, form_strata(frame, RATES), frame)
    drawn = {one.id for one in selection.sample}
    teams = match_teams(seed, TEAM, [site for site in frame if site.id in drawn], pool)
    return Standing(seed, TEAM, frame, pool, teams, selection.reserves, changes)


def holders(standing: Standing) -> list[tuple[str, str]]:
    seats = [(id, seated.inspector) for id in sorted(standing.sites) for seated in standing.team(id).seats]
    return [(id, inspector) for id, inspector in seats if inspector]


def first_in_succession(
    seed: bytes, site: Site, seat: int, pool: list[Inspector], away: set[str]
) -> str | None:
    """Sort the whole pool for the seat, then take the first who can, word for word from the format."""
    prefix = b"sunlot-seat-v1\0" + seed + site.id.encode() + b"\0" + TEAM[seat].seat.encode() + b"\0"
    order = sorted(pool, key=lambda one: (sha256(prefix + one.ref.encode()).digest(), one.ref))
    return next((one.ref for one in order if one.ref not in away and may_sit(one, site, TEAM[seat])), None)


@ordinary
@given(seeds, frames(), pools(), st.randoms(use_true_random=False))
def test_the_substitute_is_the_first_of_the_succession_who_is_free_to_sit(
    seed: bytes, frame: list[Site], pool: list[Inspector], chance: Random
) -> None:
    standing, sites, barred = (
        stand(seed, frame, pool),
        {site.id: site for site in frame},
        set[tuple[str, str]](),
    )
    for _ in range(6):
        if not (held := holders(standing)):
            return
        id, inspector = chance.choice(held)
        team = standing.team(id).seats
        seat = [seated.inspector for seated in team].index(inspector)
        barred.add((id, inspector))
        away = {seated.inspector for seated in team if seated.inspector} | {
            ref for at, ref in barred if at == id
        }
        substitute = first_in_succession(seed, sites[id], seat, pool, away)
        assert standing.recuse(id, inspector) == Recusal(id, TEAM[seat].seat, inspector, substitute)
        assert standing.team(id).seats[seat] == Seated(substitute, TEAM[seat].seat)
        assert (id, inspector) not in holders(standing)


@ordinary
@given(seeds, frames(), pools(), st.randoms(use_true_random=False))
def test_recusals_of_different_sites_lead_to_the_same_teams_in_any_order(
    seed: bytes, frame: list[Site], pool: list[Inspector], chance: Random
) -> None:
    recused = list(dict(holders(stand(seed, frame, pool))).items())
    one, other = stand(seed, frame, pool), stand(seed, frame, pool)
    made = {one.recuse(id, inspector) for id, inspector in recused}
    assert made == {other.recuse(id, inspector) for id, inspector in chance.sample(recused, len(recused))}
    assert [one.team(id) for id in one.sites] == [other.team(id) for id in other.sites]


@ordinary
@given(seeds, frames(), pools())
def test_a_void_site_gives_way_to_the_next_of_its_reserve_until_it_is_spent(
    seed: bytes, frame: list[Site], pool: list[Inspector]
) -> None:
    standing, strata, sites = (
        stand(seed, frame, pool),
        form_strata(frame, RATES),
        {site.id: site for site in frame},
    )
    reserves = {code: list(reserve) for code, reserve in select_sites(seed, strata, frame).reserves.items()}
    while standing.sites:
        id = standing.sites[-1]
        reserve = reserves[sites[id].stratum]
        expected = reserve.pop(0) if reserve else None
        void = standing.void(id)
        assert void.replacement == expected
        assert id not in standing.sites
        if expected is None:
            assert void.seats == ()
        else:
            assert standing.team(expected) == Team(expected, void.seats)
            lead = first_in_succession(seed, sites[expected], 0, pool, set())
            second = first_in_succession(seed, sites[expected], 1, pool, {lead} if lead else set())
            assert [seated.inspector for seated in void.seats] == [lead, second]


@pytest.fixture
def pool() -> list[Inspector]:
    return [Inspector(f"inspector-{n}", ("140105",), 9, SALT, lead=True, skills=("air",)) for n in range(4)]


@pytest.fixture
def frame() -> list[Site]:
    return [Site(f"site-{n}", "general", "140105", SALT, needs=("air",)) for n in range(4)]


def test_who_was_recused_never_comes_back_to_any_seat_of_the_site(
    frame: list[Site], pool: list[Inspector]
) -> None:
    standing = stand(bytes(32), frame, pool)
    id, recused = standing.sites[0], set[str]()
    while held := [inspector for at, inspector in holders(standing) if at == id]:
        standing.recuse(id, held[0])
        recused.add(held[0])
        assert recused.isdisjoint(inspector for at, inspector in holders(standing) if at == id)
    assert recused == {inspector.ref for inspector in pool}
    assert [seated.inspector for seated in standing.team(id).seats] == [None, None]


def test_caps_and_loads_do_not_stop_a_succession(frame: list[Site], pool: list[Inspector]) -> None:
    idle = [inspector._replace(cap=0) for inspector in pool[2:]]
    standing = stand(bytes(32), frame, pool[:2] + idle)
    id, inspector = holders(standing)[0]
    assert standing.recuse(id, inspector).substitute in {one.ref for one in idle}


def test_a_recusal_by_someone_who_does_not_sit_there_changes_nothing(
    frame: list[Site], pool: list[Inspector]
) -> None:
    standing = stand(bytes(32), frame, pool)
    id = standing.sites[0]
    team, away = (
        standing.team(id),
        {one.ref for one in pool} - {inspector for at, inspector in holders(standing) if at == id},
    )
    with pytest.raises(ChangeRefused) as refused:
        standing.recuse(id, min(away))
    assert refused.value.rule == "not-on-the-team"
    assert standing.team(id) == team


def test_sites_that_were_not_drawn_or_have_left_are_refused(frame: list[Site], pool: list[Inspector]) -> None:
    standing = stand(bytes(32), frame, pool)
    gone = standing.sites[0]
    standing.void(gone)
    for id in (gone, "site-unknown"):
        with pytest.raises(ChangeRefused):
            standing.void(id)
        with pytest.raises(ChangeRefused):
            standing.recuse(id, "inspector-0")
        with pytest.raises(ChangeRefused):
            standing.team(id)


def test_a_change_that_is_not_what_follows_is_named(frame: list[Site], pool: list[Inspector]) -> None:
    standing = stand(bytes(32), frame, pool)
    id, inspector = holders(standing)[0]
    recusal, void = (
        stand(bytes(32), frame, pool).recuse(id, inspector),
        stand(bytes(32), frame, pool).void(id),
    )
    for wrong, rule in (
        (recusal._replace(substitute=None), "wrong-substitute"),
        (void._replace(replacement=None), "wrong-replacement"),
        (void._replace(seats=void.seats[::-1]), "wrong-substitute"),
    ):
        with pytest.raises(WrongResult) as refused:
            stand(bytes(32), frame, pool, (wrong,))
        assert (refused.value.rule, refused.value.file, refused.value.line) == (rule, "changes.jsonl", 1)
    assert standing.sites == stand(bytes(32), frame, pool, ()).sites
