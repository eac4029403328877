"""Reading personal data out of the vault: with a reason, and the reading is recorded before the answer."""

from collections.abc import Mapping
from datetime import date

import msgspec
from fastapi import APIRouter, Response
from msgspec.structs import replace

from api.rest.commands import Command, create, head_of, projected
from api.rest.description import shows
from api.rest.fields import Reasoned
from api.rest.presenting import found, show
from application.persons import read_persons
from projections.inspectors import get_inspector
from projections.persons import slots_of
from projections.sites import get_site

router = APIRouter()


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the vault holds of a person; empty once it was erased, with the day and the ground."""

    person: str
    value: Mapping[str, str]
    erased: bool = False
    erased_on: date | None = None
    erased_ground: str = ""


@router.post("/inspectors/{id}/readings", summary="查阅人员信息 Read a person", tags=["inspectors"])
@shows(PersonShown)
def read_inspector_person(id: str, body: Reasoned, command: Command = create("person.read")) -> Response:
    """Name, phone and certificate number of an inspector; the reading is recorded with its reason."""
    with command.views() as views:
        inspector = found(get_inspector(views, id), "inspector", id)
    return _read(command, body, inspector.person, inspector.region)


@router.post("/sites/{id}/readings", summary="查阅联系人 Read a site's contact", tags=["sites"])
@shows(PersonShown)
def read_site_person(id: str, body: Reasoned, command: Command = create("person.read")) -> Response:
    """The contact of a site; the reading is recorded with its reason."""
    with command.views() as views:
        site = found(get_site(views, id), "site", id)
    return _read(command, body, found(site.person or None, "person", id), site.region)


def _read(command: Command, body: Reasoned, person: str, region: str) -> Response:
    call = command.reading(body)
    value = read_persons(command.office, call, [person], region=region, reason=body.reason)
    headers = projected(command, head_of(command))
    with command.views() as views:
        slot = slots_of(views, [person]).get(person)
    shown = PersonShown(person=person, value=value.get(person, {}))
    if slot is not None:
        shown = replace(shown, erased=True, erased_on=slot.erased_on, erased_ground=slot.ground)
    return show(shown, headers=headers)
