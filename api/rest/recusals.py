"""Recusals declared before any draw: they bar an inspector from an enterprise in all draws to come."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from msgspec.structs import replace
from pydantic import Field

from api.access import Asked, ask
from api.rest.assignments import Decision, Withdrawal
from api.rest.commands import Command, Step, change, create
from api.rest.description import does, lists
from api.rest.fields import Uscc, choice
from api.rest.presenting import Page
from application import recusals
from domain.inspector import Inspector
from domain.recusal import RECUSAL_GROUNDS, RECUSAL_ORIGINS
from projections.recusals import BarringEntry, list_barrings
from projections.worklist import ToldVisit, told_visits

router = APIRouter(tags=["recusals"])


class BarringDeclaration(Step):
    """Somebody says before a draw that an inspector must not go to an enterprise."""

    uscc: Uscc
    ground: str = choice(RECUSAL_GROUNDS, "回避情形 Ground (行政处罚法 §43).")
    origin: str = choice(RECUSAL_ORIGINS, "提出方 By self, by the site, or found by the agency.")
    detail: str = Field(default="", description="说明 Details, without personal data.", max_length=2000)


@router.get("/recusals", summary="事前回避列表 List recusals declared before a draw")
@lists(BarringEntry)
def read_barrings(
    page: Annotated[Page, Depends()],
    region: str = "",
    inspector: str = "",
    uscc: Annotated[str, Query(description="统一社会信用代码 Of this enterprise.")] = "",
    status: Annotated[str, Query(description="pending, granted, refused or withdrawn; empty for all.")] = "",
    asked: Asked = ask("recusal.read"),
) -> Response:
    """Refused and withdrawn ones too. Inspectors see those about themselves, enterprises their own."""
    own = asked.actor
    filters = {"inspector": own.inspector or inspector, "uscc": uscc, "status": status}
    if own.enterprise:
        filters |= {"uscc": own.enterprise, "declared_by": own.account}
    personal = bool(own.inspector or own.enterprise)
    regions = None if personal else asked.regions("inspector.read", region)
    with asked.views() as views:
        rows = list_barrings(views, regions, **filters, after=page.after, limit=page.one_more)
    return page.show([_at_present(asked, row) for row in rows])


@router.get("/told-visits", summary="已告知的检查 Visits that the enterprise was told of")
@lists(ToldVisit)
def read_told_visits(page: Annotated[Page, Depends()], asked: Asked = ask("recusal.declare")) -> Response:
    """The caller's enterprise's visits after notice, with the officers whose recusal it may ask for."""
    if not asked.actor.enterprise:
        return page.show([])
    with asked.views() as views:
        rows = told_visits(views, asked.actor.enterprise, after=page.after, limit=page.one_more)
    return page.show(rows)


@router.post("/inspectors/{id}/recusals", summary="事前申请回避 Declare a recusal before a draw")
@does(recusal="recusal-0f1e2d3c4b5a69788796a5b4c3d2e1f0")
def declare_barring(
    id: str, body: BarringDeclaration, command: Command = create("recusal.declare")
) -> Response:
    """The inspector may go until it is decided.

    Origin `self` needs the inspector's own account, `site` one of the enterprise or a city officer who takes
    down what it said, `agency` a city officer.
    """
    return command.run(
        body,
        lambda call: recusals.declare_barring(
            command.office,
            call,
            id,
            uscc=body.uscc,
            ground=body.ground,
            origin=body.origin,
            detail=body.detail,
        ),
    )


@router.post("/inspectors/{id}/recusals/{recusal}/grant", summary="准许事前回避 Grant it")
@does()
def grant_barring(
    id: str, recusal: str, body: Decision, command: Command = change("recusal.decide")
) -> Response:
    """Bars the inspector from all sites of the enterprise in every draw that is sealed after this."""
    return command.run(
        body,
        lambda call: recusals.grant_barring(
            command.office,
            call,
            id,
            recusal=recusal,
            reason=body.reason,
            decided_as=body.decided_as,
            minutes=body.minutes or "",
        ),
    )


@router.post("/inspectors/{id}/recusals/{recusal}/refusal", summary="驳回事前回避 Refuse it")
@does()
def refuse_barring(
    id: str, recusal: str, body: Decision, command: Command = change("recusal.decide")
) -> Response:
    """The inspector may go there, with reasons."""
    return command.run(
        body,
        lambda call: recusals.refuse_barring(
            command.office,
            call,
            id,
            recusal=recusal,
            reason=body.reason,
            decided_as=body.decided_as,
            minutes=body.minutes or "",
        ),
    )


@router.post("/inspectors/{id}/recusals/{recusal}/withdrawal", summary="撤回事前回避 Withdraw it")
@does()
def withdraw_barring(
    id: str, recusal: str, body: Withdrawal, command: Command = create("recusal.declare")
) -> Response:
    """Takes a declaration back before it is decided, by who made it. It stays in the history."""
    return command.run(
        body,
        lambda call: recusals.withdraw_barring(command.office, call, id, recusal=recusal, reason=body.reason),
    )


def _at_present(asked: Asked, row: BarringEntry) -> BarringEntry:
    version = asked.office.workflow.load(Inspector, row.inspector).version
    return replace(row, version=version)
