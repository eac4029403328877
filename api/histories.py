"""What an auditor asks of a history, the same over REST and on the command line.

A subject (an enterprise, a site, an inspector, a plan row, a draw, an account) has the events of many
streams; a request has all that one command caused. Both come in pages. What belongs to streams of regions
that the caller may not replay is left out, and so is what sealed draws decided, unless a reason is given:
then the reading is recorded before anything is shown.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection

from api.bootstrap import System
from application.authorisation import may, regions
from application.readings import sealed_draw
from application.replay import Moment, Told, require_region
from application.retelling import Stand, note_search, retell, stand_of, telling
from application.workflow import Call
from domain.access import ReadingReasonMissing
from domain.errors import Invalid, NotFound
from domain.identifiers import check_stream_id, check_uscc
from domain.plan import Plan
from projections.draws import list_sealed
from projections.histories import Scope, list_concerned, list_history, list_request
from projections.timeline import TimelineEntry

PERMISSION: Final = "stream.replay"
READ_SEALED: Final = "draw.read-sealed"
SIBLINGS: Final = 10
"""How many other events of its request are named with an event; there is a list of all."""

USCC_LENGTH: Final = 18

SYSTEM: Final = "system"
"""Who does what nobody in particular does."""

Reading = Callable[[], AbstractContextManager[Connection]]


class SubjectWrong(Invalid):
    """Nothing that has a history: neither a stream, nor a plan row, nor an enterprise; facts: `value`."""

    code = "subject-wrong"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a history is asked for, and how. `after` is the `idx` of the last event of a page."""

    at: datetime | None = None
    as_recorded_at: datetime | None = None
    by_happened: bool = False
    full: bool = False
    reason: str = ""
    after: int | None = None
    limit: int = 50

    @property
    def moment(self) -> Moment:
        """As of when."""
        return Moment(at=self.at, as_recorded_at=self.as_recorded_at)


class Sibling(msgspec.Struct, frozen=True, kw_only=True):
    """Another event of the same request."""

    idx: int
    stream: str
    version: int
    topic: str


class Retold(msgspec.Struct, frozen=True, kw_only=True):
    """An event and, where all was asked for, others of its request; `more`: there are still others."""

    told: Told
    siblings: tuple[Sibling, ...] = ()
    more: bool = False

    @property
    def idx(self) -> int:
        """Its place in the log."""
        return self.told.idx


class Historian(msgspec.Struct, frozen=True, kw_only=True):
    """Answers one caller's questions. `reading` opens the read models."""

    system: System
    call: Call
    reading: Reading

    def subject(self, subject: str, question: Question) -> list[Retold]:
        """The events that concern a subject, one more than the page holds if there are more.

        `NotFound` for a subject without any that the caller may see; `SubjectWrong`, `UsccWrong`.
        """
        self._require(subject)
        scope = self._scope(question)
        with self.reading() as views:
            entries = list_history(
                views,
                subject,
                scope,
                by_happened=question.by_happened,
                after=question.after,
                limit=question.limit + 1,
            )
        if not entries and question.after is None:
            self._miss(subject, question)
        return self._retold(entries, subject, question, scope)

    def request(self, correlation_id: str, question: Question) -> list[Retold]:
        """All events of one request, one more than the page holds if there are more; `NotFound`."""
        self.call.require(PERMISSION, None)
        scope = self._scope(question)
        with self.reading() as views:
            entries = list_request(
                views, correlation_id, scope, after=question.after, limit=question.limit + 1
            )
        if not entries and question.after is None:
            raise NotFound(kind="request", id=correlation_id)
        return self._retold(entries, correlation_id, question, scope)

    def stands(self, subject: str, question: Question) -> list[tuple[int, Stand]]:
        """The state of each stream that concerns a subject, after its place; one more than the page holds."""
        self._require(subject)
        scope = self._scope(question)
        with self.reading() as views:
            found = list_concerned(views, subject, scope, after=question.after, limit=question.limit + 1)
        if not found and question.after is None:
            self._miss(subject, question)
        places = {one.stream: one.idx for one in found}
        stands = stand_of(
            self.system.office,
            list(places),
            history=self.system.store.recorder,
            moment=question.moment,
            withheld=self._withheld(subject, question, places),
        )
        return [(places[stand.stream], stand) for stand in stands]

    def _require(self, subject: str) -> None:
        """Refuse what is no subject, and who may not replay in the region where it belongs."""
        self.call.require(PERMISSION, None)
        stream, _, row = subject.partition("/")
        if stream == SYSTEM and not row:
            self.call.require(PERMISSION, self.system.settings.region)
        elif row:
            self._require_row(stream, row)
        elif "-" in stream:
            require_region(self.system.office, self.call, check_stream_id(stream), self._home)
        elif len(stream) == USCC_LENGTH:
            check_uscc(stream)
        else:
            raise SubjectWrong("/subject", value=subject)

    def _require_row(self, plan: str, row: str) -> None:
        found = self.system.office.workflow.load(Plan, check_stream_id(plan))
        self.call.require(PERMISSION, found.region)

    def _scope(self, question: Question) -> Scope:
        actor, day = self.call.actor, self.call.act.taken_on
        return Scope(
            regions=regions(actor, PERMISSION, on=day),
            home=may(actor, PERMISSION, self._home, on=day),
            sealed=self._readable() if question.reason.strip() else (),
            at=question.at,
            as_recorded_at=question.as_recorded_at,
        )

    @property
    def _home(self) -> str:
        return self.system.settings.region

    def _readable(self) -> tuple[str, ...]:
        """The draws, sealed now, that the caller may read; whether they decided on the subject or not."""
        actor, day = self.call.actor, self.call.act.taken_on
        with self.reading() as views:
            sealed = list_sealed(views)
        return tuple(draw for draw, region in sealed if may(actor, READ_SEALED, region, on=day))

    def _retold(
        self, entries: Sequence[TimelineEntry], subject: str, question: Question, scope: Scope
    ) -> list[Retold]:
        shown = entries[: question.limit]
        with self.reading() as views:
            siblings = self._siblings(views, shown, scope) if question.full else {}
        told = retell(
            self.system.office,
            entries,
            history=self.system.store.recorder,
            moment=question.moment,
            full=question.full,
            withheld=self._withheld(subject, question, [one.stream for one in entries]),
        )
        return [_retold(one, siblings.get(one.correlation_id, ())) for one in told]

    def _siblings(
        self, views: Connection, entries: Sequence[TimelineEntry], scope: Scope
    ) -> Mapping[str, Sequence[TimelineEntry]]:
        wanted = {one.correlation_id for one in entries} - {""}
        return {id: list_request(views, id, scope, limit=SIBLINGS + 2) for id in sorted(wanted)}

    def _withheld(self, subject: str, question: Question, streams: Collection[str]) -> frozenset[str]:
        """The draws of which not everything is told; with a reason, once the reading is recorded, fewer."""
        sealed = telling(self.system.office, streams)
        if not question.reason.strip():
            return sealed
        readable = self._readable()
        note_search(self.system.office, self.call, subject, readable, reason=question.reason)
        return sealed.difference(readable)

    def _miss(self, subject: str, question: Question) -> None:
        """Say why nothing is shown: it takes a reason, or there is nothing by then."""
        stream = "-" in subject and "/" not in subject
        if stream and not question.reason.strip() and sealed_draw(self.system.office, subject):
            raise ReadingReasonMissing("/reason")
        raise NotFound(kind="stream" if stream else "subject", id=subject)


def _retold(told: Told, request: Sequence[TimelineEntry]) -> Retold:
    others = [one for one in request if one.idx != told.idx]
    siblings = tuple(
        Sibling(idx=one.idx, stream=one.stream, version=one.version, topic=one.topic)
        for one in others[:SIBLINGS]
    )
    return Retold(told=told, siblings=siblings, more=len(others) > SIBLINGS)
