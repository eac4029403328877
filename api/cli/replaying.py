"""`replay`: a stream, all that concerns a subject, or what one request caused, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
import typer

from api.cli.commands import asks
from api.cli.desk import Desk
from api.cli.options import After, argument, option, read_moment
from api.cli.terminal import Terminal
from api.histories import Historian, Question, Retold
from api.retelling import ToldInWords, put_in_words
from api.telling import EMPTY, shown, tell, tell_delay, tell_time
from application.replay import Told, replay
from application.retelling import Stand
from application.unfolding import Change
from application.workflow import Call

OF_SUBJECTS: Final = "inspector-"
"""The streams of which people mean all that concerns them, unless they say otherwise."""

At = Annotated[
    datetime | None,
    option("--at", parser=read_moment, metavar="TIME", help="Only what had happened by then 截至发生时间."),
]
Known = Annotated[
    datetime | None,
    option(
        "--as-recorded-at",
        parser=read_moment,
        metavar="TIME",
        help="Only what was recorded by then 截至记录时间.",
    ),
]
What = Annotated[
    str,
    argument(
        "A stream (site-…), an enterprise (USCC), a plan row (plan-…/01), an inspector, an account "
        "事件流、企业、计划任务、人员或账号."
    ),
]
Whole = Annotated[
    bool | None,
    option(
        "--all/--own",
        help="All that concerns it, or its own events alone 全部相关或仅自身事件.",
    ),
]
ByHappened = Annotated[
    bool, option("--by-happened", help="In the order in which it happened 按发生时间排序.")
]
Full = Annotated[
    bool, option("--full/--compact", help="Facts, command, changes, receipt; or a line each 完整或简要.")
]
Request = Annotated[str, option("--request", metavar="ID", help="All that one request caused 一次请求.")]
States = Annotated[
    bool, option("--states", help="The states of all streams that concern it 当时各事件流的状态.")
]
Why = Annotated[
    str, option("--reason", help="Needed for what a sealed draw decided; recorded first 查阅理由.")
]
Most = Annotated[int, option("--limit", min=1, max=1000, help="The most events at once 最多事件数.")]


@dataclass(frozen=True)
class Teller:
    """Tells events to people: a line each, or in full."""

    terminal: Terminal
    full: bool

    def tell(self, told: Told, retold: Retold | None = None) -> None:
        """One event."""
        if self.full:
            self._tell_all(told, retold)
        else:
            self._say(
                "story-line",
                idx=told.idx,
                when=tell_time(told.occurred_at),
                late=self._late(told),
                by=told.by,
                told=self._words(told),
            )

    def show_state(self, state: dict[str, Any]) -> None:
        """A state, all of it."""
        self._say("story-state")
        self.terminal.line(_pretty(state))

    def _tell_all(self, told: Told, retold: Retold | None) -> None:
        self.terminal.line("")
        self._say(
            "story-event", idx=told.idx, stream=told.stream, version=told.version, told=self._words(told)
        )
        self._say("story-times", occurred=tell_time(told.occurred_at), recorded=tell_time(told.recorded_at))
        self._say("story-by", by=told.by, command=told.causation_id, request=told.correlation_id)
        if told.on_behalf_of:
            self._say("story-deputy", person=told.on_behalf_of)
        if told.late:
            self._say("story-late", delay=self._delay(told))
        if told.sealed:
            self._say("story-sealed")
        for change in told.changes:
            self._tell_change(change)
        self._tell_siblings(retold)
        self._say("story-receipt", idx=told.idx)
        self.terminal.line(_pretty({"topic": told.topic, **told.facts}))

    def _tell_change(self, change: Change) -> None:
        before, after = (
            shown(one, self.terminal.language, change.field) for one in (change.before, change.after)
        )
        if before != EMPTY or after != EMPTY:
            field = self.terminal.column(change.field)
            self._say("story-change", field=field, before=before, after=after)

    def _tell_siblings(self, retold: Retold | None) -> None:
        for one in retold.siblings if retold else ():
            self._say("story-sibling", idx=one.idx, stream=one.stream, version=one.version, topic=one.topic)
        if retold and retold.more:
            self._say("story-siblings", request=retold.told.correlation_id)

    def _late(self, told: Told) -> str:
        return self.terminal.text("story-late-mark", delay=self._delay(told)) if told.late else ""

    def _delay(self, told: Told) -> str:
        return tell_delay(told.delay, self.terminal.language)

    def _words(self, told: Told) -> str:
        return tell(told.topic, told.facts, self.terminal.language)

    def _say(self, key: str, **facts: Any) -> None:
        self.terminal.say(key, **facts)


def add_replay(app: typer.Typer) -> None:
    """Add the command."""
    asks(app, "replay")(tell_story)


def tell_story(
    desk: Desk,
    call: Call,
    what: What = "",
    at: At = None,
    as_recorded_at: Known = None,
    whole: Whole = None,
    by_happened: ByHappened = False,
    full: Full = False,
    request: Request = "",
    states: States = False,
    reason: Why = "",
    after: After = None,
    limit: Most = 200,
) -> None:
    """Tell what happened: each event with who, when it happened and when it was recorded 回放."""
    if bool(what) == bool(request):
        raise typer.BadParameter("name either what to replay, or a --request", param_hint="WHAT")
    question = Question(
        at=at,
        as_recorded_at=as_recorded_at,
        by_happened=by_happened,
        full=full,
        reason=reason,
        after=after,
        limit=limit,
    )
    historian = Historian(system=desk.system, call=call, reading=desk.reading)
    if request:
        _tell_page(desk, request, historian.request(request, question), question)
    elif states:
        _tell_states(desk, what, historian.stands(what, question), question)
    elif _concerns(what) if whole is None else whole:
        _tell_page(desk, what, historian.subject(what, question), question)
    else:
        _tell_stream(desk, call, what, question)


def _concerns(what: str) -> bool:
    """Whether people mean all that concerns it: what is no stream, and the people in it."""
    return "-" not in what or "/" in what or what.startswith(OF_SUBJECTS)


def _tell_stream(desk: Desk, call: Call, stream: str, question: Question) -> None:
    story = replay(
        desk.office,
        call,
        stream,
        history=desk.system.store.recorder,
        home=desk.system.settings.region,
        at=question.at,
        as_recorded_at=question.as_recorded_at,
        reason=question.reason,
    )
    events = sorted(story.events, key=lambda one: one.occurred_at) if question.by_happened else story.events
    if desk.terminal.json:
        told = {"stream": stream, "kind": story.kind, "state": story.state, "erased": story.erased}
        desk.terminal.give({**told, "events": [_plain(desk, Retold(told=one), question) for one in events]})
        return
    desk.terminal.say("story", stream=stream, kind=story.kind, count=len(events))
    for slot in story.erased:
        desk.terminal.say("story-erased", person=slot.person, day=slot.erased_on, ground=slot.ground)
    teller = Teller(desk.terminal, question.full)
    for event in events:
        teller.tell(event)
    if question.full:
        teller.show_state(story.state)


def _tell_page(desk: Desk, what: str, rows: Sequence[Retold], question: Question) -> None:
    page, after = _page(rows, question)
    if desk.terminal.json:
        events = [_plain(desk, row, question) for row in page]
        desk.terminal.give({"subject": what, "events": events, "next": after})
        return
    desk.terminal.say("story-subject", subject=what, count=len(page))
    teller = Teller(desk.terminal, question.full)
    for row in page:
        teller.tell(row.told, row)
    _tell_next(desk, after)


def _tell_states(desk: Desk, what: str, stands: Sequence[tuple[int, Stand]], question: Question) -> None:
    page = stands[: question.limit]
    after = page[-1][0] if len(stands) > question.limit else None
    if desk.terminal.json:
        desk.terminal.give({"subject": what, "states": [stand for _, stand in page], "next": after})
        return
    teller = Teller(desk.terminal, full=True)
    for _, stand in page:
        desk.terminal.line("")
        desk.terminal.say("story-stand", stream=stand.stream, version=stand.version, idx=stand.position)
        if stand.sealed:
            desk.terminal.say("story-sealed")
        else:
            teller.show_state(stand.state)
    _tell_next(desk, after)


def _page(rows: Sequence[Retold], question: Question) -> tuple[Sequence[Retold], int | None]:
    page = rows[: question.limit]
    return page, page[-1].idx if len(rows) > question.limit else None


def _tell_next(desk: Desk, after: int | None) -> None:
    if after is not None:
        desk.terminal.say("story-next", after=after)


def _plain(desk: Desk, row: Retold, question: Question) -> ToldInWords:
    return put_in_words(row, desk.terminal.language, full=question.full)


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()
