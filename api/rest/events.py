"""The feed of events for machines: ledger entries as NDJSON, long poll, from any position on."""

import time
from collections.abc import Sequence
from typing import Annotated, Final

import anyio
import anyio.to_thread
import msgspec
from fastapi import APIRouter, Query, Response

from api.access import Asked, ask
from api.rest.commands import POSITION
from api.rest.description import gives
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import Note

router = APIRouter(tags=["history"])
NDJSON: Final = "application/x-ndjson"
CHECKPOINT: Final = "Sunlot-Checkpoint"
POLL_SECONDS: Final = 0.2


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the ledger has it: the log's name and the entry's own fields.

    What the event says is read from its resource, by whoever may; `state` is the SHA-256 of its state.
    """

    log: str
    idx: int
    at: str
    stream: str
    topic: str
    ver: int
    state: str
    prev: str


@router.get("/events", summary="事件流 Feed of events")
@gives(NDJSON)
async def read_events(
    after: Annotated[
        int, Query(ge=-1, le=2**53, description="The last position that was read; -1 for none.")
    ] = -1,
    limit: Annotated[int, Query(ge=1, le=5000, description="The most lines.")] = 1000,
    wait: Annotated[int, Query(ge=0, le=30, description="Seconds to wait where there is nothing new.")] = 0,
    asked: Asked = ask("event.feed"),
) -> Response:
    """One JSON line an event, in the order of the log, without gaps. Ask again from the last `idx`."""
    deadline = time.monotonic() + wait
    while True:
        lines = await anyio.to_thread.run_sync(_lines, asked, after, limit)
        if lines or time.monotonic() >= deadline:
            break
        await anyio.sleep(POLL_SECONDS)
    size = await anyio.to_thread.run_sync(_published_size, asked)
    log = asked.office.ledger.origin
    position = lines[-1].idx if lines else after
    headers = {POSITION: f"{log}/{position}", CHECKPOINT: f"{log}/{size}"}
    return Response(msgspec.json.Encoder().encode_lines(lines), media_type=NDJSON, headers=headers)


def _lines(asked: Asked, after: int, limit: int) -> Sequence[FeedLine]:
    log = asked.office.ledger.origin
    return [
        msgspec.convert({"log": log, **msgspec.json.decode(row.entry)}, FeedLine)
        for row in asked.system.store.recorder.rows(after + 1, limit)
    ]


def _published_size(asked: Asked) -> int:
    note = asked.system.published.checkpoint()
    return Checkpoint.parse(Note.parse(note).text).size if note else 0
