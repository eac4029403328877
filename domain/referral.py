"""A referral (移送): a violation that is not ours goes to the department whose matter it is."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.violation import Violation


class ReferralIncomplete(Invalid):
    """A referral lacks its letter, number or addressee; facts: `field`."""

    code = "referral-incomplete"


class ReferralStatusWrong(Conflict):
    """The step does not fit the referral's status; facts: `status`, `needed`."""

    code = "referral-status-wrong"


class ViolationClosed(Conflict):
    """A closed violation is not referred; facts: `violation`."""

    code = "violation-closed"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """The referral letter (移送函): its number, its blob, to whom, why."""

    number: str
    document: str
    addressee: str
    reason: str


class Referral(Aggregate):
    """One referral of one violation."""

    TOPIC = "referral"

    class Sent(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The letter went out."""

        TOPIC = "referral.sent.v1"
        violation: str
        region: str
        letter: Letter
        sent_on: date

        def claims(self) -> Iterable[Claim]:
            return (Claim("document-no", self.letter.number), Claim("referral", self.violation))

    class Received(Aggregate.Event, frozen=True, kw_only=True):
        """The other department signed for it; `receipt` is a blob."""

        TOPIC = "referral.received.v1"
        receipt: str
        received_on: date

    class Replied(Aggregate.Event, frozen=True, kw_only=True):
        """The other department accepts the matter or sends it back."""

        TOPIC = "referral.replied.v1"
        accepted: bool
        note: str
        replied_on: date
        violation: str

        def claims(self) -> Iterable[Claim]:
            return () if self.accepted else (Claim("referral", self.violation, released=True),)

    @classmethod
    def send(cls, act: Act, *, id: str, violation: Violation, letter: Letter) -> Self:
        """Refer an open violation to another department."""
        if violation.status == "closed":
            raise ViolationClosed(violation=violation.id)
        for field in ("number", "document", "addressee", "reason"):
            if not getattr(letter, field):
                raise ReferralIncomplete(f"/{field}", field=field)
        return cls.begin(
            cls.Sent,
            id,
            act,
            violation=violation.id,
            region=violation.matter.region,
            letter=letter,
            sent_on=act.day,
        )

    @event(Sent)
    def __init__(self, violation: str, region: str, letter: Letter) -> None:
        self.violation, self.region, self.letter = violation, region, letter
        self.status = "sent"

    def receive(self, act: Act, *, receipt: str) -> None:
        """Record the signed receipt."""
        self._require("sent")
        if not receipt:
            raise ReferralIncomplete("/receipt", field="receipt")
        self.record(self.Received, act, receipt=receipt, received_on=act.day)

    @event(Received)
    def _received(self) -> None:
        self.status = "received"

    def reply(self, act: Act, *, accepted: bool, note: str) -> None:
        """Record the other department's reply."""
        self._require("received")
        self.record(
            self.Replied, act, accepted=accepted, note=note, replied_on=act.day, violation=self.violation
        )

    @event(Replied)
    def _replied(self, accepted: bool) -> None:
        self.status = "accepted" if accepted else "refused"

    def _require(self, status: str) -> None:
        if self.status != status:
            raise ReferralStatusWrong(status=self.status, needed=status)
