"""The event-sourced application: load, decide, and save all that one command writes at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, groupby
from threading import Event
from typing import Any, TypeVar, cast

import msgspec
from eventsourcing.application import AggregateNotFoundError, Application, LocalNotificationLog, Repository
from eventsourcing.persistence import EventStore, IntegrityError, Mapper, StoredEvent

from application.authorisation import Actor, authorise
from application.ports import (
    Answer,
    AnswerKept,
    Answers,
    Append,
    ClaimWrite,
    CredentialWrite,
    Erasure,
    Log,
    Quiet,
    RetryKey,
    TokenWrite,
    VaultWrite,
)
from domain.act import CHINA, Act
from domain.aggregate import Aggregate, DomainEvent
from domain.errors import DomainError, KeyReused, NotFound, Stale, StoreUnavailable

A = TypeVar("A", bound=Aggregate)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a command: who asks, the act its events carry, and what the caller expects.

    `expected` is the version the caller saw (If-Match), `retry` the Idempotency-Key.
    """

    actor: Actor
    act: Act
    expected: int | None = None
    retry: RetryKey | None = None

    def require(self, permission: str, region: str | None) -> None:
        """Refuse with `PermissionMissing` unless the actor may do this there today."""
        authorise(self.actor, permission, region, on=self.act.at.astimezone(CHINA).date())


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """What a command writes beside its events, in the same transaction."""

    vault: Sequence[VaultWrite] = ()
    erasures: Sequence[Erasure] = ()
    credentials: Sequence[CredentialWrite] = ()
    tokens: Sequence[TokenWrite] = ()
    quiet: Quiet | None = None


NOTHING = Beside()
PAGE = 500


class Workflow(Application[str]):
    """Loads aggregates and saves what commands decide.

    The library's environment variables play no part: recorder and mapper come in as objects.
    """

    def __init__(self, *, recorder: Log, mapper: Mapper[str], answers: Answers) -> None:
        self.closing = Event()
        self.recorder = recorder
        self._log = recorder
        self.mapper = mapper
        self.answers = answers
        self.snapshots = None
        self.events: EventStore[str] = EventStore(mapper, recorder)
        self._repository: Repository[str] = Repository(self.events)
        self._notification_log = LocalNotificationLog(recorder, section_size=1000)

    def close(self) -> None:
        """Nothing to close: whoever built the recorder closes it."""
        self.closing.set()

    def load(self, aggregate: type[A], id: str) -> A:
        """The aggregate as its events have made it; `NotFound` if there is none of that class."""
        try:
            found: object = self.repository.get(id)
        except AggregateNotFoundError as error:
            raise NotFound(kind=aggregate.TOPIC, id=id) from error
        if not isinstance(found, aggregate):
            raise NotFound(kind=aggregate.TOPIC, id=id)
        return found

    def load_many(self, aggregate: type[A], ids: Sequence[str]) -> Iterator[A]:
        """The aggregates of the ids, in their order, read some hundred at a time; `NotFound` as `load`."""
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            stored = groupby(self._log.select_streams(page), key=lambda event: str(event.originator_id))
            found = {id: self._made(events) for id, events in stored}
            for id in page:
                one = found.get(id)
                if not isinstance(one, aggregate):
                    raise NotFound(kind=aggregate.TOPIC, id=id)
                yield one

    def _made(self, stored: Iterable[StoredEvent]) -> Aggregate | None:
        """The aggregate that the events of one stream make."""
        made: Aggregate | None = None
        for event in stored:
            made = cast(DomainEvent, self.mapper.to_domain_event(event)).mutate(made)
        return made

    def once(self, call: Call, command: Callable[[], Answer]) -> Answer:
        """Run the command, unless its retry key has an answer: then give that answer.

        A request that loses a race against its own twin gets the twin's answer, whatever it
        would have said itself. `KeyReused` if the key belongs to another request. Where a lost commit
        cannot be looked up either, its "outcome-unknown" is what the caller must know.
        """
        kept = self._kept(call)
        if kept is not None:
            return kept
        try:
            return command()
        except StoreUnavailable:
            with suppress(StoreUnavailable):
                kept = self._kept(call)
            if kept is None:
                raise
            return kept
        except (AnswerKept, DomainError):
            kept = self._kept(call)
            if kept is None:
                raise
            return kept

    def change(
        self,
        call: Call,
        aggregate: type[A],
        id: str,
        decide: Callable[[A], None],
        *,
        beside: Beside = NOTHING,
    ) -> Answer:
        """Load, compare the expected version, decide, save; `Stale` if somebody was faster."""
        found = self.load(aggregate, id)
        self.expect(call, found)
        decide(found)
        return self.commit(call, found, beside=beside)

    def again(self, decide: Callable[[], Answer]) -> Answer:
        """Decide anew, at most three times, when somebody was faster on another aggregate.

        `decide` must load everything itself: a version that the caller named is compared each time,
        so that its `Stale` (which knows the actual version) is never tried again.
        """
        for _ in range(2):
            try:
                return decide()
            except Stale as raced:
                if raced.facts["actual"] is not None:
                    raise
        return decide()

    def expect(self, call: Call, aggregate: Aggregate) -> None:
        """Refuse with `Stale` when the caller saw another version."""
        if call.expected is not None and call.expected != aggregate.version:
            raise Stale(id=aggregate.id, expected=call.expected, actual=aggregate.version)

    def commit(
        self,
        call: Call,
        main: Aggregate,
        *others: Aggregate,
        beside: Beside = NOTHING,
        also: dict[str, Any] | None = None,
    ) -> Answer:
        """Save the pending events of all aggregates at once, with their claims and the answer."""
        return self.commit_many(call, main, others, beside=beside, also=also)

    def commit_many(
        self,
        call: Call,
        main: Aggregate,
        others: Iterable[Aggregate],
        *,
        beside: Beside = NOTHING,
        also: dict[str, Any] | None = None,
    ) -> Answer:
        """Save any number of aggregates at once.

        `others` are taken one by one and let go, so that 100,000 of them need no room; `beside` is read
        when all are taken.
        """
        # Not by the library's `save`: it asks each aggregate which protocol it has and makes a
        # notification of each event for nobody, a fifth of the time of a large append.
        stored, claims = list[StoredEvent](), list[ClaimWrite]()
        for aggregate in chain((main,), others):
            events = [cast(DomainEvent, event) for event in aggregate.collect_events()]
            stored += map(self.mapper.to_stored_event, events)
            claims += claims_of(events)
        answer = Answer(id=main.id, version=main.version, position=-1, also=also or {})
        append = Append(
            claims=claims,
            retry=call.retry,
            answer=answer,
            vault=beside.vault,
            erasures=beside.erasures,
            credentials=beside.credentials,
            tokens=beside.tokens,
            quiet=beside.quiet,
        )
        try:
            ids = self.recorder.insert_events(stored, append=append)
        except IntegrityError as error:
            raise Stale(id=main.id, expected=call.expected, actual=None) from error
        return msgspec.structs.replace(answer, position=ids[-1] - 1 if ids else -1)

    def _kept(self, call: Call) -> Answer | None:
        if call.retry is None:
            return None
        kept = self.answers.find(call.retry.account, call.retry.key)
        if kept is None:
            return None
        if kept.request != call.retry.request:
            raise KeyReused(key=call.retry.key)
        return kept.answer


def claims_of(events: Sequence[DomainEvent]) -> list[ClaimWrite]:
    """The claims that events make and release, in the order of the events."""
    return [ClaimWrite(event.originator_id, claim) for event in events for claim in event.claims()]
