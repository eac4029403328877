"""An import (导入) of a file: which file, how many rows, and what came of them."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid


class CountsDisagree(Invalid):
    """The counts of an import do not add up to its rows; facts: `rows`, `sum`."""

    code = "counts-disagree"


class OriginalErased(Conflict):
    """The import's original was erased already; facts: `intake`, `erased_on`."""

    code = "original-erased"


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of a file came to; `rows` is the sum of the others."""

    rows: int
    created: int
    changed: int
    unchanged: int

    def check(self) -> None:
        """Refuse with `CountsDisagree` counts that do not add up."""
        parts = (self.created, self.changed, self.unchanged)
        if min(parts) < 0 or sum(parts) != self.rows:
            raise CountsDisagree(rows=self.rows, sum=sum(parts))


class Intake(Aggregate):
    """One imported file."""

    TOPIC = "intake"

    class Completed(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """Every row of the file was taken in, in the same append as this event. `original` is its blob."""

        TOPIC = "intake.completed.v1"
        kind: str
        region: str
        original: str
        counts: Counts

    class OriginalErased(Aggregate.Event, frozen=True, kw_only=True):
        """The original went with the erasure of a person whom it names; its hash stays in the event before.

        The claim keeps the file from coming back, and tells which files must be gone.
        """

        TOPIC = "intake.original-erased.v1"
        original: str
        person: str
        ground: str
        erased_on: date

        def claims(self) -> Iterable[Claim]:
            return (Claim("erased-blob", f"{self.original}/{self.originator_id}"),)

    @classmethod
    def complete(cls, act: Act, *, id: str, kind: str, region: str, original: str, counts: Counts) -> Self:
        """Record the import."""
        counts.check()
        return cls.begin(cls.Completed, id, act, kind=kind, region=region, original=original, counts=counts)

    @event(Completed)
    def __init__(self, kind: str, region: str, original: str, counts: Counts) -> None:
        self.kind, self.region, self.original, self.counts = kind, region, original, counts
        self.erased_on: date | None = None
        self.erased_ground = ""

    def erase_original(self, act: Act, *, person: str, ground: str) -> None:
        """Let the original go with a person whom it names; `OriginalErased` the second time."""
        if self.erased_on is not None:
            raise OriginalErased(intake=self.id, erased_on=self.erased_on)
        self.record(
            self.OriginalErased,
            act,
            original=self.original,
            person=person,
            ground=ground,
            erased_on=act.taken_on,
        )

    @event(OriginalErased)
    def _original_erased(self, ground: str, erased_on: date) -> None:
        self.erased_on, self.erased_ground = erased_on, ground
