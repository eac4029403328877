"""The registry of inspectors and experts, one at a time; names and numbers go to the vault."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import Asked, ask
from api.rest.commands import Command, change, create
from api.rest.description import does, lists, shows
from api.rest.fields import Region, Sourced, Uscc, Words, choice, struct_of
from api.rest.presenting import Page, found, show_one
from application import inspectors
from domain.inspector import RELATION_GROUNDS, ROLE_CLASSES, InspectorFacts
from projections.inspectors import InspectorEntry, get_inspector, list_inspectors

router = APIRouter(prefix="/inspectors", tags=["inspectors"])
PLACE = "/api/v1/inspectors/{id}"


class CertificateHeld(BaseModel):
    """The days and areas for which the enforcement certificate is valid."""

    model_config = ConfigDict(extra="forbid")

    valid_from: date = Field(description="有效期起 First day.")
    valid_to: date = Field(description="有效期止 Last day.")
    areas: Words = Field(description="适用地区 Regions in which it is valid.")


class Related(BaseModel):
    """A tie to an enterprise that bars from its sites."""

    model_config = ConfigDict(extra="forbid")

    uscc: Uscc
    ground: str = choice(RELATION_GROUNDS, "回避情形 Ground (行政处罚法 §43).")


class InspectorWriting(Sourced):
    """What the registry says of a person, whole, with source, reason and effective day."""

    kind: str = choice(("officer", "expert"), "执法人员或专家 Officer or expert.")
    role_class: str = choice(ROLE_CLASSES, "人员类别 Class of the person.")
    unit: str = Field(description="单位 Unit.", max_length=200)
    areas: Words = Field(description="工作地区 Regions in which the person works.")
    skills: Words = Field(default=(), description="专长 Specialties.")
    attested_by: str = Field(default="", description="专长认定 Who vouches for them.", max_length=200)
    lead: bool = Field(default=False, description="可否带队 Whether the person may lead a team.")
    certificate: CertificateHeld | None = Field(default=None, description="执法证件 None for experts.")
    relations: tuple[Related, ...] = Field(default=(), description="利害关系 Ties.", max_length=200)


class InspectorRegistration(InspectorWriting):
    """A person who enters the registry; name, phone and certificate number go to the vault."""

    region: Region
    name: str = Field(description="姓名 Name; goes to the vault.", min_length=1, max_length=100)
    phone: str = Field(default="", description="电话 Phone; goes to the vault.", max_length=50)
    certificate_no: str = Field(
        default="", description="证件号 Certificate number; goes to the vault, unique.", max_length=100
    )


@router.post("", status_code=201, summary="登记执法人员 Register an inspector")
@does()
def register_inspector(
    body: InspectorRegistration, command: Command = create("inspector.change")
) -> Response:
    """Enters an inspector or expert of a region's agency."""
    person = {"name": body.name, "phone": body.phone, "certificate_no": body.certificate_no}
    facts = struct_of(body, InspectorFacts)
    return command.run(
        body,
        lambda call: inspectors.register_inspector(
            command.office,
            call,
            region=body.region,
            person=person,
            facts=facts,
            provenance=body.provenance(),
        ),
        place=PLACE,
    )


@router.get("", summary="执法人员名录 List inspectors")
@lists(InspectorEntry)
def read_inspectors(
    page: Annotated[Page, Depends()],
    region: str = "",
    kind: str = "",
    role_class: str = "",
    skill: str = "",
    status: Annotated[str, Query(description="listed (default), removed, or empty for both.")] = "listed",
    asked: Asked = ask("inspector.read"),
) -> Response:
    """People of the caller's regions in the order of registration, without names."""
    with asked.views() as views:
        rows = list_inspectors(
            views,
            asked.regions("inspector.read", region),
            kind=kind,
            role_class=role_class,
            skill=skill,
            status=status,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows)


@router.get("/{id}", summary="执法人员 One inspector")
@shows(InspectorEntry, etag=True)
def read_inspector(id: str, request: Request, asked: Asked = ask("inspector.read")) -> Response:
    """The person as the registry has him now, without his name."""
    with asked.views() as views:
        inspector = found(get_inspector(views, id), "inspector", id)
    asked.require("inspector.read", inspector.region)
    return show_one(request, inspector, inspector.version)


@router.put("/{id}", summary="变更执法人员 Change an inspector")
@does()
def change_inspector(
    id: str, body: InspectorWriting, command: Command = change("inspector.change")
) -> Response:
    """Sets all facts anew: skills, areas, certificate, relations."""
    facts = struct_of(body, InspectorFacts)
    return command.run(
        body,
        lambda call: inspectors.change_inspector(
            command.office, call, id, facts=facts, provenance=body.provenance()
        ),
    )


@router.post("/{id}/removal", summary="执法人员出库 Remove an inspector")
@does()
def remove_inspector(id: str, body: Sourced, command: Command = change("inspector.change")) -> Response:
    """Takes the person off the registry; history stays."""
    return command.run(
        body,
        lambda call: inspectors.remove_inspector(command.office, call, id, provenance=body.provenance()),
    )
