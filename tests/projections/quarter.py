"""A quarter of inspections in which everything may happen, told by the aggregates themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hypothesis import strategies as st

from domain.assignment import Assignment
from domain.draw_values import StratumCount
from domain.inspection import Inspection
from domain.results import WHOLE_VISIT_CODES, primary_of
from domain.values import DISPOSALS, ItemResult
from domain.violation import Violation
from tests import stages
from tests.builders import (
    CHEN,
    CLOSER,
    LEADER,
    PLANNER,
    RECORDER,
    REVIEWER,
    TEAM,
    ZHAO,
    act,
    assigned_task,
    deadline,
    digest,
    later,
    matter,
    order,
    record,
    seal,
    stream,
    visit,
)
from tests.projections.tale import Tale

STRATA = ("general", "key")
FATES = (
    "drawn",
    "void",
    "replaced",
    "opened",
    "concluded",
    "returned",
    "reviewed",
    "published",
    "published-late",
    "withheld",
)
CHECKED = ("concluded", "reviewed", "published", "published-late", "withheld")
ORDERS = ("ordered", "submitted", "sent-back", "verified", "closed", "referred")
DUE = date(2024, 4, 29)
ORDER_DUE = date(2024, 5, 1)
SENT_BACK_DUE = date(2024, 6, 1)


@dataclass(frozen=True)
class Found:
    """A finding: what its finder proposes, and how far its order went, if it gets one."""

    disposal: str
    order: str


@dataclass(frozen=True)
class Fate:
    """What becomes of a drawn site."""

    stratum: str
    end: str
    mode: str
    whole: str
    findings: tuple[Found, ...]

    @property
    def checked(self) -> bool:
        """Whether a concluded record stands."""
        return self.end in CHECKED

    @property
    def primary(self) -> str:
        """The result of the whole visit."""
        if not self.findings:
            return self.whole
        followed = any(one.disposal != "corrected" for one in self.findings)
        return "pending" if followed else "corrected"


FOUND = st.builds(Found, st.sampled_from(DISPOSALS), st.sampled_from(ORDERS))
FATE = st.builds(
    Fate,
    st.sampled_from(STRATA),
    st.sampled_from(FATES),
    st.sampled_from(("on-site", "off-site")),
    st.sampled_from(("none", *WHOLE_VISIT_CODES)),
    st.lists(FOUND, max_size=3).map(tuple),
)
QUARTERS = st.lists(FATE, max_size=12)


def tell_quarter(tale: Tale, fates: Sequence[Fate]) -> None:
    """The plan, a draw with a site for each fate, and what becomes of them."""
    tale.tell(stages.published_plan())
    draw = stages.announcing()()
    tale.tell(draw, stages.committed)
    counts = tuple(
        StratumCount(code=code, size=100, eligible=90, sample=sum(fate.stratum == code for fate in fates))
        for code in STRATA
    )
    draw.seal(act(), seal=seal(strata=counts), frame_key="140100/2024")
    tale.tell(draw, stages.revealed, stages.observed, stages.completed)
    for number, fate in enumerate(fates, start=1):
        _tell_site(tale, number, fate)


def _tell_site(tale: Tale, number: int, fate: Fate) -> None:
    task = assigned_task(site=stream("site", number), stratum=fate.stratum, rank=number)
    assignment = Assignment.make(act(), id=stream("assignment", number), task=task, team=TEAM)
    tale.tell(assignment)
    if fate.end in ("void", "replaced"):
        _void(tale, assignment, number, fate)
    elif fate.end != "drawn":
        _inspect(tale, number, fate)


def _void(tale: Tale, assignment: Assignment, number: int, fate: Fate) -> None:
    replacement = stream("assignment", 1000 + number) if fate.end == "replaced" else ""
    assignment.ask_void(act(LEADER), ground="closed", evidence=(digest(),))
    assignment.void_site(act(), replacement=replacement)
    tale.tell(assignment)
    if replacement:
        site = stream("site", 1000 + number)
        task = assigned_task(site=site, stratum=fate.stratum, rank=1000 + number, replaces=assignment.id)
        tale.tell(Assignment.make(act(), id=replacement, task=task, team=TEAM))


def _inspect(tale: Tale, number: int, fate: Fate) -> None:
    assignment, site = stream("assignment", number), stream("site", number)
    planned = visit(assignment=assignment, site=site, stratum=fate.stratum, mode=fate.mode)
    inspection = Inspection.open(act(RECORDER), id=stream("inspection", number), visit=planned, team=TEAM)
    if fate.end != "opened":
        for step in (stages.visit_approved, stages.notified, stages.identified, stages.evidence_added):
            step(inspection)
        _conclude(inspection, fate)
        _finish(inspection, fate)
    tale.tell(inspection)
    if inspection.status in ("reviewed", "published", "withheld"):
        for no, found in enumerate(fate.findings, start=1):
            _follow_up(tale, number, no, found)


def _conclude(inspection: Inspection, fate: Fate) -> None:
    for found in fate.findings:
        inspection.record_finding(
            act(RECORDER),
            inspector=CHEN,
            item="SX-01",
            category="permit",
            description="自行监测频次不足",
            disposal=found.disposal,
            evidence=[digest()],
        )
    other = fate.primary if fate.primary in WHOLE_VISIT_CODES else "none"
    lines = (ItemResult("SX-01", fate.primary), ItemResult("SX-02", other))
    kept = record(primary=primary_of(lines), lines=lines)
    inspection.conclude(later(RECORDER, hours=3), inspector=CHEN, record=kept, publication=deadline(DUE))


def _finish(inspection: Inspection, fate: Fate) -> None:
    if fate.end == "returned":
        inspection.send_back(later(REVIEWER, hours=4), inspector=ZHAO, reason="缺照片")
    elif fate.end != "concluded":
        stages.reviewed(inspection)
    if fate.end in ("published", "published-late"):
        day = DUE if fate.end == "published" else DUE + timedelta(days=1)
        inspection.publish(later(PLANNER, days=28), published_on=day, channels=("website",))
    elif fate.end == "withheld":
        inspection.withhold(later(LEADER, days=1), ground="trade-secret", reason="涉及商业秘密")


def _follow_up(tale: Tale, number: int, no: int, found: Found) -> None:
    about = matter(inspection=stream("inspection", number), finding=no, site=stream("site", number))
    violation = Violation.open(
        act(REVIEWER),
        id=stream("violation", 100 * number + no),
        matter=about,
        disposal=found.disposal,
        owner=PLANNER,
        evidence=[digest()],
    )
    if found.disposal == "rectifying":
        paper = order(number=f"并环责改〔2024〕{100 * number + no}号", deadline=deadline(ORDER_DUE))
        violation.order_rectification(act(), order=paper)
        _carry_on(violation, found.order)
    tale.tell(violation)


def _carry_on(violation: Violation, order: str) -> None:
    if order == "referred":
        violation.dispose(act(LEADER), disposal="referred", reason="属水务职责")
    if order in ("submitted", "sent-back", "verified", "closed"):
        stages.handed_in(violation)
    if order == "sent-back":
        violation.return_rectification(act(CLOSER), reason="未改", deadline=deadline(SENT_BACK_DUE))
    if order in ("verified", "closed"):
        stages.verified(violation)
    if order == "closed":
        violation.close(act(CLOSER), evidence=[digest(3)], note="验收合格")
