"""What happens after a draw: a recusal frees one seat, a void site gives way to the next of its reserve.

Who follows was fixed with the seed and depends on nothing that happens at other sites, so the order in which
recusals of different sites are filed steers nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from domain.drawing.canonical import digest
from domain.drawing.errors import ChangeRefused, DrawingError, WrongResult
from domain.drawing.lines import Change, Inspector, Recusal, Seated, Site, Team, Void
from domain.drawing.match import may_sit
from domain.drawing.rules import SeatRule
from domain.drawing.select import Reserve

_SEAT: Final = b"sunlot-seat-v1\0"


def succession_key(seed: bytes, site: str, seat: str, ref: str) -> tuple[bytes, str]:
    """By this the pool is ordered for one seat of one site."""
    return digest(_SEAT, seed, site.encode(), b"\0", seat.encode(), b"\0", ref.encode()), ref


class Standing:
    """A draw's teams as they stand after the changes so far.

    `recuse` and `void` work out the next change, take it in and return it; `take` does so with a change that
    is given and must be the same. A change that is refused leaves everything as it was.
    """

    def __init__(
        self,
        seed: bytes,
        team: Sequence[SeatRule],
        frame: Iterable[Site],
        pool: Iterable[Inspector],
        teams: Iterable[Team],
        reserves: Mapping[str, Reserve],
        changes: Iterable[Change] = (),
    ) -> None:
        """Start from the teams as drawn; `changes` are those recorded so far. Raises as `take` does."""
        self._seed, self._rules, self._reserves = seed, {rule.seat: rule for rule in team}, reserves
        self._sites = {site.id: site for site in frame}
        self._areas: defaultdict[str, list[Inspector]] = defaultdict(list)
        for inspector in pool:
            for area in inspector.areas:
                self._areas[area].append(inspector)
        self._teams = {one.id: {seated.seat: seated.inspector for seated in one.seats} for one in teams}
        self._barred: defaultdict[str, set[str]] = defaultdict(set)
        self._used: defaultdict[str, int] = defaultdict(int)
        for number, change in enumerate(changes, start=1):
            self._take_recorded(change, number)

    @property
    def sites(self) -> list[str]:
        """The ids of the sites that are to be inspected now, replacements included."""
        return list(self._teams)

    def team(self, id: str) -> Team:
        """The team of one of these sites.

        Raises ChangeRefused if the site is not, or is no longer, one of them.
        """
        return Team(id, _seat_all(self._find_team(id)))

    def recuse(self, id: str, inspector: str) -> Recusal:
        """The inspector gives up their seat at site `id`, for good.

        Raises ChangeRefused unless they hold one.
        """
        team = self._find_team(id)
        seats = [seat for seat, holder in team.items() if holder == inspector]
        if not seats:
            raise ChangeRefused("not-on-the-team", f"{inspector} at {id}")
        self._barred[id].add(inspector)
        team[seats[0]] = None
        team[seats[0]] = substitute = self._find_next(id, seats[0], team)
        return Recusal(id, seats[0], inspector, substitute)

    def void(self, id: str) -> Void:
        """Site `id` leaves, the next of its stratum's reserve comes in.

        Raises ChangeRefused for a site not drawn.
        """
        self._find_team(id)
        replacement = self._take_reserve(self._sites[id].stratum)
        del self._teams[id]
        if replacement is None:
            return Void(id, None, ())
        team = self._teams[replacement] = {}
        for seat in self._rules:
            team[seat] = self._find_next(replacement, seat, team)
        return Void(id, replacement, _seat_all(team))

    def take(self, change: Change) -> None:
        """Repeat a recorded change. Raises ChangeRefused, or WrongResult if it is not what follows.

        After a WrongResult the standing is of no more use.
        """
        follows = (
            self.recuse(change.id, change.recused) if isinstance(change, Recusal) else self.void(change.id)
        )
        if follows != change:
            raise WrongResult(_name_difference(follows, change), f"{change} instead of {follows}")

    def _take_recorded(self, change: Change, number: int) -> None:
        try:
            self.take(change)
        except DrawingError as error:
            error.locate("changes.jsonl", number)
            raise

    def _find_team(self, id: str) -> dict[str, str | None]:
        if id not in self._teams:
            raise ChangeRefused("not-drawn", id)
        return self._teams[id]

    def _find_next(self, id: str, seat: str, team: Mapping[str, str | None]) -> str | None:
        """The first in the seat's succession who may sit, is not barred here and not on the team."""
        site, rule, away = self._sites[id], self._rules[seat], self._barred[id] | set(team.values())
        following = (
            succession_key(self._seed, id, seat, inspector.ref)
            for inspector in self._areas[site.area]
            if inspector.ref not in away and may_sit(inspector, site, rule)
        )
        first = min(following, default=None)
        return None if first is None else first[1]

    def _take_reserve(self, stratum: str) -> str | None:
        replacement = self._reserves[stratum].at(self._used[stratum])
        if replacement is not None:
            self._used[stratum] += 1
        return replacement


def _seat_all(team: Mapping[str, str | None]) -> tuple[Seated, ...]:
    return tuple(Seated(inspector, seat) for seat, inspector in team.items())


def _name_difference(follows: Change, change: Change) -> str:
    if isinstance(follows, Void) and isinstance(change, Void) and follows.replacement != change.replacement:
        return "wrong-replacement"
    return "wrong-substitute"
