"""The facts behind the quarterly statistics, as the events leave them; `statistics_report` counts them.

A cell is one stratum of one jurisdiction (the region of the plan, not of the site) in one period.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec

from domain.assignment import Assignment
from domain.deadlines import day_of
from domain.draw import Draw
from domain.inspection import Inspection
from domain.recheck import REOPENED
from domain.violation import Violation
from projections.projection import Batch, Handlers, Projection, Recorded, RowMissing, Rows, streams
from projections.view import View

CONCLUDED: Final = ("concluded", "reviewed", "published", "withheld")


class DrawFact(msgspec.Struct):
    """Whose draw it is, and whether its sample exists; `counted`: it draws sites of a plan row."""

    draw: str
    region: str
    period: str
    completed: bool
    counted: bool = True


class StratumFact(msgspec.Struct):
    """One stratum of a draw's sealed rules."""

    draw: str
    stratum: str
    idx: int
    region: str
    period: str
    size: int
    eligible: int
    sample: int


class DrawnFact(msgspec.Struct):
    """A drawn site; `replaces` is empty unless it took a void one's place."""

    assignment: str
    idx: int
    region: str
    period: str
    stratum: str
    replaces: str
    void: bool


class CheckFact(msgspec.Struct):
    """An inspection; `state` is `open` until it is concluded, and again when its record was returned."""

    inspection: str
    idx: int
    assignment: str
    region: str
    period: str
    stratum: str
    mode: str
    state: str
    primary: str
    findings: int
    due: datetime | None
    published_on: date | None
    late: bool


class FindingFact(msgspec.Struct):
    """A finding with its present disposal, and the order to rectify it (`order_no` is empty before one)."""

    inspection: str
    no: int
    idx: int
    region: str
    period: str
    stratum: str
    disposal: str
    violation: str
    order_no: str
    order_state: str
    order_due: datetime | None


DRAWS: Final = View("statistics_draws_v2", DrawFact, ("draw",))
STRATA: Final = View("statistics_strata_v2", StratumFact, ("draw", "stratum"), ("period", "region"))
DRAWN: Final = View("statistics_drawn_v2", DrawnFact, ("assignment",), ("period", "region"))
CHECKS: Final = View(
    "statistics_checks_v2", CheckFact, ("inspection",), ("period", "region"), ("assignment",)
)
FINDINGS: Final = View(
    "statistics_findings_v2", FindingFact, ("inspection", "no"), ("period", "region"), ("violation",)
)


class _State(NamedTuple):
    draws: Rows[DrawFact]
    strata: Rows[StratumFact]
    drawn: Rows[DrawnFact]
    checks: Rows[CheckFact]
    findings: Rows[FindingFact]
    violations: dict[str, tuple[str, int]]

    def draw(self, id: str) -> DrawFact:
        """The draw that an event names."""
        found = self.draws.get(id)
        if found is None:
            raise RowMissing(f"{DRAWS.name}: {id}")
        return found

    def violation(self, recorded: Recorded) -> FindingFact:
        """The finding that the event's violation is about, to be changed."""
        return self.findings.edit(self.violations.get(recorded.event.originator_id))


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    facts = [one.event for one in events]
    draws = streams(events, Draw.Event)
    draws |= {event.task.draw for event in facts if isinstance(event, Assignment.Made)}
    draws |= {event.visit.draw for event in facts if isinstance(event, Inspection.Opened)}
    checks = batch.rows(CHECKS).load(streams(events, Inspection.Event))
    findings = batch.rows(FINDINGS).load(streams(events, Violation.Event), by="violation")
    violations = {row.violation: (row.inspection, row.no) for row in findings.loaded()}
    touched = {event.matter.inspection for event in facts if isinstance(event, Violation.Opened)}
    findings.load(touched | streams(events, Inspection.FindingWithdrawn))
    drawn = batch.rows(DRAWN).load(streams(events, Assignment.SiteVoided))
    return _State(batch.rows(DRAWS).load(draws), batch.rows(STRATA), drawn, checks, findings, violations)


def _announced(state: _State, event: Draw.Announced, recorded: Recorded) -> None:
    state.draws.add(DrawFact(event.originator_id, event.region, event.period, completed=False))


def _recheck_announced(state: _State, event: Draw.RecheckAnnounced, recorded: Recorded) -> None:
    state.draws.add(DrawFact(event.originator_id, event.region, event.period, completed=False, counted=False))


def _supplement(state: _State, event: Draw.SupplementAnnounced, recorded: Recorded) -> None:
    id, region, period = event.originator_id, event.region, event.period
    state.draws.add(DrawFact(id, region, period, completed=False, counted=False))


def _sealed(state: _State, event: Draw.Sealed, recorded: Recorded) -> None:
    draw = state.draw(event.originator_id)
    if not draw.counted:
        return
    for one in event.seal.strata:
        state.strata.add(
            StratumFact(
                draw.draw,
                one.code,
                recorded.idx,
                draw.region,
                draw.period,
                one.size,
                one.eligible,
                one.sample,
            )
        )


def _completed(state: _State, event: Draw.Completed, recorded: Recorded) -> None:
    state.draws.edit(event.originator_id).completed = True


def _made(state: _State, event: Assignment.Made, recorded: Recorded) -> None:
    task, draw = event.task, state.draw(event.task.draw)
    state.drawn.add(
        DrawnFact(
            event.originator_id,
            recorded.idx,
            draw.region,
            draw.period,
            task.stratum,
            task.replaces,
            void=False,
        )
    )


def _voided(state: _State, event: Assignment.SiteVoided, recorded: Recorded) -> None:
    state.drawn.edit(event.originator_id).void = True


def _opened(state: _State, event: Inspection.Opened, recorded: Recorded) -> None:
    visit, draw = event.visit, state.draw(event.visit.draw)
    state.checks.add(
        CheckFact(
            inspection=event.originator_id,
            idx=recorded.idx,
            assignment=visit.assignment,
            region=draw.region,
            period=draw.period,
            stratum=visit.stratum,
            mode=visit.mode,
            state="open",
            primary="",
            findings=0,
            due=None,
            published_on=None,
            late=False,
        )
    )


def _found(state: _State, event: Inspection.FindingRecorded, recorded: Recorded) -> None:
    check, finding = state.checks.edit(event.originator_id), event.finding
    check.findings += 1
    state.findings.add(
        FindingFact(
            inspection=check.inspection,
            no=finding.no,
            idx=recorded.idx,
            region=check.region,
            period=check.period,
            stratum=check.stratum,
            disposal=finding.disposal,
            violation="",
            order_no="",
            order_state="",
            order_due=None,
        )
    )


def _withdrawn(state: _State, event: Inspection.FindingWithdrawn, recorded: Recorded) -> None:
    state.checks.edit(event.originator_id).findings -= 1
    state.findings.drop((event.originator_id, event.no))


def _concluded(state: _State, event: Inspection.Concluded, recorded: Recorded) -> None:
    row = state.checks.edit(event.originator_id)
    row.state, row.primary, row.due = "concluded", event.record.primary, event.publication.due


def _returned(state: _State, event: Inspection.Returned, recorded: Recorded) -> None:
    row = state.checks.edit(event.originator_id)
    row.state, row.primary, row.due = "open", "", None


def _reviewed(state: _State, event: Inspection.Reviewed, recorded: Recorded) -> None:
    state.checks.edit(event.originator_id).state = "reviewed"


def _published(state: _State, event: Inspection.Published, recorded: Recorded) -> None:
    row = state.checks.edit(event.originator_id)
    row.state, row.published_on = "published", event.published_on
    row.late = row.due is not None and event.published_on > day_of(row.due)


def _withheld(state: _State, event: Inspection.Withheld, recorded: Recorded) -> None:
    state.checks.edit(event.originator_id).state = "withheld"


def _violation_opened(state: _State, event: Violation.Opened, recorded: Recorded) -> None:
    key = event.matter.inspection, event.matter.finding
    row = state.findings.edit(key)
    row.violation, row.disposal = event.originator_id, event.disposal
    state.violations[event.originator_id] = key


def _ordered(state: _State, event: Violation.RectificationOrdered, recorded: Recorded) -> None:
    row, order = state.violation(recorded), event.order
    row.order_no, row.order_state, row.order_due = order.number, "ordered", order.deadline.due


def _submitted(state: _State, event: Violation.RectificationSubmitted, recorded: Recorded) -> None:
    state.violation(recorded).order_state = "submitted"


def _sent_back(state: _State, event: Violation.RectificationReturned, recorded: Recorded) -> None:
    row = state.violation(recorded)
    row.order_state, row.order_due = "ordered", event.deadline.due


def _verified(state: _State, event: Violation.RectificationVerified, recorded: Recorded) -> None:
    state.violation(recorded).order_state = "verified"


def _disposed(state: _State, event: Violation.Disposed, recorded: Recorded) -> None:
    state.violation(recorded).disposal = event.disposal


def _closed(state: _State, event: Violation.Closed, recorded: Recorded) -> None:
    row = state.violation(recorded)
    if row.order_no:
        row.order_state = "closed"


def _rechecked(state: _State, event: Violation.RecheckRecorded, recorded: Recorded) -> None:
    row = state.violation(recorded)
    row.disposal = event.disposal
    if event.outcome == REOPENED and row.order_no:
        row.order_state = "ordered"
    if event.deadline is not None:
        row.order_due = event.deadline.due


_HANDLERS: Final[Handlers] = {
    Draw.Announced: _announced,
    Draw.SupplementAnnounced: _supplement,
    Draw.RecheckAnnounced: _recheck_announced,
    Draw.Sealed: _sealed,
    Draw.Completed: _completed,
    Assignment.Made: _made,
    Assignment.SiteVoided: _voided,
    Inspection.Opened: _opened,
    Inspection.FindingRecorded: _found,
    Inspection.FindingWithdrawn: _withdrawn,
    Inspection.Concluded: _concluded,
    Inspection.Returned: _returned,
    Inspection.Reviewed: _reviewed,
    Inspection.Published: _published,
    Inspection.Withheld: _withheld,
    Violation.Opened: _violation_opened,
    Violation.RectificationOrdered: _ordered,
    Violation.RectificationSubmitted: _submitted,
    Violation.RectificationReturned: _sent_back,
    Violation.RectificationVerified: _verified,
    Violation.Disposed: _disposed,
    Violation.Closed: _closed,
    Violation.RecheckRecorded: _rechecked,
}

PROJECTION: Final = Projection(
    "quarterly_statistics", (DRAWS, STRATA, DRAWN, CHECKS, FINDINGS), _HANDLERS, _begin, version=2
)
