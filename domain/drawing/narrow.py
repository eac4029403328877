"""Narrow seats: those of an eligible site for which too few of the pool may sit.

Who knows such a pool can guess or steer who comes. The seats are listed with the seal, so that a second
person sees them before chance comes; a verifier lists them again from frame, pool and rules alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from domain.drawing.canonical import encode
from domain.drawing.errors import WrongResult
from domain.drawing.lines import Inspector, Site
from domain.drawing.rules import SeatRule

NARROW_BELOW: Final = 3
"""A seat for which fewer may sit is narrow."""

NARROW_FILE: Final = "reports/narrow-seats.jsonl"
"""Where an auditor's bundle has the list."""

_Group = tuple[str, bool, tuple[str, ...]]
"""An area, whether a lead is asked for, and the needs of which one must be met (none: any skill will do)."""


class NarrowSeat(NamedTuple):
    """A seat of a site and those who may sit there, by ref; loads, caps and the rest of the team aside."""

    id: str
    seat: str
    may_sit: tuple[str, ...]


class Qualified:
    """Who may sit where: the pool by area, lead and needs, each group formed once and not for every site."""

    def __init__(self, pool: Iterable[Inspector]) -> None:
        self._refs: dict[tuple[str, bool, str | None], set[str]] = {}
        self._barred: dict[str, set[str]] = {}
        self._groups: dict[_Group, frozenset[str]] = {}
        for one in pool:
            self._enter(one)

    def _enter(self, one: Inspector) -> None:
        for area in one.areas:
            for lead in (False, True) if one.lead else (False,):
                for skill in (None, *one.skills):
                    self._refs.setdefault((area, lead, skill), set()).add(one.ref)
        for site in one.conflicts:
            self._barred.setdefault(site, set()).add(one.ref)

    def group(self, site: Site, rule: SeatRule) -> frozenset[str]:
        """Who may sit at the site's area with its needs, conflicts aside."""
        key = (site.area, rule.lead, site.needs if rule.skilled else ())
        found = self._groups.get(key)
        if found is None:
            skills: Sequence[str | None] = key[2] or (None,)
            found = frozenset[str]().union(*(self._refs.get((*key[:2], skill), ()) for skill in skills))
            self._groups[key] = found
        return found

    def barred(self, site: Site) -> set[str]:
        """Who is in conflict with the site."""
        return self._barred.get(site.id, _NOBODY)


_NOBODY: Final[set[str]] = set()


def find_narrow(
    team: Sequence[SeatRule], frame: Iterable[Site], pool: Iterable[Inspector], below: int = NARROW_BELOW
) -> Iterator[NarrowSeat]:
    """The narrow seats of the eligible sites, in the order of the frame, each site's in the order of `team`.

    The pool is not looked through for each site: time is that of the frame, and of those in conflict.
    """
    qualified = Qualified(pool)
    for site in frame:
        if not site.eligible:
            continue
        barred = qualified.barred(site)
        for rule in team:
            group = qualified.group(site, rule)
            if len(group) - len(barred) < below and len(left := group - barred) < below:
                yield NarrowSeat(site.id, rule.seat, tuple(sorted(left)))


def write_narrow(seats: Iterable[NarrowSeat]) -> Iterator[bytes]:
    """The lines of narrow-seats.jsonl, in the order given."""
    for one in seats:
        yield encode({"id": one.id, "may_sit": one.may_sit, "seat": one.seat}) + b"\n"


def check_narrow(
    data: bytes, team: Sequence[SeatRule], frame: Iterable[Site], pool: Iterable[Inspector]
) -> None:
    """Raises WrongResult narrow-seats-differ with the first line that is not what frame and pool give."""
    start = number = 0
    for number, line in enumerate(write_narrow(find_narrow(team, frame, pool)), start=1):
        if not data.startswith(line, start):
            raise _differ(line.decode().rstrip(), number)
        start += len(line)
    if start != len(data):
        raise _differ("no line follows", number + 1)


def _differ(detail: str, line: int) -> WrongResult:
    return WrongResult("narrow-seats-differ", detail, file=NARROW_FILE, line=line)
