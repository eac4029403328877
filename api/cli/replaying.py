"""`replay`: any stream's story in words, as it happened or as it was known, with both times."""

from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer

from api.cli.commands import asks
from api.cli.desk import Desk
from api.cli.options import argument, option, read_moment
from api.telling import tell
from application.replay import Story, Told, replay
from application.workflow import Call

Moment = Annotated[
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


def add_replay(app: typer.Typer) -> None:
    """Add the command."""
    asks(app, "replay")(tell_story)


def tell_story(
    desk: Desk,
    call: Call,
    stream: Annotated[str, argument("The stream's id, such as site-… 事件流编号.")],
    at: Moment = None,
    as_recorded_at: Known = None,
    reason: Annotated[
        str, option("--reason", help="Needed for what a sealed draw decided; recorded first 查阅理由.")
    ] = "",
    full: Annotated[bool, option("--full", help="Also every fact and the state 连同全部内容.")] = False,
) -> None:
    """Tell a stream's story: each event with who, when it happened and when it was recorded 回放."""
    story = replay(
        desk.office,
        call,
        stream,
        moments=desk.system.store.recorder,
        at=at,
        as_recorded_at=as_recorded_at,
        reason=reason,
    )
    if desk.terminal.json:
        desk.terminal.give(_plain(desk, story))
        return
    desk.terminal.say("story", stream=story.stream, kind=story.kind, count=len(story.events))
    for event in story.events:
        _show(desk, event, full=full)
    if full:
        desk.terminal.say("story-state")
        desk.terminal.line(_pretty(story.state))


def _show(desk: Desk, event: Told, *, full: bool) -> None:
    terminal = desk.terminal
    terminal.line("")
    terminal.line(f"{event.version}. {tell(event.topic, event.facts, terminal.language)}")
    terminal.say(
        "story-times", occurred=event.occurred_at, recorded=event.recorded_at, by=event.by, idx=event.idx
    )
    if event.on_behalf_of:
        terminal.say("story-deputy", person=event.on_behalf_of)
    if event.late:
        terminal.say("story-late", delay=_length(event.delay))
    if full:
        terminal.line(_pretty({"topic": event.topic, **event.facts}))


def _plain(desk: Desk, story: Story) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(story)
    events = [
        {**one, "told": tell(event.topic, event.facts, desk.terminal.language)}
        for one, event in zip(plain["events"], story.events, strict=True)
    ]
    return {**plain, "events": events}


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()


def _length(delay: timedelta) -> str:
    hours, rest = divmod(int(delay.total_seconds()), 3600)
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h {rest // 60} min"
