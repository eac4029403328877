"""A city whose closed violations are drawn again: the steps that tests of re-checks share."""

from datetime import date
from typing import Any

from application import draws, rechecks, violations
from application.authorisation import Actor
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.drawing.lines import Inspector as Officer
from domain.drawing.lines import Site as Line
from domain.drawing.lines import read_frame, read_pool
from domain.recheck import Recheck
from tests.journey import Journey
from tests.office import TAIYUAN, Agency

PERIOD = "2024Q2"
VALUE = "98765432109876543210"


class RecheckStory:
    """A city with violations of the second quarter, and a re-check of them in the third."""

    def __init__(self, agency: Agency) -> None:
        self.journey = Journey(agency)
        self.office, self.people = self.journey.office, self.journey.people
        self.draw = ""
        self.tasks = self.journey.assignments(self.journey.completed_draw())

    def call(self, by: Actor) -> Any:
        """A call at the clock's present."""
        return self.journey.call(by)

    def closed(self, number: int = 0) -> str:
        """A violation that was ordered, rectified, verified and closed."""
        journey, violation = self.journey, self.journey.violation(self.tasks[number])
        officer, second = self.people.officer, self.people.second_officer
        blob = journey.blob()
        violations.submit_rectification(
            self.office, self.call(officer), violation, note="已改", evidence=[blob], for_enterprise=True
        )
        violations.verify_rectification(
            self.office, self.call(second), violation, note="属实", evidence=[blob]
        )
        self.close(violation)
        return violation

    def close(self, violation: str) -> None:
        """The leader closes it."""
        blob, call = self.journey.blob(), self.call(self.people.leader)
        violations.close_violation(self.office, call, violation, evidence=[blob], note="闭环")

    def corrected(self, number: int) -> str:
        """A violation that was corrected on the spot, and closed."""
        found = self.journey.reviewed(self.tasks[number], finding="corrected").also["violations"]
        self.close(str(found[0]))
        return str(found[0])

    def next_quarter(self) -> None:
        """It is the third quarter."""
        days = (date(2024, 7, 2) - self.journey.agency.clock.now().date()).days
        self.journey.agency.clock.advance(days=max(days, 1))

    def announced(self, region: str = TAIYUAN, period: str = PERIOD) -> str:
        """The re-check, by dice."""
        contributors = (
            Contributor("agency", self.people.officer.account),
            Contributor("discipline", self.people.discipline.account),
        )
        return rechecks.announce_recheck_draw(
            self.office,
            self.call(self.people.officer),
            region=region,
            period=period,
            contributors=contributors,
            public_source={"kind": "dice", "rolls": 20},
        ).id

    def sealed(self) -> int:
        """Announced, committed and sealed; the position of the seal."""
        self.draw = self.announced()
        self.journey.committed(self.draw)
        return self.journey.sealed(self.draw)

    def drawn(self) -> list[str]:
        """The re-checks that the lot made."""
        position = self.sealed()
        self.journey.revealed(self.draw, position)
        self.journey.observed(self.draw, VALUE)
        draws.complete(self.office, self.call(self.people.officer), self.draw)
        return [stream for _, stream in self.office.claims.keys("recheck-of-draw")]

    def frame(self) -> list[Line]:
        """The sealed frame."""
        return read_frame(self.office.blobs.read(self.journey.load(Draw, self.draw).frozen.frame))

    def pool(self) -> list[Officer]:
        """The sealed pool."""
        return read_pool(self.office.blobs.read(self.journey.load(Draw, self.draw).frozen.pool))

    def member(self, recheck: str) -> Actor:
        """One of the drawn team."""
        return self.people.inspector(min(self.journey.load(Recheck, recheck).members))

    def carried_out(self, recheck: str, outcome: str, **fields: Any) -> Any:
        """The team looked at it."""
        facts = {"note": "现场复核", "evidence": [self.journey.blob()], **fields}
        call = self.call(self.member(recheck))
        return rechecks.carry_out_recheck(self.office, call, recheck, outcome=outcome, **facts)
