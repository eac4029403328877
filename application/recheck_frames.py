"""Freezing the candidates of a re-check: a quarter's closed violations, and who may look at them again."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from msgspec.structs import replace

from application.frames import FrameEmpty, Salts, form_pool
from application.ports import RegistrySnapshot, SiteRow
from application.recheck_ports import Closing
from domain.deadlines import day_of
from domain.drawing.lines import Inspector, Site
from domain.identifiers import covers
from domain.plan import PlanRow
from domain.recheck_terms import CLOSED, RecheckTerms

REFERRED: Final = "referred"
RECHECKED: Final = "rechecked"
DRAWN: Final = "drawn"
"""Why a closing cannot be drawn: another department has it; it was looked at again; the lot fell on it."""


def closings_of(terms: RecheckTerms, row: PlanRow, closings: Iterable[Closing]) -> list[Closing]:
    """Those of the row's region whose last closing was recorded on one of the days of the terms.

    The day of recording counts, not the one on which it is said to have happened: otherwise a closing
    could be put back into a quarter that was drawn already.
    """
    [region] = row.areas
    return [
        one
        for one in closings
        if covers(region, one.region) and terms.first_day <= day_of(one.closed_at) <= terms.last_day
    ]


def form_recheck_frame(
    chance: Salts, terms: RecheckTerms, row: PlanRow, closings: Iterable[Closing], snapshot: RegistrySnapshot
) -> list[Site]:
    """A line for each closed violation, under its own id; `FrameEmpty` if there is none."""
    found = closings_of(terms, row, closings)
    if not found:
        raise FrameEmpty(row=f"{CLOSED} {row.period}")
    sites = {site.id: site for site in snapshot.sites}
    return [_line(chance, one, sites.get(one.site)) for one in found]


def form_recheck_pool(
    chance: Salts,
    terms: RecheckTerms,
    row: PlanRow,
    closings: Iterable[Closing],
    snapshot: RegistrySnapshot,
    frame: Iterable[Site],
    day: date,
) -> list[Inspector]:
    """The officers who may sit somewhere. In conflict is who had to do with the violation or its enterprise.

    `day` is that of the seal: certificates must be valid on it.
    """
    found = closings_of(terms, row, closings)
    owners = {site.id: site.uscc for site in snapshot.sites}
    beside = [_owned(one, uscc) for one in found for uscc in {one.uscc, owners.get(one.site, one.uscc)}]
    pool = form_pool(chance, row, replace(snapshot, sites=beside), frame, day)
    return [_involved(one, found) for one in pool]


def _line(chance: Salts, closing: Closing, site: SiteRow | None) -> Site:
    reason = _reason(closing)
    return Site(
        id=closing.violation,
        stratum=CLOSED,
        area=site.region if site else closing.region,
        salt=chance.token(16).hex(),
        weight=1,
        eligible=not reason,
        reason=reason,
        needs=tuple(sorted(site.needs)) if site else (),
    )


def _reason(closing: Closing) -> str:
    if closing.disposal == REFERRED:
        return REFERRED
    return RECHECKED if closing.rechecked else DRAWN if closing.drawn else ""


def _owned(closing: Closing, uscc: str) -> SiteRow:
    """The violation as something that belongs to an enterprise, to which officers may have relations."""
    return SiteRow(
        id=closing.violation,
        uscc=uscc,
        region=closing.region,
        stratum=CLOSED,
        needs=(),
        credit="",
        status="listed",
    )


def _involved(officer: Inspector, closings: Sequence[Closing]) -> Inspector:
    own = {one.violation for one in closings if officer.ref in one.involved}
    return officer._replace(conflicts=tuple(sorted({*officer.conflicts, *own})))
