"""The identities of the statistics: a report that breaks one is refused, and the cell is named."""

from collections.abc import Iterable, Sequence

import msgspec

from domain.errors import DomainError
from domain.results import CODES
from domain.values import DISPOSALS
from projections.figures import COUNTS, Cell, add


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """An identity that does not hold in a cell: `left` should be `right`."""

    identity: str
    region: str
    period: str
    stratum: str
    left: int
    right: int


class IdentityBroken(DomainError):
    """The figures contradict each other: no report is made of them; facts: `broken`."""

    code = "identity-broken"
    source = "晋环函〔2024〕416号 三"


def check(cells: Iterable[Cell]) -> list[Broken]:
    """Every identity that a cell breaks, in the order of the cells; none is good."""
    return [broken for cell in cells for broken in _check_cell(cell)]


def check_annual(annual: Iterable[Cell], quarters: Sequence[Cell]) -> list[Broken]:
    """Every figure of a year that is not the sum of its quarters' cells of that region and stratum."""
    broken: list[Broken] = []
    for cell in annual:
        parts = [part for part in quarters if (part.region, part.stratum) == (cell.region, cell.stratum)]
        broken += _differences(cell, add(parts))
    return broken


def require(broken: Sequence[Broken]) -> None:
    """Refuse with `IdentityBroken` unless nothing is broken."""
    if broken:
        raise IdentityBroken(broken=[msgspec.to_builtins(one) for one in broken])


def _check_cell(cell: Cell) -> list[Broken]:
    checked = cell.inspected + cell.off_site
    pairs = {
        "drawn = inspected + off-site + void + pending": (cell.drawn, checked + cell.void + cell.pending),
        "drawn = sampled + replacements": (cell.drawn, cell.sampled + cell.replacements),
        "inspected = sum of primary results": (cell.inspected, _known(cell.results, CODES)),
        "off-site = sum of primary results": (cell.off_site, _known(cell.off_site_results, CODES)),
        "findings = sum of disposals": (cell.findings, _known(cell.disposals, DISPOSALS)),
        "orders = closed + open + overdue": (
            cell.orders,
            cell.orders_closed + cell.orders_open + cell.orders_overdue,
        ),
        "due = inspected + off-site - withheld": (cell.due, checked - cell.withheld),
        "due = published + unpublished": (cell.due, cell.published + cell.unpublished),
        "drawn within the frame": (cell.drawn, min(cell.drawn, cell.frame)),
        "no negative figures": (0, sum(min(0, getattr(cell, name)) for name in COUNTS)),
    }
    return [_broken(cell, name, left, right) for name, (left, right) in pairs.items() if left != right]


def _known(counts: dict[str, int], codes: Sequence[str]) -> int:
    return sum(counts.get(code, 0) for code in codes)


def _differences(cell: Cell, total: Cell) -> list[Broken]:
    figures = {name: (getattr(cell, name), getattr(total, name)) for name in COUNTS}
    for group in ("results", "off_site_results", "disposals"):
        ours, theirs = getattr(cell, group), getattr(total, group)
        for code in sorted({*ours, *theirs}):
            figures[f"{group}.{code}"] = (ours.get(code, 0), theirs.get(code, 0))
    return [
        _broken(cell, f"annual = sum of quarters: {name}", left, right)
        for name, (left, right) in figures.items()
        if left != right
    ]


def _broken(cell: Cell, identity: str, left: int, right: int) -> Broken:
    return Broken(
        identity=identity,
        region=cell.region,
        period=cell.period,
        stratum=cell.stratum,
        left=left,
        right=right,
    )
