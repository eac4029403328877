"""A draw that is completed and sealed, with a recusal and a void site, and those who must not know of it."""

import json
import time
from hashlib import sha256
from typing import Any, Final

from tests.api.rest.service import Person, Service
from tests.api.rest.story import DICE, SECRETS, Story, done, inspector
from tests.office import TAIYUAN

SITES: Final = 5
NARROW: Final = "140106"
"""A district without sites: who works only there is in no pool."""


class Sealed(Story):
    """A draw that is completed, with a recusal and a void site, and everybody who is not meant to know."""

    def __init__(self, service: Service, dice: str = DICE) -> None:
        super().__init__(service, sites=SITES, inspectors=4)
        self.dice = dice
        self.bystander = self._bystander()
        self.draw = self.announced_draw()
        for step in (self.commit, self.seal, self.reveal, self.roll, self.complete):
            step(self.draw)
        self._recuse()
        self._void()
        self._wait()

    def roll(self, draw: str) -> None:
        """Both parties type what these dice showed."""
        for party in SECRETS:
            custodian = self.custodian(party)
            body = {"party": party, "value": self.dice}
            done(custodian.post(f"/draws/{draw}/typed-values", body, match=custodian.etag(f"/draws/{draw}")))

    def outsiders(self) -> dict[str, Person]:
        """Everybody who must not learn what was drawn, the officer who ran the draw among them."""
        service = self.service
        return {
            "stranger": service.nobody,
            "bystander": self.bystander,
            "enterprise": service.sign_in("enterprise"),
            "elsewhere": service.elsewhere,
            "reporting": service.reporting,
            "officer": service.officer,
        }

    def made(self) -> dict[str, dict[str, Any]]:
        """What the log says of each assignment: for the test alone."""
        rows = self.service.system.store.recorder.rows()
        return {row.stream: json.loads(row.state) for row in rows if row.topic == "assignment.made.v1"}

    def secrets(self) -> set[str]:
        """Words by which the result could be known or computed."""
        office = self.service.system.office
        (opened,) = [self.service.auditor.post(f"/draws/{self.draw}/readings", {"reason": "检查保密"}).json()]
        files = opened["files"]
        seed = json.loads(files["seed.json"])["seed"]
        tickets = {json.loads(line)["ticket"] for line in files["sample.jsonl"].splitlines()}
        digests = {sha256(content.encode()).hexdigest() for content in files.values()}
        digests -= {sha256(files["SHA256SUMS"].encode()).hexdigest()}
        digests -= {sha256(files["rules.json"].encode()[:-1]).hexdigest()}
        assert len(tickets) == 3
        assert all(office.blobs.has(one) for one in digests - {digest_of(files["changes.jsonl"])})
        return {seed, *tickets, *digests, *SECRETS.values()}

    def _bystander(self) -> Person:
        certificate = {"valid_from": "2023-01-01", "valid_to": "2025-12-31", "areas": [NARROW]}
        narrow = {**inspector(99), "areas": [NARROW], "certificate": certificate}
        id = done(self.service.officer.post("/inspectors", narrow))["id"]
        self.service.hire("enterprise")
        self.service.elsewhere.get("/sites")
        self.service.reporting.get("/events")
        self.service.auditor.get("/sites")
        return self.service.hire("inspector", login="bystander", inspector=id)

    def _recuse(self) -> None:
        assignment, team = min(self.tasks().items())
        path = f"/assignments/{assignment}"
        me = team[0].get("/sessions/current").json()["inspector"]
        body = {"inspector": me, "ground": "near-relative", "origin": "self"}
        done(team[0].post(f"{path}/recusals", body, match=team[0].etag(path)))
        reading = {"region": TAIYUAN, "recusal_pending": True, "reason": "决定回避"}
        [waiting] = self.service.leader.post("/worklist/readings", reading).json()["items"]
        shown = self.service.leader.post(f"{path}/readings", {"reason": "决定回避"})
        [recusal] = shown.json()["recusals"]
        assert waiting["assignment"] == assignment
        decision = {"reason": "近亲属", "decided_as": "head"}
        grant = f"{path}/recusals/{recusal['id']}/grant"
        done(self.service.leader.post(grant, decision, match=shown.headers["etag"]))

    def _void(self) -> None:
        assignment, team = max(self.tasks().items())
        path = f"/assignments/{assignment}"
        body = {"ground": "closed", "evidence": [self.evidence(team[0])]}
        done(self.service.officer.post(f"{path}/void-request", body, match=team[0].etag(path)))
        done(self.service.leader.post(f"{path}/void", match=team[0].etag(path)))

    def _wait(self) -> None:
        head = self.service.size()
        for _ in range(200):
            if self.service.nobody.page("/readyz").json()["published"] == head:
                return
            time.sleep(0.05)
        raise AssertionError("the ledger is not published")


def digest_of(content: str) -> str:
    return sha256(content.encode()).hexdigest()
