"""An inspector's tasks, and what has to be done next in each."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, or_, select

from domain.assignment import Assignment
from domain.inspection import Inspection
from projections.assignments import OPENED
from projections.projection import Batch, Handlers, Projection, Recorded, RowMissing, Rows, streams
from projections.query import Regions, equal, one, read, within
from projections.view import View

OPEN: Final = "open"
APPROVE: Final = "approve"
NOTIFY: Final = "notify"
IDENTIFY: Final = "show-identity"
INSPECT: Final = "inspect"
CORRECT: Final = "correct"
REVIEW: Final = "review"
PUBLISH: Final = "publish"
DONE: Final = "done"
VOID: Final = "void"
STEPS: Final = (OPEN, APPROVE, NOTIFY, IDENTIFY, INSPECT, CORRECT, REVIEW, PUBLISH, DONE, VOID)
ENDED: Final = (DONE, VOID)
TOLD: Final = (IDENTIFY, INSPECT, CORRECT, REVIEW, PUBLISH, DONE)
"""The steps that come when the site was told."""


class Task(msgspec.Struct):
    """One assignment as its team's task. `step` is what comes next, since `since` (when it happened).

    `recusals` are the inspectors about whom a decision is pending, `experts` those who come along.
    `publication_due` is known once the record is concluded; `return_reason` while it is to be corrected.
    `void_asked`: somebody says the site is gone, and a second person has to decide.
    """

    assignment: str
    idx: int
    position: int
    draw: str
    plan: str
    row: str
    period: str
    region: str
    site: str
    uscc: str
    stratum: str
    team: tuple[str, ...]
    experts: tuple[str, ...]
    inspection: str
    mode: str
    step: str
    since: datetime
    recusals: tuple[str, ...]
    findings: int
    return_reason: str
    publication_due: datetime | None
    void_asked: bool = False


class TaskMember(msgspec.Struct):
    """A person who has the task now."""

    inspector: str
    assignment: str


class TaskInspection(msgspec.Struct):
    """Which task an inspection carries out."""

    inspection: str
    assignment: str


class PendingRecusal(msgspec.Struct):
    """A recusal that waits for a decision."""

    recusal: str
    assignment: str
    inspector: str
    seat: str


class ToldVisit(msgspec.Struct):
    """A visit of which the enterprise was told, and the officers who come."""

    assignment: str
    idx: int
    site: str
    period: str
    step: str
    team: tuple[str, ...]


TASKS: Final = View("worklist_tasks_v2", Task, ("assignment",), ("idx",), ("region", "step"))
MEMBERS: Final = View("worklist_members_v2", TaskMember, ("inspector", "assignment"))
INSPECTIONS: Final = View("worklist_inspections_v2", TaskInspection, ("inspection",))
RECUSALS: Final = View("worklist_recusals_v2", PendingRecusal, ("recusal",))


_DECIDED: Final = (Assignment.RecusalGranted, Assignment.RecusalRefused, Assignment.RecusalWithdrawn)


class _State(NamedTuple):
    tasks: Rows[Task]
    members: Rows[TaskMember]
    inspections: Rows[TaskInspection]
    recusals: Rows[PendingRecusal]

    def task(self, recorded: Recorded, assignment: str) -> Task:
        """The task, to be changed."""
        task = self.tasks.edit(assignment)
        task.position = recorded.idx
        return task

    def inspected(self, recorded: Recorded) -> Task:
        """The task of the event's inspection, to be changed."""
        found = self.inspections.get(recorded.event.originator_id)
        if found is None:
            raise RowMissing(f"{INSPECTIONS.name}: {recorded.event.originator_id}")
        return self.task(recorded, found.assignment)

    def advance(self, recorded: Recorded, step: str) -> Task:
        """The task of the event's inspection, with its next step."""
        task = self.inspected(recorded)
        task.step, task.since = step, recorded.event.occurred_at
        return task

    def sit(self, people: Iterable[str | None], assignment: str) -> None:
        """Give the task to people."""
        for inspector in people:
            if inspector:
                self.members.add(TaskMember(inspector, assignment))


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    inspections = batch.rows(INSPECTIONS).load(streams(events, Inspection.Event))
    known = {found.assignment for found in inspections.loaded()}
    opened = {one.event.visit.assignment for one in events if isinstance(one.event, Inspection.Opened)}
    tasks = batch.rows(TASKS).load(known | opened | streams(events, Assignment.Event))
    decided = {one.event.recusal for one in events if isinstance(one.event, _DECIDED)}
    return _State(tasks, batch.rows(MEMBERS), inspections, batch.rows(RECUSALS).load(decided))


def _made(state: _State, event: Assignment.Made, recorded: Recorded) -> None:
    drawn = event.task
    team = tuple(holding.inspector for holding in event.team if holding.inspector)
    state.tasks.add(
        Task(
            assignment=event.originator_id,
            idx=recorded.idx,
            position=recorded.idx,
            draw=drawn.draw,
            plan=drawn.plan,
            row=drawn.row,
            period=drawn.period,
            region=drawn.region,
            site=drawn.site,
            uscc=drawn.uscc,
            stratum=drawn.stratum,
            team=team,
            experts=(),
            inspection="",
            mode="",
            step=OPEN,
            since=event.occurred_at,
            recusals=(),
            findings=0,
            return_reason="",
            publication_due=None,
        )
    )
    state.sit(team, event.originator_id)


def _declared(state: _State, event: Assignment.RecusalDeclared, recorded: Recorded) -> None:
    task = state.task(recorded, event.originator_id)
    task.recusals = (*task.recusals, event.inspector)
    state.recusals.add(PendingRecusal(event.recusal, task.assignment, event.inspector, event.seat))


def _granted(state: _State, event: Assignment.RecusalGranted, recorded: Recorded) -> None:
    task = state.task(recorded, event.originator_id)
    gone = _decided(state, task, event.recusal)
    task.team = tuple(member for member in task.team if member != gone)
    state.members.drop((gone, task.assignment))
    if event.substitute:
        task.team = (*task.team, event.substitute)
        state.sit([event.substitute], task.assignment)


def _refused(
    state: _State, event: Assignment.RecusalRefused | Assignment.RecusalWithdrawn, recorded: Recorded
) -> None:
    _decided(state, state.task(recorded, event.originator_id), event.recusal)


def _decided(state: _State, task: Task, recusal: str) -> str:
    pending = state.recusals.edit(recusal)
    state.recusals.drop(recusal)
    task.recusals = tuple(inspector for inspector in task.recusals if inspector != pending.inspector)
    return pending.inspector


def _filled(state: _State, event: Assignment.SeatFilled, recorded: Recorded) -> None:
    task = state.task(recorded, event.originator_id)
    task.team = (*task.team, event.inspector)
    state.sit([event.inspector], task.assignment)


def _void_asked(state: _State, event: Assignment.VoidAsked, recorded: Recorded) -> None:
    state.task(recorded, event.originator_id).void_asked = True


def _void_refused(state: _State, event: Assignment.VoidRefused, recorded: Recorded) -> None:
    state.task(recorded, event.originator_id).void_asked = False


def _voided(state: _State, event: Assignment.SiteVoided, recorded: Recorded) -> None:
    task = state.task(recorded, event.originator_id)
    task.step, task.since, task.void_asked = VOID, event.occurred_at, False


def _opened(state: _State, event: Inspection.Opened, recorded: Recorded) -> None:
    visit = event.visit
    state.inspections.add(TaskInspection(event.originator_id, visit.assignment))
    task = state.advance(recorded, APPROVE)
    task.inspection, task.mode = event.originator_id, visit.mode


def _approved(state: _State, event: Inspection.Approved, recorded: Recorded) -> None:
    task = state.advance(recorded, NOTIFY)
    task.experts = event.experts
    state.sit(event.experts, task.assignment)


def _notified(state: _State, event: Inspection.Notified, recorded: Recorded) -> None:
    state.advance(recorded, IDENTIFY)


def _seat_changed(state: _State, event: Inspection.SeatChanged, recorded: Recorded) -> None:
    task = state.inspected(recorded)
    if task.step in (INSPECT, CORRECT):
        task.step = IDENTIFY


def _identity_shown(state: _State, event: Inspection.IdentityShown, recorded: Recorded) -> None:
    state.advance(recorded, INSPECT)


def _finding_recorded(state: _State, event: Inspection.FindingRecorded, recorded: Recorded) -> None:
    state.inspected(recorded).findings += 1


def _finding_withdrawn(state: _State, event: Inspection.FindingWithdrawn, recorded: Recorded) -> None:
    state.inspected(recorded).findings -= 1


def _concluded(state: _State, event: Inspection.Concluded, recorded: Recorded) -> None:
    task = state.advance(recorded, REVIEW)
    task.publication_due, task.return_reason = event.publication.due, ""


def _returned(state: _State, event: Inspection.Returned, recorded: Recorded) -> None:
    state.advance(recorded, CORRECT).return_reason = event.reason


def _reviewed(state: _State, event: Inspection.Reviewed, recorded: Recorded) -> None:
    state.advance(recorded, PUBLISH)


def _ended(state: _State, event: Inspection.Published | Inspection.Withheld, recorded: Recorded) -> None:
    state.advance(recorded, DONE)


_HANDLERS: Final[Handlers] = {
    Assignment.Made: _made,
    Assignment.RecusalDeclared: _declared,
    Assignment.RecusalGranted: _granted,
    Assignment.RecusalRefused: _refused,
    Assignment.RecusalWithdrawn: _refused,
    Assignment.SeatFilled: _filled,
    Assignment.VoidAsked: _void_asked,
    Assignment.VoidRefused: _void_refused,
    Assignment.SiteVoided: _voided,
    Inspection.Opened: _opened,
    Inspection.Approved: _approved,
    Inspection.Notified: _notified,
    Inspection.SeatChanged: _seat_changed,
    Inspection.IdentityShown: _identity_shown,
    Inspection.FindingRecorded: _finding_recorded,
    Inspection.FindingWithdrawn: _finding_withdrawn,
    Inspection.Concluded: _concluded,
    Inspection.Returned: _returned,
    Inspection.Reviewed: _reviewed,
    Inspection.Published: _ended,
    Inspection.Withheld: _ended,
}

PROJECTION: Final = Projection(
    "worklist", (TASKS, MEMBERS, INSPECTIONS, RECUSALS), _HANDLERS, _begin, version=2
)


def tasks_of(
    connection: Connection,
    inspector: str,
    *,
    ended: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[Task]:
    """The tasks on which this person sits or assists, oldest first; those that ended only if asked for."""
    c, members = TASKS.table.c, MEMBERS.table.c
    mine = c.assignment.in_(select(members.assignment).where(members.inspector == inspector))
    steps = c.step.in_(ENDED) if ended else c.step.not_in(ENDED)
    return read(connection, TASKS, mine, steps, after=after, limit=limit)


def tasks_at(connection: Connection, site: str, *, limit: int = 50) -> list[Task]:
    """The tasks at a site that have not ended, oldest first. They tell of sealed draws."""
    c = TASKS.table.c
    return read(connection, TASKS, c.site == site, c.step.not_in(ENDED), limit=limit)


def told_visits(
    connection: Connection, uscc: str, *, after: int | None = None, limit: int = 50
) -> list[ToldVisit]:
    """The visits to an enterprise's sites from the notice on, oldest first."""
    c = TASKS.table.c
    found = read(connection, TASKS, c.uscc == uscc, c.step.in_(TOLD), after=after, limit=limit)
    return [ToldVisit(one.assignment, one.idx, one.site, one.period, one.step, one.team) for one in found]


def tasks_waiting(
    connection: Connection,
    regions: Regions = None,
    *,
    step: str = "",
    recusal_pending: bool = False,
    void_asked: bool = False,
    draws: Collection[str] | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[Task]:
    """Tasks at a step, or with a recusal to be decided: what waits for a leader or a reviewer.

    Without a step, all that still wait for somebody; what is done or void waits for nobody.
    They tell of sealed draws: for those only who may read these. With `draws`, of opened draws and these.
    """
    c, pending = TASKS.table.c, RECUSALS.table.c
    conditions = [within(c.region, regions), equal(c.step, step)]
    if not step:
        conditions.append(c.step.not_in(ENDED))
    if recusal_pending:
        conditions.append(c.assignment.in_(select(pending.assignment)))
    if void_asked:
        conditions.append(c.void_asked.is_(True))
    if draws is not None:
        conditions.append(or_(c.draw.in_(draws), c.draw.in_(select(OPENED.table.c.draw))))
    return read(connection, TASKS, *conditions, after=after, limit=limit)


def get_task(connection: Connection, assignment: str) -> Task | None:
    """The task of an assignment, or None."""
    return one(connection, TASKS, assignment)
