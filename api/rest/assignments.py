"""Assignments: what the lot decided; recusals declared and decided, void sites replaced."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create, etag, projected
from api.rest.description import does, lists, shows
from api.rest.fields import Digest, Reason, Reasoned, choice
from api.rest.presenting import Page, found, show, show_one
from api.rest.sealing import require_assignment
from application import assignments
from application.readings import note_sealed_reading
from domain.assignment import RECUSAL_GROUNDS, RECUSAL_ORIGINS, VOID_GROUNDS, Assignment
from projections.assignments import AssignmentEntry, AssignmentSeen, get_assignment, list_assignments

router = APIRouter(prefix="/assignments", tags=["assignments"])


class Declaration(Step):
    """Somebody says that an inspector must not go."""

    inspector: str = Field(description="执法检查人员编号 Whom it is about.", max_length=100)
    ground: str = choice(RECUSAL_GROUNDS, "回避情形 Ground (行政处罚法 §43).")
    origin: str = choice(RECUSAL_ORIGINS, "提出方 By self, by the site, or found by the agency.")
    detail: str = Field(default="", description="说明 Details, without personal data.", max_length=2000)


class Decision(Step):
    """Why, and as whom, a recusal is decided."""

    reason: Reason
    decided_as: str = choice(assignments.DECIDERS, "决定层级 The head, or the leaders' collective.")


class VoidSite(Step):
    """Why the site cannot be inspected."""

    ground: str = choice(VOID_GROUNDS, "作废事由 Ground.")
    evidence: tuple[Digest, ...] = Field(description="证据 Uploaded files.", max_length=50)


class AssignmentShown(AssignmentEntry, kw_only=True):
    """An assignment, and whether its draw is still sealed."""

    sealed: bool


@router.get("", summary="派单列表 List assignments")
@lists(AssignmentShown)
def read_assignments(
    page: Annotated[Page, Depends()],
    mine: Annotated[bool, Query(description="只看本人的 The caller's own tasks, sealed ones too.")] = False,
    region: str = "",
    draw: str = "",
    site: str = "",
    period: str = "",
    status: str = "",
    asked: Asked = ask("assignment.read"),
) -> Response:
    """Assignments of opened draws; with `mine`, those on whose team the caller sits now."""
    own = asked.actor.inspector if mine else ""
    regions = None if own else () if mine else asked.regions("assignment.read", region)
    with asked.views() as views:
        rows = list_assignments(
            views,
            regions,
            draw=draw,
            site=site,
            period=period,
            status=status,
            inspector=own,
            sealed=bool(own),
            after=page.after,
            limit=page.one_more,
        )
    return page.show([_shown(row) for row in rows])


@router.get("/{id}", summary="派单 One assignment")
@shows(AssignmentShown, etag=True)
def read_assignment(id: str, request: Request, asked: Asked = ask("assignment.read")) -> Response:
    """An assignment of an opened draw, or the caller's own; else 403 `draw-sealed`."""
    require_assignment(asked, asked.office.workflow.load(Assignment, id))
    seen = _seen(asked, id)
    return show_one(request, _shown(seen), seen.assignment.version)


@router.post("/{id}/readings", summary="查阅密封派单 Read a sealed assignment")
@shows(AssignmentShown)
def read_sealed_assignment(
    id: str, body: Reasoned, command: Command = create("draw.read-sealed")
) -> Response:
    """An assignment before the opening, for those entitled; the reading is recorded first."""
    draw = command.office.workflow.load(Assignment, id).task.draw
    answer = note_sealed_reading(command.office, command.reading(body), [draw], reason=body.reason)
    waited = projected(command, answer.position)
    seen = _seen(command, id)
    return show(_shown(seen), headers={"ETag": etag(seen.assignment.version), **waited})


@router.post("/{id}/recusals", summary="申请回避 Declare a recusal")
@does(recusal="recusal-0f1e2d3c4b5a69788796a5b4c3d2e1f0")
def declare(id: str, body: Declaration, command: Command = change("recusal.declare")) -> Response:
    """The check goes on until it is decided. Origin `self` needs the inspector's own account."""
    return command.run(
        body,
        lambda call: assignments.declare_recusal(
            command.office,
            call,
            id,
            inspector=body.inspector,
            ground=body.ground,
            origin=body.origin,
            detail=body.detail,
        ),
    )


@router.post("/{id}/recusals/{recusal}/grant", summary="准许回避 Grant a recusal")
@does(seat="lead", filled=True)
def grant(id: str, recusal: str, body: Decision, command: Command = change("recusal.decide")) -> Response:
    """Frees the seat and gives it to the next of the order of succession that was fixed with the draw."""
    return command.run(
        body,
        lambda call: assignments.grant_recusal(
            command.office, call, id, recusal=recusal, reason=body.reason, decided_as=body.decided_as
        ),
    )


@router.post("/{id}/recusals/{recusal}/refusal", summary="驳回回避 Refuse a recusal")
@does()
def refuse(id: str, recusal: str, body: Decision, command: Command = change("recusal.decide")) -> Response:
    """Leaves the inspector on the team, with reasons."""
    return command.run(
        body,
        lambda call: assignments.refuse_recusal(
            command.office, call, id, recusal=recusal, reason=body.reason, decided_as=body.decided_as
        ),
    )


@router.post("/{id}/void", summary="对象作废 Void a site")
@does(replacement="assignment-0f1e2d3c4b5a69788796a5b4c3d2e1f0")
def void(id: str, body: VoidSite, command: Command = change("assignment.void")) -> Response:
    """Takes a site that is no longer there out of the draw; the next of its stratum's reserve follows."""
    return command.run(
        body,
        lambda call: assignments.void_site(
            command.office, call, id, ground=body.ground, evidence=body.evidence
        ),
    )


def _seen(asked: Asked, id: str) -> AssignmentSeen:
    with asked.views() as views:
        return found(get_assignment(views, id, sealed=True), "assignment", id)


def _shown(seen: AssignmentSeen) -> AssignmentShown:
    return AssignmentShown(**msgspec.structs.asdict(seen.assignment), sealed=seen.sealed)
