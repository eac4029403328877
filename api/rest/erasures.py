"""People of the vault: whose data is due, and its erasure, asked by one person and decided by another.

No answer holds personal data: a person is a reference, and where data was erased the answer says so.
"""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from api.access import Asked, ask
from api.rest.commands import Command, Step, change, create, etag
from api.rest.description import does, lists, shows
from api.rest.fields import Reasoned, choice
from api.rest.presenting import Page, found, show
from application import erasure
from domain.person import GROUNDS, KINDS, retain_until
from projections.persons import PersonEntry, get_person, list_due, list_persons

router = APIRouter(prefix="/persons", tags=["persons"])
PLACE = "/api/v1/persons/{id}"

Kind = Annotated[str, Query(description=f"{', '.join(KINDS)}, or empty for all.", max_length=20)]


class Erasing(Reasoned):
    """Why the data is to go: a ground of the law, and the facts behind it, without personal data."""

    ground: str = choice(GROUNDS, "事由 Ground (个人信息保护法 第四十七条).")


class PersonStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person stands. `retain_until` is the first day on which the data need not be kept any more.

    It follows from the day of leaving and the rules in force today; null for who has not left.
    """

    entry: PersonEntry
    retain_until: date | None
    erased: bool


@router.get("", summary="个人信息列表 List people of the vault")
@lists(PersonStanding)
def read_persons(
    page: Annotated[Page, Depends()],
    region: str = "",
    kind: Kind = "",
    status: Annotated[str, Query(description="kept, asked, refused, erased, or empty for all.")] = "",
    asked: Asked = ask("erasure.read"),
) -> Response:
    """People in the order in which they came, by reference; `status=asked` waits for a decision."""
    with asked.views() as views:
        rows = list_persons(
            views,
            asked.regions("erasure.read", region),
            kind=kind,
            status=status,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows, _presenting(asked))


@router.get("/retention", summary="保存期限届满 Whose data need not be kept any more")
@lists(PersonStanding)
def read_due(
    page: Annotated[Page, Depends()],
    due_by: Annotated[date | None, Query(description="截至日期 The day; today where none is given.")] = None,
    region: str = "",
    kind: Kind = "",
    asked: Asked = ask("erasure.read"),
) -> Response:
    """Those who left so long ago that the law no longer asks for their data, which is still there."""
    years = erasure.retention(asked.office.rules(asked.today))
    with asked.views() as views:
        rows = list_due(
            views,
            asked.regions("erasure.read", region),
            years=years,
            due_by=due_by or asked.today,
            kind=kind,
            after=page.after,
            limit=page.one_more,
        )
    return page.show(rows, _presenting(asked))


@router.get("/{id}", summary="个人信息的去留 Where a person's data stands")
@shows(PersonStanding, etag=True)
def read_person(id: str, request: Request, asked: Asked = ask("erasure.read")) -> Response:
    """Since when the person has left, until when the data is kept, what was asked and decided.

    The ETag is for a decision; there is none before the first request.
    """
    with asked.views() as views:
        row = found(get_person(views, id), "person", id)
    asked.require("erasure.read", row.region or None)
    tag = {"ETag": etag(row.version)} if row.version else {}
    return show(_presenting(asked)(row), headers={**tag, "Cache-Control": "no-cache"})


@router.post("/{id}/erasure", status_code=201, summary="申请擦除 Ask for an erasure")
@does()
def ask_erasure(id: str, body: Erasing, command: Command = create("erasure.ask")) -> Response:
    """Asks to erase the data on a ground of the law; refused before any event while it is still needed."""
    return command.run(
        body,
        lambda call: erasure.ask_erasure(command.office, call, id, ground=body.ground, reason=body.reason),
        place=PLACE,
    )


@router.post("/{id}/erasure/approval", summary="同意擦除 Approve and erase")
@does(originals=["intake-0f1e2d3c4b5a69788796a5b4c3d2e1f0"])
def approve_erasure(
    id: str, body: Step | None = None, command: Command = change("erasure.decide")
) -> Response:
    """Approves as the second person: value, salt and unique key are gone with the answer, for ever.

    With them go an account's login name, and the originals of imports that name the person.
    """
    return command.run(body, lambda call: erasure.approve_erasure(command.office, call, id))


@router.post("/{id}/erasure/refusal", summary="不同意擦除 Refuse an erasure")
@does()
def refuse_erasure(id: str, body: Reasoned, command: Command = change("erasure.decide")) -> Response:
    """Refuses what was asked; the data stays."""
    return command.run(
        body, lambda call: erasure.refuse_erasure(command.office, call, id, reason=body.reason)
    )


class _Presenting:
    """Rows with the day until which the rules keep them."""

    def __init__(self, years: dict[str, int]) -> None:
        self._years = years

    def __call__(self, row: PersonEntry) -> PersonStanding:
        kept = retain_until(row.left_on, self._years[row.kind]) if row.left_on else None
        return PersonStanding(entry=row, retain_until=kept, erased=row.status == "erased")


def _presenting(asked: Asked) -> _Presenting:
    return _Presenting(erasure.retention(asked.office.rules(asked.today)))
