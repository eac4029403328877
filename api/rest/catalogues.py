"""The catalogue: the published editions of a region's items."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.access import Asked, ask
from api.rest.commands import Command, Step, create_or_change, require_match
from api.rest.description import does, lists, shows
from api.rest.presenting import Page, found, show_one
from application.items import publish_catalogue
from application.ports import Answer
from application.workflow import Call
from projections.catalogue import Edition, current_edition, list_editions

router = APIRouter(prefix="/catalogues", tags=["catalogue"])


@router.post("/{region}/editions", status_code=201, summary="公布清单 Publish an edition")
@does()
def publish_edition(
    region: str, body: Step | None = None, command: Command = create_or_change("catalogue.publish")
) -> Response:
    """Publishes all items of the region as they stand now. After the first edition `If-Match` is needed."""

    def verb(call: Call) -> Answer:
        if command.office.claims.holder("catalogue", region) is not None:
            require_match(command)
        return publish_catalogue(command.office, call, region=region)

    return command.run(body, verb, place=f"/api/v1/catalogues/{region}")


@router.get("/{region}", summary="现行清单 The edition in force")
@shows(Edition, etag=True)
def read_catalogue(region: str, request: Request, asked: Asked = ask("plan.read")) -> Response:
    """The latest edition of exactly this region's catalogue."""
    asked.require("plan.read", region)
    with asked.views() as views:
        edition = found(current_edition(views, region), "catalogue", region)
    return show_one(request, edition, edition.version)


@router.get("", summary="清单各版 All editions")
@lists(Edition)
def read_editions(
    page: Annotated[Page, Depends()], region: str = "", asked: Asked = ask("plan.read")
) -> Response:
    """Editions of the regions, the latest first."""
    with asked.views() as views:
        rows = list_editions(views, asked.regions("plan.read", region), after=page.after, limit=page.one_more)
    return page.show(rows)
