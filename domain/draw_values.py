"""The parts of a draw's events: who contributes, what was sealed, what came out."""

from typing import Final

import msgspec


class Contributor(msgspec.Struct, frozen=True):
    """A party that holds one of the secrets, and the account of its custodian."""

    party: str
    account: str


class StratumCount(msgspec.Struct, frozen=True, kw_only=True):
    """One stratum of the sealed rules: its sites in the frame, those that can be drawn, those that are."""

    code: str
    size: int
    eligible: int
    sample: int


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What was frozen: the position of the registries, and the blobs by their SHA-256.

    `strata` are the counts of rules.json, sorted by code. `rules_hash` is `H(rules.json)` without its
    final line end, `reports` names further blobs by what they report, `frame_reason` says why a
    repeated attempt's frame differs.
    """

    as_of: int
    rules_hash: str
    rules: str
    frame: str
    pool: str
    strata: tuple[StratumCount, ...]
    reports: dict[str, str]
    frame_reason: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The completed draw's blobs by their SHA-256; `sums` is that of `SHA256SUMS` itself."""

    seed: str
    sample: str
    teams: str
    sums: str


class NarrowSeats(msgspec.Struct, frozen=True):
    """How many eligible sites have seats for which too few of the pool may sit, and how many such seats."""

    sites: int
    seats: int


NARROW_NOWHERE: Final = NarrowSeats(0, 0)
NARROW_BELOW: Final = 3
"""A seat for which fewer may sit is narrow: whoever knows the pool could guess or steer who comes."""
