"""The violation ledger: order, submission, verification or return, closing."""

from collections.abc import Sequence
from datetime import date, datetime

from application.assignments import require_blobs
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.deadlines import due, end_of_day
from domain.violation import Order, Violation


def order_rectification(
    office: Office, call: Call, id: str, *, number: str, requirements: str, due_on: date | None
) -> Answer:
    """Order the enterprise to rectify by a day; without one, by the rulebook's default period."""

    def decide(violation: Violation) -> None:
        call.require("violation.manage", violation.matter.region)
        rule = office.rules(call.act.day).period("rectification")
        deadline = due(rule, call.act.day, office.calendar)
        instant = deadline.due if due_on is None else end_of_day(due_on)
        order = Order(
            number=number,
            requirements=requirements,
            due=instant,
            rule=deadline.rule if due_on is None else "order",
            calendar=deadline.calendar,
        )
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
        instant: datetime = end_of_day(due_on)
        violation.return_rectification(call.act, reason=reason, due=instant)

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
        violation.dispose(call.act, disposal=disposal, reason=reason)

    return office.workflow.change(call, Violation, id, decide)


def close_violation(office: Office, call: Call, id: str, *, evidence: Sequence[str], note: str) -> Answer:
    """Close a violation on evidence, as somebody who did not submit the rectification."""

    def decide(violation: Violation) -> None:
        call.require("violation.close", violation.matter.region)
        require_blobs(office, evidence, "/evidence")
        violation.close(call.act, evidence=evidence, note=note)

    return office.workflow.change(call, Violation, id, decide)
