"""What is wrong with a result that does not follow: its first such line, and the kind of cheat it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import zip_longest
from typing import Final, Protocol, TypeVar

from domain.drawing.errors import WrongResult
from domain.drawing.lines import Drawn, Inspector, Seated, Site, Team
from domain.drawing.rules import SeatRule

SAMPLE: Final = "sample.jsonl"
TEAMS: Final = "teams.jsonl"


class _Named(Protocol):
    @property
    def id(self) -> str: ...


Line = TypeVar("Line", bound=_Named)


def compare_sample(found: Sequence[Drawn], follow: Sequence[Drawn]) -> None:
    """Raises WrongResult for the first line of sample.jsonl that is not the one that follows.

    Rules: line-duplicated, line-left-out, line-added, line-moved, site-swapped, wrong-ticket, wrong-rank,
    wrong-stratum.
    """
    number = _first_difference(found, follow)
    if number is None:
        return
    _compare_ids(SAMPLE, number, found, follow)
    one, other = found[number], follow[number]
    for field in ("stratum", "rank", "ticket"):
        said, right = getattr(one, field), getattr(other, field)
        if said != right:
            raise _wrong(f"wrong-{field}", f"{one.id}: {said} instead of {right}", SAMPLE, number)


def compare_teams(
    found: Sequence[Team],
    follow: Sequence[Team],
    *,
    sites: Mapping[str, Site],
    pool: Sequence[Inspector],
    rules: Sequence[SeatRule],
) -> None:
    """Raises WrongResult for the first line of teams.jsonl that is not the one that follows.

    Rules: those of lines as for the sample, wrong-seats, inspector-unknown, inspector-may-not-sit,
    inspector-not-next, seat-left-empty.
    """
    number = _first_difference(found, follow)
    if number is None:
        return
    _compare_ids(TEAMS, number, found, follow)
    one, other = found[number], follow[number]
    if [seated.seat for seated in one.seats] != [rule.seat for rule in rules]:
        seats = ", ".join(seated.seat for seated in one.seats)
        raise _wrong("wrong-seats", f"{one.id}: {seats}", TEAMS, number)
    known = {inspector.ref: inspector for inspector in pool}
    loads = _loads_before(found[:number])
    for place, (seated, right) in enumerate(zip(one.seats, other.seats, strict=True)):
        if seated != right:
            said = f"{one.id}, {seated.seat}: {seated.inspector} instead of {right.inspector}"
            before = [earlier.inspector for earlier in one.seats[:place]]
            rule = _seat_rule(seated, sites[one.id], rules[place], known, loads, before)
            raise _wrong(*_with_detail(rule, said), TEAMS, number)


def why_not(inspector: Inspector, site: Site, rule: SeatRule) -> str:
    """Why an inspector may not have this seat at this site; "" if nothing stands in the way."""
    if site.area not in inspector.areas:
        return f"does not work in {site.area}"
    if site.id in inspector.conflicts:
        return "has a conflict with the site"
    if rule.lead and not inspector.lead:
        return "may not lead"
    if rule.skilled and site.needs and set(site.needs).isdisjoint(inspector.skills):
        return "has none of the skills that the site needs"
    return ""


def _seat_rule(
    seated: Seated,
    site: Site,
    rule: SeatRule,
    known: Mapping[str, Inspector],
    loads: Mapping[str, int],
    before: Collection[str | None],
) -> tuple[str, str]:
    """Which rule the one in the seat breaks, and how."""
    if seated.inspector is None:
        return "seat-left-empty", ""
    inspector = known.get(seated.inspector)
    if inspector is None:
        return "inspector-unknown", "not in the pool"
    reason = why_not(inspector, site, rule)
    if seated.inspector in before:
        reason = reason or "has another seat at this site"
    if loads.get(seated.inspector, 0) >= inspector.cap:
        reason = reason or "has as many seats as allowed"
    return ("inspector-may-not-sit", reason) if reason else ("inspector-not-next", "")


def _with_detail(rule: tuple[str, str], said: str) -> tuple[str, str]:
    name, reason = rule
    return name, f"{said} ({reason})" if reason else said


def _loads_before(teams: Sequence[Team]) -> dict[str, int]:
    loads: dict[str, int] = {}
    for team in teams:
        for seated in team.seats:
            if seated.inspector is not None:
                loads[seated.inspector] = loads.get(seated.inspector, 0) + 1
    return loads


def _compare_ids(file: str, number: int, found: Sequence[Line], follow: Sequence[Line]) -> None:
    """Say what was done with whole lines, if the lines at this place are not of the same site."""
    one = found[number].id if number < len(found) else None
    other = follow[number].id if number < len(follow) else None
    if one == other:
        return
    right = {line.id for line in follow}
    present = {line.id for line in found}
    if one is None:
        raise _wrong("line-left-out", f"{other} is missing", file, number)
    if any(line.id == one for line in found[:number]):
        raise _wrong("line-duplicated", one, file, number)
    if one in right:
        rule = "line-moved" if other in present or other is None else "line-left-out"
        raise _wrong(rule, f"{one} instead of {other}", file, number)
    if other is None or (other in present and len(found) > len(follow)):
        raise _wrong("line-added", one, file, number)
    raise _wrong("site-swapped", f"{one} instead of {other}", file, number)


def _first_difference(found: Sequence[object], follow: Sequence[object]) -> int | None:
    nothing = object()
    pairs = enumerate(zip_longest(found, follow, fillvalue=nothing))
    return next((number for number, (one, other) in pairs if one != other), None)


def _wrong(rule: str, detail: str, file: str, number: int) -> WrongResult:
    return WrongResult(rule, detail, file=file, line=number + 1)
