"""The yearly plan: drafting rows, approval by another person, publication."""

from application.items import catalogue_of
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.plan import Plan, PlanRow


def draft_plan(office: Office, call: Call, *, region: str, year: int, department: str, title: str) -> Answer:
    """Begin the plan of a department of a region for a year."""
    call.require("plan.draft", region)
    plan = Plan.draft(
        call.act,
        id=office.chance.id("plan"),
        region=region,
        year=year,
        department=department,
        title=title,
    )
    return office.workflow.commit(call, plan)


def set_plan_row(office: Office, call: Call, id: str, *, row: PlanRow) -> Answer:
    """Add a row to a draft plan or write it anew; its items must be published."""

    def decide(plan: Plan) -> None:
        call.require("plan.draft", plan.region)
        plan.set_row(call.act, row=row, catalogue=catalogue_of(office, plan.region))

    return office.workflow.change(call, Plan, id, decide)


def drop_plan_row(office: Office, call: Call, id: str, *, no: str) -> Answer:
    """Take a row out of a draft plan."""

    def decide(plan: Plan) -> None:
        call.require("plan.draft", plan.region)
        plan.drop_row(call.act, no=no)

    return office.workflow.change(call, Plan, id, decide)


def submit_plan(office: Office, call: Call, id: str) -> Answer:
    """Hand a plan in for approval."""

    def decide(plan: Plan) -> None:
        call.require("plan.draft", plan.region)
        plan.submit(call.act)

    return office.workflow.change(call, Plan, id, decide)


def approve_plan(office: Office, call: Call, id: str, *, opinion: str) -> Answer:
    """Approve a plan that others made."""

    def decide(plan: Plan) -> None:
        call.require("plan.approve", plan.region)
        plan.approve(call.act, opinion=opinion)

    return office.workflow.change(call, Plan, id, decide)


def return_plan(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Send a plan back to its planner."""

    def decide(plan: Plan) -> None:
        call.require("plan.approve", plan.region)
        plan.send_back(call.act, reason=reason)

    return office.workflow.change(call, Plan, id, decide)


def publish_plan(office: Office, call: Call, id: str) -> Answer:
    """Make an approved plan public."""

    def decide(plan: Plan) -> None:
        call.require("plan.publish", plan.region)
        plan.publish(call.act, published_on=call.act.taken_on)

    return office.workflow.change(call, Plan, id, decide)
