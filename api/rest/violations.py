"""The violation ledger: order, submission, verification or return, disposal, closing."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change
from api.rest.description import does, lists, shows
from api.rest.fields import Digest, Reason, choice
from api.rest.presenting import Page, found, show_one
from application import violations
from domain.values import DISPOSALS
from projections.violation_ledger import ViolationEntry, get_violation, list_violations

router = APIRouter(prefix="/violations", tags=["violations"])


class Ordering(Step):
    """An order to rectify."""

    number: str = Field(description="文书号 Number of the order.", max_length=100)
    requirements: str = Field(description="整改要求 What it asks.", max_length=4000)
    due_on: date | None = Field(
        default=None, description="整改期限 By which day; without one by the rulebook's period."
    )


class Submission(Step):
    """That the rectification is done."""

    note: str = Field(description="说明 What was done.", max_length=4000)
    evidence: tuple[Digest, ...] = Field(default=(), description="证据 Uploaded files.", max_length=100)
    for_enterprise: bool = Field(
        default=False, description="代企业提交 An officer submits for the enterprise; the record says so."
    )


class SendingBack(Step):
    """Why it is not done, and by which day it must be."""

    reason: Reason
    due_on: date = Field(description="整改期限 By which day.")


class Verification(Step):
    """What the second person saw."""

    note: str = Field(default="", description="核实情况 What was seen.", max_length=4000)
    evidence: tuple[Digest, ...] = Field(default=(), description="证据 Uploaded files.", max_length=100)


class Disposing(Step):
    """Another way for the violation."""

    disposal: str = choice(DISPOSALS, "处置 Disposal; a referral is made by POST /referrals.")
    reason: Reason


class ClosingOn(Step):
    """The evidence on which the violation is closed."""

    evidence: tuple[Digest, ...] = Field(description="证据，至少一份 At least one file.", max_length=100)
    note: str = Field(default="", description="说明 Note.", max_length=4000)


@router.get("", summary="违法台账 List violations")
@lists(ViolationEntry)
def read_violations(
    page: Annotated[Page, Depends()],
    region: str = "",
    state: Annotated[str, Query(description="open, ordered, submitted, verified or closed.")] = "",
    disposal: str = "",
    period: str = "",
    uscc: str = "",
    site: str = "",
    inspection: str = "",
    owner: str = "",
    overdue: Annotated[bool, Query(description="只看逾期 Only those overdue now.")] = False,
    asked: Asked = ask("violation.read"),
) -> Response:
    """Violations of the caller's regions in the order in which they were opened."""
    with asked.views() as views:
        rows = list_violations(
            views,
            asked.regions("violation.read", region),
            state=state,
            disposal=disposal,
            period=period,
            uscc=uscc,
            site=site,
            inspection=inspection,
            owner=owner,
            overdue_at=asked.now if overdue else None,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="违法问题 One violation")
@shows(ViolationEntry, etag=True)
def read_violation(id: str, request: Request, asked: Asked = ask("violation.read")) -> Response:
    """One row of the ledger; its files are GET /blobs/{digest}?of={id}."""
    with asked.views() as views:
        violation = found(get_violation(views, id), "violation", id)
    asked.require("violation.read", violation.region)
    return show_one(request, violation, violation.version)


@router.post("/{id}/order", summary="责令改正 Order rectification")
@does()
def order(id: str, body: Ordering, command: Command = change("violation.manage")) -> Response:
    """Orders the enterprise to rectify, by a day or by the rulebook's period."""
    return command.run(
        body,
        lambda call: violations.order_rectification(
            command.office,
            call,
            id,
            number=body.number,
            requirements=body.requirements,
            due_on=body.due_on,
        ),
    )


@router.post("/{id}/submission", summary="提交整改 Submit a rectification")
@does()
def submit(id: str, body: Submission, command: Command = change("violation.submit")) -> Response:
    """Says that it is done; whoever submits neither verifies nor closes."""
    return command.run(
        body,
        lambda call: violations.submit_rectification(
            command.office,
            call,
            id,
            note=body.note,
            evidence=body.evidence,
            for_enterprise=body.for_enterprise,
        ),
    )


@router.post("/{id}/return", summary="退回整改 Return a rectification")
@does()
def send_back(id: str, body: SendingBack, command: Command = change("violation.verify")) -> Response:
    """It is not done: the order stands, by its date or a later one."""
    return command.run(
        body,
        lambda call: violations.return_rectification(
            command.office, call, id, reason=body.reason, due_on=body.due_on
        ),
    )


@router.post("/{id}/verification", summary="核实整改 Verify a rectification")
@does()
def verify(id: str, body: Verification, command: Command = change("violation.verify")) -> Response:
    """A second person sees that it is done."""
    return command.run(
        body,
        lambda call: violations.verify_rectification(
            command.office, call, id, note=body.note, evidence=body.evidence
        ),
    )


@router.post("/{id}/disposal", summary="变更处置 Dispose a violation")
@does()
def dispose(id: str, body: Disposing, command: Command = change("violation.manage")) -> Response:
    """Sends the violation another way while it is not closed."""
    return command.run(
        body,
        lambda call: violations.dispose_violation(
            command.office, call, id, disposal=body.disposal, reason=body.reason
        ),
    )


@router.post("/{id}/closing", summary="销号 Close a violation")
@does()
def close(id: str, body: ClosingOn, command: Command = change("violation.close")) -> Response:
    """Closes on at least one piece of evidence, by somebody who did not submit the rectification."""
    return command.run(
        body,
        lambda call: violations.close_violation(
            command.office, call, id, evidence=body.evidence, note=body.note
        ),
    )
