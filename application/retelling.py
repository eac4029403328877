"""Replay of what concerns a subject: events of many streams, and the states of these streams.

Which events those are, a read model knows; here they are read from the store itself. One page at a time
is in memory, however long the history of an enterprise is.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from application.office import Office
from application.ports import Answer
from application.readings import note_readings, sealed_draw
from application.replay import History, Kept, Moment, Told, decode, facts_of, tell, unfold
from application.unfolding import Change, Unfolding
from application.workflow import Call
from domain.aggregate import DomainEvent
from domain.draw import Draw

NOW: Final = Moment()


class Mentioned(Protocol):
    """An event of which a read model says that it concerns the subject."""

    @property
    def idx(self) -> int: ...
    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one stream as of a moment.

    `version` and `position` (an `idx`) are those of the last event that holds by then. `sealed`: the draw is
    not opened, and the state, which would tell its result, is left out.
    """

    stream: str
    kind: str
    version: int
    position: int
    state: dict[str, Any]
    sealed: bool = False


def telling(office: Office, streams: Collection[str]) -> frozenset[str]:
    """Those of the streams that are draws whose own events tell what is sealed."""
    draws = {stream for stream in streams if stream.startswith("draw-")}
    return frozenset(draw for draw in draws if sealed_draw(office, draw))


def note_search(office: Office, call: Call, subject: str, draws: Collection[str], *, reason: str) -> Answer:
    """Record, before anything is shown, that somebody looks for what sealed draws decided on a subject.

    The draws are all that may be searched, whether they decided on it or not: the record itself, which others
    read without a reason, must not tell which.
    """
    for draw in sorted(draws):
        call.require("draw.read-sealed", office.workflow.load(Draw, draw).region)
    subjects = tuple(dict.fromkeys((*sorted(draws), subject)))
    return note_readings(office, call, subjects, reason=reason)


def retell(
    office: Office,
    mentioned: Sequence[Mentioned],
    *,
    history: History,
    moment: Moment = NOW,
    full: bool = False,
    withheld: Collection[str] = (),
) -> list[Told]:
    """The events, in the order in which they are mentioned; `full`: with what each changed.

    `withheld` are draws (see `telling`) of which only what everybody may know is told.
    """
    stored = {kept.idx: kept for kept in history.among([one.idx for one in mentioned])}
    changed = _changed(office, mentioned, history, moment, withheld) if full else {}
    return [
        _told(stored[one.idx], decode(office, stored[one.idx]), changed.get(one.idx, ()), withheld)
        for one in mentioned
    ]


def stand_of(
    office: Office,
    streams: Sequence[str],
    *,
    history: History,
    moment: Moment = NOW,
    withheld: Collection[str] = (),
) -> Iterator[Stand]:
    """The state of each stream as of the moment, one after the other."""
    for stream in streams:
        sealed = stream in withheld
        unfolding, last = Unfolding(), None
        for kept, event in unfold(office, history, stream, moment):
            last = kept
            if not sealed:
                unfolding.apply(event)
        if last is not None:
            yield Stand(
                stream=stream,
                kind=last.topic.split(".", 1)[0],
                version=last.ver,
                position=last.idx,
                state=unfolding.state,
                sealed=sealed,
            )


def _changed(
    office: Office,
    mentioned: Sequence[Mentioned],
    history: History,
    moment: Moment,
    withheld: Collection[str],
) -> Mapping[int, tuple[Change, ...]]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for one in mentioned:
        if one.stream not in withheld:
            wanted[one.stream].add(one.version)
    found: dict[int, tuple[Change, ...]] = {}
    for stream, versions in wanted.items():
        unfolding = Unfolding()
        for kept, event in unfold(office, history, stream, moment, last=max(versions)):
            if kept.ver in versions:
                found[kept.idx] = unfolding.observe(event)
            else:
                unfolding.apply(event)
    return found


def _told(kept: Kept, event: DomainEvent, changes: tuple[Change, ...], withheld: Collection[str]) -> Told:
    told = tell(kept, event, changes)
    if kept.stream not in withheld:
        return told
    return msgspec.structs.replace(told, facts=_open_facts(event), sealed=True)


def _open_facts(event: DomainEvent) -> dict[str, Any]:
    """What everybody may know of a step of a draw that is not opened."""
    hide = _HIDDEN.get(type(event))
    facts = facts_of(event)
    return facts if hide is None else hide(facts)


_HIDDEN: Final[Mapping[type[DomainEvent], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    Draw.Revealed: lambda facts: {**facts, "secret": ""},
    Draw.ValueTyped: lambda facts: {**facts, "value": ""},
    Draw.Completed: lambda facts: {**facts, "result": {"sums": facts["result"]["sums"]}},
    Draw.Changed: lambda facts: {**facts, "change": {}},
}
