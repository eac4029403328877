"""Holding what a frame and a pool are made of against the log's own events, before anything is sealed.

Registries and claims are read from tables that whoever holds the database could alter. The log cannot be
altered without its ledger showing it: a site that was slipped out of the tables, or put among those drawn
this year, is found here, and nothing is sealed.
"""

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

from application.office import Office
from application.ports import InspectorRow, RegistrySnapshot, SiteRow
from domain.errors import Conflict
from domain.identifiers import covers

Row = TypeVar("Row", SiteRow, InspectorRow)
HELD: Final = ("drawn", "visit")
"""The claims that decide whether a site of the frame is eligible; their keys begin with the year."""


class FrameDiffersFromRegistry(Conflict):
    """The registries' read models or the claims are not what the log's events give: nothing is sealed.

    Facts: `registry` (sites, inspectors, drawn or visit), `id`, `row` (missing, unknown or differs),
    `columns`.
    """

    code = "frame-differs-from-registry"


def check_snapshot(office: Office, areas: Sequence[str], year: int, snapshot: RegistrySnapshot) -> None:
    """Raise `FrameDiffersFromRegistry` for the first row that the log up to `snapshot.as_of` does not give.

    Takes the time of reading every event of all sites and inspectors once, and those that claim a drawn site
    or a visit; memory grows with the snapshot alone, which is there already.
    """
    check_registries(office, areas, snapshot)
    _check_held(office, year, snapshot.as_of)


def check_registries(office: Office, areas: Sequence[str], snapshot: RegistrySnapshot) -> None:
    """The same for sites and inspectors alone."""
    log, as_of = office.registry_log, snapshot.as_of
    sites = (one for one in log.sites(as_of) if any(covers(area, one.region) for area in areas))
    _compare("sites", snapshot.sites, sites)
    inspectors = (one for one in log.inspectors(as_of) if works_in(one.areas, areas))
    _compare("inspectors", snapshot.inspectors, inspectors)


def works_in(own: Sequence[str], areas: Sequence[str]) -> bool:
    """Whether somebody with these areas works in one of `areas`, or in a part of it."""
    return any(covers(one, area) or covers(area, one) for one in own for area in areas)


def _compare(registry: str, read: Sequence[Row], logged: Iterator[Row]) -> None:
    """Both by id: what was read from tables, and what the log gives."""
    found = iter(sorted(read, key=attrgetter("id")))
    left, right = next(found, None), next(logged, None)
    while left is not None or right is not None:
        if left is None or (right is not None and right.id < left.id):
            raise _differs(registry, right.id if right else "", "missing")
        if right is None or left.id < right.id:
            raise _differs(registry, left.id, "unknown")
        if left != right:
            raise _differs(registry, left.id, "differs", _columns(left, right))
        left, right = next(found, None), next(logged, None)


def _columns(left: SiteRow | InspectorRow, right: SiteRow | InspectorRow) -> Iterable[str]:
    ours, theirs = msgspec.structs.asdict(left), msgspec.structs.asdict(right)
    return (name for name, value in ours.items() if theirs[name] != value)


def _check_held(office: Office, year: int, as_of: int) -> None:
    logged: dict[str, set[str]] = {kind: set() for kind in HELD}
    for claim in office.registry_log.claims(as_of, ("assignment.", "inspection.")):
        if claim.kind in HELD and claim.key.startswith(f"{year}/"):
            change = logged[claim.kind].discard if claim.released else logged[claim.kind].add
            change(claim.key)
    for kind, keys in logged.items():
        held = {key for key, _ in office.claims.keys(kind, f"{year}/")}
        for key in sorted(held ^ keys)[:1]:
            raise _differs(kind, key, "unknown" if key in held else "missing")


def _differs(registry: str, id: str, row: str, columns: Iterable[str] = ()) -> FrameDiffersFromRegistry:
    return FrameDiffersFromRegistry(registry=registry, id=id, row=row, columns=", ".join(columns))
