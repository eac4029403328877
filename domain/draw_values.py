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


class RegistryChanges(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes the registry-change report lists: all, the late ones, and of what would be special.

    `special_removed` were removed or re-classed although special, `late_special_removed` of these late.
    """

    changes: int
    late: int
    special_removed: int
    late_special_removed: int


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What was frozen: the position of the registries, and the blobs by their SHA-256.

    `strata` are the counts of rules.json, sorted by code. `rules_hash` is `H(rules.json)` without its
    final line end, `reports` names further blobs by what they report, `frame_reason` says why a
    repeated attempt's frame differs. `registry_changes` is not told by seals older than the report.
    """

    as_of: int
    rules_hash: str
    rules: str
    frame: str
    pool: str
    strata: tuple[StratumCount, ...]
    reports: dict[str, str]
    frame_reason: str = ""
    registry_changes: RegistryChanges | msgspec.UnsetType = msgspec.UNSET


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The completed draw's blobs by their SHA-256; `sums` is that of `SHA256SUMS` itself."""

    seed: str
    sample: str
    teams: str
    sums: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Which seats a supplementary draw fills: of the sites of `draw` where exactly these are missing.

    `seats` are in the order of the plan row's team. `areas` are regions, beyond the row's, whose officers may
    come as well, and `reason` says why. `round` is one more than the supplementary draws of the same seats
    that were completed before.
    """

    draw: str
    seats: tuple[str, ...]
    areas: tuple[str, ...]
    reason: str
    round: int

    def key(self, plan_row: str, supplements: int) -> str:
        """What keeps its attempts apart from the row's own; `supplements` is the number of `draw`."""
        seats = "+".join(_escaped(seat) for seat in self.seats)
        return f"{plan_row}+{supplements}.{self.round}+{seats}"


def _escaped(seat: str) -> str:
    """The seat's name without what parts a claim's key."""
    return seat.replace("%", "%25").replace("/", "%2F").replace("+", "%2B")


class NarrowSeats(msgspec.Struct, frozen=True):
    """How many eligible sites have seats for which too few of the pool may sit, and how many such seats."""

    sites: int
    seats: int


NARROW_NOWHERE: Final = NarrowSeats(0, 0)
