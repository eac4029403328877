"""A frame gone through once, so that any line of it is found and proved at once.

Kept of a million lines: the root, first id and place of every 256, and the sorted tickets of the eligible,
some 33 MB. A question then reads one piece of 256 lines.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from domain.drawing.errors import WrongFigure
from domain.drawing.frame_line import FRAME, Chance, LineProof, chance_of
from domain.drawing.lines import Site
from domain.drawing.rules import Rules, Stratum
from domain.drawing.select import draw_ticket, limit_tickets, pareto_key, split_certain
from domain.drawing.tree import leaf_of, path_up, root_over

PIECE: Final = 256
"""A power of two, so that a piece is a node of the tree."""

_TICKET: Final = 32

ReadPiece = Callable[[int, int], bytes]
"""Gives the bytes of the frame from an offset on, so many."""


class _Piece(NamedTuple):
    """Up to 256 lines: the first one's id, where they stand, and the root over them."""

    first: str
    offset: int
    length: int
    root: bytes


class FrameIndex:
    """Finds and proves lines of one draw's frame. Threads may share it."""

    def __init__(self, rules: Rules, seed: bytes, lines: Iterable[bytes]) -> None:
        """`lines` are those of frame.jsonl, each with its newline, read once. WrongFigure frame-root."""
        self.rules, self._seed = rules, seed
        self._strata = {stratum.code: stratum for stratum in rules.strata}
        found: dict[tuple[str, int], list[bytes]] = {}
        self._pieces = list(self._read(lines, found))
        if root_over([piece.root for piece in self._pieces]).hex() != rules.frame.root:
            raise WrongFigure("frame-root", rules.frame.root, file=FRAME)
        self._tickets = {group: b"".join(sorted(tickets)) for group, tickets in found.items()}

    def _read(self, lines: Iterable[bytes], found: dict[tuple[str, int], list[bytes]]) -> Iterator[_Piece]:
        leaves, first, offset, length = list[bytes](), "", 0, 0
        for line in lines:
            site = json.loads(line)
            first = first if leaves else site["id"]
            leaves.append(leaf_of(line[:-1]))
            length += len(line)
            if site["eligible"]:
                ticket = draw_ticket(self._seed, site["stratum"], site["id"])
                found.setdefault((site["stratum"], site["weight"]), []).append(ticket)
            if len(leaves) == PIECE:
                yield _Piece(first, offset, length, root_over(leaves))
                leaves, offset, length = [], offset + length, 0
        if leaves:
            yield _Piece(first, offset, length, root_over(leaves))

    def find(self, id: str, read: ReadPiece) -> LineProof | None:
        """The line of a site with its proof, None if the frame has none."""
        number = self._piece_of(id)
        lines = self._lines(number, read)
        place = next((n for n, line in enumerate(lines) if json.loads(line)["id"] == id), None)
        return None if place is None else self._prove(number, lines, place)

    def neighbours(self, id: str, read: ReadPiece) -> tuple[LineProof | None, LineProof | None]:
        """The lines before and after the place that a site would have; None at either end."""
        number = self._piece_of(id)
        lines = self._lines(number, read)
        behind = sum(json.loads(line)["id"] < id for line in lines)
        before = self._prove(number, lines, behind - 1) if behind else None
        if behind < len(lines):
            return before, self._prove(number, lines, behind)
        following = self._lines(number + 1, read)
        return before, self._prove(number + 1, following, 0) if following else None

    def chance(self, site: Site) -> Chance:
        """With what chance the site was to be drawn."""
        stratum = self._strata[site.stratum]
        return chance_of(site, stratum.sample, self._weights(stratum))

    def reserve_place(self, site: Site) -> int | None:
        """The place in its stratum's reserve, from 1; None for a site that was drawn or cannot be."""
        stratum = self._strata[site.stratum]
        rounds, total, left = split_certain(self._weights(stratum), stratum.sample)
        certain = {weight for sure in rounds for weight in sure}
        if not site.eligible or site.weight in certain:
            return None
        ticket = draw_ticket(self._seed, site.stratum, site.id)
        key = pareto_key(ticket, site.weight, total, left)
        ahead = sum(
            self._count(stratum.code, weight, limit_tickets(ticket, key, weight, total, left))
            for weight in self._weights(stratum)
            if weight not in certain
        )
        place = ahead - left
        return place if place > 0 else None

    def _count(self, code: str, weight: int, limit: bytes) -> int:
        """How many tickets of the group are at most the limit."""
        tickets = self._tickets.get((code, weight), b"")
        numbers = range(len(tickets) // _TICKET)
        return bisect_right(numbers, limit, key=lambda n: tickets[n * _TICKET : (n + 1) * _TICKET])

    def _weights(self, stratum: Stratum) -> dict[int, int]:
        return {
            weight: len(tickets) // _TICKET
            for (code, weight), tickets in self._tickets.items()
            if code == stratum.code
        }

    def _piece_of(self, id: str) -> int:
        return max(0, bisect_right(self._pieces, id, key=lambda piece: piece.first) - 1)

    def _lines(self, number: int, read: ReadPiece) -> list[bytes]:
        if number >= len(self._pieces):
            return []
        piece = self._pieces[number]
        return read(piece.offset, piece.length).split(b"\n")[:-1]

    def _prove(self, number: int, lines: list[bytes], place: int) -> LineProof:
        inside = path_up([leaf_of(line) for line in lines], place)
        above = path_up([piece.root for piece in self._pieces], number)
        return LineProof(number * PIECE + place, lines[place], (*inside, *above))
