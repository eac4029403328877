"""What happened: timelines of subjects."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection

from api.access import SIGNED_IN, Asked, ask
from api.rest.description import lists
from api.rest.presenting import Page, found
from api.rest.sealing import require_assignment, require_inspection
from application.replay import require_region
from domain.assignment import Assignment
from domain.errors import NotFound
from domain.inspection import Inspection
from projections.catalogue import get_item
from projections.draws import get_draw
from projections.inspectors import get_inspector
from projections.plans import get_plan
from projections.query import Regions
from projections.referrals import get_referral
from projections.sites import get_site, list_sites
from projections.timeline import TimelineEntry, list_timeline
from projections.violation_ledger import get_violation

router = APIRouter(tags=["history"])

_READ_BY: Final[dict[str, tuple[Callable[[Connection, str], Any], str]]] = {
    "site": (get_site, "site.read"),
    "inspector": (get_inspector, "inspector.read"),
    "item": (get_item, "plan.read"),
    "plan": (get_plan, "plan.read"),
    "draw": (get_draw, "draw.read"),
    "violation": (get_violation, "violation.read"),
    "referral": (get_referral, "referral.read"),
}


@router.get("/timeline/{subject:path}", summary="时间线 Timeline of a subject")
@lists(TimelineEntry)
def read_timeline(
    page: Annotated[Page, Depends()],
    subject: str,
    newest_first: bool = False,
    asked: Asked = ask(SIGNED_IN),
) -> Response:
    """Every event about a stream, a site, an enterprise (USCC), an inspector, a draw or a plan row.

    Whoever may read the subject may read its timeline; what sealed draws decided comes after the opening.
    """
    regions = _require_subject(asked, subject)
    with asked.views() as views:
        rows = list_timeline(
            views,
            subject,
            regions=regions,
            newest_first=newest_first,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


def _require_subject(asked: Asked, subject: str) -> Regions:
    """Refuse who may not read the subject itself; the regions of an enterprise that may be shown."""
    stream = subject.split("/", 1)[0]
    kind = stream.rsplit("-", 1)[0]
    if kind == "assignment":
        require_assignment(asked, asked.office.workflow.load(Assignment, stream))
    elif kind == "inspection":
        require_inspection(asked, asked.office.workflow.load(Inspection, stream))
    elif kind in _READ_BY:
        get, permission = _READ_BY[kind]
        with asked.views() as views:
            row = found(get(views, stream), kind, stream)
        asked.require(permission, row.region)
    elif "-" not in subject:
        return _require_enterprise(asked, subject)
    else:
        require_region(asked.office, asked.call(), stream, asked.system.settings.region)
    return None


def _require_enterprise(asked: Asked, uscc: str) -> Regions:
    """An enterprise is read by any of its sites, and only where the caller may read sites."""
    asked.require("site.read", None)
    regions = asked.regions("site.read")
    with asked.views() as views:
        sites = list_sites(views, regions, uscc=uscc, status="", limit=1)
    if not sites:
        raise NotFound(kind="enterprise", id=uscc)
    return regions
