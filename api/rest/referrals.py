"""Referrals: a violation that is not ours goes to the department whose matter it is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create
from api.rest.description import does, lists, shows
from api.rest.fields import Digest, Reason, struct_of
from api.rest.presenting import Page, found, show_one
from application import referrals
from domain.referral import Letter
from projections.referrals import ReferralEntry, get_referral, list_referrals

router = APIRouter(prefix="/referrals", tags=["referrals"])
PLACE = "/api/v1/referrals/{id}"


class Sending(Step):
    """The referral letter and the violation it is about."""

    violation: str = Field(description="问题编号 Id of the violation.", max_length=100)
    number: str = Field(description="移送函号 Number of the letter.", max_length=100)
    document: Digest
    addressee: str = Field(description="受移送部门 The department.", max_length=200)
    reason: Reason


class Receiving(Step):
    """The other department's signed receipt, an uploaded file."""

    receipt: Digest


class Reply(Step):
    """Whether the other department takes the matter."""

    accepted: bool = Field(description="是否受理 Whether it accepts.")
    note: str = Field(default="", description="答复 Its answer.", max_length=4000)


@router.post("", status_code=201, summary="移送 Refer a violation")
@does()
def send(body: Sending, command: Command = create("referral.send")) -> Response:
    """Sends the letter; the violation's disposal becomes `referred` in the same append."""
    letter = struct_of(body, Letter)
    return command.run(
        body,
        lambda call: referrals.refer_violation(command.office, call, violation=body.violation, letter=letter),
        place=PLACE,
    )


@router.get("", summary="移送列表 List referrals")
@lists(ReferralEntry)
def read_referrals(
    page: Annotated[Page, Depends()],
    region: str = "",
    status: Annotated[str, Query(description="sent, received, accepted or refused.")] = "",
    violation: str = "",
    asked: Asked = ask("referral.read"),
) -> Response:
    """Referrals of the caller's regions, the latest first."""
    with asked.views() as views:
        rows = list_referrals(
            views,
            asked.regions("referral.read", region),
            status=status,
            violation=violation,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="移送 One referral")
@shows(ReferralEntry, etag=True)
def read_referral(id: str, request: Request, asked: Asked = ask("referral.read")) -> Response:
    """The referral with its receipt and reply; its files are GET /blobs/{digest}?of={id}."""
    with asked.views() as views:
        referral = found(get_referral(views, id), "referral", id)
    asked.require("referral.read", referral.region)
    return show_one(request, referral, referral.version)


@router.post("/{id}/receipt", summary="登记回执 Record the receipt")
@does()
def receive(id: str, body: Receiving, command: Command = change("referral.record")) -> Response:
    """The other department signed for the letter."""
    return command.run(
        body,
        lambda call: referrals.receive_referral(command.office, call, id, receipt=body.receipt),
    )


@router.post("/{id}/reply", summary="登记答复 Record the reply")
@does()
def reply(id: str, body: Reply, command: Command = change("referral.record")) -> Response:
    """The other department accepts the matter or sends it back."""
    return command.run(
        body,
        lambda call: referrals.record_reply(command.office, call, id, accepted=body.accepted, note=body.note),
    )
