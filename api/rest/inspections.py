"""Inspections: one visit of one site, step by step, each by the person the law names."""

from datetime import datetime

import msgspec
from fastapi import APIRouter, Request, Response

from api.access import Asked, ask
from api.rest.commands import Command, change, create, etag, projected
from api.rest.description import does, shows
from api.rest.fields import Reasoned, struct_of
from api.rest.inspection_steps import (
    Approving,
    Conclusion,
    EvidenceAdding,
    FindingRecording,
    Identity,
    Notice,
    Opening,
    Publication,
    Review,
    Withholding,
)
from api.rest.presenting import show, show_one
from api.rest.sealing import require_inspection
from application import inspections
from application.readings import note_sealed_reading
from domain.inspection import Evidence, Finding, Inspection, Record, Visit

router = APIRouter(prefix="/inspections", tags=["inspections"])
PLACE = "/api/v1/inspections/{id}"


class InspectionShown(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection as it stands. `team` maps seats to inspectors; `publication_due`: when concluded."""

    id: str
    version: int
    status: str
    visit: Visit
    team: dict[str, str | None]
    experts: list[str]
    identified: list[str]
    evidence: list[Evidence]
    findings: list[Finding]
    record: Record | None
    publication_due: datetime | None


@router.post("", status_code=201, summary="开始检查 Open an inspection")
@does()
def open_inspection(body: Opening, command: Command = create("inspection.conduct")) -> Response:
    """Takes a task up, as an officer of its team; the row's items must be published and in force today."""
    return command.run(
        body,
        lambda call: inspections.open_inspection(
            command.office, call, assignment=body.assignment, mode=body.mode
        ),
        place=PLACE,
    )


@router.get("/{id}", summary="检查 One inspection")
@shows(InspectionShown, etag=True)
def read_inspection(id: str, request: Request, asked: Asked = ask("inspection.read")) -> Response:
    """Until the visit is over or the draw opened, the team alone sees it; others get 403 `draw-sealed`."""
    inspection = asked.office.workflow.load(Inspection, id)
    require_inspection(asked, inspection)
    return show_one(request, _shown(inspection), inspection.version)


@router.post("/{id}/readings", summary="查阅密封检查 Read a sealed inspection")
@shows(InspectionShown)
def read_sealed_inspection(
    id: str, body: Reasoned, command: Command = create("draw.read-sealed")
) -> Response:
    """An inspection before its visit is over, for those entitled; the reading is recorded first."""
    inspection = command.office.workflow.load(Inspection, id)
    draw = inspection.visit.draw
    answer = note_sealed_reading(command.office, command.reading(body), [draw], reason=body.reason)
    waited = projected(command, answer.position)
    return show(_shown(inspection), headers={"ETag": etag(inspection.version), **waited})


@router.post("/{id}/approval", summary="审批检查 Approve a visit")
@does()
def approve(id: str, body: Approving, command: Command = change("inspection.approve")) -> Response:
    """The head of the agency approves the visit; experts assist and never count as officers."""
    return command.run(
        body,
        lambda call: inspections.approve_inspection(
            command.office, call, id, approval_no=body.approval_no, experts=body.experts
        ),
    )


@router.post("/{id}/notice", summary="通知 Notify the site")
@does()
def notify(id: str, body: Notice, command: Command = change("inspection.conduct")) -> Response:
    """The visit is counted against the enterprise's frequency cap first; statutory urgency does not count."""
    return command.run(
        body,
        lambda call: inspections.notify_site(
            command.office, call, id, urgent=body.urgent, reason=body.reason
        ),
    )


@router.post("/{id}/identity", summary="亮证 Show identity")
@does()
def show_identity(id: str, body: Identity, command: Command = change("inspection.conduct")) -> Response:
    """At least two officers with valid certificates identify themselves; nothing is found before."""
    return command.run(
        body,
        lambda call: inspections.show_identity(
            command.office, call, id, rights_told=body.rights_told, purpose_told=body.purpose_told
        ),
    )


@router.post("/{id}/evidence", summary="登记证据 Add evidence")
@does()
def add_evidence(id: str, body: EvidenceAdding, command: Command = change("inspection.conduct")) -> Response:
    """Adds an uploaded file; adding the same twice changes nothing."""
    evidence = struct_of(body, Evidence)
    return command.run(
        body, lambda call: inspections.add_evidence(command.office, call, id, evidence=evidence)
    )


@router.post("/{id}/findings", summary="记录问题 Record a finding")
@does()
def record_finding(
    id: str, body: FindingRecording, command: Command = change("inspection.conduct")
) -> Response:
    """Records a problem on an item of the task, with added evidence."""
    return command.run(
        body,
        lambda call: inspections.record_finding(
            command.office,
            call,
            id,
            item=body.item,
            category=body.category,
            description=body.description,
            disposal=body.disposal,
            evidence=body.evidence,
        ),
    )


@router.post("/{id}/findings/{no}/withdrawal", summary="撤回问题 Withdraw a finding")
@does()
def withdraw_finding(
    id: str, no: int, body: Reasoned, command: Command = change("inspection.conduct")
) -> Response:
    """Takes a wrong finding back before the record is concluded; it stays in the history."""
    return command.run(
        body,
        lambda call: inspections.withdraw_finding(command.office, call, id, no=no, reason=body.reason),
    )


@router.post("/{id}/conclusion", summary="完成记录 Conclude an inspection")
@does()
def conclude(id: str, body: Conclusion, command: Command = change("inspection.conduct")) -> Response:
    """Completes and signs the record; from the visit's last day the publication of its result is due."""
    record = struct_of(body, Record)
    return command.run(
        body, lambda call: inspections.conclude_inspection(command.office, call, id, record=record)
    )


@router.post("/{id}/return", summary="退回记录 Return a record")
@does()
def return_record(id: str, body: Reasoned, command: Command = change("inspection.review")) -> Response:
    """Sends the record back to its team, as a reviewer outside it."""
    return command.run(
        body, lambda call: inspections.return_record(command.office, call, id, reason=body.reason)
    )


@router.post("/{id}/review", summary="审核 Review an inspection")
@does(violations=["violation-0f1e2d3c4b5a69788796a5b4c3d2e1f0"])
def review(id: str, body: Review, command: Command = change("inspection.review")) -> Response:
    """A second person finds the record in order; its findings become rows of the violation ledger."""
    return command.run(
        body,
        lambda call: inspections.review_inspection(command.office, call, id, opinion=body.opinion),
    )


@router.post("/{id}/publication", summary="公示 Publish a result")
@does()
def publish(id: str, body: Publication, command: Command = change("inspection.publish")) -> Response:
    """Makes the reviewed result public."""
    return command.run(
        body, lambda call: inspections.publish_result(command.office, call, id, channels=body.channels)
    )


@router.post("/{id}/withholding", summary="不予公示 Withhold a result")
@does()
def withhold(id: str, body: Withholding, command: Command = change("inspection.approve")) -> Response:
    """Lawfully keeps the reviewed result from the public; the head decides it."""
    return command.run(
        body,
        lambda call: inspections.withhold_result(
            command.office, call, id, ground=body.ground, reason=body.reason
        ),
    )


def _shown(inspection: Inspection) -> InspectionShown:
    publication = inspection.publication
    return InspectionShown(
        id=inspection.id,
        version=inspection.version,
        status=inspection.status,
        visit=inspection.visit,
        team=dict(inspection.team),
        experts=sorted(inspection.experts),
        identified=sorted(inspection.identified),
        evidence=list(inspection.evidence.values()),
        findings=list(inspection.findings.values()),
        record=inspection.result,
        publication_due=publication.due if publication else None,
    )
