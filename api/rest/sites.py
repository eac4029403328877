"""The registry of sites, one at a time; files come through imports."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create
from api.rest.description import does, lists, shows
from api.rest.fields import Region, Sourced, Uscc, Words, choice, struct_of
from api.rest.presenting import Page, found, show_one
from application import sites
from domain.site import CREDITS, REMOVAL_GROUNDS, SiteFacts
from domain.values import STRATA
from projections.sites import SiteEntry, get_site, list_sites

router = APIRouter(prefix="/sites", tags=["sites"])
PLACE = "/api/v1/sites/{id}"


class SiteWriting(Sourced):
    """What the registry says of a site, whole, with source, reason and effective day."""

    uscc: Uscc
    code: str = Field(
        default="", description="许可证或污染源编码 Licence or source code (HJ 608), if any.", max_length=22
    )
    name: str = Field(description="名称 Name.", max_length=200)
    region: Region
    address: str = Field(default="", description="地址 Address.", max_length=500)
    industry: str = Field(default="", description="行业代码 Industry (GB/T 4754).", max_length=5)
    stratum: str = choice(STRATA, "分层 Stratum by which it is drawn.")
    needs: Words = Field(default=(), description="所需专长 Skills that an inspection needs.")
    credit: str = choice(CREDITS, "信用颜色 Credit colour; empty if unknown.", "")


class Assessment(Step):
    """The site's risk class, which is never public."""

    risk_class: str = choice(("A", "B", "C", "D"), "风险类别 Risk class.")
    assessed_on: date = Field(description="评定日期 Day of the assessment.")
    source: str = Field(description="来源 Where it comes from.", min_length=1, max_length=500)


class SiteRemoval(Sourced):
    """Why the site leaves the registry."""

    ground: str = choice(REMOVAL_GROUNDS, "出库事由 Ground.")


@router.post("", status_code=201, summary="登记检查对象 Register a site")
@does()
def register_site(body: SiteWriting, command: Command = create("site.change")) -> Response:
    """Enters a site. Its licence code, or the USCC where it has none, is unique in the registry."""
    facts = struct_of(body, SiteFacts)
    return command.run(
        body,
        lambda call: sites.register_site(command.office, call, facts=facts, provenance=body.provenance()),
        place=PLACE,
    )


@router.get("", summary="检查对象名录 List sites")
@lists(SiteEntry)
def read_sites(
    page: Annotated[Page, Depends()],
    region: str = "",
    stratum: str = "",
    status: Annotated[str, Query(description="listed (default), removed, or empty for both.")] = "listed",
    credit: str = "",
    uscc: str = "",
    text: Annotated[str, Query(description="Part of the name, or the beginning of a code.")] = "",
    asked: Asked = ask("site.read"),
) -> Response:
    """Sites of the caller's regions in the order of registration."""
    with asked.views() as views:
        rows = list_sites(
            views,
            asked.regions("site.read", region),
            stratum=stratum,
            status=status,
            credit=credit,
            uscc=uscc,
            text=text,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="检查对象 One site")
@shows(SiteEntry, etag=True)
def read_site(id: str, request: Request, asked: Asked = ask("site.read")) -> Response:
    """The site as the registry has it now."""
    with asked.views() as views:
        site = found(get_site(views, id), "site", id)
    asked.require("site.read", site.region)
    return show_one(request, site, site.version)


@router.put("/{id}", summary="变更检查对象 Change a site")
@does()
def change_site(id: str, body: SiteWriting, command: Command = change("site.change")) -> Response:
    """Sets all facts anew. The enterprise (USCC) never changes: remove the site and register another."""
    facts = struct_of(body, SiteFacts)
    return command.run(
        body,
        lambda call: sites.change_site(command.office, call, id, facts=facts, provenance=body.provenance()),
    )


@router.post("/{id}/assessments", summary="评定风险类别 Assess a site")
@does()
def assess_site(id: str, body: Assessment, command: Command = change("site.change")) -> Response:
    """Sets the risk class A–D."""
    return command.run(
        body,
        lambda call: sites.assess_site(
            command.office,
            call,
            id,
            risk_class=body.risk_class,
            assessed_on=body.assessed_on,
            source=body.source,
        ),
    )


@router.post("/{id}/removal", summary="检查对象出库 Remove a site")
@does()
def remove_site(id: str, body: SiteRemoval, command: Command = change("site.change")) -> Response:
    """Takes the site off the registry; its history stays."""
    return command.run(
        body,
        lambda call: sites.remove_site(
            command.office, call, id, ground=body.ground, provenance=body.provenance()
        ),
    )
