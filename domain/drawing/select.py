"""Which sites are drawn: Pareto order sampling in exact integers, stratum by stratum.

Every eligible site has a ticket that depends on nothing but the seed, its stratum and its id. In one stratum
the sites are put in an order by their tickets and weights; the first of it are the sample, the rest is the
reserve.

Only as much of the order as is asked for is ever worked out. A key is at most a limit exactly when the ticket
is at most a bound that depends on the site's weight alone, so a limit is guessed, the few sites below it are
found by comparing bytes, and only those get their keys and are sorted. It is the same order: nothing is
rounded. A reserve that is used far beyond the sample draws its stratum's tickets once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from math import isqrt
from typing import Final, NamedTuple

from domain.drawing.errors import WrongFigure, WrongShape
from domain.drawing.lines import Drawn, Site
from domain.drawing.rules import Stratum

_OBJECT: Final = b"sunlot-object-v1\0"
_TICKETS: Final = 2**256
_UNIT: Final = 2**64
_STEP: Final = 16
_LAST: Final = b"\xff" * 32


class Reserve:
    """The sites of a stratum after its sample, in order, worked out only as far as someone has looked."""

    def __init__(self, order: Iterator[str]) -> None:
        self._order, self._known = order, list[str]()

    def at(self, place: int) -> str | None:
        """The id at `place`, from 0; None beyond the end."""
        self._known.extend(islice(self._order, max(0, place + 1 - len(self._known))))
        return self._known[place] if place < len(self._known) else None

    def __iter__(self) -> Iterator[str]:
        place = 0
        while (id := self.at(place)) is not None:
            yield id
            place += 1


@dataclass(frozen=True, slots=True)
class Selection:
    """The drawn sites, stratum by stratum and by rank, and each stratum's reserve."""

    sample: list[Drawn]
    reserves: Mapping[str, Reserve]


class _Group(NamedTuple):
    """Eligible sites of one stratum and weight; `prefix` and an id are what a ticket is hashed from."""

    prefix: bytes
    weight: int
    ids: list[str]

    def draw(self, above: bytes, upto: bytes) -> list[tuple[bytes, bytes]]:
        """The tickets in `above < ticket ≤ upto`, each with its id. The others are not kept.

        The ids are encoded all at once: a million times one by one takes longer than the hashes themselves.
        """
        prefix, ids = self.prefix, "\n".join(self.ids).encode().split(b"\n")
        if len(ids) != len(self.ids):
            raise WrongShape("not-a-word", "id must be printable ASCII without spaces")
        return [(ticket, id) for id in ids if above < (ticket := sha256(prefix + id).digest()) <= upto]


def select_sites(seed: bytes, strata: Sequence[Stratum], sites: Iterable[Site]) -> Selection:
    """Draw `stratum.sample` sites of each stratum. The order of `sites` is of no account.

    Raises WrongFigure if a site's stratum is not among `strata` or has fewer eligible sites than are to be
    drawn.
    """
    weights = _group_ids(strata, sites)
    sample: list[Drawn] = []
    reserves: dict[str, Reserve] = {}
    for stratum in strata:
        prefix = _prefix(seed, stratum.code)
        order = _order_sites(
            [_Group(prefix, *group) for group in weights[stratum.code].items()], stratum.sample
        )
        sample.extend(_take_sample(stratum, order))
        reserves[stratum.code] = Reserve(id.decode() for _, id in order)
    return Selection(sample, reserves)


def draw_ticket(seed: bytes, stratum: str, id: str) -> bytes:
    """The ticket of one site, 32 raw bytes."""
    return sha256(_prefix(seed, stratum) + id.encode()).digest()


def pareto_key(ticket: bytes, weight: int, total: int, sample: int) -> int:
    """`⌊u·(W − m·w)·2⁶⁴ / ((2²⁵⁶ − u)·m·w)⌋`, or 0 if m is 0: the first thing ranked by.

    `total` is W, the sum of the weights of those not certain, and `sample` is m, how many are still to be
    drawn of them.
    """
    if not sample:
        return 0
    u, share = int.from_bytes(ticket, "big"), sample * weight
    return u * (total - share) * _UNIT // ((_TICKETS - u) * share)


def split_certain(counts: Mapping[int, int], sample: int) -> tuple[list[list[int]], int, int]:
    """Whose weight makes them certain: the weights of each round; then W and m of those left to chance.

    `counts` says how many eligible sites have each weight. Sites of one weight are certain together, or none
    is.
    """
    left, total, rounds = (
        dict(counts),
        sum(weight * count for weight, count in counts.items()),
        list[list[int]](),
    )
    while sample and (sure := [weight for weight in left if weight * sample >= total]):
        rounds.append(sure)
        removed = {weight: left.pop(weight) for weight in sure}
        sample -= sum(removed.values())
        total -= sum(weight * count for weight, count in removed.items())
    return rounds, total, sample


def limit_tickets(ticket: bytes, key: int, weight: int, total: int, sample: int) -> bytes:
    """The highest ticket with which a site of this weight stands up to the one of `ticket` and `key`.

    Before it are smaller keys, and of the same key smaller tickets; `total` and `sample` as in `pareto_key`.
    """
    if not sample:
        return ticket
    below = _bound_ticket(key - 1, weight, total, sample) if key else b""
    return max(below, min(_bound_ticket(key, weight, total, sample), ticket))


def _prefix(seed: bytes, stratum: str) -> bytes:
    return _OBJECT + seed + stratum.encode() + b"\0"


def _group_ids(strata: Sequence[Stratum], sites: Iterable[Site]) -> dict[str, dict[int, list[str]]]:
    groups: dict[str, dict[int, list[str]]] = {stratum.code: {} for stratum in strata}
    for site in sites:
        if site.eligible:
            try:
                groups[site.stratum][site.weight].append(site.id)
            except KeyError:
                _open_group(groups, site).append(site.id)
    return groups


def _open_group(groups: dict[str, dict[int, list[str]]], site: Site) -> list[str]:
    if site.stratum not in groups:
        raise WrongFigure("stratum-without-a-rule", site.stratum, file="frame.jsonl")
    return groups[site.stratum].setdefault(site.weight, [])


def _take_sample(stratum: Stratum, order: Iterator[tuple[bytes, bytes]]) -> list[Drawn]:
    taken = islice(order, stratum.sample)
    drawn = [
        Drawn(id.decode(), rank, stratum.code, ticket.hex()) for rank, (ticket, id) in enumerate(taken, 1)
    ]
    if len(drawn) < stratum.sample:
        raise WrongFigure(
            "stratum-sample", f"{stratum.code}: {stratum.sample} of {len(drawn)}", file="rules.json", line=1
        )
    return drawn


def _order_sites(groups: list[_Group], sample: int) -> Iterator[tuple[bytes, bytes]]:
    """All tickets and ids in the order of the stratum: certain, then ranked."""
    by_weight = {group.weight: group for group in groups}
    rounds, total, left = split_certain({group.weight: len(group.ids) for group in groups}, sample)
    for weights in rounds:
        yield from _sort_tickets(by_weight.pop(weight) for weight in weights)
    rest = list(by_weight.values())
    yield from _rank(rest, total, left) if left else _sort_tickets(rest)


def _sort_tickets(groups: Iterable[_Group]) -> list[tuple[bytes, bytes]]:
    return sorted(pair for group in groups for pair in group.draw(b"", _LAST))


def _rank(groups: list[_Group], total: int, sample: int) -> Iterator[tuple[bytes, bytes]]:
    """The ranked sites in order, one limit on the key after another."""
    left, low = sum(len(group.ids) for group in groups), [b""] * len(groups)
    # About `sample` sites, give or take its square root, have a key up to 1: a bit more spares another look.
    limit = _UNIT + 3 * _UNIT // isqrt(sample)
    while left:
        high = [_bound_ticket(limit, group.weight, total, sample) for group in groups]
        batch = sorted(
            (pareto_key(ticket, group.weight, total, sample), ticket, id)
            for group, above, upto in zip(groups, low, high, strict=True)
            for ticket, id in group.draw(above, upto)
        )
        yield from ((ticket, id) for _, ticket, id in batch)
        left, low, limit = left - len(batch), high, limit * _STEP


def _bound_ticket(limit: int, weight: int, total: int, sample: int) -> bytes:
    """The highest ticket whose key is at most `limit`: ⌊x⌋ ≤ L is x < L + 1, solved for u."""
    share = sample * weight
    over = (limit + 1) * share
    highest = (over * _TICKETS - 1) // ((total - share) * _UNIT + over)
    return highest.to_bytes(32, "big")
