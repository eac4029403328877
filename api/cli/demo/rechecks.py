"""The demo's re-check: what was closed in the second quarter, drawn again in the third."""

from datetime import date, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from api.cli.demo.cast import CITY, account_of
from api.cli.demo.pictures import picture
from api.cli.demo.quarter import PARTIES, Quarter, at
from api.cli.demo.stage import Stage
from application.ports import Answer
from application.recheck_tasks import rechecks_of
from application.rechecks import announce_recheck_draw, carry_out_recheck
from domain.draw import Draw
from domain.draw_values import Contributor
from domain.recheck import SUSTAINED, Recheck
from domain.recheck_terms import recheck_row, recheck_terms

PERIOD: Final = "2024Q2"
DAY: Final = date(2024, 7, 22)
LAST_DAY: Final = date(2024, 8, 9)
PERCENT: Final = 2


class RecheckLottery(Quarter):
    """Goes through the same steps as the draw of a plan row; what is drawn are closed violations."""

    def __init__(self, stage: Stage) -> None:
        row = recheck_row(recheck_terms(PERIOD, PERCENT), CITY, PERIOD)
        super().__init__(stage, "", replace(row, no="recheck"), DAY, LAST_DAY)

    def _announce(self) -> Answer:
        contributors = [Contributor(party, self.stage.cast[who]) for party, who in PARTIES.items()]
        return self._step(
            "announce",
            "officer",
            at(self.day, 9),
            lambda call: announce_recheck_draw(
                self._office,
                call,
                region=CITY,
                period=PERIOD,
                contributors=contributors,
                public_source={"kind": "dice", "rolls": 20},
            ),
        )

    def _plan_visits(self) -> None:
        draw = self._office.workflow.load(Draw, self.draw)
        for number, recheck in enumerate(rechecks_of(self._office, draw)):
            when = at(self.day + timedelta(days=3), 10, number)
            self.stage.plan(when, lambda one=recheck, then=when: self._look(one, then))  # type: ignore[misc]

    def _look(self, recheck: str, when: datetime) -> None:
        evidence = self._office.blobs.put(picture(f"{self.row.no}/{recheck}", 1))
        self._step(
            f"look/{recheck}",
            lambda: account_of(self.stage, min(self._office.workflow.load(Recheck, recheck).members), when),
            when,
            lambda call: carry_out_recheck(
                self._office,
                call,
                recheck,
                outcome=SUSTAINED,
                note="现场复核，设施正常运行，整改未反弹",
                evidence=[evidence],
            ),
        )
