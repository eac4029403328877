"""The primary result of an inspection and its lines: they agree in exactly one way."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.results import (
    CODES,
    PROBLEM_CODES,
    WHOLE_VISIT_CODES,
    ResultDisagrees,
    ResultLinesWrong,
    check_result,
    primary_of,
)
from domain.values import DISPOSALS, ItemResult

ITEMS = ("SX-01", "SX-02", "SX-03", "SX-04")
Visit = tuple[tuple[ItemResult, ...], Mapping[str, Sequence[str]]]

disposals_of = {
    "none": st.just([]),
    "corrected": st.lists(st.sampled_from(["corrected", "rectifying", "lenient"]), min_size=1, max_size=3),
    "pending": st.lists(st.sampled_from(DISPOSALS), min_size=1, max_size=3).filter(
        lambda found: set(found) != {"corrected"}
    ),
}


@st.composite
def checked_visits(draw: st.DrawFn) -> Visit:
    """Lines with the findings that they stand for."""
    items = ITEMS[: draw(st.integers(1, len(ITEMS)))]
    codes = [draw(st.sampled_from(("none", *PROBLEM_CODES))) for _ in items]
    findings = {item: draw(disposals_of[code]) for item, code in zip(items, codes, strict=True)}
    return tuple(map(ItemResult, items, codes)), findings


@st.composite
def whole_visits(draw: st.DrawFn) -> Visit:
    """A visit that came to nothing, for every item alike."""
    code = draw(st.sampled_from(WHOLE_VISIT_CODES))
    return tuple(ItemResult(item, code) for item in ITEMS[: draw(st.integers(1, len(ITEMS)))]), {}


def accepts(primary: str, visit: Visit) -> bool:
    """Whether the primary result agrees with the visit."""
    lines, findings = visit
    try:
        check_result(primary, lines, [line.item for line in lines], findings)
    except ResultDisagrees:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(checked_visits() | whole_visits())
def test_exactly_one_primary_result_agrees_with_the_lines(visit: Visit) -> None:
    assert [code for code in CODES if accepts(code, visit)] == [primary_of(visit[0])]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(CODES), min_size=1, max_size=4), st.data())
def test_never_do_two_primary_results_agree(codes: list[str], data: st.DataObject) -> None:
    findings = {item: data.draw(st.lists(st.sampled_from(DISPOSALS), max_size=2)) for item in ITEMS}
    lines = tuple(map(ItemResult, ITEMS, codes))
    assert sum(accepts(code, (lines, findings)) for code in CODES) <= 1


@settings(max_examples=50, deadline=None)
@given(checked_visits())
def test_a_finding_under_none_and_a_problem_without_finding_are_refused(visit: Visit) -> None:
    lines, findings = visit
    turned = tuple(
        ItemResult(line.item, "none" if line.code in PROBLEM_CODES else "corrected") for line in lines
    )
    assert not any(accepts(code, (turned, findings)) for code in CODES)


@pytest.mark.parametrize(
    ("code", "disposals"),
    [
        ("corrected", ["case"]),
        ("corrected", ["rectifying", "referred"]),
        ("pending", ["corrected"]),
        ("pending", ["corrected", "corrected"]),
        ("obstructed", ["case"]),
        ("perfect", []),
    ],
)
def test_a_line_that_contradicts_its_findings_is_refused(code: str, disposals: list[str]) -> None:
    visit = ((ItemResult("SX-01", code),), {"SX-01": disposals})
    assert not any(accepts(primary, visit) for primary in (*CODES, code))


def test_a_whole_visit_that_came_to_nothing_is_not_mixed_with_findings() -> None:
    lines = (ItemResult("SX-01", "closed"), ItemResult("SX-02", "none"))
    assert not any(accepts(code, (lines, {})) for code in CODES)


@pytest.mark.parametrize(
    ("given_items", "missing", "extra"),
    [
        (("SX-01",), ["SX-02"], []),
        (("SX-01", "SX-02", "SX-03"), [], ["SX-03"]),
        (("SX-01", "SX-02", "SX-02"), [], ["SX-02"]),
        ((), ["SX-01", "SX-02"], []),
    ],
)
def test_there_is_one_line_for_each_item(
    given_items: tuple[str, ...], missing: list[str], extra: list[str]
) -> None:
    lines = [ItemResult(item, "none") for item in given_items]
    with pytest.raises(ResultLinesWrong) as refusal:
        check_result("none", lines, ("SX-01", "SX-02"), {})
    assert refusal.value.facts == {"missing": missing, "extra": extra}
