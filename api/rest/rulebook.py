"""The rules in force, with their sources, and their adoption."""

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.access import SIGNED_IN, Asked, ask
from api.rest.commands import Command, Step, change
from api.rest.description import does, shows
from api.rest.presenting import found, show, show_one
from application.accounts import adopt_rulebook
from domain.installation import Adopted, Installation
from domain.rulebook_data import Rulebook

router = APIRouter(prefix="/rulebooks", tags=["rulebook"])


class Adoption(Step):
    """Which version of the rules comes into use."""

    version: str = Field(description="版本 Version of a rulebook at hand.", max_length=100)


class RulebookFile(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook at hand; `digest` is the SHA-256 of its file."""

    version: str
    title: str
    source: str
    digest: str
    effective_from: date
    effective_to: date | None


class RulebooksShown(msgspec.Struct, frozen=True, kw_only=True):
    """The log's beginning, the rulebooks adopted in it, and those at hand."""

    origin: str
    verifier_key: str
    adopted: tuple[Adopted, ...]
    at_hand: tuple[RulebookFile, ...]


@router.get("", summary="规则手册列表 Rulebooks adopted and at hand")
@shows(RulebooksShown, etag=True)
def read_rulebooks(request: Request, asked: Asked = ask(SIGNED_IN)) -> Response:
    """Which rulebooks were adopted, and which could be; the ETag is for an adoption."""
    installation = asked.office.workflow.load(Installation, _stream(asked))
    at_hand = tuple(
        RulebookFile(
            version=loaded.rulebook.version,
            title=loaded.rulebook.title,
            source=loaded.rulebook.source,
            digest=loaded.digest,
            effective_from=loaded.rulebook.effective_from,
            effective_to=loaded.rulebook.effective_to,
        )
        for loaded in asked.system.rulebooks.all
    )
    shown = RulebooksShown(
        origin=installation.origin,
        verifier_key=installation.verifier_key,
        adopted=tuple(installation.rulebooks.values()),
        at_hand=at_hand,
    )
    return show_one(request, shown, installation.version)


@router.get("/in-force", summary="现行规则 The rules of a day")
@shows(Rulebook)
def read_rules(
    day: Annotated[date | None, Query(description="日期 The day; today where none is given.")] = None,
    asked: Asked = ask(SIGNED_IN),
) -> Response:
    """Periods, dates, numbers and lists of codes, each with its source and how far it can be trusted."""
    return show(asked.office.rules(day or asked.today))


@router.post("", summary="启用规则手册 Adopt a rulebook")
@does()
def adopt(body: Adoption, command: Command = change("rulebook.adopt")) -> Response:
    """Brings a version into use, bound to the SHA-256 of its file."""
    loaded = command.system.rulebooks.version(body.version)
    rulebook = Adopted(
        version=loaded.rulebook.version,
        digest=loaded.digest,
        effective_from=loaded.rulebook.effective_from,
    )
    return command.run(body, lambda call: adopt_rulebook(command.office, call, rulebook=rulebook))


def _stream(asked: Asked) -> str:
    return found(asked.office.claims.holder("installation", "1"), "installation", "1")
