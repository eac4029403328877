"""Verifying a bundle as if a stranger had made it: all that follows is worked out again and held against it.

What a bundle alone can show is checked here. That it was sealed before chance came, and was the only one, is
shown by the ledger's proofs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, TypeAlias

from domain.drawing.bundle import SUMMED, SUMS, Opener, Outcome, draw
from domain.drawing.compare import compare_sample, compare_teams
from domain.drawing.errors import DrawingError, MissingFile, WrongFigure, WrongResult, WrongValue
from domain.drawing.lines import (
    Change,
    Drawn,
    Inspector,
    Site,
    Team,
    read_changes,
    read_frame,
    read_pool,
    read_sample,
    read_teams,
)
from domain.drawing.narrow import NARROW_FILE, check_narrow
from domain.drawing.rules import Rules, check_frame, check_pool, read_rules
from domain.drawing.seed import SeedRecord, check_seed, read_seed
from domain.drawing.select import draw_ticket, select_sites
from domain.drawing.source import Quicknet
from domain.drawing.succession import Standing

Beacon: TypeAlias = Callable[[int, bytes], bool]
"""Whether 48 bytes are drand quicknet's signature of a round; for who has a library for such curves."""

CHANGES: Final = "changes.jsonl"
_SUM: Final = re.compile(rb"([0-9a-f]{64})  ([!-~]+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification came to.

    `checked` names what was worked out again and agrees, in order; `unchecked` names what was not looked at,
    with the reason; `broken` is the first thing that is wrong, None if nothing is. After it nothing more was
    looked at.
    """

    checked: tuple[str, ...]
    unchecked: tuple[tuple[str, str], ...]
    broken: DrawingError | None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with what was checked."""
        return self.broken is None


@dataclass(slots=True)
class Progress:
    """What has been checked so far, and what could not be."""

    checked: list[str] = field(default_factory=list)
    unchecked: list[tuple[str, str]] = field(default_factory=list)

    def conclude(self, broken: DrawingError | None) -> Verdict:
        """The verdict as far as it has come."""
        return Verdict(tuple(self.checked), tuple(self.unchecked), broken)


@dataclass(slots=True)
class Files:
    """The files of a bundle, each line well-formed and in order; None for those that are not in it.

    A public bundle has neither pool, teams nor changes, and none with a confidential stratum has its frame.
    """

    raw: dict[str, bytes]
    rules: Rules
    seed: SeedRecord
    sample: list[Drawn]
    frame: list[Site] | None
    pool: list[Inspector] | None
    teams: list[Team] | None
    changes: list[Change] | None


def verify_bundle(open_file: Opener, *, beacon: Beacon | None = None) -> Verdict:
    """Check all that a bundle's own files can show.

    Raises MissingFile for a bundle without rules, seed, sample or sums: what cannot be read cannot be judged.
    """
    progress = Progress()
    try:
        check_bundle(open_file, progress, beacon)
    except MissingFile:
        raise
    except DrawingError as error:
        return progress.conclude(error)
    return progress.conclude(None)


def check_bundle(open_file: Opener, progress: Progress, beacon: Beacon | None = None) -> Files:
    """The same, step by step, for who goes on with proofs. Raises the first thing that is wrong."""
    files = read_files(open_file)
    progress.checked.append("format")
    for name, check in _steps(files, progress, beacon):
        check()
        progress.checked.append(name)
    return files


def read_files(open_file: Opener) -> Files:
    """Read what there is, strictly. Raises MissingFile, NotCanonical, WrongShape, WrongOrder, WrongFigure."""
    names = (*SUMMED, CHANGES, SUMS, NARROW_FILE)
    raw = {name: data for name in names if (data := _read(open_file, name)) is not None}
    for name in ("rules.json", "seed.json", "sample.jsonl", SUMS):
        if name not in raw:
            raise MissingFile("missing-file", file=name)
    return Files(
        raw=raw,
        rules=read_rules(raw["rules.json"]),
        frame=read_frame(raw["frame.jsonl"]) if "frame.jsonl" in raw else None,
        pool=read_pool(raw["pool.jsonl"]) if "pool.jsonl" in raw else None,
        seed=read_seed(raw["seed.json"]),
        sample=read_sample(raw["sample.jsonl"]),
        teams=read_teams(raw["teams.jsonl"]) if "teams.jsonl" in raw else None,
        changes=read_changes(raw[CHANGES]) if CHANGES in raw else None,
    )


def _steps(
    files: Files, progress: Progress, beacon: Beacon | None
) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is to be checked of these files, in order; what cannot be is noted on the way."""
    rules, frame, pool, raw = files.rules, files.frame, files.pool, files.raw
    if frame is not None:
        yield "frame", lambda: check_frame(rules, raw["frame.jsonl"], frame)
    if pool is not None:
        yield "pool", lambda: check_pool(rules, raw["pool.jsonl"])
    yield "seed", lambda: check_seed(rules, files.seed)
    yield from _beacon_steps(files, progress, beacon)
    if frame is None:
        progress.unchecked.append(("sample", "frame-confidential"))
        yield "tickets", lambda: check_tickets(files)
    elif pool is None or files.teams is None:
        yield "sample", lambda: _check_sites(files, frame)
    else:
        yield from _whole_steps(files, frame, pool, files.teams, progress)
    if pool is None or files.teams is None:
        progress.unchecked.append(("teams", "public-bundle"))
    yield "sums", lambda: check_sums(raw)


def _beacon_steps(
    files: Files, progress: Progress, beacon: Beacon | None
) -> Iterator[tuple[str, Callable[[], None]]]:
    source = files.rules.public_source
    if not isinstance(source, Quicknet):
        progress.unchecked.append(("public-value", "typed-in"))
    elif beacon is None:
        progress.unchecked.append(("public-value", "no-beacon-library"))
    else:
        yield "public-value", lambda: check_beacon(files, source, beacon)


def _whole_steps(
    files: Files, frame: list[Site], pool: list[Inspector], teams: list[Team], progress: Progress
) -> Iterator[tuple[str, Callable[[], None]]]:
    if NARROW_FILE in files.raw:
        yield "narrow-seats", lambda: check_narrow(files.raw[NARROW_FILE], files.rules.team, frame, pool)
    else:
        progress.unchecked.append(("narrow-seats", "no-report"))
    outcome = draw(files.rules, files.seed.seed, frame, pool)
    yield "sample", lambda: compare_sample(files.sample, outcome.sample)
    yield "teams", lambda: _check_teams(files, frame, pool, teams, outcome)
    if files.changes is None:
        progress.unchecked.append(("changes", "not-opened"))
    else:
        yield "changes", lambda: _check_changes(files, frame, pool, teams, outcome)


def _check_sites(files: Files, frame: list[Site]) -> None:
    compare_sample(files.sample, select_sites(files.seed.seed, files.rules.strata, frame).sample)


def _check_teams(
    files: Files, frame: list[Site], pool: list[Inspector], teams: list[Team], outcome: Outcome
) -> None:
    drawn = {one.id for one in outcome.sample}
    sites = {site.id: site for site in frame if site.id in drawn}
    compare_teams(teams, outcome.teams, sites=sites, pool=pool, rules=files.rules.team)


def _check_changes(
    files: Files, frame: list[Site], pool: list[Inspector], teams: list[Team], outcome: Outcome
) -> None:
    changes = files.changes or ()
    Standing(files.seed.seed, files.rules.team, frame, pool, teams, outcome.reserves, changes)


def check_beacon(files: Files, source: Quicknet, beacon: Beacon) -> None:
    """Raises WrongValue unless the evidence is the beacon's own signature of the round."""
    signature = bytes.fromhex(files.seed.evidence["signature"])
    if not beacon(source.round, signature):
        raise WrongValue("forged-signature", f"round {source.round}", file="seed.json", line=1)


def check_tickets(files: Files) -> None:
    """What a sample shows without its frame: tickets, ranks and numbers; not that it is complete."""
    expected = {stratum.code: stratum.sample for stratum in files.rules.strata}
    order = {code: number for number, code in enumerate(expected)}
    ranks = dict.fromkeys(expected, 0)
    seen: set[str] = set()
    last = 0
    for number, one in enumerate(files.sample, start=1):
        if one.stratum not in expected:
            raise WrongFigure("stratum-without-a-rule", one.stratum, file="sample.jsonl", line=number)
        ranks[one.stratum] += 1
        ticket = draw_ticket(files.seed.seed, one.stratum, one.id).hex()
        for rule, wrong in (
            ("line-duplicated", one.id in seen),
            ("line-moved", order[one.stratum] < last),
            ("wrong-rank", one.rank != ranks[one.stratum]),
            ("wrong-ticket", one.ticket != ticket),
        ):
            if wrong:
                raise WrongResult(rule, one.id, file="sample.jsonl", line=number)
        seen.add(one.id)
        last = order[one.stratum]
    for code, count in ranks.items():
        if count != expected[code]:
            detail = f"{code}: {count} drawn instead of {expected[code]}"
            raise WrongFigure("stratum-sample", detail, file="sample.jsonl")


def check_sums(files: dict[str, bytes]) -> None:
    """Raises WrongResult unless SHA256SUMS names the six files in order, with the hashes of those at hand."""
    lines = files[SUMS].split(b"\n")
    if lines.pop() or len(lines) != len(SUMMED):
        raise WrongResult("sums-malformed", f"{len(SUMMED)} lines", file=SUMS, line=len(lines))
    for number, (line, name) in enumerate(zip(lines, SUMMED, strict=True), start=1):
        match = _SUM.fullmatch(line)
        if match is None or match[2] != name.encode():
            raise WrongResult("sums-malformed", f"the sum of {name} stands here", file=SUMS, line=number)
        if name in files and sha256(files[name]).hexdigest().encode() != match[1]:
            raise WrongResult("sum-differs", name, file=SUMS, line=number)


def _read(open_file: Opener, name: str) -> bytes | None:
    try:
        return open_file(name)
    except (FileNotFoundError, KeyError):
        return None
