"""The log's own life: its origin and key, the rulebooks adopted in it, changes of the key, and what was given
up of what had been published.

Both a change of the key and going on after a divergence need two people: the first asks, the second confirms
the very same, and each of them may withdraw what was asked.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final, Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act, persons_of
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Forbidden, Invalid
from domain.ledger.checkpoint import SIZE_LIMIT
from domain.ledger.errors import KeyMalformed
from domain.ledger.note import VerifierKey

KEY_CHANGE: Final = "key-change"
RESUMPTION: Final = "resumption"
_ROOT: Final = re.compile(r"[0-9a-f]{64}")


class RulebookAdopted(Conflict):
    """This version of the rulebook is adopted already; facts: `version`."""

    code = "rulebook-adopted"


class LedgerReasonMissing(Invalid):
    """Changing the key and going on after a divergence need a reason that stays for ever."""

    code = "ledger-reason-missing"


class LedgerAskingOpen(Conflict):
    """Something of this kind is asked for and not decided; facts: `kind` (key-change or resumption)."""

    code = "ledger-asking-open"


class LedgerAskingMissing(Conflict):
    """Nobody has asked for anything of this kind; facts: `kind`."""

    code = "ledger-asking-missing"


class LedgerAskingDiffers(Conflict):
    """The second person names something else than what was asked for; facts: `kind`, `asked`, `named`."""

    code = "ledger-asking-differs"


class LedgerSecondPersonNeeded(Forbidden):
    """Who asked cannot confirm; facts: `kind`."""

    code = "ledger-second-person-needed"
    rule = "separation.ledger"


class LedgerKeyRefused(Invalid):
    """A verifier key cannot be the log's next; facts: `reason` (malformed, other-origin, used-before)."""

    code = "ledger-key-refused"


class GivenUpWrong(Invalid):
    """Not the size and root (64 hex digits) of a published checkpoint; facts: `size`, `root`."""

    code = "ledger-given-up-wrong"


class GivenUpAlready(Conflict):
    """This checkpoint was given up before; facts: `size`, `root`."""

    code = "ledger-given-up-already"


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook by version and the SHA-256 of its file, in force from a day."""

    version: str
    digest: str
    effective_from: date


class NextKey(msgspec.Struct, frozen=True):
    """The verifier key that the first of two people asked for."""

    verifier_key: str
    reason: str


class GivenUp(msgspec.Struct, frozen=True):
    """A published checkpoint, its root in hex, that is given up or asked to be."""

    size: int
    root: str
    reason: str


class Installation(Aggregate):
    """One log: an origin, a key at a time, many regions."""

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

    class KeyChangeAsked(Aggregate.Event, frozen=True, kw_only=True):
        """The first of two people asks that another key signs from now on."""

        TOPIC = "installation.key-change-asked.v1"
        verifier_key: str
        reason: str

    class KeyChangeWithdrawn(Aggregate.Event, frozen=True, kw_only=True):
        """The key stays; another change may be asked for."""

        TOPIC = "installation.key-change-withdrawn.v1"
        verifier_key: str
        reason: str

    class KeyChanged(Aggregate.Event, frozen=True, kw_only=True):
        """Another person confirmed: checkpoints that cover this are signed by `verifier_key`, no longer by
        `former`, which stays good for the checkpoints before.
        """

        TOPIC = "installation.key-changed.v1"
        verifier_key: str
        former: str
        reason: str

    class ResumeAsked(Aggregate.Event, frozen=True, kw_only=True):
        """The first of two people asks to go on from the store although a checkpoint of this size and root
        was published that the store does not continue.
        """

        TOPIC = "installation.resume-asked.v1"
        size: int
        root: str
        reason: str

    class ResumeWithdrawn(Aggregate.Event, frozen=True, kw_only=True):
        """Nothing is given up; something else may be asked for."""

        TOPIC = "installation.resume-withdrawn.v1"
        size: int
        root: str
        reason: str

    class Resumed(Aggregate.Event, frozen=True, kw_only=True):
        """Another person confirmed: the published checkpoint of this size and root is given up, and the log
        is signed again once it is larger than that.
        """

        TOPIC = "installation.resumed.v1"
        size: int
        root: str
        reason: str

    @classmethod
    def found(cls, act: Act, *, id: str, origin: str, verifier_key: str) -> Self:
        """Begin the log."""
        return cls.begin(cls.Founded, id, act, origin=origin, verifier_key=verifier_key)

    @event(Founded)
    def __init__(self, origin: str, verifier_key: str) -> None:
        self.origin, self.verifier_key = origin, verifier_key
        self.rulebooks: dict[str, Adopted] = {}
        self.former_keys: tuple[str, ...] = ()
        self.next_key: NextKey | None = None
        self.next_key_by: frozenset[str] = frozenset()
        self.given_up: tuple[GivenUp, ...] = ()
        self.to_give_up: GivenUp | None = None
        self.to_give_up_by: frozenset[str] = frozenset()

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

    # --- the key -----------------------------------------------------------------------------

    def ask_key_change(self, act: Act, *, verifier_key: str, reason: str) -> None:
        """Ask that this key signs from now on; a key that ever signed does not come back."""
        _require_reason(reason)
        self._require_next_key(verifier_key)
        if self.next_key is not None:
            raise LedgerAskingOpen(kind=KEY_CHANGE)
        self.record(self.KeyChangeAsked, act, verifier_key=verifier_key, reason=reason)

    @event(KeyChangeAsked)
    def _key_change_asked(self, verifier_key: str, reason: str, by: str, on_behalf_of: str | None) -> None:
        self.next_key, self.next_key_by = NextKey(verifier_key, reason), persons_of(by, on_behalf_of)

    def withdraw_key_change(self, act: Act, *, reason: str) -> None:
        """Let the key stay: whoever asked, or whoever would have had to confirm."""
        _require_reason(reason)
        if self.next_key is None:
            raise LedgerAskingMissing(kind=KEY_CHANGE)
        self.record(self.KeyChangeWithdrawn, act, verifier_key=self.next_key.verifier_key, reason=reason)

    @event(KeyChangeWithdrawn)
    def _key_change_withdrawn(self) -> None:
        self.next_key, self.next_key_by = None, frozenset()

    def change_key(self, act: Act, *, verifier_key: str) -> None:
        """Confirm, as another person, that this key signs from now on."""
        asked = self.next_key
        if asked is None:
            raise LedgerAskingMissing(kind=KEY_CHANGE)
        _require_another(KEY_CHANGE, act, self.next_key_by)
        if asked.verifier_key != verifier_key:
            raise LedgerAskingDiffers(kind=KEY_CHANGE, asked=asked.verifier_key, named=verifier_key)
        self.record(
            self.KeyChanged, act, verifier_key=verifier_key, former=self.verifier_key, reason=asked.reason
        )

    @event(KeyChanged)
    def _key_changed(self, verifier_key: str, former: str) -> None:
        self.verifier_key, self.former_keys = verifier_key, (*self.former_keys, former)
        self.next_key, self.next_key_by = None, frozenset()

    # --- going on after a divergence ---------------------------------------------------------

    def ask_resume(self, act: Act, *, size: int, root: str, reason: str) -> None:
        """Ask to give up the published checkpoint of this size and root (hex) and go on from the store."""
        _require_reason(reason)
        if not 0 < size <= SIZE_LIMIT or not _ROOT.fullmatch(root):
            raise GivenUpWrong("/root", size=size, root=root)
        if any((one.size, one.root) == (size, root) for one in self.given_up):
            raise GivenUpAlready(size=size, root=root)
        if self.to_give_up is not None:
            raise LedgerAskingOpen(kind=RESUMPTION)
        self.record(self.ResumeAsked, act, size=size, root=root, reason=reason)

    @event(ResumeAsked)
    def _resume_asked(self, size: int, root: str, reason: str, by: str, on_behalf_of: str | None) -> None:
        self.to_give_up, self.to_give_up_by = GivenUp(size, root, reason), persons_of(by, on_behalf_of)

    def withdraw_resume(self, act: Act, *, reason: str) -> None:
        """Let nothing be given up: whoever asked, or whoever would have had to confirm."""
        _require_reason(reason)
        asked = self.to_give_up
        if asked is None:
            raise LedgerAskingMissing(kind=RESUMPTION)
        self.record(self.ResumeWithdrawn, act, size=asked.size, root=asked.root, reason=reason)

    @event(ResumeWithdrawn)
    def _resume_withdrawn(self) -> None:
        self.to_give_up, self.to_give_up_by = None, frozenset()

    def resume(self, act: Act, *, size: int, root: str) -> None:
        """Confirm, as another person, that this published checkpoint is given up."""
        asked = self.to_give_up
        if asked is None:
            raise LedgerAskingMissing(kind=RESUMPTION)
        _require_another(RESUMPTION, act, self.to_give_up_by)
        if (asked.size, asked.root) != (size, root):
            raise LedgerAskingDiffers(
                kind=RESUMPTION, asked=f"{asked.size} {asked.root}", named=f"{size} {root}"
            )
        self.record(self.Resumed, act, size=size, root=root, reason=asked.reason)

    @event(Resumed)
    def _resumed(self, size: int, root: str, reason: str) -> None:
        self.given_up = (*self.given_up, GivenUp(size, root, reason))
        self.to_give_up, self.to_give_up_by = None, frozenset()

    def _require_next_key(self, line: str) -> None:
        try:
            name = VerifierKey.parse(line).name
        except KeyMalformed as error:
            raise LedgerKeyRefused("/verifier_key", reason="malformed") from error
        if name != self.origin:
            raise LedgerKeyRefused("/verifier_key", reason="other-origin")
        if line in (self.verifier_key, *self.former_keys):
            raise LedgerKeyRefused("/verifier_key", reason="used-before")


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise LedgerReasonMissing("/reason")


def _require_another(kind: str, act: Act, first: frozenset[str]) -> None:
    if act.persons & first:
        raise LedgerSecondPersonNeeded(kind=kind)
