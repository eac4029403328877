"""The catalogue: editions of item versions whose legal bases are in force."""

from datetime import date, timedelta

import pytest

from domain.catalogue import (
    Catalogue,
    CatalogueEmpty,
    CatalogueLine,
    CatalogueUnchanged,
    ItemLapsed,
    ItemUnpublished,
)
from domain.identifiers import RegionWrong
from domain.item import Item
from domain.values import CheckedItem
from tests.builders import CITY, LEADER, TODAY, act, legal_basis, stream
from tests.scenario import given, happened, when_begun
from tests.stages import drafted_item, opened_catalogue, published_catalogue

JULY = date(2024, 7, 1)


def line(code: str = "SX-01", in_force_to: date | None = None) -> CatalogueLine:
    """What an edition says of the item."""
    return CatalogueLine(
        item=stream("item", int(code[-2:])),
        code=code,
        number=1,
        name="排污许可证执行情况的检查",
        category="key",
        methods=("on-site", "off-site"),
        in_force_from=date(2015, 1, 1),
        in_force_to=in_force_to,
    )


def repealed_item(effective_from: date, last_day: date | None = None) -> Item:
    """An item that ends, by repeal and perhaps by its basis."""
    item = drafted_item(bases=(legal_basis(effective_to=last_day),))
    item.repeal(act(), effective_from=effective_from, reason="取消")
    return item


def test_a_region_gets_an_empty_catalogue() -> None:
    catalogue = when_begun(opened_catalogue).then(happened(Catalogue.Opened, region=CITY))
    assert (catalogue.edition, catalogue.lines) == (0, {})


def test_no_region_no_catalogue() -> None:
    when_begun(lambda: Catalogue.open(act(), id=stream("catalogue"), region="1401")).refused(
        RegionWrong, value="1401"
    )


def test_an_edition_holds_the_items_in_the_order_of_their_codes() -> None:
    items = [drafted_item("SX-02"), drafted_item("SX-01")]
    catalogue = (
        given(opened_catalogue)
        .when(lambda catalogue: catalogue.publish(act(LEADER), published_on=TODAY, items=items))
        .then(happened(Catalogue.Published, edition=1, published_on=TODAY, lines=(line(), line("SX-02"))))
    )
    assert catalogue.checked(["SX-02"], TODAY) == (CheckedItem("SX-02", 1),)


def test_the_next_edition_replaces_the_one_before() -> None:
    catalogue = (
        given(published_catalogue)
        .when(lambda catalogue: catalogue.publish(act(), published_on=TODAY, items=[drafted_item()]))
        .then(happened(Catalogue.Published, edition=2, published_on=TODAY, lines=(line(),)))
    )
    with pytest.raises(ItemUnpublished):
        catalogue.require(["SX-02"], TODAY)


def test_an_edition_that_says_the_same_is_refused() -> None:
    items = [drafted_item(), drafted_item("SX-02")]
    given(published_catalogue).when(
        lambda catalogue: catalogue.publish(act(), published_on=TODAY, items=items)
    ).refused(CatalogueUnchanged)


def test_an_edition_without_standing_items_is_refused() -> None:
    given(opened_catalogue).when(
        lambda catalogue: catalogue.publish(act(), published_on=JULY, items=[repealed_item(JULY)])
    ).refused(CatalogueEmpty)


@pytest.mark.parametrize(
    "basis",
    [legal_basis(effective_from=JULY), legal_basis(effective_to=TODAY - timedelta(days=1))],
)
def test_an_item_whose_basis_is_not_in_force_is_refused(basis: object) -> None:
    given(opened_catalogue).when(
        lambda catalogue: catalogue.publish(act(), published_on=TODAY, items=[drafted_item(bases=(basis,))])
    ).refused(ItemLapsed, item="SX-01", day=TODAY)


@pytest.mark.parametrize(
    ("item", "last_day"),
    [
        (repealed_item(JULY), date(2024, 6, 30)),
        (repealed_item(JULY, date(2024, 12, 31)), date(2024, 6, 30)),
        (repealed_item(JULY, date(2024, 5, 31)), date(2024, 5, 31)),
    ],
)
def test_a_repeal_to_come_ends_the_item_within_its_edition(item: Item, last_day: date) -> None:
    catalogue = (
        given(opened_catalogue)
        .when(lambda catalogue: catalogue.publish(act(), published_on=TODAY, items=[item]))
        .then(
            happened(Catalogue.Published, edition=1, published_on=TODAY, lines=(line(in_force_to=last_day),))
        )
    )
    assert catalogue.require(["SX-01"], last_day)
    with pytest.raises(ItemLapsed):
        catalogue.require(["SX-01"], last_day + timedelta(days=1))


def test_only_published_items_may_be_used() -> None:
    given(opened_catalogue).when(lambda catalogue: catalogue.require(["SX-01"], TODAY)).refused(
        ItemUnpublished, item="SX-01"
    )


def test_a_published_item_may_not_be_used_before_its_basis_is_in_force() -> None:
    early = date(2014, 12, 31)
    given(published_catalogue).when(lambda catalogue: catalogue.checked(["SX-01"], early)).refused(
        ItemLapsed, item="SX-01", day=early
    )
