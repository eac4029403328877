"""A re-check (复核): a closed violation on which the lot fell, and whether its closing held.

It has a stream of its own with a fresh random name: until it is carried out nothing stands in the
violation's, so that neither its owner nor the enterprise learns of it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Forbidden, Invalid
from domain.values import Holding

SUSTAINED: Final = "sustained"
REOPENED: Final = "reopened"
IMPOSSIBLE: Final = "impossible"
OUTCOMES: Final = (SUSTAINED, REOPENED, IMPOSSIBLE)
"""The closing held; it did not, and the violation is open again; nobody can see it any more (site gone)."""


class RecheckDone(Conflict):
    """The re-check was carried out already."""

    code = "recheck-done"


class RecheckOutcomeWrong(Invalid):
    """Not an outcome of a re-check; facts: `outcome`."""

    code = "recheck-outcome-wrong"


class RecheckEvidenceMissing(Invalid):
    """What a re-check found is recorded with at least one piece of evidence and a note; facts: `field`."""

    code = "recheck-evidence-missing"
    rule = "violation.recheck"


class RecheckNotYours(Forbidden):
    """A re-check is recorded by its team; without one by nobody who had to do with the closing."""

    code = "recheck-not-yours"
    rule = "separation.recheck"


class DrawnClosing(msgspec.Struct, frozen=True, kw_only=True):
    """Which closing of which violation the lot fell on. `closing` counts from 1; `region` is the draw's."""

    draw: str
    draw_no: int
    region: str
    period: str
    violation: str
    closing: int
    rank: int


class Recheck(Aggregate):
    """One drawn closing."""

    TOPIC = "recheck"

    class Drawn(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The lot fell on a closed violation; the team is the one that was drawn with it."""

        TOPIC = "recheck.drawn.v1"
        task: DrawnClosing
        team: tuple[Holding, ...]

        def claims(self) -> Iterable[Claim]:
            task = self.task
            return (
                Claim("recheck", f"{task.violation}/{task.closing}"),
                Claim("recheck-of-draw", f"{task.draw_no}/{task.violation}"),
            )

    class CarriedOut(Aggregate.Event, frozen=True, kw_only=True):
        """The team saw whether the closing held."""

        TOPIC = "recheck.carried-out.v1"
        outcome: str
        note: str
        evidence: tuple[str, ...]

    @classmethod
    def draw(cls, act: Act, *, id: str, task: DrawnClosing, team: Sequence[Holding]) -> Self:
        """Note what was drawn."""
        return cls.begin(cls.Drawn, id, act, task=task, team=tuple(team))

    @event(Drawn)
    def __init__(self, task: DrawnClosing, team: tuple[Holding, ...]) -> None:
        self.task = task
        self.team = {holding.seat: holding.inspector for holding in team}
        self.outcome = ""

    @property
    def members(self) -> frozenset[str]:
        """The inspectors who sit on the team."""
        return frozenset(holder for holder in self.team.values() if holder)

    def carry_out(self, act: Act, *, outcome: str, note: str, evidence: Sequence[str]) -> None:
        """Record what was seen; who may is for the caller to ask."""
        if self.outcome:
            raise RecheckDone()
        if outcome not in OUTCOMES:
            raise RecheckOutcomeWrong("/outcome", outcome=outcome)
        for field, given in (("note", note.strip()), ("evidence", evidence)):
            if not given:
                raise RecheckEvidenceMissing(f"/{field}", field=field)
        self.record(self.CarriedOut, act, outcome=outcome, note=note, evidence=tuple(evidence))

    @event(CarriedOut)
    def _carried_out(self, outcome: str) -> None:
        self.outcome = outcome
