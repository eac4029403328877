"""A supplementary draw beside the draw whose unfilled seats it fills: both auditor's bundles are needed."""

from __future__ import annotations

from collections.abc import Iterator

from domain.drawing.bundle import draw
from domain.drawing.errors import WrongFigure
from domain.drawing.lines import Site
from domain.drawing.succession import Standing
from domain.drawing.verify import Files


def check_supplement(files: Files, earlier: Files) -> bool:
    """Raises WrongFigure unless the frame's sites missed the team's seats, at one moment of the earlier draw.

    False where it cannot be determined, because a bundle is public or not opened. Both are checked before.
    Rules: supplement-of-another, supplement-team, supplement-site, supplement-line.
    """
    rules, before = files.rules, earlier.rules
    if (rules.supplements, rules.log, rules.plan_row) != (before.draw_no, before.log, before.plan_row):
        raise WrongFigure("supplement-of-another", f"draw {before.draw_no}", file="rules.json", line=1)
    seats = [one for one in before.team if one in rules.team]
    if list(rules.team) != seats:
        raise WrongFigure("supplement-team", f"draw {before.draw_no}", file="rules.json", line=1)
    if files.frame is None or earlier.pool is None or earlier.frame is None or earlier.teams is None:
        return False
    _check_lines(files.frame, {site.id: site for site in earlier.frame})
    wanted, missed = {site.id for site in files.frame}, tuple(one.seat for one in rules.team)
    if not any(wanted <= sites for sites in _missing(earlier, missed)):
        detail = f"{', '.join(missed)} at {', '.join(sorted(wanted))}"
        raise WrongFigure("supplement-site", detail, file="frame.jsonl")
    return True


def _check_lines(frame: list[Site], known: dict[str, Site]) -> None:
    for number, site in enumerate(frame, start=1):
        line = known.get(site.id)
        if line is None or line._replace(salt="", eligible=True, reason="") != site._replace(salt=""):
            raise WrongFigure("supplement-line", site.id, file="frame.jsonl", line=number)


def _missing(earlier: Files, seats: tuple[str, ...]) -> Iterator[set[str]]:
    """The sites at which exactly these seats are nobody's: as drawn, and after each change."""
    frame, pool, teams = earlier.frame or [], earlier.pool or [], earlier.teams or []
    outcome = draw(earlier.rules, earlier.seed.seed, frame, pool)
    standing = Standing(earlier.seed.seed, earlier.rules.team, frame, pool, teams, outcome.reserves)
    yield _missing_now(standing, seats)
    for change in earlier.changes or ():
        standing.take(change)
        yield _missing_now(standing, seats)


def _missing_now(standing: Standing, seats: tuple[str, ...]) -> set[str]:
    return {
        id
        for id in standing.sites
        if tuple(one.seat for one in standing.team(id).seats if one.inspector is None) == seats
    }
