"""`item` and `catalogue`: what may be inspected, and publishing it."""

from datetime import date
from typing import Annotated

import typer

from api.cli.commands import acts, asks
from api.cli.desk import Desk
from api.cli.files import read_facts
from api.cli.options import After, JsonFile, Limit, Reason, Region, argument, option, read_day
from api.cli.terminal import row_of
from application.items import draft_item, publish_catalogue, repeal_item, revise_item
from application.ports import Answer
from application.workflow import Call
from domain.item import ItemFacts
from projections.catalogue import list_editions, list_items

item = typer.Typer(name="item", help="Items that may be inspected 抽查事项.", no_args_is_help=True)
catalogue = typer.Typer(name="catalogue", help="The published items 抽查事项清单.", no_args_is_help=True)

Id = Annotated[str, argument("The item's id 事项编号.")]
Within = Annotated[str | None, option("--region", help="Only in this region 地区.")]


@acts(item, "draft")
def draft(
    desk: Desk,
    call: Call,
    code: Annotated[str, argument("Its code in the region 事项代码.")],
    region: Region,
    facts: JsonFile,
) -> Answer:
    """Write the first version of an item 起草事项."""
    return draft_item(desk.office, call, region=region, code=code, facts=read_facts(facts, ItemFacts))


@acts(item, "revise")
def revise(desk: Desk, call: Call, id: Id, facts: JsonFile, reason: Reason) -> Answer:
    """Write the next version of an item 修订事项."""
    return revise_item(desk.office, call, id, facts=read_facts(facts, ItemFacts), reason=reason)


@acts(item, "repeal")
def repeal(
    desk: Desk,
    call: Call,
    id: Id,
    effective_from: Annotated[
        date, option("--from", parser=read_day, metavar="YYYY-MM-DD", help="First day without it 起始日.")
    ],
    reason: Reason,
) -> Answer:
    """End an item 废止事项."""
    return repeal_item(desk.office, call, id, effective_from=effective_from, reason=reason)


@asks(item, "list")
def show(
    desk: Desk,
    call: Call,
    region: Within = None,
    text: Annotated[str, option("--text", help="Part of the name 名称.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List items with their latest versions 列出事项."""
    regions = desk.regions(call, "plan.read", region)
    with desk.reading() as connection:
        found = list_items(connection, regions, text=text, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, ("idx", "id", "region", "code", "number", "category", "name"))


@acts(catalogue, "publish")
def publish(desk: Desk, call: Call, region: Region) -> Answer:
    """Publish an edition of all items of a region as they stand 公布清单."""
    return publish_catalogue(desk.office, call, region=region)


@asks(catalogue, "list")
def editions(desk: Desk, call: Call, region: Within = None, limit: Limit = 50, after: After = None) -> None:
    """List the published editions, the latest first 列出清单版本."""
    regions = desk.regions(call, "plan.read", region)
    with desk.reading() as connection:
        found = list_editions(connection, regions, after=after, limit=limit)
    rows = [{**row_of(one), "items": len(one.lines)} for one in found]
    desk.terminal.rows(rows, ("idx", "region", "edition", "published_on", "items", "catalogue"))
