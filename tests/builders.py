"""Valid things to begin a test with, on a fixed day with fixed ids. Replace what the test is about.

The day is 1 April 2024 in Taiyuan. Accounts are named by what their person does.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from domain.act import Act
from domain.assignment import AssignedTask
from domain.deadlines import Deadline, due_on
from domain.draw_values import Contributor, Result, Seal, StratumCount
from domain.drawing.seed import commit
from domain.inspection import Evidence, Record, Visit
from domain.inspector import Certificate, InspectorFacts, Relation
from domain.installation import Adopted
from domain.item import ItemFacts
from domain.plan import PlanRow, StratumRule
from domain.referral import Letter
from domain.site import SiteFacts
from domain.values import CheckedItem, Holding, ItemResult, LegalBasis, Provenance, Seat
from domain.violation import Matter, Order

S = TypeVar("S", bound=msgspec.Struct)

NOW = datetime(2024, 4, 1, 1, 0, tzinfo=UTC)
TODAY = date(2024, 4, 1)
CITY = "140100"
USCC = "91130200699229617X"
OTHER_USCC = "911302307808371268"
ORIGIN = "sunlot.example/140100"
VKEYS = (
    f"{ORIGIN}+14e4d898+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c",
    f"{ORIGIN}+4d4907f9+AYE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU",
    f"{ORIGIN}+35749c57+Ae1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR",
)
"""Verifier keys of the log, in the order in which they come to sign it."""


def stream(kind: str, number: int = 1) -> str:
    """A stream id that is the same in every run."""
    return f"{kind}-{number:032x}"


def digest(number: int = 1) -> str:
    """The SHA-256 of some blob."""
    return f"{number:064x}"


PLANNER = stream("account", 1)
LEADER = stream("account", 2)
AGENCY = stream("account", 3)
DISCIPLINE = stream("account", 4)
RECORDER = stream("account", 5)
REVIEWER = stream("account", 6)
SUBMITTER = stream("account", 7)
CLOSER = stream("account", 8)
DEPUTY = stream("account", 9)

CHEN = stream("inspector", 1)
WANG = stream("inspector", 2)
ZHAO = stream("inspector", 3)
EXPERT = stream("inspector", 4)


def act(by: str = PLANNER, *, at: datetime = NOW, on_behalf_of: str | None = None) -> Act:
    """A deed of an account, recorded as it happens."""
    return Act(by=by, at=at, occurred_at=at, on_behalf_of=on_behalf_of, correlation_id="request-1")


def later(by: str = PLANNER, **delta: float) -> Act:
    """A deed some time after `NOW`."""
    return act(by, at=NOW + timedelta(**delta))


def replace(value: S, fields: dict[str, Any]) -> S:
    """The struct with those fields set."""
    return msgspec.structs.replace(value, **fields)


# --- items and catalogue ---------------------------------------------------------------------


def legal_basis(**fields: Any) -> LegalBasis:
    """An article in force since 2015."""
    law = LegalBasis(law="中华人民共和国环境保护法", article="第二十四条", effective_from=date(2015, 1, 1))
    return replace(law, fields)


def item_facts(**fields: Any) -> ItemFacts:
    """A key item on the discharge permit."""
    facts = ItemFacts(
        name="排污许可证执行情况的检查",
        category="key",
        subject="排污单位",
        content="是否按证排污",
        methods=("on-site", "off-site"),
        department="生态环境",
        bases=(legal_basis(),),
    )
    return replace(facts, fields)


# --- registries ------------------------------------------------------------------------------


def provenance(**fields: Any) -> Provenance:
    """From the licence register, since the first of January."""
    kept = Provenance(source="排污许可管理信息平台", reason="年度更新", effective_from=date(2024, 1, 1))
    return replace(kept, fields)


def site_facts(**fields: Any) -> SiteFacts:
    """A key unit with a licence."""
    facts = SiteFacts(
        uscc=USCC,
        code=f"{USCC}001P",
        name="晴川化工有限公司",
        region=CITY,
        address="太原市小店区某路 1 号",
        industry="C2614",
        stratum="key",
        needs=("air", "water"),
        credit="green",
    )
    return replace(facts, fields)


def certificate(**fields: Any) -> Certificate:
    """Valid in the whole city until the end of 2026."""
    held = Certificate(valid_from=date(2022, 1, 1), valid_to=date(2026, 12, 31), areas=(CITY,))
    return replace(held, fields)


def inspector_facts(**fields: Any) -> InspectorFacts:
    """An officer who may lead."""
    facts = InspectorFacts(
        kind="officer",
        role_class="civil-servant",
        unit="太原市生态环境保护综合行政执法队",
        areas=(CITY,),
        skills=("air", "water"),
        attested_by=LEADER,
        lead=True,
        certificate=certificate(),
        relations=(Relation(OTHER_USCC, "near-relative"),),
    )
    return replace(facts, fields)


def expert_facts(**fields: Any) -> InspectorFacts:
    """An expert: no certificate, no lead."""
    plain = inspector_facts(kind="expert", role_class="expert", lead=False, certificate=None, relations=())
    return replace(plain, fields)


# --- plan ------------------------------------------------------------------------------------


def plan_row(**fields: Any) -> PlanRow:
    """A quarter of the key and general units, two seats."""
    row = PlanRow(
        no="01",
        task="排污许可执法检查",
        items=("SX-01", "SX-02"),
        period="2024Q2",
        departments=("生态环境",),
        areas=(CITY,),
        strata=(StratumRule(code="general", num=5, den=100), StratumRule(code="key", num=25, den=100)),
        team=(
            Seat(seat="lead", lead=True, skilled=False),
            Seat(seat="officer", lead=False, skilled=True),
        ),
        weights={"red": 5, "yellow": 3},
        seats_each=20,
        visits_a_year=2,
        redraw=False,
    )
    return replace(row, fields)


# --- draw ------------------------------------------------------------------------------------

DICE: dict[str, Any] = {"kind": "dice", "rolls": 20}
BEACON: dict[str, Any] = {"kind": "drand-quicknet", "round": 10_000_000}
LOTTERY: dict[str, Any] = {
    "kind": "lottery",
    "name": "双色球",
    "issue": "2024040",
    "at": "2024-04-02T21:15:00+08:00",
}
ROLLED = "31415926535897932384"
SECRETS = {"agency": "11" * 32, "discipline": "22" * 32}
CUSTODIANS = {"agency": AGENCY, "discipline": DISCIPLINE}


def contributors() -> tuple[Contributor, ...]:
    """Agency and discipline, each with its own custodian."""
    return tuple(Contributor(party, account) for party, account in CUSTODIANS.items())


def commitment_of(party: str) -> str:
    """The commitment to the party's secret in the first attempt of draw 1."""
    return commit(ORIGIN, 1, 1, party, bytes.fromhex(SECRETS[party])).hex()


def seal(**fields: Any) -> Seal:
    """What was frozen."""
    frozen = Seal(
        as_of=41,
        rules_hash=digest(1),
        rules=digest(2),
        frame=digest(3),
        pool=digest(4),
        strata=(StratumCount(code="general", size=100, eligible=99, sample=5),),
        reports={"registry-changes": digest(5)},
    )
    return replace(frozen, fields)


def result() -> Result:
    """The completed draw's blobs."""
    return Result(seed=digest(11), sample=digest(12), teams=digest(13), sums=digest(14))


# --- assignment and inspection ---------------------------------------------------------------

TEAM = (Holding("lead", CHEN), Holding("officer", WANG))


def assigned_task(**fields: Any) -> AssignedTask:
    """The first site of the key stratum."""
    task = AssignedTask(
        draw=stream("draw"),
        draw_no=1,
        plan=stream("plan"),
        row="01",
        period="2024Q2",
        year=2024,
        region=CITY,
        site=stream("site"),
        uscc=USCC,
        stratum="key",
        rank=1,
    )
    return replace(task, fields)


def visit(**fields: Any) -> Visit:
    """An on-site visit for two items."""
    planned = Visit(
        assignment=stream("assignment"),
        draw=stream("draw"),
        draw_no=1,
        plan=stream("plan"),
        row="01",
        period="2024Q2",
        year=2024,
        site=stream("site"),
        uscc=USCC,
        region=CITY,
        stratum="key",
        mode="on-site",
        items=(CheckedItem("SX-01", 1), CheckedItem("SX-02", 1)),
    )
    return replace(planned, fields)


def evidence(number: int = 1, **fields: Any) -> Evidence:
    """A photo taken just now."""
    photo = Evidence(digest=digest(number), kind="photo", taken_at=NOW, place="37.87,112.55")
    return replace(photo, fields)


def record(**fields: Any) -> Record:
    """A signed record that agrees with `found`."""
    kept = Record(
        primary="corrected",
        lines=(ItemResult("SX-01", "corrected"), ItemResult("SX-02", "none")),
        place="厂区",
        weather="晴",
        started_at=NOW,
        ended_at=NOW + timedelta(hours=2),
        present="环保专员",
        opinion="无异议",
        signed_by=(CHEN, WANG),
        party_signed=True,
        refusal="",
    )
    return replace(kept, fields)


def deadline(day: date = date(2024, 4, 29)) -> Deadline:
    """A fixed day of the rulebook."""
    return due_on("result-published", "2024.1", day)


# --- violation and referral ------------------------------------------------------------------


def matter(**fields: Any) -> Matter:
    """The finding of `found`."""
    finding = Matter(
        inspection=stream("inspection"),
        finding=1,
        site=stream("site"),
        uscc=USCC,
        region=CITY,
        period="2024Q2",
        item="SX-01",
        category="permit",
        description="自行监测频次不足",
    )
    return replace(finding, fields)


def order(**fields: Any) -> Order:
    """To be rectified by the first of May."""
    asked = Order(
        number="并环责改〔2024〕1号", requirements="按频次监测", deadline=deadline(date(2024, 5, 1))
    )
    return replace(asked, fields)


def letter(**fields: Any) -> Letter:
    """A letter to the water department."""
    written = Letter(
        number="并环移〔2024〕1号", document=digest(9), addressee="太原市水务局", reason="属水务职责"
    )
    return replace(written, fields)


# --- the rest --------------------------------------------------------------------------------


def adopted(**fields: Any) -> Adopted:
    """The first rulebook."""
    book = Adopted(version="2024.1", digest=digest(30), effective_from=date(2024, 1, 1))
    return replace(book, fields)
