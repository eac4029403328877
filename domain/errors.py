"""Every way the domain says no. HTTP status and sentences live elsewhere; here are codes and facts.

    DomainError
    ├── Invalid        the input can never be right
    ├── Forbidden      this person may not
    ├── NotFound       there is no such thing
    ├── Conflict       right input, wrong moment: a rule about the present state
    ├── Stale          somebody else changed it first
    └── Unavailable    the store or the clock does not allow it now

A class stands for one refusal; its `code` is stable for ever and is what machines compare.
`rule` names the rule in the rulebook and `source` the law or order it comes from, where there is one.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal. `facts` fill the sentence in `api/locale`; `pointer` is a JSON pointer to the cause."""

    code: ClassVar[str] = "error"
    rule: ClassVar[str] = ""
    source: ClassVar[str] = ""

    def __init__(self, pointer: str = "", **facts: Any) -> None:
        super().__init__(self.code, facts)
        self.pointer = pointer
        self.facts = facts


class Invalid(DomainError):
    """The input can never be right."""

    code = "invalid"


class Forbidden(DomainError):
    """This person may not do this here."""

    code = "forbidden"


class NotFound(DomainError):
    """There is no such thing, or not for this person."""

    code = "not-found"


class Conflict(DomainError):
    """The input is right but the present state does not allow it."""

    code = "conflict"


class Stale(DomainError):
    """Somebody else changed it first; facts: `id`, `expected`, `actual` (None when unknown)."""

    code = "stale"


class Unavailable(DomainError):
    """The store or the clock does not allow it now; trying later may help."""

    code = "unavailable"


# --- the store -------------------------------------------------------------------------------


class ClaimTaken(Conflict):
    """A name that must be unique is held already; facts: `kind`, `key`, `holder` (a stream id)."""

    code = "claim-taken"


class KeyReused(Invalid):
    """The idempotency key was used for another request; facts: `key`."""

    code = "idempotency-key-reused"


class ClockBehind(Unavailable):
    """The clock lies more than 60 s before the last recorded time; facts: `now`, `last`."""

    code = "clock-behind"


class StoreUnavailable(Unavailable):
    """The store does not answer, or the outcome of a commit is unknown; facts: `reason`."""

    code = "store-unavailable"


class ProjectionBehind(Unavailable):
    """A read model has not caught up with the log; facts: `projection`, `position`, `wanted` (an `idx`)."""

    code = "projection-behind"


class RegistryMoved(Conflict):
    """A registry changed between the reading of a frame and its seal; facts: `since`, `idx`."""

    code = "registry-moved"


class EventUnreadable(DomainError):
    """A stored event cannot be read; facts: `stream`, `version`, `topic`, `reason`."""

    code = "event-unreadable"


class EventRefused(Invalid):
    """An event holds what must never be stored (a float, a naive time, too large an integer)."""

    code = "event-refused"


# --- blobs -----------------------------------------------------------------------------------


class BlobTooLarge(Invalid):
    """A file is larger than its kind may be; facts: `limit` in bytes."""

    code = "blob-too-large"


class BlobDamaged(DomainError):
    """A kept file no longer has the content its name says; facts: `digest`."""

    code = "blob-damaged"


class BlobErased(Conflict):
    """The file was erased with a person whom it names, and must not come back.

    Facts: `digest`, `erased_on`, `ground`.
    """

    code = "blob-erased"


class MediaRefused(Invalid):
    """The content of a file is of no kind that is allowed here; facts: `found` ("" if unknown), `allowed`."""

    code = "media-refused"


# --- the ledger ------------------------------------------------------------------------------


class KeyUnusable(Unavailable):
    """The ledger's signing key cannot be used; facts: `path` ("" if not a file), `reason`."""

    code = "ledger-key-unusable"


class LedgerDiverged(Unavailable):
    """The store is not what was published: nothing is signed until people decide; facts: `reason`,
    `size` (what the store has), `published` (what was published)."""

    code = "ledger-diverged"


class NotWitnessed(Unavailable):
    """Too few witnesses have cosigned the checkpoint; what it was for is recorded, the next try asks again.

    Facts: `size` of the checkpoint, `quorum`, `cosigned` and `missing` (names of witnesses).
    """

    code = "not-witnessed"


class TrustPolicyWrong(Unavailable):
    """The trust policy's file cannot be used; facts: `path`, `line` (0: the whole file), `reason`."""

    code = "trust-policy-wrong"


class CertificateUnusable(Unavailable):
    """The file with the time-stamp authority's certificates cannot be used; facts: `path`, `reason`."""

    code = "certificate-unusable"


class SizesOutOfOrder(Invalid):
    """A proof of consistency goes from a smaller size to a larger one; facts: `old`, `new`."""

    code = "sizes-out-of-order"


class ReceiptAhead(Conflict):
    """The event is not under a signed checkpoint yet, it will be within seconds; facts: `idx`, `size`."""

    code = "receipt-ahead"


# --- calendar and rulebook -------------------------------------------------------------------


class CalendarMissing(Invalid):
    """No notice of working days covers the year: an administrator loads it; facts: `year`, `folder`."""

    code = "calendar-missing"


class CalendarWrong(Invalid):
    """A file with a notice of working days cannot be used; facts: `file`, `key`, `reason`."""

    code = "calendar-wrong"


class RulebookWrong(Invalid):
    """A rulebook's file cannot be used; facts: `file`, `key`, `reason`."""

    code = "rulebook-wrong"


class RulebookMissing(Invalid):
    """No rulebook is in force on that day, or none has that version or entry; facts: `wanted`."""

    code = "rulebook-missing"


# --- spreadsheets ----------------------------------------------------------------------------


class SpreadsheetRefused(Invalid):
    """The file cannot be read as a table; facts: `reason` (a stable word) and what belongs to it."""

    code = "spreadsheet-refused"


class ReceiptWrong(Invalid):
    """The receipt does not prove the event under this log's key; facts: `reason`."""

    code = "receipt-wrong"
