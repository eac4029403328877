"""The violation ledger: order, submission, verification or return, closing."""

from collections.abc import Sequence
from datetime import date

from application.evidence import require_blobs
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.deadlines import Deadline, due
from domain.deadlines import due_on as fixed_day
from domain.inspection import Inspection
from domain.violation import CloserSubmitted, DisposalWrong, Order, Violation


def order_rectification(
    office: Office, call: Call, id: str, *, number: str, requirements: str, due_on: date | None
) -> Answer:
    """Order the enterprise to rectify by a day; without one, by the rulebook's default period."""

    def decide(violation: Violation) -> None:
        call.require("violation.manage", violation.matter.region)
        deadline = _deadline(office, call, due_on)
        order = Order(number=number, requirements=requirements, deadline=deadline)
        violation.order_rectification(call.act, order=order)

    return office.workflow.change(call, Violation, id, decide)


def submit_rectification(
    office: Office, call: Call, id: str, *, note: str, evidence: Sequence[str], for_enterprise: bool
) -> Answer:
    """Say that the rectification is done, with evidence."""

    def decide(violation: Violation) -> None:
        call.require("violation.submit", violation.matter.region)
        require_blobs(office, evidence, "/evidence")
        violation.submit_rectification(call.act, note=note, evidence=evidence, for_enterprise=for_enterprise)

    return office.workflow.change(call, Violation, id, decide)


def return_rectification(office: Office, call: Call, id: str, *, reason: str, due_on: date) -> Answer:
    """Send a rectification back, with the day by which it must be done."""

    def decide(violation: Violation) -> None:
        call.require("violation.verify", violation.matter.region)
        violation.return_rectification(call.act, reason=reason, deadline=_deadline(office, call, due_on))

    return office.workflow.change(call, Violation, id, decide)


def verify_rectification(
    office: Office, call: Call, id: str, *, note: str, evidence: Sequence[str]
) -> Answer:
    """See that a rectification is done, as somebody who did not submit it."""

    def decide(violation: Violation) -> None:
        call.require("violation.verify", violation.matter.region)
        require_blobs(office, evidence, "/evidence")
        violation.verify_rectification(call.act, note=note, evidence=evidence)

    return office.workflow.change(call, Violation, id, decide)


def dispose_violation(office: Office, call: Call, id: str, *, disposal: str, reason: str) -> Answer:
    """Send a violation another way; a referral is made by `refer_violation`."""

    def decide(violation: Violation) -> None:
        call.require("violation.manage", violation.matter.region)
        if disposal == "referred":
            raise DisposalWrong("/disposal", disposal=disposal)
        violation.dispose(call.act, disposal=disposal, reason=reason)

    return office.workflow.change(call, Violation, id, decide)


def close_violation(office: Office, call: Call, id: str, *, evidence: Sequence[str], note: str) -> Answer:
    """Close a violation on evidence, as somebody who did not submit the rectification.

    Of what nobody submitted, such as what was corrected on the spot, those who recorded the finding
    are the ones who say that it is done.
    """

    def decide(violation: Violation) -> None:
        call.require("violation.close", violation.matter.region)
        recorders = office.workflow.load(Inspection, violation.matter.inspection).recorders
        if not violation.submitters and call.act.persons & recorders:
            raise CloserSubmitted()
        require_blobs(office, evidence, "/evidence")
        violation.close(call.act, evidence=evidence, note=note)

    return office.workflow.change(call, Violation, id, decide)


def _deadline(office: Office, call: Call, day: date | None) -> Deadline:
    rules = office.rules(call.act.day)
    if day is not None:
        return fixed_day("order", rules.version, day)
    return due(rules.period("rectification"), call.act.day, office.calendar)
