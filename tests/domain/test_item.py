"""An item: versions on a legal basis, until it is repealed."""

from datetime import date
from typing import Any

import pytest

from domain.identifiers import RegionWrong
from domain.item import Item, ItemIncomplete, ItemRepealed, ItemUnchanged
from tests.builders import CITY, act, item_facts, legal_basis, stream
from tests.scenario import given, happened, when_begun
from tests.stages import drafted_item


def repealed(item: Item) -> None:
    """The item ends in July."""
    item.repeal(act(), effective_from=date(2024, 7, 1), reason="法规修订")


def test_the_first_version_is_written() -> None:
    item = when_begun(drafted_item).then(
        happened(Item.Drafted, region=CITY, code="SX-01", facts=item_facts())
    )
    assert (item.number, item.repealed_from) == (1, None)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    *[(field, {field: ""}) for field in ("name", "subject", "content", "department")],
    ("methods", {"methods": ()}),
    ("methods", {"methods": ("by-phone",)}),
    ("category", {"category": "重点"}),
    ("bases", {"bases": ()}),
    ("bases", {"bases": (legal_basis(law=""),)}),
    ("bases", {"bases": (legal_basis(article=""),)}),
    ("bases", {"bases": (legal_basis(effective_to=date(2014, 12, 31)),)}),
]


@pytest.mark.parametrize(("field", "change"), FAULTS)
def test_a_version_that_lacks_what_the_order_asks_for_is_refused(field: str, change: dict[str, Any]) -> None:
    when_begun(lambda: drafted_item(**change)).refused(ItemIncomplete, f"/{field}", field=field)
    given(drafted_item).when(
        lambda item: item.revise(act(), facts=item_facts(**change), reason="修订")
    ).refused(ItemIncomplete, f"/{field}", field=field)


def test_an_item_needs_its_code_and_a_region() -> None:
    when_begun(
        lambda: Item.draft(act(), id=stream("item"), region=CITY, code="", facts=item_facts())
    ).refused(ItemIncomplete, "/code", field="code")
    when_begun(
        lambda: Item.draft(act(), id=stream("item"), region="太原", code="SX-01", facts=item_facts())
    ).refused(RegionWrong, value="太原")


def test_a_revision_is_the_next_version() -> None:
    facts = item_facts(content="是否按证排污、自行监测")
    item = (
        given(drafted_item)
        .when(lambda item: item.revise(act(), facts=facts, reason="内容调整"))
        .then(happened(Item.Revised, number=2, facts=facts, reason="内容调整"))
    )
    assert (item.number, item.facts) == (2, facts)


def test_a_revision_that_says_nothing_new_is_refused() -> None:
    given(drafted_item).when(lambda item: item.revise(act(), facts=item_facts(), reason="无")).refused(
        ItemUnchanged, item="SX-01"
    )


def test_an_item_is_repealed_from_a_day_on() -> None:
    item = (
        given(drafted_item)
        .when(repealed)
        .then(happened(Item.Repealed, effective_from=date(2024, 7, 1), reason="法规修订"))
    )
    assert item.repealed_from == date(2024, 7, 1)


def test_a_repealed_item_does_not_change_any_more() -> None:
    given(drafted_item, repealed).when(repealed).refused(ItemRepealed, item="SX-01")
    given(drafted_item, repealed).when(
        lambda item: item.revise(act(), facts=item_facts(name="别名"), reason="改名")
    ).refused(ItemRepealed, item="SX-01")


def test_an_item_is_in_force_while_all_of_its_bases_are() -> None:
    facts = item_facts(
        bases=(
            legal_basis(effective_from=date(2015, 1, 1), effective_to=date(2025, 12, 31)),
            legal_basis(effective_from=date(2021, 3, 1)),
        )
    )
    assert facts.in_force() == (date(2021, 3, 1), date(2025, 12, 31))
    assert item_facts().in_force() == (date(2015, 1, 1), None)


def test_a_basis_is_in_force_on_its_first_and_last_day() -> None:
    basis = legal_basis(effective_from=date(2021, 3, 1), effective_to=date(2025, 12, 31))
    assert basis.in_force(date(2021, 3, 1))
    assert basis.in_force(date(2025, 12, 31))
    assert not basis.in_force(date(2021, 2, 28))
    assert not basis.in_force(date(2026, 1, 1))
