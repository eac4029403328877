"""What follows a finding of the demo: an order and its rectification, a closing, a referral."""

from collections.abc import Callable
from datetime import datetime, timedelta

from api.cli.demo.pictures import picture
from api.cli.demo.stage import Stage, Who
from application.office import Office
from application.ports import Answer
from application.referrals import receive_referral, record_reply, refer_violation
from application.violations import (
    close_violation,
    order_rectification,
    return_rectification,
    submit_rectification,
    verify_rectification,
)
from application.workflow import Call
from domain.referral import Letter


class Follower:
    """Carries a violation of a visit to its end, or leaves it where real ones are left at a quarter's end."""

    def __init__(
        self,
        stage: Stage,
        visit: str,
        number: int,
        *,
        violation: str,
        disposal: str,
        lead: Callable[[datetime], Who],
    ) -> None:
        self.stage = stage
        self.name = f"{visit}/violation"
        self.number = number
        self.violation = violation
        self.disposal = disposal
        self._document = visit.replace("/", "-")
        self._lead = lead

    def begin(self, reviewed: datetime) -> None:
        """Plan what its disposal asks for."""
        if self.disposal == "rectifying":
            self._plan(reviewed, 1, self._order)
        elif self.disposal == "corrected":
            self._plan(reviewed, 2, self._close)
        elif self.disposal == "referred":
            self._plan(reviewed, 2, self._refer)

    @property
    def _office(self) -> Office:
        return self.stage.office

    def _plan(self, after: datetime, days: int, take: Callable[[datetime], None]) -> None:
        when = after + timedelta(days=days)
        self.stage.plan(when, lambda: take(when))

    def _step(self, name: str, who: Who, when: datetime, command: Callable[[Call], Answer]) -> Answer:
        return self.stage.step(f"{self.name}/{name}", who, when, command)

    def _order(self, when: datetime) -> None:
        number = f"晋环责改〔2024〕{self._document}号"
        self._step(
            "order",
            "officer",
            when,
            lambda call: order_rectification(
                self._office,
                call,
                self.violation,
                number=number,
                requirements="恢复治理设施正常运行，补齐台账，并报送整改报告",
                due_on=None,
            ),
        )
        if self.number % 5 != 3:
            self._plan(when, 12, self._submit)

    def _submit(self, when: datetime) -> None:
        self._hand_in("submit", when)
        self._plan(when, 3, self._return if self.number == 0 else self._verify)

    def _hand_in(self, name: str, when: datetime) -> None:
        lead = self._lead(when)
        evidence = self._office.blobs.put(picture(f"{self.name}/{name}", 1))
        self._step(
            name,
            lead,
            when,
            lambda call: submit_rectification(
                self._office,
                call,
                self.violation,
                note="已按要求整改",
                evidence=[evidence],
                for_enterprise=True,
            ),
        )

    def _return(self, when: datetime) -> None:
        self._step(
            "return",
            "reviewer",
            when,
            lambda call: return_rectification(
                self._office,
                call,
                self.violation,
                reason="台账仍缺两个月",
                due_on=(when + timedelta(days=10)).date(),
            ),
        )
        self._plan(when, 4, self._submit_again)

    def _submit_again(self, when: datetime) -> None:
        self._hand_in("submit-again", when)
        self._plan(when, 2, self._verify)

    def _verify(self, when: datetime) -> None:
        self._step(
            "verify",
            "reviewer",
            when,
            lambda call: verify_rectification(
                self._office, call, self.violation, note="现场复核，整改属实", evidence=[]
            ),
        )
        self._plan(when, 1, self._close)

    def _close(self, when: datetime) -> None:
        evidence = self._office.blobs.put(picture(self.name, 2))
        self._step(
            "close",
            "leader",
            when,
            lambda call: close_violation(
                self._office, call, self.violation, evidence=[evidence], note="整改到位，同意销号"
            ),
        )

    def _refer(self, when: datetime) -> None:
        number = f"晋环移〔2024〕{self._document}号"
        letter = Letter(
            number=number,
            document=self._office.blobs.put(f"移送函 {number}\n".encode()),
            addressee="太原市城乡管理局",
            reason="属城市管理部门职权范围",
        )
        referral = self._step(
            "refer",
            "leader",
            when,
            lambda call: refer_violation(self._office, call, violation=self.violation, letter=letter),
        ).id
        receipt = self._office.blobs.put(f"移送回执 {number}\n".encode())
        self._plan(when, 2, lambda then: self._receive(referral, receipt, then))

    def _receive(self, referral: str, receipt: str, when: datetime) -> None:
        self._step(
            "receive",
            "case-handler",
            when,
            lambda call: receive_referral(self._office, call, referral, receipt=receipt),
        )
        self._plan(when, 6, lambda then: self._reply(referral, then))

    def _reply(self, referral: str, when: datetime) -> None:
        self._step(
            "reply",
            "case-handler",
            when,
            lambda call: record_reply(self._office, call, referral, accepted=True, note="已受理"),
        )
