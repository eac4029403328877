"""What an inspector has to do next, and what waits for a leader or a reviewer."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.access import Asked, ask
from api.rest.commands import Command, create
from api.rest.description import lists
from api.rest.fields import Reasoned, Region, choice
from api.rest.presenting import Page
from application.readings import note_sealed_reading
from domain.assignment import Assignment
from domain.inspection import Inspection
from projections.draws import list_sealed
from projections.worklist import CORRECT, DONE, PUBLISH, REVIEW, STEPS, Task, tasks_of, tasks_waiting

router = APIRouter(prefix="/worklist", tags=["worklist"])
AFTER_VISIT: Final = (CORRECT, REVIEW, PUBLISH, DONE)


class Waiting(Task, kw_only=True):
    """A task with the versions that a decision on it needs in `If-Match`; 0 where there is none."""

    assignment_version: int
    inspection_version: int


class WaitingReading(Reasoned):
    """What waits at which step, in which region, and why somebody reads it."""

    region: Region
    step: str = choice(STEPS, "步骤 The step; empty for all.", "")
    recusal_pending: bool = Field(default=False, description="待决定回避 Only with a recusal to be decided.")
    void_asked: bool = Field(default=False, description="待决定作废 Only with a void to be decided.")


@router.get("", summary="我的任务 My tasks")
@lists(Waiting)
def read_tasks(
    page: Annotated[Page, Depends()],
    ended: Annotated[bool, Query(description="已了结的 Those that ended instead.")] = False,
    asked: Asked = ask("inspection.conduct"),
) -> Response:
    """The tasks on which the caller's inspector sits or assists, oldest first, with the next step of each."""
    if not asked.actor.inspector:
        return page.show([])
    with asked.views() as views:
        rows = tasks_of(views, asked.actor.inspector, ended=ended, after=page.after, limit=page.one_more)
    return page.show([_waiting(asked, row) for row in rows])


@router.get("/after-visit", summary="检查后待办 What waits after a visit")
@lists(Waiting)
def read_after_visit(
    page: Annotated[Page, Depends()],
    step: Annotated[str, Query(description="review, publish, correct or done.")] = REVIEW,
    region: str = "",
    asked: Asked = ask("inspection.read"),
) -> Response:
    """Inspections whose visit is over, at a step: for reviewers and those who publish."""
    regions = asked.regions("inspection.read", region) if step in AFTER_VISIT else ()
    with asked.views() as views:
        rows = tasks_waiting(views, regions, step=step, after=page.after, limit=page.one_more)
    return page.show([_waiting(asked, row) for row in rows])


@router.post("/readings", summary="查阅待办 Read what waits before a visit")
@lists(Waiting)
def read_waiting(
    body: WaitingReading,
    page: Annotated[Page, Depends()],
    command: Command = create("draw.read-sealed"),
) -> Response:
    """Visits to approve and recusals to decide, of sealed draws: the reading is recorded with its reason."""
    command.require("draw.read-sealed", body.region)
    with command.views() as views:
        draws = [id for id, region in list_sealed(views) if command.may("draw.read-sealed", region)]
        rows = tasks_waiting(
            views,
            [body.region],
            step=body.step,
            recusal_pending=body.recusal_pending,
            void_asked=body.void_asked,
            draws=draws,
            after=page.after,
            limit=page.one_more,
        )
    # Whether any of them waits here is told as well, so all are named; and the record does not tell which.
    if draws:
        note_sealed_reading(command.office, command.reading(body), draws, reason=body.reason)
    return page.show([_waiting(command, row) for row in rows])


def _waiting(asked: Asked, task: Task) -> Waiting:
    workflow = asked.office.workflow
    inspection = workflow.load(Inspection, task.inspection).version if task.inspection else 0
    return Waiting(
        **msgspec.structs.asdict(task),
        assignment_version=workflow.load(Assignment, task.assignment).version,
        inspection_version=inspection,
    )
