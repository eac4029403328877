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
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.draw_offline import judge
from domain.drawing.verify import Verdict
from infrastructure.beacons import is_quicknet_signature
from infrastructure.database import open_store
from infrastructure.standalone import standalone_verifier
from tests.application.fraud import LOTTERY, Event, Fraud, real_fraud, write
from tests.application.frauds import (
    CHANGES,
    FRAME,
    POOL,
    RULES,
    SAMPLE,
    SEED,
    SUMS,
    TEAMS,
    Cheat,
    adding,
    announcing,
    colleague,
    complete_late,
    forget_event,
    hide_voided,
    in_stratum,
    last,
    listed,
    no_leader,
    observe_early,
    other_replacement,
    other_secret,
    other_substitute,
    other_value,
    refitted,
    register_before_the_seal,
    remade,
    reveal_late,
    same_source,
    seal_late,
    seating,
    swap_site,
    void_late,
    void_with_value,
    wrong_sums,
)
from tests.domain.drawing.cheats import dropping, repeating, respelling, setting, swapping
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.office import Agency, open_agency

NOW = datetime(2024, 6, 1, tzinfo=UTC)


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
