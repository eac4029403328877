"""The log's own beginning: its origin and key, and the rulebooks adopted in it."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict


class RulebookAdopted(Conflict):
    """This version of the rulebook is adopted already; facts: `version`."""

    code = "rulebook-adopted"


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook by version and the SHA-256 of its file, in force from a day."""

    version: str
    digest: str
    effective_from: date


class Installation(Aggregate):
    """One log: an origin, a key, many regions."""

    TOPIC = "installation"

    class Founded(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The log was begun. `verifier_key` is the public key that signs its checkpoints."""

        TOPIC = "installation.founded.v1"
        origin: str
        verifier_key: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("installation", "1"),)

    class RulebookAdopted(Aggregate.Event, frozen=True, kw_only=True):
        """A version of the rules came into use."""

        TOPIC = "installation.rulebook-adopted.v1"
        rulebook: Adopted

    @classmethod
    def found(cls, act: Act, *, id: str, origin: str, verifier_key: str) -> Self:
        """Begin the log."""
        return cls.begin(cls.Founded, id, act, origin=origin, verifier_key=verifier_key)

    @event(Founded)
    def __init__(self, origin: str, verifier_key: str) -> None:
        self.origin, self.verifier_key = origin, verifier_key
        self.rulebooks: dict[str, Adopted] = {}

    def adopt(self, act: Act, *, rulebook: Adopted) -> None:
        """Bring a version of the rules into use."""
        if rulebook.version in self.rulebooks:
            raise RulebookAdopted(version=rulebook.version)
        self.record(self.RulebookAdopted, act, rulebook=rulebook)

    @event(RulebookAdopted)
    def _adopted(self, rulebook: Adopted) -> None:
        self.rulebooks[rulebook.version] = rulebook

    def in_force(self, day: date) -> Adopted | None:
        """The latest rulebook whose first day has come, of these the last adopted; None before the first."""
        begun = [book for book in reversed(self.rulebooks.values()) if book.effective_from <= day]
        return max(begun, key=lambda book: book.effective_from, default=None)
