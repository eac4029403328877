"""The arithmetic of the statistics: national figures that were published, and every way to break them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.results import CODES
from projections.figures import COUNTS, Cell, Ratio, add, per_cent, ratio
from projections.identities import IdentityBroken, check, check_annual, require

KINDS = {"general": 345_900, "key": 105_800, "special": 26_800, "other": 167_600, "joint": 19_300}
"""Inspections of 2019 in the whole country, in 万家次: 34.59, 10.58, 2.68, 16.76 and 1.93."""

DRAWN = 665_400
PROBLEMS = 31_900
PUBLISHED = 465_000


def inspected(stratum: str, number: int) -> Cell:
    """A stratum in which everything drawn was inspected, and nothing found or published yet."""
    cell = Cell(stratum=stratum, frame=number, eligible=number, sampled=number, drawn=number)
    cell.inspected = cell.due = cell.unpublished = number
    cell.results["none"] = number
    return cell


def national() -> list[Cell]:
    """The five kinds of 2019, problems and publications with the first three."""
    cells = [inspected(stratum, number) for stratum, number in KINDS.items()]
    for cell, problems, published in zip(
        cells, (20_000, 10_000, 1_900), (300_000, 100_000, 65_000), strict=False
    ):
        public = min(published, cell.due)
        cell.results["none"] -= problems
        cell.results["pending"] += problems
        cell.findings = cell.disposals["case"] = problems
        cell.published_on_time = public
        cell.unpublished -= public
    cells[3].published_late = PUBLISHED - sum(cell.published for cell in cells)
    cells[3].unpublished -= cells[3].published_late
    return cells


def test_the_national_figures_of_2019_add_up() -> None:
    assert check(national()) == []
    total = add(national(), period="2019")
    assert total.drawn == DRAWN == sum(KINDS.values())
    assert (total.problems, total.published, total.due) == (PROBLEMS, PUBLISHED, DRAWN)
    assert check([total]) == []
    require(check([total]))


def test_the_national_shares_of_2019_are_rounded_as_published() -> None:
    total = add(national())
    assert ratio(total.problems, total.inspected).per_cent(2) == "4.79"
    assert total.publicity.per_cent(0) == "70"
    assert total.publicity == Ratio(775, 1109)


def test_shares_are_rounded_half_up_in_integers() -> None:
    assert per_cent(1, 8, 1) == "12.5"
    assert per_cent(1, 8, 0) == "13"
    assert per_cent(1, 200, 0) == "1"
    assert per_cent(1, 3, 2) == "33.33"
    assert per_cent(2, 3, 2) == "66.67"
    assert per_cent(0, 7) == "0.00"
    assert per_cent(10**18 + 1, 10**18, 18) == "100.000000000000000100"


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 0), (-1, 2), (1, -2)])
def test_a_share_of_nothing_is_no_number(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match="not a ratio of counts"):
        per_cent(numerator, denominator)


@given(st.sampled_from([name for name in COUNTS if name not in ("frame", "eligible")]))
def test_a_figure_that_is_one_too_high_breaks_an_identity_of_its_cell(name: str) -> None:
    cells = national()
    setattr(cells[1], name, getattr(cells[1], name) + 1)
    broken = check(cells)
    assert broken
    assert {one.stratum for one in broken} == {"key"}


@given(st.sampled_from(CODES))
def test_a_result_that_is_one_too_high_breaks_the_sum_of_results(code: str) -> None:
    cells = national()
    cells[0].results[code] += 1
    assert [one.identity for one in check(cells)] == ["inspected = sum of primary results"]


def test_a_result_or_disposal_without_a_code_of_ours_is_not_counted() -> None:
    cells = national()
    cells[0].results["none"] -= 1
    cells[0].results["well"] = 1
    cells[1].disposals["case"] -= 1
    cells[1].disposals["forgotten"] = 1
    assert [(one.stratum, one.identity) for one in check(cells)] == [
        ("general", "inspected = sum of primary results"),
        ("key", "findings = sum of disposals"),
    ]


def test_more_drawn_than_stood_in_the_frame_is_refused() -> None:
    cell = inspected("key", 10)
    cell.frame = 9
    assert [(one.identity, one.left, one.right) for one in check([cell])] == [
        ("drawn within the frame", 10, 9)
    ]


def test_a_broken_report_names_the_cell() -> None:
    cells = national()
    cells[2].region, cells[2].period = "140100", "2019Q4"
    cells[2].void = 1
    with pytest.raises(IdentityBroken) as refusal:
        require(check(cells))
    (named,) = refusal.value.facts["broken"]
    assert (named["region"], named["period"], named["stratum"]) == ("140100", "2019Q4", "special")
    assert (named["left"], named["right"]) == (26_800, 26_801)


def test_a_year_that_is_not_the_sum_of_its_quarters_is_named_figure_by_figure() -> None:
    quarters = [*national(), *national()]
    year = [
        add((cell for cell in quarters if cell.stratum == name), stratum=name, period="2019")
        for name in KINDS
    ]
    assert check_annual(year, quarters) == []
    year[0].drawn += 1
    year[0].results["none"] -= 2
    assert [(one.stratum, one.identity, one.left - one.right) for one in check_annual(year, quarters)] == [
        ("general", "annual = sum of quarters: drawn", 1),
        ("general", "annual = sum of quarters: results.none", -2),
    ]
