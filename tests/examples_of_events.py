"""One full example of every event: each field says something, so that its bytes show how it is stored."""

from datetime import UTC, date, datetime
from typing import Any, Final

from domain.access import Access
from domain.account import Account
from domain.aggregate import CreatedEvent, DomainEvent
from domain.assignment import Assignment
from domain.catalogue import Catalogue, CatalogueLine
from domain.deadlines import Deadline
from domain.draw import Draw
from domain.draw_values import Missing
from domain.events import AGGREGATES, event_classes
from domain.inspection import Finding, Inspection
from domain.inspector import Inspector
from domain.installation import Installation
from domain.intake import Counts, Intake
from domain.item import Item
from domain.person import Case, Person
from domain.plan import Plan
from domain.recheck import DrawnClosing, Recheck
from domain.recheck_terms import recheck_terms
from domain.referral import Referral
from domain.site import Site
from domain.violation import Violation
from tests import builders as b

TAKEN_AT: Final = datetime(2024, 4, 1, 1, 2, 3, 456789, UTC)
OCCURRED_AT: Final = datetime(2024, 4, 1, 1, 0, tzinfo=UTC)
PERIOD: Final = Deadline(
    rule="result-published",
    version="2024.1",
    unit="working-day",
    length=20,
    start=date(2024, 4, 1),
    calendar="chinesecalendar 1.11.0",
    due=datetime(2024, 4, 30, 15, 59, 59, 999999, UTC),
)
ITEM = b.item_facts(bases=(b.legal_basis(effective_to=date(2034, 12, 31)),))
LINE = CatalogueLine(
    item=b.stream("item"),
    code="SX-01",
    number=1,
    name="排污许可证执行情况的检查",
    category="key",
    methods=("on-site", "off-site"),
    in_force_from=date(2015, 1, 1),
    in_force_to=date(2034, 12, 31),
)
PLAN_ROW = f"{b.stream('plan')}/01"
FRAME_KEY = f"{b.CITY}/2024"
RECUSAL = b.stream("recusal")
CASE = Case(kind="inspector", holder=b.CHEN, region=b.CITY)
ASKED = {"case": CASE, "reason": "退休满五年", "retain_until": date(2024, 1, 1), "rulebook": "2024.1"}
CHANGE = {
    "id": b.stream("site"),
    "kind": "void",
    "replacement": b.stream("site", 2),
    "seats": [{"inspector": b.CHEN, "seat": "lead"}, {"inspector": None, "seat": "officer"}],
}

FACTS: Final[dict[type[DomainEvent], dict[str, Any]]] = {
    Installation.Founded: {"origin": b.ORIGIN, "verifier_key": f"{b.ORIGIN}+1a2b3c4d+AQID"},
    Installation.RulebookAdopted: {"rulebook": b.adopted()},
    Installation.KeyChangeAsked: {"verifier_key": b.VKEYS[1], "reason": "例行更换"},
    Installation.KeyChangeWithdrawn: {"verifier_key": b.VKEYS[1], "reason": "另行生成"},
    Installation.KeyChanged: {"verifier_key": b.VKEYS[1], "former": b.VKEYS[0], "reason": "例行更换"},
    Installation.ResumeAsked: {"size": 812, "root": b.digest(50), "reason": "备份恢复后缺少两个事件"},
    Installation.ResumeWithdrawn: {"size": 812, "root": b.digest(50), "reason": "已找到完整备份"},
    Installation.Resumed: {"size": 812, "root": b.digest(50), "reason": "备份恢复后缺少两个事件"},
    Account.Opened: {"person": b.stream("person"), "commitment": b.digest()},
    Account.GrantGiven: {"role": "leader", "region": b.CITY, "until": date(2024, 12, 31)},
    Account.GrantTaken: {"role": "leader", "region": b.CITY, "reason": "调岗"},
    Account.Linked: {"inspector": b.CHEN},
    Account.EnterpriseLinked: {"uscc": b.USCC},
    Account.PasswordSet: {},
    Account.TokenIssued: {"token": b.stream("token"), "label": "报表", "expires_on": date(2025, 1, 1)},
    Account.TokenRevoked: {"token": b.stream("token")},
    Account.Closed: {"reason": "离职", "inspector": b.CHEN},
    Access.Recorded: {"kind": "person", "subjects": (b.stream("person"),), "reason": "核实联系方式"},
    Intake.Completed: {
        "kind": "sites",
        "region": b.CITY,
        "original": b.digest(),
        "counts": Counts(rows=6, created=1, changed=2, unchanged=3),
    },
    Intake.OriginalErased: {
        "original": b.digest(),
        "person": b.stream("person"),
        "ground": "retention-over",
        "erased_on": b.TODAY,
    },
    Person.ErasureAsked: {**ASKED, "ground": "retention-over"},
    Person.ErasureAskedAgain: {**ASKED, "ground": "unlawful-processing"},
    Person.ErasureRefused: {"case": CASE, "reason": "保存期限未满"},
    Person.Erased: {
        "case": CASE,
        "ground": "retention-over",
        "asked_by": (b.DEPUTY, b.PLANNER),
        "retain_until": date(2024, 1, 1),
        "rulebook": "2024.1",
        "originals": (b.stream("intake"),),
        "erased_on": b.TODAY,
    },
    Item.Drafted: {"region": b.CITY, "code": "SX-01", "facts": ITEM},
    Item.Revised: {"number": 2, "facts": ITEM, "reason": "内容调整"},
    Item.Repealed: {"effective_from": date(2024, 7, 1), "reason": "法规修订"},
    Catalogue.Opened: {"region": b.CITY},
    Catalogue.Published: {"edition": 1, "published_on": b.TODAY, "lines": (LINE,)},
    Site.Registered: {
        "facts": b.site_facts(),
        "provenance": b.provenance(),
        "person": b.stream("person"),
        "commitment": b.digest(),
    },
    Site.Changed: {"facts": b.site_facts(), "provenance": b.provenance(), "old_key": b.USCC},
    Site.Assessed: {"risk_class": "C", "assessed_on": b.TODAY, "source": "信用评价"},
    Site.Removed: {"ground": "closed", "provenance": b.provenance(), "key": b.USCC},
    Inspector.Registered: {
        "region": b.CITY,
        "person": b.stream("person"),
        "commitment": b.digest(),
        "facts": b.inspector_facts(),
        "provenance": b.provenance(),
    },
    Inspector.Changed: {"facts": b.inspector_facts(), "provenance": b.provenance()},
    Inspector.Removed: {"provenance": b.provenance()},
    Inspector.RecusalDeclared: {
        "recusal": RECUSAL,
        "region": b.CITY,
        "uscc": b.USCC,
        "ground": "near-relative",
        "origin": "self",
        "detail": "近亲属在该企业任职",
    },
    Inspector.RecusalGranted: {
        "recusal": RECUSAL,
        "uscc": b.USCC,
        "ground": "near-relative",
        "reason": "情况属实",
        "decided_as": "collective",
        "minutes": b.digest(),
    },
    Inspector.RecusalRefused: {
        "recusal": RECUSAL,
        "reason": "不影响公正",
        "decided_as": "collective",
        "minutes": b.digest(),
    },
    Inspector.RecusalWithdrawn: {"recusal": RECUSAL, "reason": "情况有误"},
    Plan.Drafted: {"region": b.CITY, "year": 2024, "department": "生态环境", "title": "2024 年度抽查计划"},
    Plan.RowSet: {"row": b.plan_row()},
    Plan.RowDropped: {"no": "01"},
    Plan.Submitted: {},
    Plan.Approved: {"opinion": "同意"},
    Plan.Returned: {"reason": "比例偏低"},
    Plan.Published: {"published_on": b.TODAY},
    Draw.Announced: {
        "log": b.ORIGIN,
        "draw_no": 2,
        "attempt": 2,
        "previous": b.stream("draw"),
        "plan": b.stream("plan"),
        "row": "01",
        "plan_row": PLAN_ROW,
        "period": "2024Q2",
        "region": b.CITY,
        "redraw": False,
        "contributors": b.contributors(),
        "public_source": b.LOTTERY,
        "rulebook": "2024.1",
    },
    Draw.RecheckAnnounced: {
        "log": b.ORIGIN,
        "draw_no": 3,
        "attempt": 2,
        "previous": b.stream("draw"),
        "plan_row": "recheck/140100/2024Q1",
        "period": "2024Q1",
        "region": b.CITY,
        "terms": recheck_terms("2024Q1", 2),
        "contributors": b.contributors(),
        "public_source": b.LOTTERY,
        "rulebook": "2024.1",
    },
    Draw.SupplementAnnounced: {
        "log": b.ORIGIN,
        "draw_no": 3,
        "attempt": 2,
        "previous": b.stream("draw"),
        "plan": b.stream("plan"),
        "row": "01",
        "plan_row": PLAN_ROW,
        "period": "2024Q2",
        "region": b.CITY,
        "redraw": True,
        "contributors": b.contributors(),
        "public_source": b.LOTTERY,
        "rulebook": "2024.1",
        "supplements": 2,
        "missing": Missing(
            draw=b.stream("draw", 2),
            seats=("officer",),
            areas=("140105",),
            reason="本区持证人员不足",
            round=1,
        ),
    },
    Draw.Committed: {"party": "agency", "commitment": b.commitment_of("agency")},
    Draw.Sealed: {"seal": b.seal(frame_reason="补录排污单位"), "frame_key": FRAME_KEY},
    Draw.NarrowSeatsFound: {"sites": 2, "seats": 3},
    Draw.NarrowSeatsApproved: {"reason": "全区持证人员仅二人"},
    Draw.Revealed: {"party": "agency", "secret": b.SECRETS["agency"], "receipt": b.digest()},
    Draw.ValueTyped: {"party": "agency", "value": "010203040506"},
    Draw.PublicValueObserved: {"value": "010203040506", "evidence": {"reference": "第 2024040 期公告"}},
    Draw.Completed: {"result": b.result(), "frame_key": FRAME_KEY},
    Draw.Changed: {"change": CHANGE},
    Draw.Opened: {"changes": b.digest()},
    Draw.VoidAsked: {"ground": "名录有误"},
    Draw.Voided: {
        "ground": "名录有误",
        "plan_row": PLAN_ROW,
        "frame_key": FRAME_KEY,
        "reroll_warning": True,
    },
    Draw.AttemptEnded: {"missing": ("discipline",), "plan_row": PLAN_ROW, "frame_key": FRAME_KEY},
    Assignment.Made: {"task": b.assigned_task(replaces=b.stream("assignment", 2)), "team": b.TEAM},
    Assignment.RecusalDeclared: {
        "recusal": RECUSAL,
        "inspector": b.CHEN,
        "seat": "lead",
        "ground": "near-relative",
        "origin": "self",
        "detail": "近亲属在该单位任职",
    },
    Assignment.RecusalGranted: {
        "recusal": RECUSAL,
        "seat": "lead",
        "substitute": b.ZHAO,
        "reason": "情况属实",
        "decided_as": "collective",
        "minutes": b.digest(),
    },
    Assignment.RecusalRefused: {
        "recusal": RECUSAL,
        "reason": "不影响公正",
        "decided_as": "collective",
        "minutes": b.digest(),
    },
    Assignment.RecusalWithdrawn: {"recusal": RECUSAL, "reason": "情况有误"},
    Assignment.SeatFilled: {"seat": "officer", "inspector": b.ZHAO, "draw": b.stream("draw", 2)},
    Assignment.VoidAsked: {"ground": "closed", "evidence": (b.digest(),)},
    Assignment.VoidRefused: {"reason": "仍在生产"},
    Assignment.SiteVoided: {
        "ground": "closed",
        "evidence": (b.digest(),),
        "replacement": b.stream("assignment", 2),
    },
    Inspection.Opened: {"visit": b.visit(), "team": b.TEAM},
    Inspection.Approved: {"approval_no": "并环检〔2024〕1号", "experts": (b.EXPERT,)},
    Inspection.Notified: {"urgent": True, "reason": "异味举报", "visit_slot": f"2024/{b.USCC}/1"},
    Inspection.SeatChanged: {"seat": "lead", "inspector": b.ZHAO},
    Inspection.IdentityShown: {
        "officers": (b.CHEN, b.WANG),
        "rights_told": True,
        "purpose_told": True,
    },
    Inspection.EvidenceAdded: {"evidence": b.evidence()},
    Inspection.FindingRecorded: {
        "finding": Finding(
            no=1,
            item="SX-01",
            category="permit",
            description="自行监测频次不足",
            disposal="rectifying",
            evidence=(b.digest(),),
        )
    },
    Inspection.FindingWithdrawn: {"no": 1, "reason": "误记"},
    Inspection.Concluded: {
        "record": b.record(party_signed=False, refusal="当事人拒签"),
        "publication": PERIOD,
    },
    Inspection.Returned: {"reason": "缺照片"},
    Inspection.Reviewed: {"opinion": "同意"},
    Inspection.Published: {"published_on": b.TODAY, "channels": ("site", "credit-publicity")},
    Inspection.Withheld: {"ground": "trade-secret", "reason": "涉及商业秘密"},
    Violation.Opened: {
        "matter": b.matter(),
        "disposal": "rectifying",
        "owner": b.PLANNER,
        "evidence": (b.digest(),),
    },
    Violation.RectificationOrdered: {"order": b.order(deadline=PERIOD)},
    Violation.RectificationSubmitted: {"note": "已整改", "evidence": (b.digest(),), "for_enterprise": True},
    Violation.RectificationReturned: {"reason": "监测仍不足", "deadline": PERIOD},
    Violation.RectificationVerified: {"note": "属实", "evidence": (b.digest(),)},
    Violation.Disposed: {"disposal": "case", "reason": "情节严重"},
    Violation.Closed: {"evidence": (b.digest(),), "note": "闭环", "closed_on": b.TODAY},
    Violation.RecheckRecorded: {
        "recheck": b.stream("recheck"),
        "outcome": "reopened",
        "note": "设施又停",
        "evidence": (b.digest(),),
        "disposal": "rectifying",
        "deadline": PERIOD,
    },
    Recheck.Drawn: {
        "task": DrawnClosing(
            draw=b.stream("draw"),
            draw_no=3,
            region=b.CITY,
            period="2024Q1",
            violation=b.stream("violation"),
            closing=1,
            rank=1,
        ),
        "team": b.TEAM,
    },
    Recheck.CarriedOut: {"outcome": "reopened", "note": "设施又停", "evidence": (b.digest(),)},
    Referral.Sent: {
        "violation": b.stream("violation"),
        "region": b.CITY,
        "letter": b.letter(),
        "sent_on": b.TODAY,
    },
    Referral.Received: {"receipt": b.digest(), "received_on": b.TODAY},
    Referral.Replied: {
        "accepted": False,
        "note": "属生态环境职责",
        "replied_on": b.TODAY,
        "violation": b.stream("violation"),
    },
}


def examples() -> dict[str, DomainEvent]:
    """The examples by topic; `KeyError` for an event that has none."""
    return {
        one.TOPIC: example(aggregate.TOPIC, one)
        for aggregate in AGGREGATES
        for one in event_classes(aggregate)
    }


def example(aggregate: str, kind: type[DomainEvent]) -> DomainEvent:
    """The example of one event class, done by a deputy."""
    began = issubclass(kind, CreatedEvent)
    begun = {"originator_topic": aggregate} if began else {}
    return kind(
        originator_id=b.stream(aggregate),
        originator_version=1 if began else 2,
        timestamp=TAKEN_AT,
        by=b.DEPUTY,
        occurred_at=OCCURRED_AT,
        on_behalf_of=b.LEADER,
        correlation_id="request-1",
        causation_id=f"{b.stream('import')}/1",
        **begun,
        **FACTS[kind],
    )
