"""Every cheat that a draw's verifier must find, in one table, each done to a real draw by who owns the key.

The draw ran through the application on a real store; its auditor's bundle and its whole log are taken, one
change is made, and all is recomputed that a clever cheat would recompute: sums, what the events name, every
entry, the tree, the signatures, the proofs, the parties' receipts. Then the rule is named that gives it away.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from api.draw_offline import judge
from domain.drawing.bundle import draw
from domain.drawing.lines import read_frame, read_pool, write_sample, write_teams
from domain.drawing.rules import read_rules
from domain.drawing.succession import succession_key
from domain.drawing.verify import Verdict
from infrastructure.beacons import is_quicknet_signature
from infrastructure.database import open_store
from infrastructure.standalone import standalone_verifier
from tests.application.fraud import LOTTERY, Event, Fraud, later, real_fraud, write
from tests.domain.drawing.cheats import dropping, repeating, respelling, setting, swapping
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.office import Agency, open_agency

NOW = datetime(2024, 6, 1, tzinfo=UTC)
FRAME, POOL, RULES, SEED = "frame.jsonl", "pool.jsonl", "rules.json", "seed.json"
SAMPLE, TEAMS, CHANGES, SUMS = "sample.jsonl", "teams.jsonl", "changes.jsonl", "SHA256SUMS"
Cheat = Callable[[Fraud], object]
Line = dict[str, Any]


def _agency(folder: Path) -> Agency:
    """An agency over a store of its own, which is closed with the process."""
    clock = FakeClock()
    shutil.rmtree(folder, ignore_errors=True)
    with sqlite_url(folder / "store") as url:
        return open_agency(open_store(url, clock=clock), clock, folder)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Fraud:
    """A draw by lottery in which all went well."""
    agency = _agency(tmp_path_factory.mktemp("real"))
    try:
        return real_fraud(agency, LOTTERY)
    finally:
        agency.store.close()


@pytest.fixture(scope="module")
def by_beacon(tmp_path_factory: pytest.TempPathFactory) -> Fraud:
    """A draw by the beacon, whose operator took a signature of his own making for genuine."""
    agency = _agency(tmp_path_factory.mktemp("beacon"))
    blind = replace(agency, office=replace(agency.office, beacon=lambda number, signature: True))
    try:
        return real_fraud(blind, {"kind": "drand-quicknet", "round": ROUND})
    finally:
        agency.store.close()


ROUND = (1711972800 - 1692803367) // 3
"""A round of the first of April 2024, afternoon in China."""


def verdict(fraud: Fraud, folder: Path, *, ledger: bool = True) -> Verdict:
    bundle, exported = fraud.publish(folder)
    return judge(
        bundle,
        policy=fraud.policy,
        ledger=exported if ledger else None,
        beacon=is_quicknet_signature,
        is_working_day=lambda day: day.weekday() < 5,
        now=NOW,
    )


def test_the_draw_itself_is_sound(real: Fraud, tmp_path: Path) -> None:
    found = verdict(real.copy(), tmp_path)
    assert found.broken is None
    assert {"frame", "pool", "seed", "sample", "teams", "changes", "sums", "proofs", "log"} <= set(
        found.checked
    )
    assert len(real.lines(CHANGES)) == 2


# --- changes to lines -------------------------------------------------------------------------------------


def adding(file: str, **values: object) -> Cheat:
    """One line more, like the last one."""

    def add(fraud: Fraud) -> None:
        number = len(fraud.lines(file))
        repeating(file, number)(fraud)
        setting(file, number + 1, **values)(fraud)

    return add


def last(cheat: Callable[[str, int], Callable[[Fraud], None]], file: str) -> Cheat:
    return lambda fraud: cheat(file, len(fraud.lines(file)))(fraud)


def refitted(cheat: Cheat) -> Cheat:
    """Root and counts in rules.json fit again, and the seed follows; the result does not."""

    def refit(fraud: Fraud) -> None:
        cheat(fraud)
        fraud.refit_rules()
        fraud.reseed()

    return refit


def ruling(**values: object) -> Cheat:
    return lambda fraud: fraud.edit(RULES, 1, lambda rules: rules.update(values))


def in_stratum(field: str, by: int) -> Cheat:
    """A figure of the first stratum."""

    def change(rules: Line) -> None:
        rules["strata"][0][field] += by

    return lambda fraud: fraud.edit(RULES, 1, change)


def listed(list: str, field: str, value: object) -> Cheat:
    return lambda fraud: fraud.edit(RULES, 1, lambda rules: rules[list].update({field: value}))


# --- chance -----------------------------------------------------------------------------------------------


def other_secret(fraud: Fraud) -> None:
    fraud.edit(SEED, 1, lambda seed: seed["reveals"][0].update(secret="00" * 32))
    fraud.event("draw.revealed.v1").state["secret"] = "00" * 32
    fraud.reseed()


def other_value(fraud: Fraud) -> None:
    """Digits that suit better: typed, observed and in the file, but the seed is the old one's."""
    fraud.edit(SEED, 1, lambda seed: seed.update(public_value="9999999999"))
    fraud.event("draw.public-value-observed.v1").state["value"] = "9999999999"


# --- who was drawn ----------------------------------------------------------------------------------------


def swap_site(fraud: Fraud) -> None:
    """The friend's factory leaves; the next one comes in with its own true ticket, in sample and teams."""
    drawn = fraud.value(SAMPLE)
    ids = {json.loads(line)["id"] for line in fraud.lines(SAMPLE)}
    sites = [json.loads(line) for line in fraud.lines(FRAME)]
    other = next(
        one["id"]
        for one in sites
        if one["stratum"] == drawn["stratum"] and one["eligible"] and one["id"] not in ids
    )
    prefix = b"sunlot-object-v1\0" + bytes.fromhex(fraud.value(SEED)["seed"]) + drawn["stratum"].encode()
    ticket = sha256(prefix + b"\0" + other.encode()).hexdigest()
    setting(SAMPLE, 1, id=other, ticket=ticket)(fraud)
    lines = fraud.lines(TEAMS)
    fraud.put(TEAMS, [line.replace(drawn["id"].encode(), other.encode()) for line in lines])


def people(fraud: Fraud) -> list[Line]:
    return [json.loads(line) for line in fraud.lines(POOL)]


def site_of(fraud: Fraud, id: str) -> Line:
    return next(one for line in fraud.lines(FRAME) if (one := json.loads(line))["id"] == id)


def seating(place: int, choose: Callable[[Fraud, Line], str | None]) -> Cheat:
    """Somebody else in a seat of the last team."""

    def seat(fraud: Fraud) -> None:
        number = len(fraud.lines(TEAMS))

        def change(team: Line) -> None:
            team["seats"][place]["inspector"] = choose(fraud, team)

        fraud.edit(TEAMS, number, change)

    return seat


def no_leader(fraud: Fraud, team: Line) -> str:
    return next(str(one["ref"]) for one in people(fraud) if not one["lead"])


def colleague(fraud: Fraud, team: Line) -> str:
    """Somebody who may sit there, but is not the one that follows."""
    taken = {seat["inspector"] for seat in team["seats"]}
    return next(str(one["ref"]) for one in people(fraud) if one["lead"] and one["ref"] not in taken)


# --- what came after --------------------------------------------------------------------------------------


def other_substitute(fraud: Fraud) -> None:
    """Of those who may take the seat, the second in its succession, not the first."""
    change, seed = fraud.value(CHANGES), bytes.fromhex(fraud.value(SEED)["seed"])
    away = {change["recused"], change["substitute"]}
    refs = [str(one["ref"]) for one in people(fraud) if one["lead"] and one["ref"] not in away]
    second = min(refs, key=lambda ref: succession_key(seed, change["id"], change["seat"], ref))
    setting(CHANGES, 1, substitute=second)(fraud)


def other_replacement(fraud: Fraud) -> None:
    """A site further down the reserve."""
    change = fraud.value(CHANGES, 2)
    away = {json.loads(line)["id"] for line in fraud.lines(SAMPLE)} | {change["replacement"]}
    stratum = site_of(fraud, change["id"])["stratum"]
    sites = [json.loads(line) for line in fraud.lines(FRAME)]
    other = next(one["id"] for one in sites if one["stratum"] == stratum and one["id"] not in away)
    setting(CHANGES, 2, replacement=other)(fraud)


def wrong_sums(fraud: Fraud) -> None:
    fraud.files[SUMS] = fraud.files[SUMS].replace(sha256(fraud.files[SEED]).hexdigest().encode(), b"0" * 64)


BUNDLE: list[tuple[str, Cheat, str, str]] = [
    ("a site's weight changed", setting(FRAME, 2, weight=99), FRAME, "frame-root"),
    ("a site left out", dropping(FRAME, 2), FRAME, "frame-size"),
    ("a site added", adding(FRAME, id="site-~"), FRAME, "frame-size"),
    ("sites re-ordered", swapping(FRAME, 4, 5), f"{FRAME}:5", "unsorted"),
    ("a site twice", repeating(FRAME, 9), f"{FRAME}:10", "repeated"),
    ("a space in a line", respelling(FRAME, 7, b'{"area"', b'{ "area"'), f"{FRAME}:7", "not-canonical"),
    ("a float", respelling(FRAME, 7, b'"weight":', b'"weight":1.'), f"{FRAME}:7", "float"),
    ("a key twice", respelling(POOL, 3, b'{"areas"', b'{"cap":1,"areas"'), f"{POOL}:3", "duplicate-key"),
    (
        "a stratum without a rule",
        setting(FRAME, 2, stratum="friends"),
        f"{FRAME}:2",
        "stratum-without-a-rule",
    ),
    ("an inspector's limit changed", setting(POOL, 2, cap=1), POOL, "pool-root"),
    ("an inspector left out", dropping(POOL, 2), POOL, "pool-size"),
    ("an inspector added", adding(POOL, ref="inspector-~"), POOL, "pool-size"),
    ("inspectors re-ordered", swapping(POOL, 4, 5), f"{POOL}:5", "unsorted"),
    ("an inspector twice", repeating(POOL, 4), f"{POOL}:5", "repeated"),
    ("a site left out, rules and seed made to fit", refitted(dropping(FRAME, 2)), SAMPLE, ""),
    ("an inspector left out, rules and seed made to fit", refitted(dropping(POOL, 2)), SAMPLE, ""),
    ("another root", listed("frame", "root", "00" * 32), FRAME, "frame-root"),
    ("another root of the pool", listed("pool", "root", "00" * 32), POOL, "pool-root"),
    ("another size of the pool", listed("pool", "size", 3), POOL, "pool-size"),
    ("another size", listed("frame", "size", 99), f"{RULES}:1", "frame-size"),
    ("an eligible count", in_stratum("eligible", -1), f"{RULES}:1", "stratum-eligible"),
    ("a sample size", in_stratum("sample", -1), f"{RULES}:1", "stratum-sample"),
    ("a secret that opens nothing", other_secret, SEED, "commitment-does-not-open"),
    ("another seed", setting(SEED, 1, seed="00" * 32), SEED, "wrong-seed"),
    ("another public value", other_value, SEED, "wrong-seed"),
    ("a drawn site swapped for the next", swap_site, f"{SAMPLE}:1", "site-swapped"),
    ("a doctored ticket", setting(SAMPLE, 2, ticket="00" * 32), f"{SAMPLE}:2", "wrong-ticket"),
    ("a doctored rank", setting(SAMPLE, 2, rank=1), f"{SAMPLE}:2", "wrong-rank"),
    ("a drawn site left out", last(dropping, SAMPLE), SAMPLE, "line-left-out"),
    ("a drawn site added", adding(SAMPLE, id="site-~"), SAMPLE, "line-added"),
    ("a drawn site twice", repeating(SAMPLE, 2), f"{SAMPLE}:3", "line-duplicated"),
    ("drawn sites re-ordered", swapping(SAMPLE, 1, 2), f"{SAMPLE}:1", "line-moved"),
    ("a team left out", last(dropping, TEAMS), TEAMS, "line-left-out"),
    ("teams re-ordered", swapping(TEAMS, 1, 2), f"{TEAMS}:1", "line-moved"),
    ("a team twice", repeating(TEAMS, 1), f"{TEAMS}:2", "line-duplicated"),
    ("an inspector who may not sit", seating(0, no_leader), TEAMS, "inspector-may-not-sit"),
    ("an inspector who is not next", seating(0, colleague), TEAMS, "inspector-not-next"),
    ("an inspector of nobody's pool", seating(0, lambda f, t: "inspector-~"), TEAMS, "inspector-unknown"),
    ("a seat left empty", seating(1, lambda f, t: None), TEAMS, "seat-left-empty"),
    ("a substitute who is not next", other_substitute, f"{CHANGES}:1", "wrong-substitute"),
    ("a replacement that is not next", other_replacement, f"{CHANGES}:2", "wrong-replacement"),
    ("a sum that differs", wrong_sums, SUMS, "sum-differs"),
]
"""What is done, and the file (and line, where it is one) and the rule that give it away."""


@pytest.mark.parametrize(
    ("cheat", "place", "rule"), [one[1:] for one in BUNDLE], ids=[one[0] for one in BUNDLE]
)
def test_a_cheat_with_the_files(real: Fraud, tmp_path: Path, cheat: Cheat, place: str, rule: str) -> None:
    """The events name the forged files, the log is made anew: arithmetic alone gives it away."""
    fraud = real.copy()
    cheat(fraud)
    fraud.retell()
    assert_broken(verdict(fraud, tmp_path), place, rule)


def assert_broken(found: Verdict, place: str, rule: str) -> None:
    broken = found.broken
    assert broken is not None, "the cheat was not found"
    file, _, line = place.partition(":")
    assert broken.file == file
    assert rule in ("", broken.rule)
    assert not line or broken.line == int(line)


def test_a_forged_beacon(by_beacon: Fraud, tmp_path: Path) -> None:
    """Whoever makes a signature up can make everything fit but the curve."""
    assert_broken(verdict(by_beacon.copy(), tmp_path), f"{SEED}:1", "forged-signature")


# --- with the ledger --------------------------------------------------------------------------------------


def hide_voided(fraud: Fraud) -> None:
    """The voided draw never was: its events tell of something else now."""
    other = fraud.other()
    for one in fraud.log:
        if one.stream == other:
            one.topic = one.topic.replace("draw.", "note.")


def announcing(**facts: object) -> Cheat:
    """Another draw of the same row, announced in silence."""

    def announce(fraud: Fraud) -> None:
        own = fraud.event("draw.announced.v1")
        told = {**own.state, "draw_no": 3, "attempt": 2, "public_source": {"kind": "dice", "rolls": 20}}
        fraud.log.append(Event(f"draw-{'f' * 32}", own.topic, fraud.log[-1].at, {**told, **facts}))

    return announce


def same_source(fraud: Fraud) -> None:
    told = fraud.event("draw.announced.v1", stream=fraud.other())
    told.state["public_source"] = fraud.event("draw.announced.v1").state["public_source"]


def seal_late(fraud: Fraud) -> None:
    fraud.delay("draw.sealed.v1", datetime(2024, 4, 2, 13, 30, tzinfo=UTC))


def reveal_late(fraud: Fraud) -> None:
    fraud.delay("draw.revealed.v1", datetime(2024, 4, 2, 13, 30, tzinfo=UTC))


def observe_early(fraud: Fraud) -> None:
    for one in fraud.log:
        one.at = min(one.at, datetime(2024, 4, 2, 13, 0, tzinfo=UTC))


def void_late(fraud: Fraud) -> None:
    """The voided draw's source had given its value when it was voided, and no warning was shown."""
    told = fraud.event("draw.announced.v1", stream=fraud.other())
    told.state["public_source"]["at"] = told.at.isoformat()


def void_with_value(fraud: Fraud) -> None:
    """A draw whose value was seen is voided all the same."""
    void = fraud.event("draw.voided.v1", stream=fraud.other())
    seen = Event(void.stream, "draw.public-value-observed.v1", void.at, {"value": "1", "evidence": {}})
    fraud.insert(void, seen)


def complete_late(fraud: Fraud) -> None:
    fraud.delay("draw.completed.v1", later(fraud.event("draw.public-value-observed.v1"), days=7))


def register_before_the_seal(fraud: Fraud) -> None:
    """A site slipped into the registry after the frame was read."""
    seal = fraud.event("draw.sealed.v1")
    site = next(one for one in fraud.log if one.topic == "site.registered.v1")
    fraud.insert(seal, Event(f"site-{'f' * 32}", site.topic, seal.at, site.state))


def remade(cheat: Cheat, *, honest_receipts: bool) -> Cheat:
    """A sealed list is exchanged and all made anew: rules, seed, sample, teams, the events, the whole log.

    Only what the parties kept may stay as it was, if they are honest.
    """

    def remake(fraud: Fraud) -> None:
        refitted(cheat)(fraud)
        made = draw(
            read_rules(fraud.files[RULES]),
            bytes.fromhex(fraud.value(SEED)["seed"]),
            read_frame(fraud.files[FRAME]),
            read_pool(fraud.files[POOL]),
        )
        fraud.files |= {SAMPLE: write_sample(made.sample), TEAMS: write_teams(made.teams), CHANGES: b""}
        fraud.sum()
        changed = (fraud.stream, "draw.changed.v1")
        fraud.log = [one for one in fraud.log if (one.stream, one.topic) != changed]
        fraud.retell()
        fraud.honest_receipts = honest_receipts

    return remake


def forget_event(fraud: Fraud) -> None:
    """The bundle is of a log without the recusal, the exported one has it."""
    fraud.log.append(Event(fraud.stream, "draw.changed.v1", fraud.log[-1].at, {"change": {}}))


LEDGER: list[tuple[str, Cheat, str]] = [
    ("a gap in draw numbers", hide_voided, "draw-number-gap"),
    ("a gap in attempts", announcing(attempt=3), "attempt-gap"),
    ("two live draws for one plan row", announcing(), "two-live-draws"),
    ("a source used twice", same_source, "source-used-twice"),
    ("a seal after the source", seal_late, "seal-after-source"),
    ("a reveal after the source", reveal_late, "reveal-after-source"),
    ("a value before its time", observe_early, "value-before-source"),
    ("a void after the source", void_late, "void-after-source"),
    ("a void after the value", void_with_value, "void-after-value"),
    ("not completed in time", complete_late, "not-completed-in-time"),
    ("the registries moved before the seal", register_before_the_seal, "registry-after-as-of"),
    (
        "a kept receipt that does not fit",
        remade(setting(FRAME, 2, weight=99), honest_receipts=True),
        "receipt-does-not-prove",
    ),
    (
        "a frame that the registry does not give",
        remade(setting(FRAME, 2, weight=99), honest_receipts=False),
        "frame-not-of-registry",
    ),
    (
        "a frame without a site of the registry",
        remade(dropping(FRAME, 2), honest_receipts=False),
        "frame-not-of-registry",
    ),
    (
        "a pool that the registry does not give",
        remade(setting(POOL, 2, cap=1), honest_receipts=False),
        "pool-not-of-registry",
    ),
    ("a change that the files do not have", forget_event, "step-differs-changes"),
]


@pytest.mark.parametrize(("cheat", "rule"), [one[1:] for one in LEDGER], ids=[one[0] for one in LEDGER])
def test_a_cheat_with_the_log(real: Fraud, tmp_path: Path, cheat: Cheat, rule: str) -> None:
    fraud = real.copy()
    cheat(fraud)
    found = verdict(fraud, tmp_path).broken
    assert found is not None, "the cheat was not found"
    assert found.rule == rule


def test_an_event_that_the_bundle_leaves_out(real: Fraud, tmp_path: Path) -> None:
    """The ledger has one more event of the draw than the bundle shows."""
    bundle, _ = real.copy().publish(tmp_path / "shown")
    longer = real.copy()
    longer.log.append(Event(real.stream, "draw.changed.v1", longer.log[-1].at, {"change": {}}))
    _, ledger = longer.publish(tmp_path / "kept")
    found = judge(bundle, policy=real.policy, ledger=ledger, now=NOW).broken
    assert found is not None
    assert found.rule == "event-left-out"


ALONE = [BUNDLE[0], BUNDLE[25], BUNDLE[36], BUNDLE[39]]


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """verify.py, as it lies in every bundle."""
    file = tmp_path_factory.mktemp("alone") / "verify.py"
    file.write_bytes(standalone_verifier())
    return file


def alone(script: Path, fraud: Fraud, folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """What the one file says in an interpreter without site packages, in another folder."""
    bundle, ledger = fraud.publish(folder)
    policy = write(folder, {"policy": fraud.policy.encode()}) / "policy"
    given = (str(bundle), "--trust-policy", str(policy), "--ledger", str(ledger), "--json", *words)
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *given],
        capture_output=True,
        text=True,
        cwd=script.parent,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_the_one_file_finds_the_draw_sound(real: Fraud, script: Path, tmp_path: Path) -> None:
    assert real.files["verify.py"] == script.read_bytes()
    code, found = alone(script, real.copy(), tmp_path)
    assert (code, found["sound"]) == (0, True)
    assert "log" in found["checked"]


@pytest.mark.parametrize(
    ("cheat", "place", "rule"), [one[1:] for one in ALONE], ids=[one[0] for one in ALONE]
)
def test_the_one_file_finds_it_too(
    real: Fraud, script: Path, tmp_path: Path, cheat: Cheat, place: str, rule: str
) -> None:
    fraud = real.copy()
    cheat(fraud)
    fraud.retell()
    code, found = alone(script, fraud, tmp_path)
    assert (code, found["broken"]["rule"], found["broken"]["file"]) == (1, rule, place.partition(":")[0])


def test_the_one_file_finds_a_cheat_with_the_log(real: Fraud, script: Path, tmp_path: Path) -> None:
    fraud = real.copy()
    hide_voided(fraud)
    code, found = alone(script, fraud, tmp_path)
    assert (code, found["broken"]["rule"]) == (1, "draw-number-gap")
