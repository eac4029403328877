"""The draw's second implementation, in the visitor's browser, agrees with the first."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.drawing.bundle import complete_draw, seal_draw
from domain.drawing.lines import Change, Inspector, Site, write_changes
from domain.drawing.rules import Contributor, SeatRule
from domain.drawing.seed import Reveal, commit
from domain.drawing.source import Dice
from domain.drawing.succession import Standing
from tests.api.web.node import Judge, judged_here, judging, told_there
from tests.domain.drawing import cheats
from tests.domain.drawing.candidates import frames, pools, teams
from tests.domain.drawing.cheats import Cheat
from tests.domain.drawing.forging import Forgery
from tests.domain.drawing.vectors import NAMES, load_files

LOG = "sunlot.test/taiyuan"
PARTIES = ("agency", "discipline")
PUBLIC = ("pool.jsonl", "teams.jsonl", "changes.jsonl")


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as found:
        yield found


def agree(judge: Judge, files: dict[str, bytes]) -> dict[str, object]:
    here, there = judged_here(files), told_there(judge(files))
    assert there == here
    return here


@pytest.mark.parametrize("name", NAMES)
def test_bundles_of_an_independent_program_are_sound(judge: Judge, name: str) -> None:
    assert agree(judge, load_files(name))["broken"] is None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("away", [PUBLIC, (*PUBLIC, "frame.jsonl"), ("changes.jsonl",), ("seed.json",)])
def test_what_a_visitor_is_given(judge: Judge, name: str, away: tuple[str, ...]) -> None:
    agree(judge, {file: data for file, data in load_files(name).items() if file not in away})


CHEATS: list[Cheat] = [
    *(case[0] for case in cheats.FORMAT),
    *(case[0] for case in cheats.LISTS),
    *map(cheats.refitted, cheats.LISTED),
    *(case[0] for case in cheats.SAMPLES),
    *(case[0] for case in cheats.CONFIDENTIAL),
    *(case[0] for case in cheats.SEATS),
    *(case[0] for case in cheats.TEAM_LINES),
    cheats.other_secret,
    cheats.other_secret_and_commitment,
    cheats.reseeded(cheats.other_secret_and_commitment),
]


@pytest.mark.parametrize("cheat", CHEATS)
def test_each_cheat_is_found_by_both_at_the_same_place(judge: Judge, cheat: Cheat) -> None:
    forgery = Forgery("weighted")
    cheat(forgery)
    assert agree(judge, forgery.files)["broken"] is not None


@st.composite
def bundles(draw: st.DrawFn) -> dict[str, bytes]:
    """A whole draw over a made-up frame and pool, with recusals and void sites after it."""
    frame, pool, team = draw(frames()), draw(pools()), draw(teams)
    secrets = {party: draw(st.binary(min_size=32, max_size=32)) for party in PARTIES}
    sealed = _sealed(draw, frame, pool, team, secrets)
    files = complete_draw(
        sealed,
        [Reveal(party, secrets[party]) for party in PARTIES],
        draw(st.text("0123456789", min_size=20, max_size=20)),
        {"witnesses": draw(st.integers(2, 9))},
    )
    outcome = files.outcome
    standing = Standing(files.seed, team, frame, pool, outcome.teams, outcome.reserves)
    return {
        **sealed,
        "seed.json": files.seed_json,
        "sample.jsonl": files.sample_jsonl,
        "teams.jsonl": files.teams_jsonl,
        "SHA256SUMS": files.sums,
        "changes.jsonl": _changes(standing, draw(st.randoms(use_true_random=False))),
    }


def _sealed(
    draw: st.DrawFn,
    frame: list[Site],
    pool: list[Inspector],
    team: tuple[SeatRule, ...],
    secrets: dict[str, bytes],
) -> dict[str, bytes]:
    number, attempt = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 2**32 - 1))
    sealed = seal_draw(
        log=LOG,
        draw_no=number,
        attempt=attempt,
        plan_row=draw(st.sampled_from(["plan-1/01", "计划/第二行", "𝔓/\U0000fffd"])),
        as_of=draw(st.integers(0, 2**53 - 1)),
        contributors=[
            Contributor(party, commit(LOG, number, attempt, party, secret).hex())
            for party, secret in secrets.items()
        ],
        public_source=Dice(20),
        rates={"general": (1, draw(st.integers(1, 5))), "key": (draw(st.integers(0, 3)), 3)},
        team=team,
        frame=frame,
        pool=pool,
    )
    return {
        "frame.jsonl": sealed.frame_jsonl,
        "pool.jsonl": sealed.pool_jsonl,
        "rules.json": sealed.rules_json,
    }


def _changes(standing: Standing, chance: Random) -> bytes:
    """Up to eight changes that can be: somebody gives up a seat, or a site leaves."""
    changes: list[Change] = []
    for _ in range(chance.randrange(9)):
        if not (sites := standing.sites):
            break
        id = chance.choice(sites)
        seated = [one.inspector for one in standing.team(id).seats if one.inspector]
        recuse = seated and chance.random() < 0.7
        changes.append(standing.recuse(id, chance.choice(seated)) if recuse else standing.void(id))
    return write_changes(changes)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bundles())
def test_both_draw_the_same(judge: Judge, files: dict[str, bytes]) -> None:
    assert agree(judge, files)["broken"] is None


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_both_find_the_same_first_fault_in_a_bundle_with_any_bytes_changed(
    judge: Judge, name: str, chance: Random
) -> None:
    files = load_files(name)
    file = chance.choice(sorted(files))
    at = chance.randrange(len(files[file]))
    cut, put = chance.choice([(1, 1), (0, 1), (1, 0), (4, 0), (0, 3)])
    made = bytes(chance.choice(b'0123456789abcdef",:{}[]\n\r\t \\eE.-\xc3\xff\x00ntfu') for _ in range(put))
    files[file] = files[file][:at] + made + files[file][at + cut :]
    agree(judge, files)


SPELLINGS = [
    b'{"a":1}',
    b'{"a":1.0}',
    b'{"a":-0}',
    b'{"a":-1}',
    b'{"a":1e3}',
    b'{"a":9007199254740992}',
    b'{"a":9007199254740993000000000}',
    b'{"a":1,"a":1}',
    b'{"a":{"b":1,"b":2}}',
    b'{"b":1,"a":1}',
    b'{"__proto__":1}',
    b'{"a":"\\ud800"}',
    b'{"a":"\\u0041"}',
    b'{"a":"\\u000B"}',
    b'{"a":"\\/"}',
    b'{"a":"\xc3"}',
    b"\xef\xbb\xbf{}",
    b'{"a":NaN}',
    b'{"a":01}',
    b' {"a":1}',
    b"[]",
    b"null",
    b'{"a":"-1 \\"b\\":1.5"}',
]


@pytest.mark.parametrize("line", SPELLINGS)
@pytest.mark.parametrize("file", ["frame.jsonl", "rules.json"])
def test_both_read_the_same_json(judge: Judge, file: str, line: bytes) -> None:
    """Each of these lines is refused, whatever for: both must name the same rule."""
    files = load_files("equal")
    files[file] = line + b"\n" + (files[file] if file.endswith("l") else b"")
    assert agree(judge, files)["broken"] is not None
