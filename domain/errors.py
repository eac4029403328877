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


class RegistryMoved(Conflict):
    """A registry changed between the reading of a frame and its seal; facts: `since`, `idx`."""

    code = "registry-moved"


class EventUnreadable(DomainError):
    """A stored event cannot be read; facts: `stream`, `version`, `topic`, `reason`."""

    code = "event-unreadable"


class EventRefused(Invalid):
    """An event holds what must never be stored (a float, a naive time, too large an integer)."""

    code = "event-refused"
