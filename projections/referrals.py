"""Referrals to other departments, with letter, receipt and reply."""

from datetime import date
from typing import Final

from sqlalchemy import Connection

from domain.referral import Referral
from projections.projection import Entry, Handlers, Projection, Recorded, Rows, begun, one_table, touch
from projections.query import Regions, equal, one, read, within
from projections.view import View


class ReferralEntry(Entry):
    """A referral: `sent`, `received`, then `accepted` or `refused`. `document` and `receipt` are blobs."""

    violation: str
    region: str
    number: str
    document: str
    addressee: str
    reason: str
    status: str
    sent_on: date
    receipt: str
    received_on: date | None
    note: str
    replied_on: date | None


REFERRALS: Final = View("referrals_v1", ReferralEntry, ("id",), ("idx",), ("violation",), ("region",))


def _sent(referrals: Rows[ReferralEntry], event: Referral.Sent, recorded: Recorded) -> None:
    letter = event.letter
    referrals.add(
        ReferralEntry(
            *begun(recorded),
            violation=event.violation,
            region=event.region,
            number=letter.number,
            document=letter.document,
            addressee=letter.addressee,
            reason=letter.reason,
            status="sent",
            sent_on=event.sent_on,
            receipt="",
            received_on=None,
            note="",
            replied_on=None,
        )
    )


def _received(referrals: Rows[ReferralEntry], event: Referral.Received, recorded: Recorded) -> None:
    row = touch(referrals, recorded)
    row.status, row.receipt, row.received_on = "received", event.receipt, event.received_on


def _replied(referrals: Rows[ReferralEntry], event: Referral.Replied, recorded: Recorded) -> None:
    row = touch(referrals, recorded)
    row.status = "accepted" if event.accepted else "refused"
    row.note, row.replied_on = event.note, event.replied_on


_HANDLERS: Final[Handlers] = {
    Referral.Sent: _sent,
    Referral.Received: _received,
    Referral.Replied: _replied,
}

PROJECTION: Final = Projection("referrals", (REFERRALS,), _HANDLERS, one_table(REFERRALS))


def list_referrals(
    connection: Connection,
    regions: Regions = None,
    *,
    status: str = "",
    violation: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[ReferralEntry]:
    """Referrals, the latest first."""
    c = REFERRALS.table.c
    conditions = [within(c.region, regions), equal(c.status, status), equal(c.violation, violation)]
    return read(connection, REFERRALS, *conditions, after=after, newest_first=True, limit=limit)


def get_referral(connection: Connection, id: str) -> ReferralEntry | None:
    """The referral, or None."""
    return one(connection, REFERRALS, id)
