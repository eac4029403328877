"""Freezing the candidates of a draw: the frame of sites and the pool of inspectors of a plan row."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Protocol

from application.ports import InspectorRow, RegistrySnapshot, SiteRow
from domain.drawing.lines import Inspector, Site
from domain.errors import Conflict
from domain.identifiers import covers
from domain.plan import Plan, PlanRow


class FrameEmpty(Conflict):
    """No site of the row's areas and strata is in the registry; facts: `row`."""

    code = "frame-empty"


class PoolEmpty(Conflict):
    """No certified officer may work in the row's areas; facts: `row`."""

    code = "pool-empty"


class HeldKeys(Protocol):
    """The claims that are held; the port `Claims`, or what it was at a position of the log."""

    def keys(self, kind: str, prefix: str = "") -> Iterator[tuple[str, str]]:
        """All held (key, stream) of a kind whose key starts with `prefix`, in the order of keys."""
        ...


class Salts(Protocol):
    """Where the salts of lines come from; the port `Chance`."""

    def token(self, size: int) -> bytes:
        """`size` bytes."""
        ...


def form_frame(
    claims: HeldKeys, chance: Salts, plan: Plan, row: PlanRow, snapshot: RegistrySnapshot
) -> list[Site]:
    """The sites of the row's strata, each with the reason why it is not eligible, if there is one.

    But for the salts all follows from the log up to `snapshot.as_of`: claims are those held there.
    """
    strata = {stratum.code for stratum in row.strata}
    listed = [site for site in snapshot.sites if site.status == "listed" and site.stratum in strata]
    if not listed:
        raise FrameEmpty(row=row.no)
    drawn = set() if row.redraw else drawn_sites(claims, plan.year)
    visits = visit_counts(claims, plan.year)
    return [_line(chance, row, site, drawn, visits) for site in listed]


def form_pool(
    chance: Salts,
    row: PlanRow,
    snapshot: RegistrySnapshot,
    frame: Iterable[Site],
    day: date,
    lent: Sequence[str] = (),
) -> list[Inspector]:
    """The officers who may sit somewhere: listed, certified until the period ends, in an area of the frame.

    Conflicts are all sites of the enterprises to which an officer has a relation. Experts are not in
    the pool: they come along by approval and never count. Officers of the `lent` areas may come wherever
    their certificate is valid.
    """
    areas = sorted({site.area for site in frame})
    sites_of: dict[str, list[str]] = {}
    for site in snapshot.sites:
        sites_of.setdefault(site.uscc, []).append(site.id)
    pool = [
        _officer(chance, row, officer, areas, sites_of, lent)
        for officer in snapshot.inspectors
        if _may_go(officer, day, row)
    ]
    useful = [officer for officer in pool if officer.areas]
    if not useful:
        raise PoolEmpty(row=row.no)
    return useful


def drawn_sites(claims: HeldKeys, year: int) -> set[str]:
    """The sites that a lot fell on in the year."""
    return {key.split("/")[1] for key, _ in claims.keys("drawn", f"{year}/")}


def visit_counts(claims: HeldKeys, year: int) -> Counter[str]:
    """How many counted visits each enterprise (USCC) has had in the year."""
    return Counter(key.split("/")[1] for key, _ in claims.keys("visit", f"{year}/"))


def _line(chance: Salts, row: PlanRow, site: SiteRow, drawn: set[str], visits: Counter[str]) -> Site:
    reason = "drawn" if site.id in drawn else "capped" if visits[site.uscc] >= row.visits_a_year else ""
    return Site(
        id=site.id,
        stratum=site.stratum,
        area=site.region,
        salt=chance.token(16).hex(),
        weight=row.weights.get(site.credit, 1),
        eligible=not reason,
        reason=reason,
        needs=tuple(sorted(site.needs)),
    )


def _may_go(officer: InspectorRow, day: date, row: PlanRow) -> bool:
    until = max(day, row.last_day()).isoformat()
    valid = officer.certificate_from <= day.isoformat() and until <= officer.certificate_to
    return officer.status == "listed" and officer.kind == "officer" and valid


def _officer(
    chance: Salts,
    row: PlanRow,
    officer: InspectorRow,
    areas: Sequence[str],
    sites_of: dict[str, list[str]],
    lent: Sequence[str],
) -> Inspector:
    certified = officer.certificate_areas
    comes = any(_within(lent, own) or _within(officer.areas, one) for own in officer.areas for one in lent)
    conflicts = {site for uscc, _ in officer.relations for site in sites_of.get(uscc, ())}
    return Inspector(
        ref=officer.id,
        areas=tuple(
            area for area in areas if (comes or _within(officer.areas, area)) and _within(certified, area)
        ),
        cap=row.seats_each,
        salt=chance.token(16).hex(),
        lead=officer.lead,
        skills=tuple(sorted(officer.skills)),
        conflicts=tuple(sorted(conflicts)),
    )


def _within(areas: Sequence[str], region: str) -> bool:
    return any(covers(area, region) for area in areas)
