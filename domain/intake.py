"""An import (导入) of a file: which file, how many rows, and what came of them."""

from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, CreatedEvent
from domain.errors import Invalid


class CountsDisagree(Invalid):
    """The counts of an import do not add up to its rows; facts: `rows`, `sum`."""

    code = "counts-disagree"


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

    @classmethod
    def complete(cls, act: Act, *, id: str, kind: str, region: str, original: str, counts: Counts) -> Self:
        """Record the import."""
        counts.check()
        return cls.begin(cls.Completed, id, act, kind=kind, region=region, original=original, counts=counts)

    @event(Completed)
    def __init__(self, kind: str, region: str, original: str, counts: Counts) -> None:
        self.kind, self.region, self.original, self.counts = kind, region, original, counts
