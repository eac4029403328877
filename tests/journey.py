"""The main path as tests walk it: from empty registries to a published plan, a draw, a visit, a violation.

    journey = Journey(agency)
    draw = journey.completed_draw()
    inspection = journey.reviewed(journey.assignments(draw)[0], finding="rectifying")

Every step goes through the application layer, by the person it belongs to.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from application import (
    assignments,
    draws,
    inspections,
    inspectors,
    items,
    plans,
    sealing,
    sites,
    violations,
)
from application.authorisation import Actor
from application.ports import Answer
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.drawing.seed import commit
from domain.inspection import Evidence, Inspection, Record
from domain.inspector import Certificate, InspectorFacts, Relation
from domain.item import ItemFacts
from domain.plan import PlanRow, StratumRule
from domain.site import SiteFacts
from domain.values import ItemResult, LegalBasis, Provenance, Seat
from tests.office import TAIYUAN, Agency
from tests.usccs import uscc

DISTRICTS = ("140105", "140106", "140107")
SKILLS = ("air", "noise", "water")
SECRETS = {"agency": b"a" * 32, "discipline": b"d" * 32}
DICE = "12345678901234567890"


def provenance() -> Provenance:
    """From the licence register, since the first of January 2024."""
    return Provenance(source="排污许可管理信息平台", reason="年度更新", effective_from=date(2024, 1, 1))


def item_facts(name: str) -> ItemFacts:
    """An item in force since 2015."""
    basis = LegalBasis(law="中华人民共和国环境保护法", article="第二十四条", effective_from=date(2015, 1, 1))
    return ItemFacts(
        name=name,
        category="key",
        subject="排污单位",
        content="是否按证排污",
        methods=("on-site", "off-site"),
        department="生态环境",
        bases=(basis,),
    )


def site_facts(number: int, *, stratum: str = "key", credit: str = "green") -> SiteFacts:
    """A site of an enterprise of its own."""
    code = uscc(number)
    return SiteFacts(
        uscc=code,
        code=f"{code}001P",
        name=f"晴川{number}号化工有限公司",
        region=DISTRICTS[number % len(DISTRICTS)],
        address=f"某路 {number} 号",
        industry="C2614",
        stratum=stratum,
        needs=(SKILLS[number % len(SKILLS)],),
        credit=credit,
    )


def officer_facts(number: int, *, related: Sequence[str] = ()) -> InspectorFacts:
    """An officer certified for 2024 in the whole city; every second one may lead."""
    return InspectorFacts(
        kind="officer",
        role_class="civil-servant",
        unit="太原市生态环境局",
        areas=(TAIYUAN,),
        skills=SKILLS,
        attested_by="人事处",
        lead=number % 2 == 0,
        certificate=Certificate(valid_from=date(2023, 1, 1), valid_to=date(2025, 12, 31), areas=(TAIYUAN,)),
        relations=tuple(Relation(code, "near-relative") for code in related),
    )


def plan_row(**fields: Any) -> PlanRow:
    """A row on key and general sites of the second quarter."""
    row: dict[str, Any] = {
        "no": "01",
        "task": "排污单位日常监管",
        "items": ("TY-01", "TY-02"),
        "period": "2024Q2",
        "departments": ("生态环境",),
        "areas": (TAIYUAN,),
        "strata": (
            StratumRule(code="general", num=1, den=4),
            StratumRule(code="key", num=1, den=2),
        ),
        "team": (
            Seat(seat="lead", lead=True, skilled=True),
            Seat(seat="second", lead=False, skilled=False),
        ),
        "weights": {"red": 5},
        "seats_each": 20,
        "visits_a_year": 2,
        "redraw": False,
    }
    return PlanRow(**{**row, **fields})


class Journey:
    """Walks an agency along the main path. The clock moves on by itself where a rule needs it."""

    def __init__(self, agency: Agency, *, sites: int = 24, officers: int = 12) -> None:
        self.agency = agency
        self.office = agency.office
        self.people = agency.people
        self.sites: list[str] = []
        self.officers: list[str] = []
        self._sizes = (sites, officers)

    def call(self, by: Actor, **more: Any) -> Any:
        """A call at the clock's present."""
        return self.agency.call(by, **more)

    def load(self, kind: Any, id: str) -> Any:
        """An aggregate."""
        return self.office.workflow.load(kind, id)

    def catalogue(self) -> None:
        """Two items, published."""
        for code in ("TY-01", "TY-02"):
            call = self.call(self.people.officer)
            items.draft_item(self.office, call, region=TAIYUAN, code=code, facts=item_facts(code))
        items.publish_catalogue(self.office, self.call(self.people.leader), region=TAIYUAN)

    def registries(self) -> None:
        """Sites of two strata and officers."""
        sites_wanted, officers_wanted = self._sizes
        for number in range(sites_wanted):
            self.sites.append(self.site(number, "key" if number % 3 == 0 else "general"))
        for number in range(officers_wanted):
            self.officers.append(self.officer(number))

    def site(self, number: int, stratum: str) -> str:
        """One more site."""
        call = self.call(self.people.officer)
        facts = site_facts(number, stratum=stratum)
        return sites.register_site(self.office, call, facts=facts, provenance=provenance()).id

    def officer(self, number: int, *, related: Sequence[str] = ()) -> str:
        """One more officer."""
        return inspectors.register_inspector(
            self.office,
            self.call(self.people.officer),
            region=TAIYUAN,
            person={"name": f"执法{number}", "certificate_no": f"1401-{number:04}"},
            facts=officer_facts(number, related=related),
            provenance=provenance(),
        ).id

    def expert(self, number: int, *, related: Sequence[str] = ()) -> str:
        """An expert, who holds no certificate."""
        facts = replace(
            officer_facts(number, related=related),
            kind="expert",
            role_class="expert",
            lead=False,
            certificate=None,
        )
        call = self.call(self.people.officer)
        person = {"name": f"专家{number}", "phone": f"1380000{number:04}"}
        return inspectors.register_inspector(
            self.office, call, region=TAIYUAN, person=person, facts=facts, provenance=provenance()
        ).id

    def plan(self, *rows: PlanRow, region: str = TAIYUAN) -> str:
        """An approved and published plan of the rows."""
        call = self.call(self.people.officer)
        plan = plans.draft_plan(
            self.office, call, region=region, year=2024, department="生态环境", title="2024 年度抽查计划"
        ).id
        for row in rows or (plan_row(),):
            plans.set_plan_row(self.office, self.call(self.people.officer), plan, row=row)
        plans.submit_plan(self.office, self.call(self.people.officer), plan)
        plans.approve_plan(self.office, self.call(self.people.leader), plan, opinion="同意")
        plans.publish_plan(self.office, self.call(self.people.officer), plan)
        return plan

    def prepared(self, *rows: PlanRow) -> str:
        """Catalogue, registries and a published plan; the plan's id."""
        self.catalogue()
        self.registries()
        return self.plan(*rows)

    def announced(self, plan: str, row: str = "01", **fields: Any) -> str:
        """A draw by dice, announced."""
        contributors = (
            Contributor("agency", self.people.officer.account),
            Contributor("discipline", self.people.discipline.account),
        )
        facts = {"contributors": contributors, "public_source": {"kind": "dice", "rolls": 20}, **fields}
        call = self.call(self.people.officer)
        return draws.announce_draw(self.office, call, plan=plan, row=row, **facts).id

    def custodians(self) -> dict[str, Actor]:
        """Who holds which party's secret."""
        return {"agency": self.people.officer, "discipline": self.people.discipline}

    def committed(self, draw: str) -> None:
        """Both parties commit."""
        found: Draw = self.load(Draw, draw)
        for party, custodian in self.custodians().items():
            filed = commit(found.log, found.draw_no, found.attempt, party, SECRETS[party]).hex()
            draws.commit_secret(self.office, self.call(custodian), draw, party=party, commitment=filed)

    def sealed(self, draw: str) -> int:
        """Frame, pool and rules frozen; the position of the seal."""
        sealed = sealing.seal(self.office, self.call(self.people.officer), draw)
        sealing.publish_seal(self.office, sealed)
        self.approved_narrow(draw)
        position = self.agency.store.recorder.locate(
            draw, draws.seal_version(self.office, self.load(Draw, draw))
        )
        assert position is not None
        return position

    def approved_narrow(self, draw: str) -> None:
        """The discipline approves of narrow seats, where there are any."""
        if self.load(Draw, draw).narrow_seats:
            call = self.call(self.people.discipline)
            sealing.approve_narrow_seats(self.office, call, draw, reason="持证人员少")

    def revealed(self, draw: str, position: int) -> None:
        """Both parties reveal with the receipt of the seal."""
        receipt = self.office.ledger.receipt(position)
        for party, custodian in self.custodians().items():
            secret = SECRETS[party].hex()
            call = self.call(custodian)
            draws.reveal_secret(self.office, call, draw, party=party, secret=secret, receipt=receipt)

    def observed(self, draw: str, value: str = DICE) -> None:
        """Both parties type the dice."""
        for party, custodian in self.custodians().items():
            draws.type_value(self.office, self.call(custodian), draw, party=party, value=value)

    def drawn(self, plan: str, row: str = "01") -> str:
        """A whole draw of a row up to its assignments."""
        draw = self.announced(plan, row)
        self.committed(draw)
        self.revealed(draw, self.sealed(draw))
        self.observed(draw, value=f"{int(row):020}")
        draws.complete(self.office, self.call(self.people.officer), draw)
        return draw

    def completed_draw(self, *rows: PlanRow) -> str:
        """Everything up to a completed draw of the first row."""
        return self.drawn(self.prepared(*rows))

    def assignments(self, draw: str) -> list[str]:
        """The draw's assignments by stratum and rank."""
        found = draws.assignments_of(self.office, self.load(Draw, draw))
        tasks = {id: self.load(Assignment, id).task for id in found}
        return sorted(found, key=lambda one: (tasks[one].stratum, tasks[one].rank))

    def load_site(self, assignment: str) -> str:
        """The site that an assignment is about."""
        return str(self.load(Assignment, assignment).task.site)

    def team(self, assignment: str) -> list[Actor]:
        """The accounts of the team now, in the order of seats."""
        team = self.load(Assignment, assignment).team
        return [self.people.inspector(holder) for holder in team.values() if holder]

    def opened(self, assignment: str) -> str:
        """The inspection, opened by the team's first officer."""
        call = self.call(self.team(assignment)[0])
        return inspections.open_inspection(self.office, call, assignment=assignment, mode="on-site").id

    def notified(self, inspection: str) -> None:
        """The visit is approved, and the site told of it."""
        approve = self.call(self.people.leader)
        inspections.approve_inspection(self.office, approve, inspection, approval_no=inspection, experts=[])
        lead = self.team(self.load(Inspection, inspection).visit.assignment)[0]
        inspections.notify_site(self.office, self.call(lead), inspection, urgent=False, reason="")

    def voided(self, assignment: str) -> Answer:
        """The drawn site is closed, as two people found; the next of the reserve takes its place."""
        self.void_asked(assignment)
        return assignments.void_site(self.office, self.call(self.people.leader), assignment)

    def void_asked(self, assignment: str, ground: str = "closed") -> Answer:
        """A city officer says that the site is gone."""
        call = self.call(self.people.officer)
        evidence = [self.blob()]
        return assignments.ask_void(self.office, call, assignment, ground=ground, evidence=evidence)

    def identified(self, assignment: str) -> str:
        """The inspection, up to identity shown."""
        inspection = self.opened(assignment)
        lead = self.team(assignment)[0]
        self.notified(inspection)
        self.agency.clock.advance(days=1)
        inspections.show_identity(
            self.office, self.call(lead), inspection, rights_told=True, purpose_told=True
        )
        return inspection

    def found(self, inspection: str, lead: Actor, disposal: str, item: str = "TY-01") -> None:
        """A finding with a photo."""
        digest = self.office.blobs.put(f"photo of {inspection}".encode())
        photo = Evidence(digest=digest, kind="photo", taken_at=self.agency.clock.now(), place="车间")
        inspections.add_evidence(self.office, self.call(lead), inspection, evidence=photo)
        inspections.record_finding(
            self.office,
            self.call(lead),
            inspection,
            item=item,
            category="设施运行",
            description="治理设施未运行",
            disposal=disposal,
            evidence=[digest],
        )

    def record(self, inspection: str, **fields: Any) -> Record:
        """A complete record without problems, started an hour ago."""
        now = self.agency.clock.now()
        loaded: Inspection = self.load(Inspection, inspection)
        record: dict[str, Any] = {
            "primary": "none",
            "lines": tuple(ItemResult(code, "none") for code in loaded.item_codes()),
            "place": "厂区",
            "weather": "晴",
            "started_at": now - timedelta(hours=1),
            "ended_at": now,
            "present": "环保负责人",
            "opinion": "无异议",
            "signed_by": tuple(sorted(loaded.officers())),
            "party_signed": True,
            "refusal": "",
        }
        return Record(**{**record, **fields})

    def concluded(self, assignment: str, *, finding: str = "") -> str:
        """The inspection with its record; `finding` is the disposal of the one finding, if there is one."""
        inspection = self.identified(assignment)
        lead = self.team(assignment)[0]
        fields: dict[str, Any] = {}
        if finding:
            self.found(inspection, lead, finding)
            code = "pending" if finding in ("case", "referred") else "corrected"
            fields = {"primary": code, "lines": (ItemResult("TY-01", code), ItemResult("TY-02", "none"))}
        self.agency.clock.advance(hours=2)
        inspections.conclude_inspection(
            self.office, self.call(lead), inspection, record=self.record(inspection, **fields)
        )
        return inspection

    def reviewed(self, assignment: str, *, finding: str = "") -> Answer:
        """The inspection reviewed; the answer names its violations."""
        inspection = self.concluded(assignment, finding=finding)
        call = self.call(self.people.second_officer)
        return inspections.review_inspection(self.office, call, inspection, opinion="完整")

    def published(self, assignment: str, *, finding: str = "") -> Answer:
        """The inspection published; the answer of its review."""
        answer = self.reviewed(assignment, finding=finding)
        call = self.call(self.people.officer)
        inspections.publish_result(self.office, call, answer.id, channels=["公示系统"])
        return answer

    def violation(self, assignment: str) -> str:
        """A violation with an order to rectify."""
        violation = str(self.reviewed(assignment, finding="rectifying").also["violations"][0])
        violations.order_rectification(
            self.office,
            self.call(self.people.officer),
            violation,
            number=f"晋环责改 {violation}",
            requirements="恢复运行",
            due_on=None,
        )
        return violation

    def blob(self, content: bytes = b"evidence") -> str:
        """An uploaded file."""
        return self.office.blobs.put(content)

    def recusal(self, assignment: str, seat: int = 0) -> tuple[str, str]:
        """A declared recusal of a seat's holder: its id and the inspector."""
        actor = self.team(assignment)[seat]
        answer = assignments.declare_recusal(
            self.office,
            self.call(actor),
            assignment,
            inspector=actor.inspector,
            ground="near-relative",
            origin="self",
            detail="",
        )
        return str(answer.also["recusal"]), actor.inspector
