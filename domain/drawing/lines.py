"""The lines of a bundle: a site of the frame, an inspector of the pool, a drawn site, a team, a change.

They are plain tuples, because a frame may have a million of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import attrgetter
from sys import intern
from typing import Any, Final, NamedTuple, TypeAlias

from domain.drawing.canonical import Json, decode_lines, encode_lines
from domain.drawing.errors import WrongOrder, WrongShape
from domain.drawing.shape import (
    take_fields,
    take_flag,
    take_hex,
    take_integer,
    take_list,
    take_text,
    take_word,
    take_words,
)

MAX_WEIGHT: Final = 100
SALT_BYTES: Final = 16


class Site(NamedTuple):
    """A candidate site as it was frozen.

    `reason` says why one that is not eligible cannot be drawn, else it is "".
    """

    id: str
    stratum: str
    area: str
    salt: str
    weight: int = 1
    eligible: bool = True
    reason: str = ""
    needs: tuple[str, ...] = ()


class Inspector(NamedTuple):
    """A candidate inspector as frozen.

    `cap` is the most seats in this draw; `conflicts` are ids of sites never visited.
    """

    ref: str
    areas: tuple[str, ...]
    cap: int
    salt: str
    lead: bool = False
    skills: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


class Drawn(NamedTuple):
    """A drawn site; `rank` counts from 1 in its stratum, `ticket` is hex."""

    id: str
    rank: int
    stratum: str
    ticket: str


class Seated(NamedTuple):
    """Who has a seat; nobody is None, and a supplementary draw is needed."""

    inspector: str | None
    seat: str


class Team(NamedTuple):
    """The seats of one site, in the order that rules.json gives them."""

    id: str
    seats: tuple[Seated, ...]


class Recusal(NamedTuple):
    """A seat given up by `recused` and taken by the next in its succession, or by nobody."""

    id: str
    seat: str
    recused: str
    substitute: str | None


class Void(NamedTuple):
    """A site that left, the site that took its place (None if the reserve is spent) and that one's seats."""

    id: str
    replacement: str | None
    seats: tuple[Seated, ...]


Change: TypeAlias = Recusal | Void

_SITE_FIELDS: Final = frozenset({"area", "eligible", "id", "needs", "reason", "salt", "stratum", "weight"})
_INSPECTOR_FIELDS: Final = frozenset({"areas", "cap", "conflicts", "lead", "ref", "salt", "skills"})


def write_frame(sites: Iterable[Site]) -> bytes:
    """frame.jsonl: the sites in the order of their ids.

    Raises WrongShape or WrongOrder for what could not be read back.
    """
    ordered = sorted((parse_site(_as_json(site)) for site in sites), key=attrgetter("id"))
    _check_order([site.id for site in ordered], "frame.jsonl")
    return encode_lines(_as_json(site) for site in ordered)


def read_frame(data: bytes) -> list[Site]:
    """The sites of frame.jsonl. Raises NotCanonical, WrongShape or WrongOrder with the line's number."""
    sites = decode_lines(data, "frame.jsonl", parse_site)
    _check_order([site.id for site in sites], "frame.jsonl")
    return sites


def write_pool(inspectors: Iterable[Inspector]) -> bytes:
    """pool.jsonl: the inspectors in the order of their refs.

    Raises WrongShape or WrongOrder for what could not be read back.
    """
    ordered = sorted(
        (parse_inspector(_as_json(inspector)) for inspector in inspectors), key=attrgetter("ref")
    )
    _check_order([inspector.ref for inspector in ordered], "pool.jsonl")
    return encode_lines(_as_json(inspector) for inspector in ordered)


def read_pool(data: bytes) -> list[Inspector]:
    """The inspectors of pool.jsonl. Raises NotCanonical, WrongShape or WrongOrder with the line's number."""
    inspectors = decode_lines(data, "pool.jsonl", parse_inspector)
    _check_order([inspector.ref for inspector in inspectors], "pool.jsonl")
    return inspectors


def write_sample(sample: Iterable[Drawn]) -> bytes:
    """sample.jsonl, in the order given."""
    return encode_lines(drawn._asdict() for drawn in sample)


def read_sample(data: bytes) -> list[Drawn]:
    """The drawn sites of sample.jsonl, in its order; whether they are the right ones is another question."""
    return decode_lines(data, "sample.jsonl", parse_drawn)


def write_teams(teams: Iterable[Team]) -> bytes:
    """teams.jsonl, in the order given."""
    return encode_lines({"id": team.id, "seats": _seats_json(team.seats)} for team in teams)


def read_teams(data: bytes) -> list[Team]:
    """The teams of teams.jsonl, in its order; whether they are the right ones is another question."""
    return decode_lines(data, "teams.jsonl", parse_team)


def write_changes(changes: Iterable[Change]) -> bytes:
    """changes.jsonl, in the order in which they were recorded."""
    return encode_lines(change_json(change) for change in changes)


def read_changes(data: bytes) -> list[Change]:
    """The changes of changes.jsonl, in recorded order; whether they follow is another question."""
    return decode_lines(data, "changes.jsonl", parse_change)


def parse_site(value: Json) -> Site:
    """One line of the frame. Raises WrongShape."""
    line = take_fields(value, _SITE_FIELDS)
    eligible, reason = take_flag(line["eligible"], "eligible"), take_text(line["reason"], "reason")
    if eligible == bool(reason):
        raise WrongShape("reason", "a site that is not eligible has a reason, an eligible one has none")
    return Site(
        id=take_word(line["id"], "id"),
        # One string for each stratum and area instead of a million: less memory, quicker look-ups.
        stratum=intern(take_word(line["stratum"], "stratum")),
        area=intern(take_word(line["area"], "area")),
        salt=take_hex(line["salt"], "salt", SALT_BYTES),
        weight=take_integer(line["weight"], "weight", 1, MAX_WEIGHT),
        eligible=eligible,
        reason=reason,
        needs=take_words(line["needs"], "needs"),
    )


def parse_inspector(value: Json) -> Inspector:
    """One line of the pool. Raises WrongShape."""
    line = take_fields(value, _INSPECTOR_FIELDS)
    return Inspector(
        ref=take_word(line["ref"], "ref"),
        areas=take_words(line["areas"], "areas"),
        cap=take_integer(line["cap"], "cap"),
        salt=take_hex(line["salt"], "salt", SALT_BYTES),
        lead=take_flag(line["lead"], "lead"),
        skills=take_words(line["skills"], "skills"),
        conflicts=take_words(line["conflicts"], "conflicts"),
    )


def parse_drawn(value: Json) -> Drawn:
    """One line of the sample. Raises WrongShape."""
    line = take_fields(value, Drawn._fields)
    rank, ticket = take_integer(line["rank"], "rank", 1), take_hex(line["ticket"], "ticket", 32)
    return Drawn(take_word(line["id"], "id"), rank, take_word(line["stratum"], "stratum"), ticket)


def parse_team(value: Json) -> Team:
    """One line of the teams. Raises WrongShape."""
    line = take_fields(value, Team._fields)
    return Team(take_word(line["id"], "id"), _parse_seats(line["seats"]))


def parse_change(value: Json) -> Change:
    """One line of the changes. Raises WrongShape."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "recusal":
        line = take_fields(value, {"kind", *Recusal._fields})
        id, seat, recused = (take_word(line[name], name) for name in ("id", "seat", "recused"))
        return Recusal(id, seat, recused, _word_or_none(line["substitute"], "substitute"))
    if kind == "void":
        line = take_fields(value, {"kind", *Void._fields})
        replacement = _word_or_none(line["replacement"], "replacement")
        return Void(take_word(line["id"], "id"), replacement, _parse_seats(line["seats"]))
    raise WrongShape("unknown-change", "a change is a recusal or a void")


def change_json(change: Change) -> dict[str, Any]:
    """The object that stands for a change in changes.jsonl."""
    if isinstance(change, Recusal):
        return {"kind": "recusal", **change._asdict()}
    return {
        "kind": "void",
        "id": change.id,
        "replacement": change.replacement,
        "seats": _seats_json(change.seats),
    }


def _as_json(line: Site | Inspector) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in line._asdict().items()
    }


def _check_order(names: Sequence[str], file: str) -> None:
    # They are ASCII, so that the order of their characters is that of their bytes.
    for number, (left, right) in enumerate(pairwise(names), start=2):
        if left >= right:
            raise WrongOrder("repeated" if left == right else "unsorted", right, file=file, line=number)


def _seats_json(seats: Iterable[Seated]) -> list[dict[str, Any]]:
    return [seated._asdict() for seated in seats]


def _parse_seats(value: Json) -> tuple[Seated, ...]:
    lines = (take_fields(seat, Seated._fields) for seat in take_list(value, "seats"))
    return tuple(
        Seated(_word_or_none(line["inspector"], "inspector"), take_word(line["seat"], "seat"))
        for line in lines
    )


def _word_or_none(value: Json, name: str) -> str | None:
    return None if value is None else take_word(value, name)
