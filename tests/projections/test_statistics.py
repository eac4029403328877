"""The statistics count what happened, and nothing that did not."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from domain.assignment import Assignment
from projections import quarterly_statistics
from projections.figures import Cell, Ratio, add
from projections.identities import IdentityBroken
from projections.quarterly_statistics import PROJECTION
from projections.statistics_report import FIGURES, annual, count, list_behind, quarterly
from tests.builders import LEADER, act, digest
from tests.projections.quarter import QUARTERS, STRATA, Fate, Found, tell_quarter
from tests.projections.tale import Shelf, Tale

BEFORE_DUE = datetime(2024, 4, 20, tzinfo=UTC)
AFTER_ORDER_DUE = datetime(2024, 5, 15, tzinfo=UTC)
AFTER_ALL = datetime(2024, 7, 1, tzinfo=UTC)
REVIEWED = ("reviewed", "published", "published-late", "withheld")


def expected(stratum: str, fates: Sequence[Fate], now: datetime) -> Cell:
    """The cell that the fates make, reckoned without any event."""
    mine = [fate for fate in fates if fate.stratum == stratum]
    checked = [fate for fate in mine if fate.checked]
    replaced = sum(fate.end == "replaced" for fate in mine)
    cell = Cell(region="140100", period="2024Q2", stratum=stratum)
    cell.frame, cell.eligible, cell.sampled = 100, 90, len(mine)
    cell.drawn, cell.replacements = len(mine) + replaced, replaced
    cell.void = sum(fate.end in ("void", "replaced") for fate in mine)
    cell.inspected = sum(fate.mode == "on-site" for fate in checked)
    cell.off_site = sum(fate.mode == "off-site" for fate in checked)
    cell.pending = cell.drawn - cell.void - len(checked)
    for fate in checked:
        results = cell.results if fate.mode == "on-site" else cell.off_site_results
        results[fate.primary] += 1
        count_findings(cell, fate, now)
    cell.withheld = sum(fate.end == "withheld" for fate in mine)
    cell.due = len(checked) - cell.withheld
    cell.published_on_time = sum(fate.end == "published" for fate in mine)
    cell.published_late = sum(fate.end == "published-late" for fate in mine)
    cell.unpublished = sum(fate.end in ("concluded", "reviewed") for fate in mine)
    return cell


def count_findings(cell: Cell, fate: Fate, now: datetime) -> None:
    """Add the findings of one concluded inspection, and the orders of a reviewed one."""
    for found in fate.findings:
        ordered = found.disposal == "rectifying" and fate.end in REVIEWED
        referred = ordered and found.order == "referred"
        cell.findings += 1
        cell.disposals["referred" if referred else found.disposal] += 1
        if ordered:
            cell.orders += 1
            name = f"orders_{order_state(found, now)}"
            setattr(cell, name, getattr(cell, name) + 1)


def order_state(found: Found, now: datetime) -> str:
    """Where an order stands at a time."""
    due = {"ordered": datetime(2024, 5, 1, 16, tzinfo=UTC), "sent-back": datetime(2024, 6, 1, 16, tzinfo=UTC)}
    due["referred"] = due["ordered"]
    if found.order == "closed":
        return "closed"
    return "overdue" if found.order in due and now >= due[found.order] else "open"


def told(fates: Iterable[Fate]) -> Tale:
    """The tale of a quarter."""
    tale = Tale()
    tell_quarter(tale, list(fates))
    return tale


@settings(max_examples=40, deadline=None)
@given(fates=QUARTERS)
def test_any_valid_quarter_gives_the_figures_of_its_fates_and_keeps_the_identities(fates: list[Fate]) -> None:
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        with shelf.after(PROJECTION, told(fates), batch=7) as connection:
            for now in (BEFORE_DUE, AFTER_ORDER_DUE, AFTER_ALL):
                cells = quarterly(connection, "2024Q2", now=now)
                assert cells == [expected(stratum, fates, now) for stratum in STRATA]
        shelf.views.close()


@settings(max_examples=15, deadline=None)
@given(fates=QUARTERS)
def test_every_figure_opens_to_as_many_things_as_it_counts(fates: list[Fate]) -> None:
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder))
        with shelf.after(PROJECTION, told(fates), batch=50) as connection:
            total = add(quarterly(connection, "2024Q2", now=AFTER_ORDER_DUE))
            for figure in FIGURES:
                behind = list_behind(connection, figure, period="2024Q2", now=AFTER_ORDER_DUE, limit=10_000)
                assert len(behind) == getattr(total, figure), figure
        shelf.views.close()


FATES = [
    Fate(
        "key", "published", "on-site", "none", (Found("rectifying", "ordered"), Found("corrected", "ordered"))
    ),
    Fate("key", "replaced", "on-site", "none", ()),
    Fate("general", "drawn", "on-site", "none", ()),
]


@pytest.fixture
def counted(shelf: Shelf) -> Iterable[Connection]:
    """A reading of the quarter of `FATES`."""
    with shelf.after(PROJECTION, told(FATES)) as connection:
        yield connection


def test_coverage_is_a_reduced_fraction_of_the_frame(counted: Connection) -> None:
    general, key = quarterly(counted, "2024Q2", now=BEFORE_DUE)
    assert general.coverage == Ratio(1, 100)
    assert key.coverage == Ratio(3, 100)
    assert add([general, key]).coverage == Ratio(1, 50)
    assert key.publicity == Ratio(1, 1)
    assert general.publicity == Ratio(0, 1, of_nothing=True)


def test_other_regions_and_periods_have_no_cells(counted: Connection) -> None:
    assert quarterly(counted, "2024Q3", now=BEFORE_DUE) == []
    assert quarterly(counted, "2024Q2", ["140200"], now=BEFORE_DUE) == []
    assert quarterly(counted, "2024Q2", [], now=BEFORE_DUE) == []
    assert len(quarterly(counted, "2024Q2", ["140000"], now=BEFORE_DUE)) == 2


def test_the_year_is_the_sum_of_its_quarters(counted: Connection) -> None:
    year, quarters = annual(counted, 2024, now=AFTER_ALL)
    assert [(cell.stratum, cell.drawn, cell.period) for cell in year] == [
        ("general", 1, "2024"),
        ("key", 3, "2024"),
    ]
    assert add(year) == add(quarters)


def test_what_a_figure_counts_is_paged_by_position(counted: Connection) -> None:
    first = list_behind(counted, "drawn", period="2024Q2", now=BEFORE_DUE, limit=3)
    rest = list_behind(counted, "drawn", period="2024Q2", now=BEFORE_DUE, after=first[-1].idx)
    assert len(first) == 3
    assert len(rest) == 1
    assert [one.idx for one in (*first, *rest)] == sorted({one.idx for one in (*first, *rest)})
    with pytest.raises(ValueError, match="no figure"):
        list_behind(counted, "rumours", period="2024Q2", now=BEFORE_DUE)


def test_a_void_site_that_was_inspected_is_refused_and_named(shelf: Shelf) -> None:
    tale = told([Fate("key", "published", "on-site", "none", ())])
    recorded = next(one.event for one in tale.recorded if isinstance(one.event, Assignment.Made))
    assignment = recorded.mutate(None)
    assert isinstance(assignment, Assignment)
    assignment.ask_void(act(LEADER), ground="closed", evidence=(digest(),))
    assignment.void_site(act(), replacement="")
    tale.tell(assignment)
    with shelf.after(PROJECTION, tale) as connection:
        with pytest.raises(IdentityBroken) as refusal:
            quarterly(connection, "2024Q2", now=AFTER_ALL)
        assert len(count(connection, "2024Q2", None, now=AFTER_ALL)) == 2
    assert refusal.value.facts["broken"] == [
        {
            "identity": "drawn = inspected + off-site + void + pending",
            "region": "140100",
            "period": "2024Q2",
            "stratum": "key",
            "left": 1,
            "right": 2,
        }
    ]


def test_a_draw_that_was_not_completed_counts_nothing(shelf: Shelf) -> None:
    tale = told([])
    sealed = [one for one in tale.recorded if type(one.event).__name__ != "Completed"]
    shelf.fold(PROJECTION, [one for one in sealed if type(one.event) in PROJECTION.handlers])
    with shelf.views.reading() as connection:
        assert quarterly(connection, "2024Q2", now=AFTER_ALL) == []
        assert connection.execute(quarterly_statistics.STRATA.table.select()).all()
