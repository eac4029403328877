"""Items and the catalogue: drafting, revising, repealing, publishing an edition."""

from datetime import date

from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.catalogue import Catalogue
from domain.errors import NotFound
from domain.item import Item, ItemFacts


def draft_item(office: Office, call: Call, *, region: str, code: str, facts: ItemFacts) -> Answer:
    """Write the first version of an item; it may be inspected once an edition has published it."""
    call.require("item.draft", region)
    item = Item.draft(call.act, id=office.chance.id("item"), region=region, code=code, facts=facts)
    return office.workflow.commit(call, item)


def revise_item(office: Office, call: Call, id: str, *, facts: ItemFacts, reason: str) -> Answer:
    """Write the next version of an item."""

    def decide(item: Item) -> None:
        call.require("item.draft", item.region)
        item.revise(call.act, facts=facts, reason=reason)

    return office.workflow.change(call, Item, id, decide)


def repeal_item(office: Office, call: Call, id: str, *, effective_from: date, reason: str) -> Answer:
    """End an item from a day on."""

    def decide(item: Item) -> None:
        call.require("item.draft", item.region)
        item.repeal(call.act, effective_from=effective_from, reason=reason)

    return office.workflow.change(call, Item, id, decide)


def publish_catalogue(office: Office, call: Call, *, region: str) -> Answer:
    """Publish an edition of all items of the region as they stand now."""
    call.require("catalogue.publish", region)
    stream = office.claims.holder("catalogue", region)
    if stream is None:
        catalogue = Catalogue.open(call.act, id=office.chance.id("catalogue"), region=region)
    else:
        catalogue = office.workflow.load(Catalogue, stream)
        office.workflow.expect(call, catalogue)
    held = office.claims.keys("item-code", f"{region}/")
    items = [office.workflow.load(Item, item) for _, item in held]
    catalogue.publish(call.act, published_on=call.act.taken_on, items=items)
    return office.workflow.commit(call, catalogue)


def catalogue_of(office: Office, region: str) -> Catalogue:
    """The catalogue of the region, or of the city or province that it lies in; `NotFound`."""
    for area in (region, f"{region[:4]}00", f"{region[:2]}0000"):
        stream = office.claims.holder("catalogue", area)
        if stream is not None:
            return office.workflow.load(Catalogue, stream)
    raise NotFound(kind="catalogue", id=region)
