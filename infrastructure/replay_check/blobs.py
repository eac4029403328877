"""The files that events name: is each there, with the content that its name says?"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from domain.aggregate import DomainEvent
from domain.assignment import Assignment
from domain.draw import Draw
from domain.errors import NotFound
from domain.inspection import Inspection
from domain.inspector import Inspector
from domain.intake import Intake
from domain.ledger.finding import Finding, Findings
from domain.recheck import Recheck
from domain.referral import Referral
from domain.violation import Violation
from infrastructure.blobs import FolderBlobs
from infrastructure.files import disk_errors
from infrastructure.replay_check.persons import ERASED
from infrastructure.replay_check.replay import Seen
from infrastructure.replay_check.scratch import Scratch

ORIGINAL_ERASED: Final = "intake.original-erased.v1"
"""The event of an erased original; its stream is the import's."""

NAMED: Final[Mapping[type[DomainEvent], Callable[[Any], Iterable[str]]]] = {
    Assignment.RecusalGranted: lambda event: _given(event.minutes),
    Assignment.RecusalRefused: lambda event: _given(event.minutes),
    Assignment.VoidAsked: lambda event: event.evidence,
    Assignment.SiteVoided: lambda event: event.evidence,
    Inspector.RecusalGranted: lambda event: _given(event.minutes),
    Inspector.RecusalRefused: lambda event: _given(event.minutes),
    Draw.Sealed: lambda event: _sealed(event.seal),
    Draw.Revealed: lambda event: (event.receipt,),
    Draw.Completed: lambda event: _completed(event.result),
    Inspection.EvidenceAdded: lambda event: (event.evidence.digest,),
    Inspection.FindingRecorded: lambda event: event.finding.evidence,
    Intake.Completed: lambda event: (event.original,),
    Referral.Sent: lambda event: (event.letter.document,),
    Referral.Received: lambda event: (event.receipt,),
    Violation.Opened: lambda event: event.evidence,
    Violation.RectificationSubmitted: lambda event: event.evidence,
    Violation.RectificationVerified: lambda event: event.evidence,
    Violation.Closed: lambda event: event.evidence,
    Violation.RecheckRecorded: lambda event: event.evidence,
    Recheck.CarriedOut: lambda event: event.evidence,
}
"""The blobs that an event names, by its class; an event that is not here names none."""

_TABLE: Final = (
    "CREATE TABLE blobs (digest TEXT PRIMARY KEY, idx INTEGER, stream TEXT, erased INTEGER) WITHOUT ROWID"
)
# A file that is named again after it was erased is needed again.
_NAME: Final = (
    "INSERT INTO blobs VALUES (?, ?, ?, NULL) ON CONFLICT (digest) DO UPDATE "
    "SET idx = excluded.idx, stream = excluded.stream, erased = NULL WHERE erased IS NOT NULL"
)
_ERASE: Final = "UPDATE blobs SET erased = ? WHERE digest IN (SELECT digest FROM originals WHERE intake = ?)"
_ORIGINALS: Final = "CREATE TABLE originals (intake TEXT PRIMARY KEY, digest TEXT) WITHOUT ROWID"
_CHUNK: Final = 1 << 20


class BlobsFold:
    """Which event named a blob first, and which originals of imports were erased."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        scratch.change(_TABLE)
        scratch.change(_ORIGINALS)

    def take(self, events: Sequence[Seen]) -> None:
        """Fold a batch."""
        for row, event in events:
            if event is not None and type(event) in NAMED:
                named = [(digest, row.idx, row.stream) for digest in NAMED[type(event)](event)]
                self._scratch.change_many(_NAME, named)
            if isinstance(event, Intake.Completed):
                original = row.stream, event.original
                self._scratch.change("INSERT OR REPLACE INTO originals VALUES (?, ?)", original)
            gone = [(row.idx, intake) for intake in _erased(row.topic, row.stream, event)]
            self._scratch.change_many(_ERASE, gone)

    def check(self, blobs: FolderBlobs) -> Findings:
        """Look at every blob named, each once, and read it to its end.

        `blob.missing`: not there, and no event says that it was erased. `blob.damaged`: its content is not
        what its name says. `blob.not-erased`: there although an event says that it was erased.
        """
        findings = Findings()
        for digest, idx, stream, erased in self._scratch.each("SELECT * FROM blobs ORDER BY digest"):
            params = {"digest": digest, "stream": stream}
            if erased is not None:
                if blobs.has(digest):
                    findings.add([Finding("blob.not-erased", erased, params)])
            elif wrong := _wrong(blobs, digest):
                findings.add([Finding(wrong, idx, params)])
        return findings


def _given(digest: str) -> tuple[str, ...]:
    return (digest,) if digest else ()


def _sealed(seal: Any) -> Iterator[str]:
    yield from (seal.rules, seal.frame, seal.pool, *seal.reports.values())


def _completed(result: Any) -> Iterator[str]:
    yield from (result.seed, result.sample, result.teams, result.sums)


def _erased(topic: str, stream: str, event: DomainEvent | None) -> Iterable[str]:
    """The imports whose originals went with the event."""
    if topic == ORIGINAL_ERASED:
        return (stream,)
    return getattr(event, "originals", ()) if topic == ERASED else ()


def _wrong(blobs: FolderBlobs, digest: str) -> str:
    found = sha256()
    try:
        with blobs.open(digest) as stream, disk_errors():
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
    except NotFound:
        return "blob.missing"
    return "" if found.hexdigest() == digest else "blob.damaged"
