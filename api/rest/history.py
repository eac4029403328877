"""What happened: timelines of subjects, and the replay of any stream."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from api.access import SIGNED_IN, Asked, ask
from api.rest.description import lists, shows
from api.rest.presenting import Page, found, show
from api.rest.sealing import require_assignment, require_inspection
from api.telling import tell
from application.replay import Story, Told, replay
from domain.assignment import Assignment
from domain.errors import NotFound
from domain.inspection import Inspection
from projections.catalogue import get_item
from projections.draws import get_draw
from projections.inspectors import get_inspector
from projections.plans import get_plan
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


class ToldInWords(msgspec.Struct, frozen=True, kw_only=True):
    """One event: when it happened, when it was recorded and how much later, who did it, in words."""

    idx: int
    version: int
    topic: str
    words: str
    occurred_at: datetime
    recorded_at: datetime
    delay: timedelta
    late: bool
    by: str
    on_behalf_of: str | None
    correlation_id: str
    facts: dict[str, Any]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's events up to a moment, and the state they led to."""

    stream: str
    kind: str
    log: str
    at: datetime | None
    as_recorded_at: datetime | None
    events: list[ToldInWords]
    state: dict[str, Any]


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
    _require_subject(asked, subject)
    with asked.views() as views:
        rows = list_timeline(views, subject, newest_first=newest_first, after=page.after, limit=page.one_more)
    return page.show(rows)


@router.get("/streams/{id}", summary="回放 Replay a stream")
@shows(Replay)
def read_stream(
    id: str,
    at: Annotated[AwareDatetime | None, Query(description="Only what had happened by then.")] = None,
    as_recorded_at: Annotated[
        AwareDatetime | None, Query(description="Only what had been recorded by then.")
    ] = None,
    reason: Annotated[
        str, Query(description="查阅理由 Needed for what a sealed draw decided; recorded.", max_length=2000)
    ] = "",
    asked: Asked = ask("stream.replay"),
) -> Response:
    """Every event of any stream in order, with both times, the actor, words, and the state as of then."""
    story = replay(
        asked.office,
        asked.call(),
        id,
        moments=asked.system.store.recorder,
        at=at,
        as_recorded_at=as_recorded_at,
        reason=reason,
    )
    return show(_replayed(asked, story, at, as_recorded_at))


def _require_subject(asked: Asked, subject: str) -> None:
    """Refuse who may not read the subject itself; enterprises by any of their sites."""
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
        _require_enterprise(asked, subject)
    else:
        asked.require("stream.replay", None)


def _require_enterprise(asked: Asked, uscc: str) -> None:
    asked.require("site.read", None)
    with asked.views() as views:
        sites = list_sites(views, asked.regions("site.read"), uscc=uscc, status="", limit=1)
    if not sites:
        raise NotFound(kind="enterprise", id=uscc)


def _replayed(asked: Asked, story: Story, at: datetime | None, as_recorded_at: datetime | None) -> Replay:
    return Replay(
        stream=story.stream,
        kind=story.kind,
        log=asked.office.ledger.origin,
        at=at,
        as_recorded_at=as_recorded_at,
        events=[_told(asked, told) for told in story.events],
        state=story.state,
    )


def _told(asked: Asked, told: Told) -> ToldInWords:
    return ToldInWords(
        idx=told.idx,
        version=told.version,
        topic=told.topic,
        words=tell(told.topic, told.facts, asked.language),
        occurred_at=told.occurred_at,
        recorded_at=told.recorded_at,
        delay=told.delay,
        late=told.late,
        by=told.by,
        on_behalf_of=told.on_behalf_of,
        correlation_id=told.correlation_id,
        facts=told.facts,
    )
