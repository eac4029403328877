"""Replay: of a stream, of all that concerns a subject, and of what one request caused."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime

from api.access import Asked, ask
from api.histories import Historian, Question, Retold
from api.rest.description import lists, shows
from api.rest.presenting import Page, show
from api.retelling import ToldInWords, put_in_words
from application.replay import Story, replay
from application.retelling import Stand
from application.slots import ErasedSlot

router = APIRouter(tags=["history"])


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's events up to a moment, and the state they led to; empty if it had not begun by then.

    `erased` names the people in it whose personal data was erased since, with day and ground.
    """

    stream: str
    kind: str
    log: str
    at: datetime | None
    as_recorded_at: datetime | None
    events: list[ToldInWords]
    state: dict[str, Any]
    erased: tuple[ErasedSlot, ...]


class Standing(Stand, frozen=True, kw_only=True):
    """The state of a stream; `idx` is that of its first event that concerns the subject."""

    idx: int


At = Annotated[AwareDatetime | None, Query(description="截至发生时间 Only what had happened by then.")]
Known = Annotated[
    AwareDatetime | None, Query(description="截至记录时间 Only what had been recorded by then.")
]
Reason = Annotated[
    str, Query(description="查阅理由 Needed for what a sealed draw decided; recorded.", max_length=2000)
]
ByHappened = Annotated[
    bool, Query(description="按发生时间排序 In the order in which it happened, not of the log.")
]
Full = Annotated[bool, Query(description="完整 With all facts, command, changes and the receipt's address.")]


@router.get("/streams/{id}", summary="回放事件流 Replay a stream")
@shows(Replay)
def read_stream(
    id: str,
    at: At = None,
    as_recorded_at: Known = None,
    reason: Reason = "",
    full: Full = True,
    asked: Asked = ask("stream.replay"),
) -> Response:
    """Every event of any stream in order, with both times, the actor, words, and the state as of then.

    A state takes in the events in the order of the log, also those told late; `at` leaves out what
    happened later.
    """
    story = replay(
        asked.office,
        asked.call(),
        id,
        history=asked.system.store.recorder,
        home=asked.system.settings.region,
        at=at,
        as_recorded_at=as_recorded_at,
        reason=reason,
    )
    return show(_replayed(asked, story, at, as_recorded_at, full=full))


@router.get("/replay/{subject:path}", summary="回放对象 Replay all that concerns a subject")
@lists(ToldInWords)
def replay_subject(
    page: Annotated[Page, Depends()],
    subject: str,
    at: At = None,
    as_recorded_at: Known = None,
    by_happened: ByHappened = False,
    full: Full = False,
    reason: Reason = "",
    asked: Asked = ask("stream.replay"),
) -> Response:
    """The events of all streams that concern an enterprise (USCC), a site, an inspector, a draw, an account,
    a plan row (`plan-…/01`) or any stream, each with both times and its actor.

    What belongs to other regions than yours is left out. So is what sealed draws decided, unless you give
    a reason, which is recorded first. In full each event tells what it changed in the state of its stream.
    """
    question = Question(
        at=at,
        as_recorded_at=as_recorded_at,
        by_happened=by_happened,
        full=full,
        reason=reason,
        after=page.after,
        limit=page.limit,
    )
    rows = _historian(asked).subject(subject, question)
    return page.show(rows, lambda row: put_in_words(row, asked.language, full=full))


@router.get("/states/{subject:path}", summary="当时的状态 States of all that concerns a subject")
@lists(Standing)
def read_states(
    page: Annotated[Page, Depends()],
    subject: str,
    at: At = None,
    as_recorded_at: Known = None,
    reason: Reason = "",
    asked: Asked = ask("stream.replay"),
) -> Response:
    """The state of each stream that concerns a subject, as of a moment, in the order in which they came
    to concern it. Of draws that are not opened it is told only with a reason, which is recorded first.
    """
    question = Question(
        at=at, as_recorded_at=as_recorded_at, reason=reason, after=page.after, limit=page.limit
    )
    rows = [
        Standing(idx=idx, **msgspec.structs.asdict(stand))
        for idx, stand in _historian(asked).stands(subject, question)
    ]
    return page.show(rows)


@router.get("/requests/{correlation_id:path}", summary="一次请求 All events of one request")
@lists(ToldInWords)
def read_request(
    page: Annotated[Page, Depends()],
    correlation_id: str,
    full: Full = True,
    reason: Reason = "",
    asked: Asked = ask("stream.replay"),
) -> Response:
    """All that one command caused, in all streams of your regions: by whom, when, and what it changed."""
    question = Question(full=full, reason=reason, after=page.after, limit=page.limit)
    rows = _historian(asked).request(correlation_id, question)
    return page.show(rows, lambda row: put_in_words(row, asked.language, full=full))


def _historian(asked: Asked) -> Historian:
    return Historian(system=asked.system, call=asked.call(), reading=asked.views)


def _replayed(
    asked: Asked, story: Story, at: datetime | None, as_recorded_at: datetime | None, *, full: bool
) -> Replay:
    return Replay(
        stream=story.stream,
        kind=story.kind,
        log=asked.office.ledger.origin,
        at=at,
        as_recorded_at=as_recorded_at,
        events=[put_in_words(Retold(told=told), asked.language, full=full) for told in story.events],
        state=story.state,
        erased=story.erased,
    )
