"""The stages of each aggregate's life: how it begins, and the steps that bring it further.

A step takes the aggregate, so that a test reads `given(drafted_plan, row_set, submitted)`.
"""

from collections.abc import Callable
from typing import Any

from domain.access import Access
from domain.account import Account
from domain.assignment import Assignment
from domain.catalogue import Catalogue
from domain.draw import Draw
from domain.inspection import Inspection
from domain.inspector import Inspector, InspectorFacts
from domain.installation import Installation
from domain.intake import Counts, Intake
from domain.item import Item
from domain.plan import Plan
from domain.referral import Referral
from domain.site import Site
from domain.violation import Violation
from tests.builders import (
    CHEN,
    CITY,
    CLOSER,
    CUSTODIANS,
    DICE,
    EXPERT,
    LEADER,
    ORIGIN,
    PLANNER,
    RECORDER,
    REVIEWER,
    ROLLED,
    SECRETS,
    SUBMITTER,
    TEAM,
    TODAY,
    USCC,
    WANG,
    ZHAO,
    act,
    assigned_task,
    commitment_of,
    contributors,
    deadline,
    digest,
    evidence,
    inspector_facts,
    item_facts,
    later,
    letter,
    matter,
    order,
    plan_row,
    provenance,
    record,
    result,
    seal,
    site_facts,
    stream,
    visit,
)


def drafted_item(code: str = "SX-01", **fields: Any) -> Item:
    """The first version of an item."""
    number = int(code[-2:])
    return Item.draft(act(), id=stream("item", number), region=CITY, code=code, facts=item_facts(**fields))


def opened_catalogue() -> Catalogue:
    """A catalogue without an edition."""
    return Catalogue.open(act(), id=stream("catalogue"), region=CITY)


def published_catalogue() -> Catalogue:
    """A catalogue whose first edition holds the items SX-01 and SX-02."""
    catalogue = opened_catalogue()
    catalogue.publish(act(LEADER), published_on=TODAY, items=[drafted_item(), drafted_item("SX-02")])
    return catalogue


def registered_site(**fields: Any) -> Site:
    """A site of the registry."""
    return Site.register(
        act(),
        id=stream("site"),
        facts=site_facts(**fields),
        provenance=provenance(),
        person=stream("person"),
        commitment=digest(7),
    )


def registered_inspector(facts: InspectorFacts | None = None) -> Inspector:
    """A person of the registry."""
    return Inspector.register(
        act(),
        id=CHEN,
        region=CITY,
        person=stream("person", 2),
        commitment=digest(8),
        facts=facts or inspector_facts(),
        provenance=provenance(),
    )


def drafted_plan() -> Plan:
    """A plan without rows."""
    return Plan.draft(
        act(), id=stream("plan"), region=CITY, year=2024, department="生态环境", title="2024 年度抽查计划"
    )


def row_set(plan: Plan) -> None:
    """The plan has its row 01."""
    plan.set_row(act(), row=plan_row(), catalogue=published_catalogue())


def submitted(plan: Plan) -> None:
    """The plan waits for approval."""
    plan.submit(act())


def approved(plan: Plan) -> None:
    """The leader approved the plan."""
    plan.approve(act(LEADER), opinion="同意")


def published(plan: Plan) -> None:
    """The plan is public."""
    plan.publish(act(), published_on=TODAY)


def published_plan() -> Plan:
    """A plan from which a draw may start."""
    plan = drafted_plan()
    for step in (row_set, submitted, approved, published):
        step(plan)
    return plan


def announcing(**fields: Any) -> Callable[[], Draw]:
    """How draw 1 is announced."""
    facts: dict[str, Any] = {
        "log": ORIGIN,
        "draw_no": 1,
        "attempt": 1,
        "previous": "",
        "plan": published_plan(),
        "row": "01",
        "contributors": contributors(),
        "public_source": DICE,
        "rulebook": "2024.1",
    }
    return lambda: Draw.announce(act(), id=stream("draw"), **{**facts, **fields})


def committed(draw: Draw) -> None:
    """Both parties filed their commitments."""
    for party, account in CUSTODIANS.items():
        draw.commit(act(account), party=party, commitment=commitment_of(party))


def sealed(draw: Draw) -> None:
    """Frame, pool and rules are frozen."""
    draw.seal(act(), seal=seal(), frame_key=f"{CITY}/2024")


def revealed(draw: Draw) -> None:
    """Both parties revealed."""
    for number, (party, account) in enumerate(CUSTODIANS.items()):
        draw.reveal(act(account), party=party, secret=SECRETS[party], receipt=digest(20 + number))


def observed(draw: Draw) -> None:
    """Both custodians typed the same dice."""
    for party, account in CUSTODIANS.items():
        draw.type_value(later(account, minutes=5), party=party, value=ROLLED)


def completed(draw: Draw) -> None:
    """Sample and teams are drawn."""
    draw.complete(later(minutes=6), result=result())


def made_assignment() -> Assignment:
    """A drawn site with its team."""
    return Assignment.make(act(), id=stream("assignment"), task=assigned_task(), team=TEAM)


def opened_inspection() -> Inspection:
    """A task that its team took up."""
    return Inspection.open(act(RECORDER), id=stream("inspection"), visit=visit(), team=TEAM)


def visit_approved(inspection: Inspection) -> None:
    """The head approved the visit; an expert comes along."""
    inspection.approve(act(LEADER), approval_no="并环检〔2024〕1号", experts=[EXPERT])


def notified(inspection: Inspection) -> None:
    """The site was told; it is the enterprise's first visit of the year."""
    inspection.notify(act(RECORDER), urgent=False, reason="", visit_slot=f"2024/{USCC}/1")


def identified(inspection: Inspection) -> None:
    """Both officers showed their certificates."""
    inspection.show_identity(
        act(RECORDER), inspector=CHEN, certified=[CHEN, WANG], rights_told=True, purpose_told=True
    )


def evidence_added(inspection: Inspection) -> None:
    """There is a photo."""
    inspection.add_evidence(act(RECORDER), inspector=CHEN, evidence=evidence())


def found(inspection: Inspection) -> None:
    """A problem that must be rectified was found on SX-01."""
    inspection.record_finding(
        act(RECORDER),
        inspector=CHEN,
        item="SX-01",
        category="permit",
        description="自行监测频次不足",
        disposal="rectifying",
        evidence=[digest()],
    )


def concluded(inspection: Inspection) -> None:
    """The record is complete and signed."""
    inspection.conclude(later(RECORDER, hours=3), inspector=CHEN, record=record(), publication=deadline())


def reviewed(inspection: Inspection) -> None:
    """A second person found the record in order."""
    inspection.review(later(REVIEWER, hours=4), inspector=ZHAO, opinion="同意")


def opened_violation(disposal: str = "rectifying") -> Violation:
    """A finding that became a row of the ledger."""
    return Violation.open(
        act(REVIEWER),
        id=stream("violation"),
        matter=matter(),
        disposal=disposal,
        owner=PLANNER,
        evidence=[digest()],
    )


def ordered(violation: Violation) -> None:
    """The enterprise was ordered to rectify."""
    violation.order_rectification(act(), order=order())


def handed_in(violation: Violation) -> None:
    """An officer says for the enterprise that it is done."""
    violation.submit_rectification(act(SUBMITTER), note="已整改", evidence=[digest(2)], for_enterprise=True)


def verified(violation: Violation) -> None:
    """A second person saw that it is done."""
    violation.verify_rectification(act(CLOSER), note="属实", evidence=[digest(3)])


def sent_referral() -> Referral:
    """The letter went out."""
    return Referral.send(act(LEADER), id=stream("referral"), violation=opened_violation(), letter=letter())


def received(referral: Referral) -> None:
    """The other department signed for it."""
    referral.receive(act(), receipt=digest(10))


def opened_account() -> Account:
    """An account without grants."""
    return Account.open(act(), id=stream("account", 20), person=stream("person", 20), commitment=digest(20))


def founded_installation() -> Installation:
    """A log without rulebooks."""
    return Installation.found(
        act(), id=stream("installation"), origin=ORIGIN, verifier_key=f"{ORIGIN}+1a2b3c4d+AQID"
    )


def completed_intake() -> Intake:
    """An import of three sites."""
    return Intake.complete(
        act(),
        id=stream("intake"),
        kind="sites",
        region=CITY,
        original=digest(40),
        counts=Counts(rows=3, created=1, changed=1, unchanged=1),
    )


def noted_access() -> Access:
    """Somebody read a person's data."""
    return Access.note(
        act(LEADER), id=stream("access"), kind="person", subjects=(stream("person"),), reason="核实联系方式"
    )
