"""An aggregate of the contract suite, and stored events in plenty."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

import msgspec
from eventsourcing.domain import event
from eventsourcing.persistence import StoredEvent

from application.authorisation import Actor
from application.ports import Append, ClaimWrite, RetryKey
from application.workflow import Call
from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from tests.fakes import BEGINNING


class Line(msgspec.Struct, frozen=True):
    """A part of a fact."""

    name: str
    count: int


class Seal(Aggregate):
    """Holds its number until it is broken."""

    TOPIC = "sample-seal"

    class Set(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """A seal was set."""

        TOPIC = "sample-seal.set.v1"
        number: str
        lines: tuple[Line, ...] = ()

        def claims(self) -> Iterable[Claim]:
            """Its number."""
            return (Claim("seal", self.number),)

    class Broken(Aggregate.Event, frozen=True, kw_only=True):
        """A seal was broken."""

        TOPIC = "sample-seal.broken.v1"
        number: str
        why: str

        def claims(self) -> Iterable[Claim]:
            """Gives the number back."""
            return (Claim("seal", self.number, released=True),)

    @classmethod
    def set(cls, act: Act, *, id: str, number: str, lines: tuple[Line, ...] = ()) -> Self:
        """Set a seal."""
        return cls.begin(cls.Set, id, act, number=number, lines=lines)

    @event(Set)
    def __init__(self, number: str, lines: tuple[Line, ...]) -> None:
        self.number, self.lines, self.why = number, lines, ""

    def break_it(self, act: Act, why: str) -> None:
        """Break it."""
        self.record(self.Broken, act, number=self.number, why=why)

    @event(Broken)
    def _broken(self, why: str) -> None:
        self.why = why


ACT = Act(by="account-1", at=BEGINNING, occurred_at=BEGINNING)


def call(key: str = "", *, request: str = "r", expected: int | None = None) -> Call:
    """A request for a command, with a retry key or without."""
    retry = RetryKey("account-1", key, request) if key else None
    return Call(actor=Actor(account="account-1"), act=ACT, expected=expected, retry=retry)


def stored(
    stream: str, *versions: int, topic: str = "sample.v1", state: bytes = b'{"salt":"00"}'
) -> list[StoredEvent]:
    """Stored events of one stream."""
    return [StoredEvent(stream, version, topic, state) for version in versions or (1,)]


def taking(stream: str, *keys: str, kind: str = "seal") -> list[ClaimWrite]:
    """Claims to take."""
    return [ClaimWrite(stream, Claim(kind, key)) for key in keys]


def giving_back(stream: str, *keys: str, kind: str = "seal") -> list[ClaimWrite]:
    """Claims to release."""
    return [ClaimWrite(stream, Claim(kind, key, released=True)) for key in keys]


def claiming(claims: Sequence[ClaimWrite], **more: Any) -> Append:
    """An append with claims."""
    return Append(claims=claims, **more)
