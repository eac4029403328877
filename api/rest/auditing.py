"""Verify anything: a receipt, a position, a hash; and the whole ledger to take along."""

from collections.abc import Iterator
from itertools import chain
from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.access import Asked, everybody
from api.bootstrap import Audit, Found, LedgerExport, Lookup, archive, sealed_now, states_of
from api.rest.commands import Command, create, head_of, projected
from api.rest.description import gives, shows
from api.rest.fields import Reasoned
from api.rest.presenting import show
from application.exports import ExportsBusy, note_export
from domain.ledger.errors import LedgerError
from domain.ledger.proof import digest_of, position_of

public = APIRouter(prefix="/ledger", tags=["ledger"])
router = APIRouter(prefix="/ledger", tags=["ledger"])
ARCHIVE: Final = "application/gzip"
MOST: Final = 20_000
"""How long a receipt may be to be asked about in an address; others are checked on the command line."""
AT_ONCE: Final = 2
"""How many public exports a process sends at a time: mirrors copy the tiles, which cost nothing."""

_SENDING: Final = BoundedSemaphore(AT_ONCE)


class ExportAsked(Reasoned):
    """Why the states are taken out, and whether those that tell sealed results are among them."""

    reason: str = Field(description="理由 The reason; it is recorded.", max_length=2000)
    sealed: bool = Field(
        default=False,
        description="连同未启封抽取的结果。 Also what draws not opened yet decided: needs draw.read-sealed.",
    )


@public.get("/entries/{idx}", summary="条目 An entry of the ledger")
@shows(Found)
def read_entry(idx: int, asked: Asked = everybody()) -> Response:
    """What is public of an event, proved under a checkpoint: when, which stream, topic and version."""
    return show(_lookup(asked).entry(idx))


@public.get("/lookup", summary="核验回执、哈希或位置 Verify anything")
@shows(Found)
def look_up(
    what: Annotated[
        str,
        Query(
            description="回执全文、哈希或位置 A receipt's text, a hash (hex or base64), or a position.",
            max_length=MOST,
        ),
    ],
    asked: Asked = everybody(),
) -> Response:
    """A receipt is checked against the entry at its position. A hash may be a checkpoint's root, an entry's
    leaf, or a state's; of the entries the newest 100,000 are searched.
    """
    lookup, digest, position = _lookup(asked), digest_of(what), position_of(what)
    if digest is not None:
        return show(lookup.hash(digest))
    if position is not None:
        return show(lookup.entry(position))
    try:
        return show(lookup.receipt(what.encode()))
    except LedgerError as error:
        return show(Found(kind="receipt", proved=False, reason=str(error)))


@public.get("/export", summary="导出账本 The whole ledger as an archive")
@gives(ARCHIVE)
def export_public(asked: Asked = everybody()) -> Response:
    """Tiles, entries, checkpoints, trust policy and VERIFY.md, as of one checkpoint; no states."""
    export = _audit(asked).export()
    chunks = _one_of_few(archive(export))
    # Begun here, so that whoever drops it, before the first byte or in the middle, gives the place back.
    return _sent(export, chain([next(chunks)], chunks))


@router.post("/exports", summary="导出账本（含原文）The whole ledger with states")
@gives(ARCHIVE)
def export_states(body: ExportAsked, command: Command = create("ledger.export")) -> Response:
    """The same with what every event says; recorded with its reason before the first byte is sent."""
    system = command.system
    hidden = sealed_now(system.store)
    draws = hidden.draws if body.sealed else ()
    call = command.reading(body)
    note_export(command.office, call, system.settings.region, reason=body.reason, sealed=draws)
    export = _audit(command).export()
    export = export.telling(states_of(system.store, hidden, with_sealed=body.sealed))
    response = _sent(export, archive(export))
    response.headers.update(projected(command, head_of(command)))
    return response


def _audit(asked: Asked) -> Audit:
    return Audit(asked.system.settings, asked.system.clock)


def _lookup(asked: Asked) -> Lookup:
    return _audit(asked).lookup(asked.system.trust.policy())


def _sent(export: LedgerExport, chunks: Iterator[bytes]) -> StreamingResponse:
    name = f'attachment; filename="ledger-{export.checkpoint.size}.tar.gz"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return StreamingResponse(chunks, media_type=ARCHIVE, headers=headers)


def _one_of_few(chunks: Iterator[bytes]) -> Iterator[bytes]:
    if not _SENDING.acquire(blocking=False):
        raise ExportsBusy()
    try:
        yield from chunks
    finally:
        _SENDING.release()
