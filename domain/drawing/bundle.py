"""A draw's files: what is sealed, what chance makes of it, and the sums over both.

Each step takes values and gives the exact bytes to keep; reading asks an opener for each file by its name, so
that a directory, an archive or a store of blobs will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, TypeAlias

from domain.drawing.errors import MissingFile, WrongResult
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
    write_frame,
    write_pool,
    write_sample,
    write_teams,
)
from domain.drawing.match import match_teams
from domain.drawing.rules import (
    Contributor,
    Rules,
    SeatRule,
    check_frame,
    check_pool,
    form_strata,
    hash_rules,
    list_lines,
    read_rules,
    write_rules,
)
from domain.drawing.seed import Reveal, SeedRecord, check_seed, make_seed, read_seed, write_seed
from domain.drawing.select import Reserve, select_sites
from domain.drawing.source import PublicSource
from domain.drawing.succession import Standing

Opener: TypeAlias = Callable[[str], bytes]
"""Gives the bytes of the file with this name; raises FileNotFoundError or KeyError if there is none."""

SUMMED: Final = ("frame.jsonl", "pool.jsonl", "rules.json", "sample.jsonl", "seed.json", "teams.jsonl")
SUMS: Final = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """What is fixed before chance: the rules, their hash (32 raw bytes) and the bytes of the three files."""

    rules: Rules
    rules_hash: bytes
    frame_jsonl: bytes
    pool_jsonl: bytes
    rules_json: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed makes of frame, pool and rules."""

    sample: list[Drawn]
    teams: list[Team]
    reserves: Mapping[str, Reserve]


@dataclass(frozen=True, slots=True)
class CompletedFiles:
    """The result, and the bytes of its four files; `sums_hash` (32 raw bytes) is what the event holds."""

    seed: bytes
    outcome: Outcome
    seed_json: bytes
    sample_jsonl: bytes
    teams_jsonl: bytes
    sums: bytes
    sums_hash: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it was read: each line well-formed and in order, but nothing recomputed.

    Of a public bundle `pool`, `teams` and `changes` are None; `changes` also is before the draw was opened.
    `files` are the bytes.
    """

    rules: Rules
    frame: list[Site]
    seed: SeedRecord
    sample: list[Drawn]
    pool: list[Inspector] | None
    teams: list[Team] | None
    changes: list[Change] | None
    files: Mapping[str, bytes]


def seal_draw(
    *,
    log: str,
    draw_no: int,
    attempt: int,
    plan_row: str,
    as_of: int,
    contributors: Iterable[Contributor],
    public_source: PublicSource,
    rates: Mapping[str, tuple[int, int]],
    team: Iterable[SeatRule],
    frame: Sequence[Site],
    pool: Sequence[Inspector],
    supplements: int | None = None,
) -> SealedFiles:
    """Freeze a draw: `rates` are (numerator, denominator) by stratum; `as_of` is a position in `log`.

    Frame and pool may come in any order. Raises WrongShape, WrongOrder or WrongFigure for what no bundle may
    hold.
    """
    frame_jsonl, pool_jsonl = write_frame(frame), write_pool(pool)
    rules = Rules(
        log=log,
        draw_no=draw_no,
        attempt=attempt,
        plan_row=plan_row,
        as_of=as_of,
        contributors=tuple(contributors),
        public_source=public_source,
        frame=list_lines(frame_jsonl),
        pool=list_lines(pool_jsonl),
        strata=form_strata(frame, rates),
        team=tuple(team),
        supplements=supplements,
    )
    return SealedFiles(rules, hash_rules(rules), frame_jsonl, pool_jsonl, write_rules(rules))


def draw(rules: Rules, seed: bytes, frame: Sequence[Site], pool: Iterable[Inspector]) -> Outcome:
    """Sample, teams and reserves. Nothing but these four decides, whatever the order of frame and pool."""
    selection = select_sites(seed, rules.strata, frame)
    drawn = {one.id for one in selection.sample}
    teams = match_teams(seed, rules.team, (site for site in frame if site.id in drawn), pool)
    return Outcome(selection.sample, teams, selection.reserves)


def complete_draw(
    sealed: Mapping[str, bytes], reveals: Sequence[Reveal], public_value: str, evidence: Mapping[str, Any]
) -> CompletedFiles:
    """Draw from the bytes that were sealed, by the names frame.jsonl, pool.jsonl and rules.json.

    Raises WrongFigure if frame or pool are not those of the rules, WrongSecret or WrongValue if the seed
    cannot be made.
    """
    rules = read_rules(sealed["rules.json"])
    frame, pool = read_frame(sealed["frame.jsonl"]), read_pool(sealed["pool.jsonl"])
    check_frame(rules, sealed["frame.jsonl"], frame)
    check_pool(rules, sealed["pool.jsonl"])
    record = make_seed(rules, reveals, public_value, evidence)
    outcome = draw(rules, record.seed, frame, pool)
    made = {
        "seed.json": write_seed(record),
        "sample.jsonl": write_sample(outcome.sample),
        "teams.jsonl": write_teams(outcome.teams),
    }
    sums = write_sums({**sealed, **made})
    return CompletedFiles(
        seed=record.seed,
        outcome=outcome,
        seed_json=made["seed.json"],
        sample_jsonl=made["sample.jsonl"],
        teams_jsonl=made["teams.jsonl"],
        sums=sums,
        sums_hash=sha256(sums).digest(),
    )


def write_sums(files: Mapping[str, bytes]) -> bytes:
    """SHA256SUMS of the six files that it covers, as `sha256sum` writes it; others are left out."""
    return b"".join(
        b"%s  %s\n" % (sha256(files[name]).hexdigest().encode(), name.encode()) for name in SUMMED
    )


def read_bundle(open_file: Opener) -> Bundle:
    """Read a bundle, public or auditor's.

    Raises MissingFile for one without frame, rules, seed or sample, and what reading raises.
    """
    names = (*SUMMED, "changes.jsonl", SUMS)
    files = {name: data for name in names if (data := _open_if_there(open_file, name)) is not None}
    for name in ("rules.json", "frame.jsonl", "seed.json", "sample.jsonl"):
        if name not in files:
            raise MissingFile("missing-file", file=name)
    return Bundle(
        rules=read_rules(files["rules.json"]),
        frame=read_frame(files["frame.jsonl"]),
        seed=read_seed(files["seed.json"]),
        sample=read_sample(files["sample.jsonl"]),
        pool=read_pool(files["pool.jsonl"]) if "pool.jsonl" in files else None,
        teams=read_teams(files["teams.jsonl"]) if "teams.jsonl" in files else None,
        changes=read_changes(files["changes.jsonl"]) if "changes.jsonl" in files else None,
        files=files,
    )


def stand(bundle: Bundle) -> Standing:
    """The teams after the bundle's changes, ready for the next; all is drawn and checked again first.

    Raises MissingFile for a public bundle, WrongResult where sample, teams or a change are not what follows.
    """
    if bundle.pool is None or bundle.teams is None:
        raise MissingFile("missing-file", "changes need the pool and the teams", file="pool.jsonl")
    outcome = redraw(bundle)
    return Standing(
        bundle.seed.seed,
        bundle.rules.team,
        bundle.frame,
        bundle.pool,
        bundle.teams,
        outcome.reserves,
        bundle.changes or (),
    )


def redraw(bundle: Bundle) -> Outcome:
    """Recompute a bundle and compare. Without the pool, sites alone: the outcome's teams are empty.

    Raises WrongFigure, WrongSecret, WrongValue or WrongResult with the first file and line that differ.
    """
    check_frame(bundle.rules, bundle.files["frame.jsonl"], bundle.frame)
    check_seed(bundle.rules, bundle.seed)
    if bundle.pool is None:
        selection = select_sites(bundle.seed.seed, bundle.rules.strata, bundle.frame)
        outcome = Outcome(selection.sample, [], selection.reserves)
    else:
        check_pool(bundle.rules, bundle.files["pool.jsonl"])
        outcome = draw(bundle.rules, bundle.seed.seed, bundle.frame, bundle.pool)
    _check_lines("sample.jsonl", bundle.sample, outcome.sample)
    if bundle.pool is not None and bundle.teams is not None:
        _check_lines("teams.jsonl", bundle.teams, outcome.teams)
    return outcome


def _open_if_there(open_file: Opener, name: str) -> bytes | None:
    try:
        return open_file(name)
    except (FileNotFoundError, KeyError):
        return None


def _check_lines(file: str, found: Sequence[object], follow: Sequence[object]) -> None:
    for number, (one, other) in enumerate(zip(found, follow, strict=False), start=1):
        if one != other:
            raise WrongResult("wrong-line", f"{one} instead of {other}", file=file, line=number)
    if len(found) != len(follow):
        line = min(len(found), len(follow)) + 1
        raise WrongResult(
            "wrong-length", f"{len(found)} lines instead of {len(follow)}", file=file, line=line
        )
