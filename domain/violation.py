"""A violation (违法违规台账): a finding to be closed.

ordered → submitted → verified | returned → closed. Whoever submitted a rectification neither verifies
nor closes it, and nothing is closed without evidence. A closing on which the lot of the re-check falls is
looked at again; one that does not hold opens the violation again.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.deadlines import Deadline
from domain.errors import Conflict, Forbidden, Invalid
from domain.recheck import REOPENED
from domain.values import DISPOSALS


class ViolationStatusWrong(Conflict):
    """The step does not fit the violation's status; facts: `status`, `needed`."""

    code = "violation-status-wrong"


class CloserSubmitted(Forbidden):
    """Whoever says that it is done, or that it goes another way, is not the one who verifies or closes it."""

    code = "closer-submitted"
    rule = "separation.closer-submitter"


class ClosingEvidenceMissing(Invalid):
    """Closing needs at least one piece of evidence."""

    code = "closing-evidence-missing"
    rule = "violation.closing-evidence"


class DueInPast(Invalid):
    """The date by which to rectify had passed when the order was given; facts: `due`."""

    code = "due-in-past"


class DisposalWrong(Invalid):
    """Not a disposal, or no change of it; facts: `disposal`."""

    code = "disposal-wrong"


class OrderIncomplete(Invalid):
    """The order lacks its number or what it asks for; facts: `field`."""

    code = "order-incomplete"


class RecheckDeadlineWrong(Invalid):
    """An order that stands again needs its new date, and nothing else does; facts: `due`."""

    code = "recheck-deadline-wrong"


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """Which finding of which inspection this is."""

    inspection: str
    finding: int
    site: str
    uscc: str
    region: str
    period: str
    item: str
    category: str
    description: str


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order to rectify (责令改正): its number, what it asks, by when and by which rule."""

    number: str
    requirements: str
    deadline: Deadline


class Violation(Aggregate):
    """One row of the violation ledger."""

    TOPIC = "violation"

    class Opened(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A reviewed finding became a row of the ledger."""

        TOPIC = "violation.opened.v1"
        matter: Matter
        disposal: str
        owner: str
        evidence: tuple[str, ...]

        def claims(self) -> Iterable[Claim]:
            return (Claim("violation", f"{self.matter.inspection}/{self.matter.finding}"),)

    class RectificationOrdered(Aggregate.Event, frozen=True, kw_only=True):
        """The enterprise was ordered to rectify."""

        TOPIC = "violation.rectification-ordered.v1"
        order: Order

        def claims(self) -> Iterable[Claim]:
            return (Claim("document-no", self.order.number),)

    class RectificationSubmitted(Aggregate.Event, frozen=True, kw_only=True):
        """The enterprise, or an officer on its behalf, says that it is done."""

        TOPIC = "violation.rectification-submitted.v1"
        note: str
        evidence: tuple[str, ...]
        for_enterprise: bool

    class RectificationReturned(Aggregate.Event, frozen=True, kw_only=True):
        """It is not done; the order stands, with its date or a later one."""

        TOPIC = "violation.rectification-returned.v1"
        reason: str
        deadline: Deadline

    class RectificationVerified(Aggregate.Event, frozen=True, kw_only=True):
        """A second person saw that it is done."""

        TOPIC = "violation.rectification-verified.v1"
        note: str
        evidence: tuple[str, ...]

    class Disposed(Aggregate.Event, frozen=True, kw_only=True):
        """The violation goes another way: lenient, case or referral."""

        TOPIC = "violation.disposed.v1"
        disposal: str
        reason: str

    class Closed(Aggregate.Event, frozen=True, kw_only=True):
        """The violation is closed on evidence."""

        TOPIC = "violation.closed.v1"
        evidence: tuple[str, ...]
        note: str
        closed_on: date

    class RecheckRecorded(Aggregate.Event, frozen=True, kw_only=True):
        """A re-check of the closing was carried out; one that failed opens the violation again.

        `disposal` is what holds from now on, `deadline` that of the order which stands again.
        """

        TOPIC = "violation.recheck-recorded.v1"
        recheck: str
        outcome: str
        note: str
        evidence: tuple[str, ...]
        disposal: str
        deadline: Deadline | None

    @classmethod
    def open(
        cls, act: Act, *, id: str, matter: Matter, disposal: str, owner: str, evidence: Sequence[str]
    ) -> Self:
        """Enter a reviewed finding; `owner` is the account answerable for closing it."""
        if disposal not in DISPOSALS:
            raise DisposalWrong("/disposal", disposal=disposal)
        return cls.begin(
            cls.Opened, id, act, matter=matter, disposal=disposal, owner=owner, evidence=tuple(evidence)
        )

    @event(Opened)
    def __init__(self, matter: Matter, disposal: str, owner: str) -> None:
        self.matter, self.disposal, self.owner = matter, disposal, owner
        self.status = "open"
        self.order: Order | None = None
        self.submitters: set[str] = set()
        self.disposers: set[str] = set()
        self.closings = 0
        self.closed_at: datetime | None = None
        self.rechecked = False

    def order_rectification(self, act: Act, *, order: Order) -> None:
        """Order the enterprise to rectify by a date."""
        self._require("open")
        for field in ("number", "requirements"):
            if not getattr(order, field):
                raise OrderIncomplete(f"/{field}", field=field)
        if order.deadline.is_past(act.occurred_at):
            raise DueInPast("/due_on", due=order.deadline.due)
        if self.disposal != "rectifying":
            raise DisposalWrong("/disposal", disposal=self.disposal)
        self.record(self.RectificationOrdered, act, order=order)

    @event(RectificationOrdered)
    def _ordered(self, order: Order) -> None:
        self.order = order
        self.status = "ordered"

    def submit_rectification(
        self, act: Act, *, note: str, evidence: Sequence[str], for_enterprise: bool
    ) -> None:
        """Say that it is done; an officer may do so for the enterprise, and the record says so."""
        self._require("ordered")
        self.record(
            self.RectificationSubmitted,
            act,
            note=note,
            evidence=tuple(evidence),
            for_enterprise=for_enterprise,
        )

    @event(RectificationSubmitted)
    def _submitted(self, by: str, on_behalf_of: str | None) -> None:
        self.submitters |= persons_of(by, on_behalf_of)
        self.status = "submitted"

    def return_rectification(self, act: Act, *, reason: str, deadline: Deadline) -> None:
        """Send it back, with the date by which it must be done."""
        self._require("submitted")
        self._require_other(act)
        if deadline.is_past(act.occurred_at):
            raise DueInPast("/due_on", due=deadline.due)
        self.record(self.RectificationReturned, act, reason=reason, deadline=deadline)

    @event(RectificationReturned)
    def _returned(self, deadline: Deadline) -> None:
        if self.order is not None:
            self.order = msgspec.structs.replace(self.order, deadline=deadline)
        self.status = "ordered"

    def verify_rectification(self, act: Act, *, note: str, evidence: Sequence[str]) -> None:
        """See that it is done, as a second person."""
        self._require("submitted")
        self._require_other(act)
        self.record(self.RectificationVerified, act, note=note, evidence=tuple(evidence))

    @event(RectificationVerified)
    def _verified(self) -> None:
        self.status = "verified"

    def dispose(self, act: Act, *, disposal: str, reason: str) -> None:
        """Send the violation another way while it is not closed."""
        if self.status == "closed":
            raise ViolationStatusWrong(status=self.status, needed="open")
        if disposal not in DISPOSALS or disposal == self.disposal or not reason:
            raise DisposalWrong("/disposal", disposal=disposal)
        self.record(self.Disposed, act, disposal=disposal, reason=reason)

    @event(Disposed)
    def _disposed(self, disposal: str, by: str, on_behalf_of: str | None) -> None:
        self.disposal = disposal
        self.disposers |= persons_of(by, on_behalf_of)

    def close(self, act: Act, *, evidence: Sequence[str], note: str) -> None:
        """Close on at least one piece of evidence, as somebody who neither submitted nor disposed."""
        if self.disposal == "rectifying":
            self._require("verified")
        if self.status == "closed":
            raise ViolationStatusWrong(status=self.status, needed="open")
        self._require_other(act)
        if act.persons & self.disposers:
            raise CloserSubmitted()
        if not evidence:
            raise ClosingEvidenceMissing("/evidence")
        self.record(self.Closed, act, evidence=tuple(evidence), note=note, closed_on=act.day)

    @event(Closed)
    def _closed(self, timestamp: datetime) -> None:
        self.status = "closed"
        self.closings += 1
        self.closed_at, self.rechecked = timestamp, False

    def record_recheck(
        self,
        act: Act,
        *,
        recheck: str,
        outcome: str,
        note: str,
        evidence: Sequence[str],
        deadline: Deadline | None,
    ) -> None:
        """Note what the re-check of the closing found. One that failed opens the violation again.

        An order stands again, with the `deadline`; without an order the violation has to be rectified by
        one that follows, if it was thought to need none.
        """
        self._require("closed")
        reopened = outcome == REOPENED
        if (deadline is not None) != (reopened and self.order is not None):
            raise RecheckDeadlineWrong("/due_on", due=deadline.due if deadline else "")
        if deadline is not None and deadline.is_past(act.occurred_at):
            raise DueInPast("/due_on", due=deadline.due)
        lighter = reopened and self.disposal in ("corrected", "lenient")
        self.record(
            self.RecheckRecorded,
            act,
            recheck=recheck,
            outcome=outcome,
            note=note,
            evidence=tuple(evidence),
            disposal="rectifying" if lighter else self.disposal,
            deadline=deadline,
        )

    @event(RecheckRecorded)
    def _recheck_recorded(self, outcome: str, disposal: str, deadline: Deadline | None) -> None:
        self.rechecked, self.disposal = True, disposal
        if outcome == REOPENED:
            self.status = "open" if self.order is None else "ordered"
            self.closed_at = None
        if self.order is not None and deadline is not None:
            self.order = msgspec.structs.replace(self.order, deadline=deadline)

    def _require(self, status: str) -> None:
        if self.status != status:
            raise ViolationStatusWrong(status=self.status, needed=status)

    def _require_other(self, act: Act) -> None:
        if act.persons & self.submitters:
            raise CloserSubmitted()
