"""Re-checks: closed violations drawn again by lot, and what their teams found."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create, etag, projected
from api.rest.description import does, lists, shows
from api.rest.draws import PLACE, Custodian
from api.rest.fields import Digest, Reasoned, Region, choice
from api.rest.presenting import Page, found, show, show_one
from application import rechecks
from application.readings import DrawSealed, note_sealed_reading
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.recheck import OUTCOMES, Recheck
from projections.rechecks import RecheckEntry, get_recheck, list_rechecks, rechecks_of

router = APIRouter(tags=["rechecks"])


class RecheckAnnouncement(Step):
    """Of which quarter's closings in which region; contributors and source as for any draw."""

    region: Region
    period: str = Field(description="季度 The quarter, such as 2024Q1; it is over.", max_length=6)
    contributors: tuple[Custodian, ...] = Field(description="参与方 At least agency and discipline.")
    public_source: dict[str, Any] = Field(
        description="公共随机源 As for the draw of a plan row; its own time lies in the future."
    )


class RecheckOutcome(Step):
    """What the team saw."""

    outcome: str = choice(
        OUTCOMES, "结果 sustained 属实, reopened 不属实（重新整改）, impossible 对象已不存在、无法复核."
    )
    note: str = Field(description="说明 What was seen.", max_length=2000)
    evidence: tuple[Digest, ...] = Field(description="证据 Uploaded files.", max_length=50)
    due_on: date | None = Field(
        default=None,
        description="新期限 By when the order that stands again is met; without it by the rulebook's period.",
    )


@router.post("/draws/rechecks", status_code=201, summary="公告复核抽取 Announce a re-check")
@does(draw_no=3, attempt=1)
def announce(body: RecheckAnnouncement, command: Command = create("draw.run")) -> Response:
    """A draw among the violations closed in a quarter that is over. All further steps are those of draws."""
    return command.run(
        body,
        lambda call: rechecks.announce_recheck_draw(
            command.office,
            call,
            region=body.region,
            period=body.period,
            contributors=[Contributor(one.party, one.account) for one in body.contributors],
            public_source=body.public_source,
        ),
        place=PLACE,
    )


@router.get("/rechecks", summary="复核列表 List re-checks")
@lists(RecheckEntry)
def read_rechecks(
    page: Annotated[Page, Depends()],
    mine: Annotated[bool, Query(description="只看本人的 The caller's own, of sealed draws too.")] = False,
    ended: Annotated[bool, Query(description="已完成的 With `mine`: those carried out instead.")] = False,
    region: str = "",
    draw: str = "",
    period: str = "",
    violation: str = "",
    outcome: str = "",
    asked: Asked = ask("violation.read"),
) -> Response:
    """Re-checks of opened draws; with `mine`, those on whose team the caller sits."""
    own = asked.actor.inspector
    if mine:
        with asked.views() as views:
            rows = rechecks_of(views, own, ended=ended, after=page.after, limit=page.one_more) if own else []
        return page.show(rows)
    with asked.views() as views:
        rows = list_rechecks(
            views,
            asked.regions("violation.read", region),
            draw=draw,
            period=period,
            violation=violation,
            outcome=outcome,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/rechecks/{id}", summary="复核 One re-check")
@shows(RecheckEntry, etag=True)
def read_recheck(id: str, request: Request, asked: Asked = ask("violation.read")) -> Response:
    """A re-check of an opened draw, or the caller's own; else 403 `draw-sealed`."""
    recheck = asked.office.workflow.load(Recheck, id)
    if not (asked.actor.inspector and asked.actor.inspector in recheck.members):
        if asked.office.workflow.load(Draw, recheck.task.draw).status != "opened":
            raise DrawSealed(draw=recheck.task.draw)
        asked.require("violation.read", recheck.task.region)
    entry = _entry(asked, id)
    return show_one(request, entry, entry.version)


@router.post("/rechecks/{id}/readings", summary="查阅密封复核 Read a sealed re-check")
@shows(RecheckEntry)
def read_sealed_recheck(id: str, body: Reasoned, command: Command = create("draw.read-sealed")) -> Response:
    """A re-check before the opening, for those entitled; the reading is recorded first."""
    draw = command.office.workflow.load(Recheck, id).task.draw
    answer = note_sealed_reading(command.office, command.reading(body), [draw], reason=body.reason)
    waited = projected(command, answer.position)
    entry = _entry(command, id)
    return show(entry, headers={"ETag": etag(entry.version), **waited})


@router.post("/rechecks/{id}/outcome", summary="记录复核结果 Record what a re-check found")
@does(violation_status="closed")
def carry_out(id: str, body: RecheckOutcome, command: Command = change("recheck.record")) -> Response:
    """By the drawn team, with evidence. A closing that did not hold opens the violation again."""
    return command.run(
        body,
        lambda call: rechecks.carry_out_recheck(
            command.office,
            call,
            id,
            outcome=body.outcome,
            note=body.note,
            evidence=body.evidence,
            due_on=body.due_on,
        ),
    )


def _entry(asked: Asked, id: str) -> RecheckEntry:
    with asked.views() as views:
        return found(get_recheck(views, id), "recheck", id)
