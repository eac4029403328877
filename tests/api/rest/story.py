"""The main path over HTTP alone: registries, catalogue, plan, draw, inspection, publication.

    story = Story(service)
    draw = story.completed_draw()
    inspection = story.opened_inspection(story.tasks()[0])

Every step is the request of the person it belongs to; secrets and commitments are the custodians' own.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from httpx2 import Response

from tests.api.rest.service import Person, Service
from tests.office import TAIYUAN
from tests.usccs import uscc

DICE: Final = "12345678901234567890"
SECRETS: Final = {"agency": "a1" * 32, "discipline": "d1" * 32}
SOURCED: Final = {"source": "排污许可管理信息平台", "reason": "年度更新", "effective_from": "2024-01-01"}
JPEG: Final = b"\xff\xd8\xff\xe0 a photo"


def site(number: int, **fields: Any) -> dict[str, Any]:
    """A key site of an enterprise of its own."""
    code = uscc(number)
    return {
        "uscc": code,
        "code": f"{code}001P",
        "name": f"晴川{number}号化工有限公司",
        "region": "140105",
        "stratum": "key",
        "needs": ["water"],
        **SOURCED,
        **fields,
    }


def inspector(number: int) -> dict[str, Any]:
    """An officer certified for the whole city."""
    return {
        "region": TAIYUAN,
        "name": f"王{number}",
        "certificate_no": f"晋A{number:05}",
        "kind": "officer",
        "role_class": "civil-servant",
        "unit": "执法队",
        "areas": [TAIYUAN],
        "skills": ["water"],
        "attested_by": "人事处",
        "lead": True,
        "certificate": {"valid_from": "2023-01-01", "valid_to": "2025-12-31", "areas": [TAIYUAN]},
        **SOURCED,
    }


def item(code: str) -> dict[str, Any]:
    """An item in force since 2015."""
    return {
        "region": TAIYUAN,
        "code": code,
        "name": f"排污单位检查 {code}",
        "category": "key",
        "subject": "排污单位",
        "content": "是否按证排污",
        "methods": ["on-site", "off-site"],
        "department": "生态环境",
        "bases": [
            {"law": "中华人民共和国环境保护法", "article": "第二十四条", "effective_from": "2015-01-01"}
        ],
    }


ROW: Final[Mapping[str, Any]] = {
    "task": "排污单位日常监管",
    "items": ["TY-01"],
    "period": "2024Q2",
    "departments": ["生态环境"],
    "areas": [TAIYUAN],
    "strata": [{"code": "key", "num": 1, "den": 2}],
    "team": [{"seat": "lead", "lead": True, "skilled": True}, {"seat": "second"}],
}
PLAN: Final = {"region": TAIYUAN, "year": 2024, "department": "生态环境", "title": "2024 年度计划"}


def commitment(log: str, draw_no: int, attempt: int, party: str, secret: str) -> str:
    """As the documentation says it: by whoever holds the secret, with nothing of ours."""
    numbers = draw_no.to_bytes(4, "big") + attempt.to_bytes(4, "big")
    parts = (
        b"sunlot-commit-v1\0",
        log.encode(),
        b"\0",
        numbers,
        party.encode(),
        b"\0",
        bytes.fromhex(secret),
    )
    return sha256(b"".join(parts)).hexdigest()


def done(answer: Response) -> dict[str, Any]:
    """What a command that must have worked answered."""
    assert answer.status_code in (200, 201), answer.text
    assert answer.headers["sunlot-projected"] == "true"
    told: dict[str, Any] = answer.json()
    return told


class Story:
    """Walks a service along the main path."""

    def __init__(self, service: Service, *, sites: int = 4, inspectors: int = 3) -> None:
        self.service = service
        self._sizes = (sites, inspectors)
        self.inspectors: dict[str, Person] = {}

    def registries(self) -> None:
        """Sites, and inspectors each with an account."""
        officer, (sites, inspectors) = self.service.officer, self._sizes
        for number in range(sites):
            done(officer.post("/sites", site(number)))
        for number in range(inspectors):
            id = done(officer.post("/inspectors", inspector(number)))["id"]
            self.inspectors[id] = self.service.hire("inspector", login=f"inspector-{number}", inspector=id)

    def catalogue(self) -> None:
        """One item, published."""
        done(self.service.officer.post("/items", item("TY-01")))
        done(self.service.leader.post(f"/catalogues/{TAIYUAN}/editions"))

    def plan(self) -> str:
        """A published plan of one row."""
        officer = self.service.officer
        drafted = officer.post("/plans", PLAN)
        path = f"/plans/{done(drafted)['id']}"
        written = officer.put(f"{path}/rows/01", ROW, match=drafted.headers["etag"])
        submitted = officer.post(f"{path}/submission", match=written.headers["etag"])
        approved = self.service.leader.post(
            f"{path}/approval", {"opinion": "同意"}, match=submitted.headers["etag"]
        )
        published = officer.post(f"{path}/publication", match=approved.headers["etag"])
        return str(done(published)["id"])

    def announced_draw(self) -> str:
        """Everything up to the announcement."""
        self.registries()
        self.catalogue()
        return str(done(self.announce(self.plan()))["id"])

    def announce(self, plan: str) -> Response:
        """The announcement of the plan's row, with dice."""
        contributors = [
            {"party": party, "account": self.custodian(party).account} for party in sorted(SECRETS)
        ]
        source = {"kind": "dice", "rolls": 20}
        body = {"plan": plan, "row": "01", "contributors": contributors, "public_source": source}
        return self.service.officer.post("/draws", body)

    def custodian(self, party: str) -> Person:
        """Who keeps a party's secret."""
        return self.service.leader if party == "agency" else self.service.discipline

    def commit(self, draw: str) -> None:
        """Both parties commit."""
        for party, secret in SECRETS.items():
            custodian = self.custodian(party)
            told = custodian.get(f"/draws/{draw}")
            numbers = told.json()["log"], told.json()["draw_no"], told.json()["attempt"]
            body = {"party": party, "commitment": commitment(*numbers, party, secret)}
            done(custodian.post(f"/draws/{draw}/commitments", body, match=told.headers["etag"]))

    def seal(self, draw: str) -> None:
        """Freeze frame, pool and rules."""
        officer = self.service.officer
        done(officer.post(f"/draws/{draw}/seal", match=officer.etag(f"/draws/{draw}")))
        if officer.get(f"/draws/{draw}").json()["narrow_seats"]:
            self.approve_narrow(draw)

    def approve_narrow(self, draw: str) -> None:
        """A second person lets the draw go on with few who may sit."""
        leader, path = self.service.leader, f"/draws/{draw}"
        body = {"reason": "持证人员少"}
        done(leader.post(f"{path}/narrow-seats/approval", body, match=leader.etag(path)))

    def reveal(self, draw: str) -> None:
        """Both parties fetch their receipt, and reveal."""
        for party, secret in SECRETS.items():
            custodian = self.custodian(party)
            receipt = custodian.get(f"/draws/{draw}/seal/receipt").text
            body = {"party": party, "secret": secret, "receipt": receipt}
            tag = custodian.etag(f"/draws/{draw}")
            done(custodian.post(f"/draws/{draw}/reveals", body, match=tag))
        self.service.clock.advance(minutes=1)

    def roll(self, draw: str) -> None:
        """Both parties type what the dice showed."""
        for party in SECRETS:
            custodian = self.custodian(party)
            tag = custodian.etag(f"/draws/{draw}")
            body = {"party": party, "value": DICE}
            done(custodian.post(f"/draws/{draw}/typed-values", body, match=tag))

    def complete(self, draw: str) -> None:
        """Compute the result."""
        officer = self.service.officer
        done(officer.post(f"/draws/{draw}/completion", match=officer.etag(f"/draws/{draw}")))

    def completed_draw(self) -> str:
        """A draw whose result exists and is sealed."""
        draw = self.announced_draw()
        for step in (self.commit, self.seal, self.reveal, self.roll, self.complete):
            step(draw)
        return draw

    def tasks(self) -> dict[str, list[Person]]:
        """The assignments as their own teams see them, each with its team."""
        found: dict[str, list[Person]] = {}
        for person in self.inspectors.values():
            for task in person.get("/worklist").json()["items"]:
                found.setdefault(task["assignment"], []).append(person)
        return found

    def opened_inspection(self, assignment: str, team: list[Person]) -> str:
        """An inspection that its team has opened."""
        return str(done(team[0].post("/inspections", {"assignment": assignment, "mode": "on-site"}))["id"])

    def approve(self, inspection: str) -> None:
        """The leader reads what waits, with a reason, and approves."""
        leader = self.service.leader
        body = {"region": TAIYUAN, "step": "approve", "reason": "审批检查"}
        waiting = leader.post("/worklist/readings", body).json()["items"]
        version = next(one["inspection_version"] for one in waiting if one["inspection"] == inspection)
        path = f"/inspections/{inspection}/approval"
        done(leader.post(path, {"approval_no": "晋环检〔2024〕1号"}, match=f'"v{version}"'))

    def step(self, who: Person, inspection: str, step: str, body: dict[str, Any]) -> Response:
        """A step of an inspection by somebody who sees it."""
        tag = who.etag(f"/inspections/{inspection}")
        return who.post(f"/inspections/{inspection}/{step}", body, match=tag)

    def evidence(self, who: Person) -> str:
        """An uploaded photo."""
        uploaded = who.post("/blobs", files={"file": ("photo.jpg", JPEG, "image/jpeg")})
        assert uploaded.status_code == 201, uploaded.text
        return str(uploaded.json()["digest"])

    def record(self, team: list[Person], primary: str) -> dict[str, Any]:
        """The record of a visit that began and ended just now."""
        now = self.service.clock.now().isoformat()
        return {
            "primary": primary,
            "lines": [{"item": "TY-01", "code": primary}],
            "place": "厂区",
            "weather": "晴",
            "started_at": now,
            "ended_at": now,
            "present": "环保负责人",
            "opinion": "属实",
            "signed_by": [id for id, person in self.inspectors.items() if person in team],
            "party_signed": True,
        }

    def visited(self, assignment: str, team: list[Person], *, finding: bool = False) -> str:
        """An inspection up to its signed record."""
        inspection = self.opened_inspection(assignment, team)
        self.approve(inspection)
        done(self.step(team[0], inspection, "notice", {}))
        done(self.step(team[0], inspection, "identity", {"rights_told": True, "purpose_told": True}))
        if finding:
            self.find(inspection, team[0])
        primary = "corrected" if finding else "none"
        done(self.step(team[0], inspection, "conclusion", self.record(team, primary)))
        return inspection

    def find(self, inspection: str, who: Person) -> None:
        """A photo and a problem that it shows."""
        digest = self.evidence(who)
        photo = {
            "digest": digest,
            "kind": "photo",
            "taken_at": "2024-04-01T09:00:30+08:00",
            "place": "污水站",
        }
        done(self.step(who, inspection, "evidence", photo))
        body = {
            "item": "TY-01",
            "category": "污水",
            "description": "出口超标",
            "disposal": "rectifying",
            "evidence": [digest],
        }
        done(self.step(who, inspection, "findings", body))

    def published(self, assignment: str, team: list[Person], *, finding: bool = False) -> str:
        """An inspection up to its published result."""
        inspection = self.visited(assignment, team, finding=finding)
        done(self.step(self.service.second_officer, inspection, "review", {"opinion": "属实"}))
        done(self.step(team[0], inspection, "publication", {"channels": ["website"]}))
        return inspection
