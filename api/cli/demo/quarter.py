"""One quarter of the demo: the draw of a plan row, step by step, and a visit for every drawn site."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Final, cast

from api.cli.demo.pictures import picture
from api.cli.demo.stage import Stage, Who
from api.cli.demo.visits import Visitor
from application.assignments import ask_void, void_site
from application.draws import (
    announce_draw,
    assignments_of,
    commit_secret,
    complete,
    observe_value,
    open_draw,
    reveal_secret,
    seal_version,
    type_value,
)
from application.office import Office
from application.ports import Answer
from application.sealing import approve_narrow_seats, publish_seal, seal
from application.workflow import Call
from domain.act import CHINA
from domain.assignment import Assignment
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.drawing.seed import commit
from domain.plan import PlanRow

PARTIES: Final = {"agency": "officer", "discipline": "discipline"}
VOIDED: Final = 2
"""Which of a draw's sites turns out to be closed before anybody visits it."""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a day in China."""
    return datetime.combine(day, time(hour, minute), CHINA)


class Quarter:
    """Carries one plan row from its draw to its opened bundle."""

    def __init__(self, stage: Stage, plan: str, row: PlanRow, day: date, last_day: date) -> None:
        self.stage = stage
        self.plan = plan
        self.row = row
        self.day = day
        self.last_day = last_day
        self.draw = ""

    def begin(self) -> None:
        """Draw the row on its day, then plan the visits and the opening."""
        self.draw = self._announce().id
        self._seal_and_reveal()
        self._observe()
        self._step(
            "complete", "officer", at(self.day, 21, 30), lambda call: complete(self._office, call, self.draw)
        )
        self._plan_visits()
        self.stage.plan(at(self.last_day, 18), self._open)

    @property
    def _office(self) -> Office:
        return self.stage.office

    @property
    def _lottery(self) -> bool:
        return self.row.period.endswith("Q3")

    def _step(self, name: str, who: Who, when: datetime, command: Callable[[Call], Answer]) -> Answer:
        return self.stage.step(f"{self.row.no}/{name}", who, when, command)

    def _announce(self) -> Answer:
        issue = self.day.strftime("%Y%j")
        source = (
            {
                "kind": "lottery",
                "name": "福彩3D",
                "issue": f"{issue}{self.row.no}",
                "at": at(self.day, 20).isoformat(),
            }
            if self._lottery
            else {"kind": "dice", "rolls": 20}
        )
        contributors = [Contributor(party, self.stage.cast[who]) for party, who in PARTIES.items()]
        return self._step(
            "announce",
            "officer",
            at(self.day, 9),
            lambda call: announce_draw(
                self._office,
                call,
                plan=self.plan,
                row=self.row.no,
                contributors=contributors,
                public_source=source,
            ),
        )

    def _secret(self, party: str) -> bytes:
        """A made-up secret; a real contributor throws dice or asks its operating system."""
        return self.stage.chance(f"secret/{self.row.no}/{party}").randbytes(32)

    def _seal_and_reveal(self) -> None:
        draw = self._office.workflow.load(Draw, self.draw)
        for minute, (party, who) in enumerate(PARTIES.items()):
            filed = commit(draw.log, draw.draw_no, draw.attempt, party, self._secret(party)).hex()
            self._commit(party, who, filed, at(self.day, 9, 10 + minute))
        sealed = self._step(
            "seal", "officer", at(self.day, 9, 30), lambda call: seal(self._office, call, self.draw)
        )
        publish_seal(self._office, sealed)
        self._approve_narrow()
        for minute, (party, who) in enumerate(PARTIES.items()):
            self._reveal(party, who, at(self.day, 9, 40 + minute))

    def _commit(self, party: str, who: str, filed: str, when: datetime) -> None:
        self._step(
            f"commit/{party}",
            who,
            when,
            lambda call: commit_secret(self._office, call, self.draw, party=party, commitment=filed),
        )

    def _approve_narrow(self) -> None:
        """The leader reads what narrow seats there are, and lets the draw go on."""
        if self._office.workflow.load(Draw, self.draw).narrow_seats:
            self._step(
                "approve-narrow",
                "leader",
                at(self.day, 9, 35),
                lambda call: approve_narrow_seats(
                    self._office, call, self.draw, reason="县区持证人员少，已核对报告"
                ),
            )

    def _receipt(self) -> bytes:
        """The receipt of the seal, wherever in its stream that is."""
        draw = self._office.workflow.load(Draw, self.draw)
        recorder = self.stage.system.store.recorder
        position = recorder.locate(self.draw, seal_version(self._office, draw))
        return self._office.ledger.receipt(cast(int, position))

    def _reveal(self, party: str, who: str, when: datetime) -> None:
        def reveal(call: Call) -> Answer:
            return reveal_secret(
                self._office,
                call,
                self.draw,
                party=party,
                secret=self._secret(party).hex(),
                receipt=self._receipt(),
            )

        self._step(f"reveal/{party}", who, when, reveal)

    def _observe(self) -> None:
        dice = self.stage.chance(f"value/{self.row.no}")
        value = "".join(str(dice.randrange(10)) for _ in range(3 if self._lottery else 20))
        for minute, (party, who) in enumerate(PARTIES.items()):
            self._type(party, who, value, at(self.day, 21, minute))
        if self._lottery:
            evidence = {"reference": f"福彩3D 第{self.day.strftime('%Y%j')}期开奖公告"}
            self._step(
                "observe",
                "officer",
                at(self.day, 21, 10),
                lambda call: observe_value(self._office, call, self.draw, value=value, evidence=evidence),
            )

    def _type(self, party: str, who: str, value: str, when: datetime) -> None:
        self._step(
            f"type/{party}",
            who,
            when,
            lambda call: type_value(self._office, call, self.draw, party=party, value=value),
        )

    def _plan_visits(self) -> None:
        days = max((self.last_day - self.day).days - 14, 1)
        for number, assignment in enumerate(self._assignments()):
            visit_day = self.day + timedelta(days=3 + number % days)
            if number == VOIDED:
                self.stage.plan(at(visit_day, 8), lambda one=assignment, day=visit_day: self._void(one, day))  # type: ignore[misc]
            else:
                Visitor(self.stage, f"{self.row.no}/{number}", assignment, visit_day, number).begin()

    def _assignments(self) -> list[str]:
        """The draw's own assignments, without replacements, in the order of strata and ranks."""
        draw = self._office.workflow.load(Draw, self.draw)
        loaded = [self._office.workflow.load(Assignment, one) for one in assignments_of(self._office, draw)]
        own = [one for one in loaded if not one.task.replaces]
        return [one.id for one in sorted(own, key=lambda one: (one.task.stratum, one.task.rank))]

    def _void(self, assignment: str, day: date) -> None:
        evidence = self._office.blobs.put(picture(self.row.no, 0))
        self._step(
            "void/asked",
            "officer",
            at(day, 8),
            lambda call: ask_void(self._office, call, assignment, ground="closed", evidence=[evidence]),
        )
        answer = self._step(
            "void", "leader", at(day, 8), lambda call: void_site(self._office, call, assignment)
        )
        follower = str(answer.also["replacement"])
        if follower:
            Visitor(self.stage, f"{self.row.no}/replacement", follower, day + timedelta(days=1), 0).begin()

    def _open(self) -> None:
        self._step(
            "open", "officer", at(self.last_day, 18), lambda call: open_draw(self._office, call, self.draw)
        )
