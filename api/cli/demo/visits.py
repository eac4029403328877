"""A visit of the demo: from taking the task up to publication, and the violations that come of it."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from api.cli.demo.cast import account_of
from api.cli.demo.follow_up import Follower
from api.cli.demo.pictures import picture
from api.cli.demo.stage import Stage, Who
from application.assignments import declare_recusal, grant_recusal, refuse_recusal, withdraw_recusal
from application.inspections import (
    add_evidence,
    approve_inspection,
    conclude_inspection,
    notify_site,
    open_inspection,
    publish_result,
    record_finding,
    return_record,
    review_inspection,
    show_identity,
)
from application.office import Office
from application.ports import Answer
from application.workflow import Call
from domain.act import CHINA
from domain.assignment import Assignment
from domain.inspection import Evidence, Inspection, Record
from domain.values import ItemResult

VISIT_TAKES: Final = timedelta(hours=2)
CHANNELS: Final = ("国家企业信用信息公示系统（山西）", "市生态环境局网站")
GRANTED, REFUSED, RETURNED, WITHDRAWN = 4, 5, 6, 7
"""Which visits see a recusal granted, one refused, a record returned by its reviewer, a recusal withdrawn."""


class Outcome(msgspec.Struct, frozen=True):
    """What a visit comes to: the primary result, and the disposal of its finding, if there is one."""

    primary: str
    disposal: str = ""
    category: str = ""
    description: str = ""


CLEAN: Final = Outcome("none")
FIRST: Final = (
    Outcome("corrected", "rectifying", "设施运行", "废气治理设施未按规程运行，活性炭更换台账不全"),
    Outcome("corrected", "corrected", "环境管理", "危险废物贮存间标识脱落，现场改正"),
    CLEAN,
    Outcome("pending", "referred", "不属本部门", "厂区内违规堆放建筑渣土，属城市管理部门职权"),
    CLEAN,
    CLEAN,
    Outcome("no-activity"),
    Outcome("pending", "case", "超标排放", "外排废水化学需氧量浓度超过许可限值"),
    Outcome("unreachable"),
    Outcome("corrected", "lenient", "轻微违法", "自行监测信息公开不及时，首次且已改正"),
)
"""The outcomes of a draw's first visits; the rest fall by chance, most of them clean."""


class Visitor:
    """Plans and takes the steps of one assignment's visit."""

    def __init__(self, stage: Stage, name: str, assignment: str, day: date, number: int) -> None:
        self.stage = stage
        self.name = name
        self.assignment = assignment
        self.day = day
        self.number = number
        self.inspection = ""

    def begin(self) -> None:
        """Plan the first steps of the visit."""
        if self.number in (GRANTED, REFUSED, WITHDRAWN):
            self._plan(0, 8, self._recuse)
        self._plan(0, 9, self._take_up)

    @property
    def _office(self) -> Office:
        return self.stage.office

    def _when(self, days: int, hour: int, minute: int = 0) -> datetime:
        # Many visits share a day: their seconds tell them apart, so that the story has one order.
        moment = datetime.combine(self.day + timedelta(days=days), time(hour, minute), CHINA)
        return moment + timedelta(seconds=self.number % 50)

    def _plan(self, days: int, hour: int, take: Callable[[datetime], None]) -> None:
        when = self._when(days, hour)
        self.stage.plan(when, lambda: take(when))

    def _step(self, name: str, who: Who, when: datetime, command: Callable[[Call], Answer]) -> Answer:
        return self.stage.step(f"{self.name}/{name}", who, when, command)

    def _outcome(self) -> Outcome:
        if self.number < len(FIRST):
            return FIRST[self.number]
        luck = self.stage.chance(f"outcome/{self.name}").random()
        return FIRST[0] if luck < 0.12 else FIRST[1] if luck < 0.16 else CLEAN

    def _lead(self, when: datetime) -> Callable[[], str]:
        """Who finds the account of the team's first officer; it is opened if it is new."""
        return lambda: account_of(self.stage, self._team()[0], when)

    def _team(self) -> list[str]:
        team = self._office.workflow.load(Assignment, self.assignment).team
        return [holder for holder in team.values() if holder]

    def _recuse(self, when: datetime) -> None:
        declared = self._step(
            "recusal",
            lambda: account_of(self.stage, self._team()[-1], when),
            when,
            lambda call: declare_recusal(
                self._office,
                call,
                self.assignment,
                inspector=self._team()[-1],
                ground="near-relative" if self.number == GRANTED else "other-relation",
                origin="self",
                detail="",
            ),
        )
        if self.number == WITHDRAWN:
            self._withdraw(str(declared.also["recusal"]), when + timedelta(minutes=30))
            return
        decide = grant_recusal if self.number == GRANTED else refuse_recusal
        reason = "近亲属在该企业任职，属实" if self.number == GRANTED else "曾为同学，不影响公正执法"
        self._step(
            "recusal/decided",
            "leader",
            when + timedelta(minutes=30),
            lambda call: decide(
                self._office,
                call,
                self.assignment,
                recusal=str(declared.also["recusal"]),
                reason=reason,
                decided_as="head",
            ),
        )

    def _withdraw(self, recusal: str, when: datetime) -> None:
        self._step(
            "recusal/withdrawn",
            lambda: account_of(self.stage, self._team()[-1], when),
            when,
            lambda call: withdraw_recusal(
                self._office, call, self.assignment, recusal=recusal, reason="经核对，同名企业，并无关系"
            ),
        )

    def _take_up(self, when: datetime) -> None:
        if self.stage.taken(f"{self.name}/open") is None and len(self._team()) < 2:
            return
        self.inspection = self._step(
            "open",
            self._lead(when),
            when,
            lambda call: open_inspection(self._office, call, assignment=self.assignment, mode="on-site"),
        ).id
        self._plan(0, 10, self._approve)
        self._plan(0, 15, self._notify)
        self._plan(1, 9, self._visit)

    def _approve(self, when: datetime) -> None:
        number = f"晋环检〔2024〕{self.name.replace('/', '-')}号"
        self._step(
            "approve",
            "leader",
            when,
            lambda call: approve_inspection(
                self._office, call, self.inspection, approval_no=number, experts=[]
            ),
        )

    def _notify(self, when: datetime) -> None:
        self._step(
            "notify",
            self._lead(when),
            when,
            lambda call: notify_site(self._office, call, self.inspection, urgent=False, reason=""),
        )

    def _visit(self, when: datetime) -> None:
        lead = self._lead(when)
        self._step(
            "identity",
            lead,
            when,
            lambda call: show_identity(
                self._office, call, self.inspection, rights_told=True, purpose_told=True
            ),
        )
        outcome = self._outcome()
        if outcome.disposal:
            self._find(lead, when + timedelta(minutes=20), outcome)
        self._conclude(lead, when, when + VISIT_TAKES, "conclude")
        self._plan(2, 10, self._review)

    def _find(self, lead: Who, when: datetime, outcome: Outcome) -> None:
        digest = self._office.blobs.put(picture(self.name, self.number))
        evidence = Evidence(digest=digest, kind="photo", taken_at=when, place="厂区现场")
        self._step(
            "evidence",
            lead,
            when,
            lambda call: add_evidence(self._office, call, self.inspection, evidence=evidence),
        )
        self._step(
            "finding",
            lead,
            when + timedelta(minutes=5),
            lambda call: record_finding(
                self._office,
                call,
                self.inspection,
                item=self._items()[0],
                category=outcome.category,
                description=outcome.description,
                disposal=outcome.disposal,
                evidence=[digest],
            ),
        )

    def _items(self) -> tuple[str, ...]:
        return self._office.workflow.load(Inspection, self.inspection).item_codes()

    def _conclude(self, lead: Who, start: datetime, when: datetime, name: str) -> None:
        self.stage.plan(when, lambda: self._write_record(lead, start, when, name))

    def _write_record(self, lead: Who, start: datetime, when: datetime, name: str) -> None:
        outcome, items = self._outcome(), self._items()
        whole = not outcome.disposal
        codes = [outcome.primary if whole or number == 0 else "none" for number in range(len(items))]
        officers = sorted(self._office.workflow.load(Inspection, self.inspection).officers())
        record = Record(
            primary=outcome.primary,
            lines=tuple(ItemResult(item, code) for item, code in zip(items, codes, strict=True)),
            place="检查对象生产经营场所",
            weather="晴",
            started_at=start,
            ended_at=start + VISIT_TAKES - timedelta(minutes=10),
            present="环保负责人",
            opinion="属实，无异议",
            signed_by=tuple(officers),
            party_signed=True,
            refusal="",
        )
        self._step(
            name,
            lead,
            when,
            lambda call: conclude_inspection(self._office, call, self.inspection, record=record),
        )

    def _review(self, when: datetime) -> None:
        if self.number == RETURNED:
            self._send_back(when)
            return
        self._pass(when)

    def _send_back(self, when: datetime) -> None:
        self._step(
            "return",
            "reviewer",
            when,
            lambda call: return_record(
                self._office, call, self.inspection, reason="天气与时间记载不全，请补正"
            ),
        )
        visited = self._when(1, 9)
        self._conclude(self._lead(when), visited, when + timedelta(hours=4), "conclude-again")
        self._plan(3, 10, self._pass)

    def _pass(self, when: datetime) -> None:
        answer = self._step(
            "review",
            "reviewer",
            when,
            lambda call: review_inspection(self._office, call, self.inspection, opinion="记录完整，同意"),
        )
        self._plan(5, 11, self._publish)
        for violation in answer.also["violations"]:
            Follower(
                self.stage,
                self.name,
                self.number,
                violation=str(violation),
                disposal=self._outcome().disposal,
                lead=self._lead,
            ).begin(when)

    def _publish(self, when: datetime) -> None:
        self._step(
            "publish",
            self._lead(when),
            when,
            lambda call: publish_result(self._office, call, self.inspection, channels=CHANNELS),
        )
