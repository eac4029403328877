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
from domain.assignment import VOID_GROUNDS, Assignment
from domain.recusal import DECIDERS, RECUSAL_GROUNDS, RECUSAL_ORIGINS
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
    decided_as: str = choice(
        DECIDERS, "决定层级 The head; the leaders' collective where the inspector is in charge himself."
    )
    minutes: Digest | None = Field(
        default=None, description="会议记录 The collective's minutes: an uploaded file."
    )


class Withdrawal(Step):
    """Why a declaration is taken back."""

    reason: Reason


class VoidRefusal(Step):
    """Why the site stays in the draw."""

    reason: Reason


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
def declare(id: str, body: Declaration, command: Command = create("recusal.declare")) -> Response:
    """The check goes on until it is decided.

    Origin `self` needs the inspector's own account, `site` one of the enterprise (once it was told of the
    visit) or a city officer who takes down what it said, `agency` a city officer.
    """
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
            command.office,
            call,
            id,
            recusal=recusal,
            reason=body.reason,
            decided_as=body.decided_as,
            minutes=body.minutes or "",
        ),
    )


@router.post("/{id}/recusals/{recusal}/refusal", summary="驳回回避 Refuse a recusal")
@does()
def refuse(id: str, recusal: str, body: Decision, command: Command = change("recusal.decide")) -> Response:
    """Leaves the inspector on the team, with reasons."""
    return command.run(
        body,
        lambda call: assignments.refuse_recusal(
            command.office,
            call,
            id,
            recusal=recusal,
            reason=body.reason,
            decided_as=body.decided_as,
            minutes=body.minutes or "",
        ),
    )


@router.post("/{id}/recusals/{recusal}/withdrawal", summary="撤回回避申请 Withdraw a recusal")
@does()
def withdraw(
    id: str, recusal: str, body: Withdrawal, command: Command = create("recusal.declare")
) -> Response:
    """Takes a declaration back before it is decided, by who made it. It stays in the history."""
    return command.run(
        body,
        lambda call: assignments.withdraw_recusal(
            command.office, call, id, recusal=recusal, reason=body.reason
        ),
    )


@router.post("/{id}/void-request", summary="申请对象作废 Ask to void a site")
@does()
def ask_void(id: str, body: VoidSite, command: Command = change("assignment.void")) -> Response:
    """The first of two people says, with evidence, that the site is no longer there."""
    return command.run(
        body,
        lambda call: assignments.ask_void(
            command.office, call, id, ground=body.ground, evidence=body.evidence
        ),
    )


@router.post("/{id}/void-refusal", summary="驳回作废 Refuse to void a site")
@does()
def refuse_void(id: str, body: VoidRefusal, command: Command = change("assignment.decide-void")) -> Response:
    """The second person did not find it so: the site stays in the draw."""
    return command.run(
        body, lambda call: assignments.refuse_void(command.office, call, id, reason=body.reason)
    )


@router.post("/{id}/void", summary="对象作废 Void a site")
@does(replacement="assignment-0f1e2d3c4b5a69788796a5b4c3d2e1f0", reserve_spent=False)
def void(id: str, body: Step | None = None, command: Command = change("assignment.decide-void")) -> Response:
    """The second person takes the site out of the draw; the next of its stratum's reserve follows."""
    return command.run(body, lambda call: assignments.void_site(command.office, call, id))


def _seen(asked: Asked, id: str) -> AssignmentSeen:
    with asked.views() as views:
        return found(get_assignment(views, id, sealed=True), "assignment", id)


def _shown(seen: AssignmentSeen) -> AssignmentShown:
    return AssignmentShown(**msgspec.structs.asdict(seen.assignment), sealed=seen.sealed)
