"""What everybody may see without signing in: only public read models, and nothing before its time."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.access import Asked, everybody
from api.rest.description import gives, lists, shows
from api.rest.fields import Year
from api.rest.presenting import Page, found, show, show_one
from application.draws import read_opened
from domain.errors import NotFound
from domain.item import ItemFacts
from projections.catalogue import Edition, current_edition, get_edition, item_versions, list_editions
from projections.draws import DrawEntry, get_draw, list_draws
from projections.plans import PlanEntry, PlanRowEntry, get_plan, list_plans, plan_rows
from projections.public_results import PublicResult, get_result, list_results
from projections.violation_ledger import PublicViolation, list_public_violations

router = APIRouter(prefix="/public", tags=["public"])
RegionQuery = Annotated[str, Query(description="行政区划代码 Region, with all its parts.", max_length=6)]


class PublicPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A published plan; `rows` are told of a single plan."""

    id: str
    idx: int
    version: int
    region: str
    year: int
    department: str
    title: str
    published_on: date | None
    rows: list[PlanRowEntry]


class PublicItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as the edition in force has it."""

    region: str
    edition: int
    code: str
    number: int
    in_force_from: date
    in_force_to: date | None
    facts: ItemFacts


class BundleFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an opened draw's public bundle, each with its address."""

    draw: str
    files: dict[str, str]


@router.get("/results", summary="抽查结果 Published results")
@lists(PublicResult)
def read_results(
    page: Annotated[Page, Depends()],
    region: RegionQuery = "",
    period: str = "",
    uscc: str = "",
    site: str = "",
    primary: str = "",
    published_from: date | None = None,
    published_to: date | None = None,
    text: Annotated[str, Query(description="企业名称的一部分 Part of the site's name.")] = "",
    asked: Asked = everybody(),
) -> Response:
    """Published results, the latest first."""
    with asked.views() as views:
        rows = list_results(
            views,
            _regions(region),
            period=period,
            uscc=uscc,
            site=site,
            primary=primary,
            published_from=published_from,
            published_to=published_to,
            text=text,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/results/{inspection}", summary="一次检查的结果 One result")
@shows(PublicResult)
def read_result(inspection: str, asked: Asked = everybody()) -> Response:
    """The published result of an inspection; 404 while it is not published."""
    with asked.views() as views:
        return show(found(get_result(views, inspection), "result", inspection))


@router.get("/violations", summary="公开的违法台账 Violations found by published inspections")
@lists(PublicViolation)
def read_violations(
    page: Annotated[Page, Depends()],
    region: RegionQuery = "",
    state: str = "",
    period: str = "",
    uscc: str = "",
    asked: Asked = everybody(),
) -> Response:
    """The public part of the violation ledger, the latest first."""
    with asked.views() as views:
        rows = list_public_violations(
            views,
            _regions(region),
            now=asked.now,
            state=state,
            period=period,
            uscc=uscc,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/catalogues", summary="清单各版 Editions of catalogues")
@lists(Edition)
def read_editions(
    page: Annotated[Page, Depends()], region: RegionQuery = "", asked: Asked = everybody()
) -> Response:
    """Published editions, the latest first."""
    with asked.views() as views:
        rows = list_editions(views, _regions(region), after=page.after, limit=page.one_more)
    return page.show(rows)


@router.get("/catalogues/{region}", summary="现行清单 The edition in force")
@shows(Edition, etag=True)
def read_catalogue(region: str, request: Request, asked: Asked = everybody()) -> Response:
    """The latest edition of exactly this region's catalogue."""
    with asked.views() as views:
        edition = found(current_edition(views, region), "catalogue", region)
    return show_one(request, edition, edition.version)


@router.get("/catalogues/{region}/items/{code}", summary="清单中的事项 An item of the edition in force")
@shows(PublicItem)
def read_item(region: str, code: str, asked: Asked = everybody()) -> Response:
    """What the published version of an item says, with its legal bases."""
    with asked.views() as views:
        edition = found(current_edition(views, region), "catalogue", region)
        line = found(next((one for one in edition.lines if one.code == code), None), "item", code)
        versions = item_versions(views, line.item)
    facts = next(one.facts for one in versions if one.number == line.number)
    return show(
        PublicItem(
            region=region,
            edition=edition.edition,
            code=line.code,
            number=line.number,
            in_force_from=line.in_force_from,
            in_force_to=line.in_force_to,
            facts=facts,
        )
    )


@router.get("/catalogues/{region}/editions/{edition}", summary="某一版清单 One edition")
@shows(Edition)
def read_edition(
    region: str, edition: Annotated[int, Path(ge=1, le=1_000_000)], asked: Asked = everybody()
) -> Response:
    """An edition of the region's catalogue, for ever."""
    with asked.views() as views:
        present = found(current_edition(views, region), "catalogue", region)
        return show(found(get_edition(views, present.catalogue, edition), "edition", str(edition)))


@router.get("/plans", summary="公布的计划 Published plans")
@lists(PublicPlan)
def read_plans(
    page: Annotated[Page, Depends()],
    region: RegionQuery = "",
    year: Year | None = None,
    asked: Asked = everybody(),
) -> Response:
    """Published plans, the latest first."""
    with asked.views() as views:
        rows = list_plans(
            views, _regions(region), year=year, status="published", after=page.after, limit=page.one_more
        )
    return page.show([_plan(row, []) for row in rows])


@router.get("/plans/{id}", summary="一份计划 One published plan")
@shows(PublicPlan, etag=True)
def read_plan(id: str, request: Request, asked: Asked = everybody()) -> Response:
    """A published plan with its rows."""
    with asked.views() as views:
        plan = found(get_plan(views, id), "plan", id)
        rows = plan_rows(views, id)
    if plan.status != "published":
        raise NotFound(kind="plan", id=id)
    return show_one(request, _plan(plan, rows), plan.version)


@router.get("/draws", summary="抽取 Draws")
@lists(DrawEntry)
def read_draws(
    page: Annotated[Page, Depends()],
    region: RegionQuery = "",
    status: str = "",
    period: str = "",
    plan_row: str = "",
    warning: Annotated[str, Query(description="re-roll, missing-reveal or frame-changed.")] = "",
    asked: Asked = everybody(),
) -> Response:
    """Every attempt, voids and warnings included, the latest first."""
    with asked.views() as views:
        rows = list_draws(
            views,
            _regions(region),
            status=status,
            period=period,
            plan_row=plan_row,
            warning=warning,
            after=page.after,
            limit=page.one_more,
        )
    return page.show([_draw(row) for row in rows])


@router.get("/draws/{id}", summary="一次抽取 One draw")
@shows(DrawEntry, etag=True)
def read_draw(id: str, request: Request, asked: Asked = everybody()) -> Response:
    """Where a draw stands; the result is public once it is opened."""
    with asked.views() as views:
        draw = found(get_draw(views, id), "draw", id)
    return show_one(request, _draw(draw), draw.version)


@router.get("/draws/{id}/files", summary="公开包的文件 Files of the public bundle")
@shows(BundleFiles)
def read_bundle_files(id: str, asked: Asked = everybody()) -> Response:
    """The files with which anybody recomputes which sites were drawn; 403 before the opening."""
    names = sorted(read_opened(asked.office, id))
    base = f"/api/v1/public/draws/{id}/files"
    return show(BundleFiles(draw=id, files={name: f"{base}/{name}" for name in names}))


@router.get("/draws/{id}/files/{name}", summary="公开包的一个文件 One file of the public bundle")
@gives("application/octet-stream")
def read_bundle_file(id: str, name: str, asked: Asked = everybody()) -> Response:
    """A file of an opened draw's public bundle, byte by byte as it was sealed."""
    content = found(read_opened(asked.office, id).get(name), "file", name)
    disposition = f'attachment; filename="{name}"'
    return Response(
        content, media_type="application/octet-stream", headers={"Content-Disposition": disposition}
    )


def _regions(region: str) -> list[str] | None:
    return [region] if region else None


def _plan(plan: PlanEntry, rows: list[PlanRowEntry]) -> PublicPlan:
    return PublicPlan(
        id=plan.id,
        idx=plan.idx,
        version=plan.version,
        region=plan.region,
        year=plan.year,
        department=plan.department,
        title=plan.title,
        published_on=plan.published_on,
        rows=rows,
    )


def _draw(draw: DrawEntry) -> DrawEntry:
    """Accounts are nobody's business outside."""
    return msgspec.structs.replace(draw.disclosed(), custodians=(), void_asked_by="")
