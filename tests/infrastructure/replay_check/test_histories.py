"""Where a stored version parts from the versions that events made, and merging what is stored with them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infrastructure.replay_check.histories import parted
from infrastructure.replay_check.replay import Difference, differences, pages

VERSIONS = st.lists(st.sampled_from(["a", "b", "c", None]), max_size=8)
ROWS = st.dictionaries(st.tuples(st.text(max_size=3), st.integers(0, 3)), st.sampled_from("xyz"), max_size=12)


def told(versions: list[str | None], stored: str | None) -> int | None:
    """The same by the words of its description."""
    seen: list[str | None] = [None, *versions]
    matching = [place for place, version in enumerate(seen) if version == stored]
    if matching:
        return matching[-1]
    return len(versions) - 1 if versions else None


@given(VERSIONS, st.sampled_from(["a", "b", "d", None]))
@settings(max_examples=200, deadline=None)
def test_the_event_after_the_last_version_that_agrees_else_the_last_one(
    versions: list[str | None], stored: str | None
) -> None:
    if (versions or [None])[-1] != stored:
        assert parted(enumerate(versions), stored) == told(versions, stored)


@given(ROWS, ROWS)
@settings(max_examples=200, deadline=None)
def test_what_differs_is_found_in_the_order_of_keys(
    left: dict[tuple[str, int], str], right: dict[tuple[str, int], str]
) -> None:
    found = differences(rows(left), rows(right), 2)
    assert list(found) == [
        Difference(key, row(left, key), row(right, key))
        for key in sorted(left | right, key=lambda key: (key[0].encode("utf-8", "surrogatepass"), key[1]))
        if left.get(key) != right.get(key)
    ]


def rows(table: dict[tuple[str, int], str]) -> list[tuple[str, int, str]]:
    return [(*key, table[key]) for key in sorted(table)]


def row(table: dict[tuple[str, int], str], key: tuple[str, int]) -> tuple[str, int, str] | None:
    return (*key, table[key]) if key in table else None


def test_columns_that_are_only_carried_along_do_not_differ() -> None:
    assert list(differences([("a", 1)], [("a", 1, "more")], 1, same=2)) == []


def test_keys_of_any_type_have_an_order() -> None:
    stored = [(None, "x"), (7, "x"), ("a", "x"), (b"a", "x")]
    assert [found.key for found in differences(stored, [("a", "x")], 1)] == [(None,), (7,), (b"a",)]


def test_pages_follow_each_other_without_gap_or_repeat() -> None:
    table = [(number, number * number) for number in range(11)]

    def read(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        last, size = params
        return [one for one in table if one[0] > last][:size]

    assert list(pages(read, "", (-1,), size=3)) == table
