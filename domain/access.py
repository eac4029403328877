"""Reading what is confidential (the vault, a sealed list) is itself recorded: who, when, why."""

from typing import Self

from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, CreatedEvent
from domain.errors import Invalid

SUBJECTS = ("person", "sealed-draw", "states")


class ReadingReasonMissing(Invalid):
    """Whoever reads what is confidential says why."""

    code = "reading-reason-missing"


class Access(Aggregate):
    """One reading of something confidential."""

    TOPIC = "access"

    class Recorded(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """Somebody read it. `subjects` are ids of what was read, `kind` says what they are."""

        TOPIC = "access.recorded.v1"
        kind: str
        subjects: tuple[str, ...]
        reason: str

    @classmethod
    def note(cls, act: Act, *, id: str, kind: str, subjects: tuple[str, ...], reason: str) -> Self:
        """Record a reading before its answer is given."""
        if kind not in SUBJECTS or not subjects or not reason.strip():
            raise ReadingReasonMissing("/reason")
        return cls.begin(cls.Recorded, id, act, kind=kind, subjects=subjects, reason=reason)

    @event(Recorded)
    def __init__(self, kind: str, subjects: tuple[str, ...], reason: str) -> None:
        self.kind, self.subjects, self.reason = kind, subjects, reason
