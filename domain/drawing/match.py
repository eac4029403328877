"""Who goes: each seat to the inspector who may sit there, has the fewest seats, and comes first by lot.

For each area, lead or not, and skill there is one heap of those who qualify. When an inspector takes a seat,
only their current place in the order is noted; a heap that still shows the old place, which is always an
earlier one, is put right when that entry comes to its top.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from heapq import heappop, heappush, heapreplace
from itertools import product
from operator import attrgetter
from typing import Final, TypeAlias

from domain.drawing.canonical import be32
from domain.drawing.lines import Inspector, Seated, Site, Team
from domain.drawing.rules import SeatRule

_ORDER: Final = b"sunlot-order-v1\0"
_INSPECTOR: Final = b"sunlot-inspector-v1\0"

_Place: TypeAlias = bytes
"""be32(load) ‖ lot ‖ be32(index in the pool sorted by ref): one comparison of bytes orders two of them."""


def match_teams(
    seed: bytes, team: Sequence[SeatRule], sites: Iterable[Site], pool: Iterable[Inspector]
) -> list[Team]:
    """The team of each drawn site, in the order in which they are filled.

    The orders of `sites` and `pool` are of no account.
    """
    matcher = _Matcher(seed, pool)
    return [Team(site.id, tuple(matcher.fill(site, team))) for site in order_sites(seed, sites)]


def order_sites(seed: bytes, sites: Iterable[Site]) -> list[Site]:
    """The sites in the order in which their teams are filled."""
    prefix = _ORDER + seed
    return sorted(sites, key=lambda site: (sha256(prefix + site.id.encode()).digest(), site.id))


def may_sit(inspector: Inspector, site: Site, rule: SeatRule) -> bool:
    """Whether the inspector qualifies for this seat at this site; loads, caps and the team aside."""
    return (
        site.area in inspector.areas
        and site.id not in inspector.conflicts
        and (inspector.lead or not rule.lead)
        and (not rule.skilled or not site.needs or not set(site.needs).isdisjoint(inspector.skills))
    )


class _Matcher:
    """The pool with its loads, while seats are given out."""

    def __init__(self, seed: bytes, pool: Iterable[Inspector]) -> None:
        self._prefix = _INSPECTOR + seed
        self._pool = sorted(pool, key=attrgetter("ref"))
        self._conflicts = [frozenset(inspector.conflicts) for inspector in self._pool]
        self._loads = [0] * len(self._pool)
        self._current = [self._place(index) for index in range(len(self._pool))]
        self._heaps: dict[tuple[str, bool, str | None], list[_Place]] = {}
        # Appended in their order, so that each list is a heap from the start.
        for place in sorted(place for place in self._current if place is not None):
            for group in _list_groups(self._pool[_read_index(place)]):
                self._heaps.setdefault(group, []).append(place)

    def fill(self, site: Site, team: Sequence[SeatRule]) -> Iterator[Seated]:
        """Give out the site's seats, in their order."""
        taken: set[int] = set()
        for rule in team:
            place = self._find_first(site, rule, taken)
            if place is None:
                yield Seated(None, rule.seat)
                continue
            index = _read_index(place)
            taken.add(index)
            self._loads[index] += 1
            self._current[index] = self._place(index)
            yield Seated(self._pool[index].ref, rule.seat)

    def _place(self, index: int) -> _Place | None:
        """Where the inspector stands with their load; None once it has reached their cap."""
        inspector, load = self._pool[index], self._loads[index]
        if load >= inspector.cap:
            return None
        at = be32(load)
        return at + sha256(self._prefix + at + inspector.ref.encode()).digest() + be32(index)

    def _find_first(self, site: Site, rule: SeatRule, taken: set[int]) -> _Place | None:
        skills: Sequence[str | None] = site.needs if rule.skilled and site.needs else (None,)
        first: _Place | None = None
        for skill in skills:
            place = self._find_top(self._heaps.get((site.area, rule.lead, skill), []), site.id, taken)
            if place is not None and (first is None or place < first):
                first = place
        return first

    def _find_top(self, heap: list[_Place], site: str, taken: set[int]) -> _Place | None:
        """The first of this heap who is not on the team nor in conflict with the site; all stay in it."""
        passed: list[_Place] = []
        top: _Place | None = None
        while heap and top is None:
            place = heap[0]
            index = _read_index(place)
            now = self._current[index]
            if now is None:
                heappop(heap)
            elif now is not place:
                heapreplace(heap, now)
            elif index in taken or site in self._conflicts[index]:
                passed.append(heappop(heap))
            else:
                top = place
        for place in passed:
            heappush(heap, place)
        return top


def _read_index(place: _Place) -> int:
    return int.from_bytes(place[36:], "big")


def _list_groups(inspector: Inspector) -> Iterator[tuple[str, bool, str | None]]:
    """The areas, whether as lead, and the skills (None: any) for which the inspector qualifies."""
    leads = (False, True) if inspector.lead else (False,)
    return product(inspector.areas, leads, (None, *inspector.skills))
