"""Items: what may be inspected, on which legal basis, in versions."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create
from api.rest.description import does, lists, shows
from api.rest.fields import Reason, Region, Words, choice, struct_of
from api.rest.presenting import Page, found, show_one
from application import items
from domain.item import ItemFacts
from domain.values import METHODS
from projections.catalogue import ItemEntry, ItemVersion, get_item, item_versions, list_items

router = APIRouter(prefix="/items", tags=["items"])
PLACE = "/api/v1/items/{id}"


class Basis(BaseModel):
    """One article that allows the inspection, and the days on which it is in force."""

    model_config = ConfigDict(extra="forbid")

    law: str = Field(description="法律法规名称 The law.", max_length=200)
    article: str = Field(description="条款 The article.", max_length=100)
    effective_from: date = Field(description="施行日期 The first day.")
    effective_to: date | None = Field(default=None, description="失效日期 The last day, if known.")


class ItemWriting(Step):
    """What a version of an item says."""

    name: str = Field(description="事项名称 Name.", max_length=200)
    category: str = choice(("key", "general"), "类别：重点、一般 Key items have no ceiling on the ratio.")
    subject: str = Field(description="检查对象 Who is inspected.", max_length=500)
    content: str = Field(description="检查内容 What is inspected.", max_length=4000)
    methods: Words = Field(description="检查方式 Methods.", json_schema_extra={"enum_items": list(METHODS)})
    department: str = Field(description="实施部门 The department.", max_length=200)
    bases: tuple[Basis, ...] = Field(description="检查依据 Legal bases.", max_length=50)


class ItemDraft(ItemWriting):
    """The first version of an item of a region's catalogue."""

    region: Region
    code: str = Field(description="事项编码 The item's code in the region.", max_length=64)


class ItemRevision(ItemWriting):
    """The next version of an item."""

    reason: Reason


class Repeal(Step):
    """The end of an item."""

    effective_from: date = Field(description="废止日期 The first day on which it is not inspected.")
    reason: Reason


class ItemShown(msgspec.Struct, frozen=True, kw_only=True):
    """An item with its versions, the first one first."""

    item: ItemEntry
    versions: list[ItemVersion]


@router.post("", status_code=201, summary="起草事项 Draft an item")
@does()
def draft_item(body: ItemDraft, command: Command = create("item.draft")) -> Response:
    """Writes the first version; it may be inspected once an edition of the catalogue has published it."""
    facts = struct_of(body, ItemFacts)
    return command.run(
        body,
        lambda call: items.draft_item(command.office, call, region=body.region, code=body.code, facts=facts),
        place=PLACE,
    )


@router.get("", summary="事项列表 List items")
@lists(ItemEntry)
def read_items(
    page: Annotated[Page, Depends()],
    region: str = "",
    code: str = "",
    category: str = "",
    text: str = "",
    asked: Asked = ask("plan.read"),
) -> Response:
    """Items as they stand now, published or not, in the order in which they were drafted."""
    with asked.views() as views:
        rows = list_items(
            views,
            asked.regions("plan.read", region),
            code=code,
            category=category,
            text=text,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="事项 One item")
@shows(ItemShown, etag=True)
def read_item(id: str, request: Request, asked: Asked = ask("plan.read")) -> Response:
    """The item with all its versions."""
    with asked.views() as views:
        item = found(get_item(views, id), "item", id)
        versions = item_versions(views, id)
    asked.require("plan.read", item.region)
    return show_one(request, ItemShown(item=item, versions=versions), item.version)


@router.put("/{id}", summary="修订事项 Revise an item")
@does()
def revise_item(id: str, body: ItemRevision, command: Command = change("item.draft")) -> Response:
    """Writes the next version, because the law or the work changed."""
    facts = struct_of(body, ItemFacts)
    return command.run(
        body, lambda call: items.revise_item(command.office, call, id, facts=facts, reason=body.reason)
    )


@router.post("/{id}/repeal", summary="废止事项 Repeal an item")
@does()
def repeal_item(id: str, body: Repeal, command: Command = change("item.draft")) -> Response:
    """Ends the item from a day on."""
    return command.run(
        body,
        lambda call: items.repeal_item(
            command.office, call, id, effective_from=body.effective_from, reason=body.reason
        ),
    )
