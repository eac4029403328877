"""The events of a draw, proved one by one: each state by its entry, each entry by its receipt.

proofs/<idx>.entry, proofs/<idx>.tlog-proof and, where it may be shown, proofs/<idx>.state
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from domain.drawing.canonical import decode
from domain.drawing.errors import DrawingError
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import leaf_hash, verify_inclusion
from domain.ledger.note import Note
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from domain.verifying.errors import WrongProof

Opener = Callable[[str], bytes]

_ENTRY: Final = re.compile(r"proofs/(0|[1-9][0-9]{0,15})\.entry")


@dataclass(frozen=True, slots=True)
class Proved:
    """An event that is proved to stand in the log under `checkpoint`.

    `state` is what it says, None where that may not be shown. `cosigned` has the trusted witnesses of the
    checkpoint by name, with the time in seconds since 1970; `leaf` is its leaf hash in hex.
    """

    entry: Entry
    leaf: str
    state: Mapping[str, Any] | None
    checkpoint: Checkpoint
    cosigned: Mapping[str, int]

    @property
    def file(self) -> str:
        """The file that names it."""
        return f"proofs/{self.entry.idx}.entry"


def prove_events(open_file: Opener, names: Collection[str], policy: TrustPolicy | None) -> list[Proved]:
    """All events that the bundle proves, in the order of the log.

    Without a policy nothing shows who signed; that an entry lies under its checkpoint is shown all the same.
    Raises WrongProof, NotCanonical.
    """
    found = sorted(int(match[1]) for name in names if (match := _ENTRY.fullmatch(name)))
    return [prove_event(open_file, names, idx, policy) for idx in found]


def prove_event(open_file: Opener, names: Collection[str], idx: int, policy: TrustPolicy | None) -> Proved:
    """One event by its position. Raises WrongProof naming the file."""
    file = f"proofs/{idx}.entry"
    data = open_file(file)
    try:
        entry = parse_entry(data)
    except LedgerError as error:
        raise WrongProof("entry-malformed", str(error), file=file) from error
    if entry.idx != idx:
        raise WrongProof("entry-of-another-event", f"it says {entry.idx}", file=file)
    receipt = f"proofs/{idx}.tlog-proof"
    checkpoint, cosigned = check_receipt(open_file(receipt), data, policy, receipt)
    state = f"proofs/{idx}.state"
    told = _read_state(open_file(state), entry, state) if state in names else None
    return Proved(entry, leaf_hash(data).hex(), told, checkpoint, cosigned)


def check_receipt(
    data: bytes, entry: bytes, policy: TrustPolicy | None, file: str
) -> tuple[Checkpoint, Mapping[str, int]]:
    """The checkpoint that a receipt proves the entry to be under, and who cosigned it.

    Raises WrongProof: receipt-does-not-prove, not-signed, too-few-cosigned.
    """
    try:
        receipt = Receipt.parse(data)
        checkpoint = Checkpoint.parse(Note.parse(receipt.checkpoint).text)
        if parse_entry(entry).idx != receipt.index:
            raise WrongProof("receipt-does-not-prove", f"it is of event {receipt.index}", file=file)
        leaf = leaf_hash(entry)
        verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.path, checkpoint.root)
    except LedgerError as error:
        raise WrongProof("receipt-does-not-prove", str(error), file=file) from error
    if policy is None:
        return checkpoint, {}
    try:
        opened = policy.open(receipt.checkpoint)
    except LedgerError as error:
        rule = "too-few-cosigned" if error.code == "quorum.missing" else "not-signed"
        raise WrongProof(rule, str(error), file=file) from error
    return opened.checkpoint, opened.cosigned


def check_chain(events: Sequence[Proved]) -> None:
    """Raises WrongProof unless the events are one stream, whole from its first version on, each linked to
    the one before.
    """
    before: Proved | None = None
    for number, event in enumerate(events, start=1):
        entry = event.entry
        if before is not None and entry.stream != before.entry.stream:
            raise WrongProof("another-stream", entry.stream, file=event.file)
        if entry.ver != number:
            raise WrongProof("version-missing", f"{number}, found {entry.ver}", file=event.file)
        if entry.prev != (before.leaf if before else ""):
            raise WrongProof("not-linked", f"version {entry.ver}", file=event.file)
        before = event


def _read_state(data: bytes, entry: Entry, file: str) -> Mapping[str, Any]:
    if sha256(data).hexdigest() != entry.state:
        raise WrongProof("state-differs", "its hash is not the entry's", file=file)
    try:
        state = decode(data)
    except DrawingError as error:
        error.locate(file)
        raise
    if not isinstance(state, dict):
        raise WrongProof("state-malformed", "not an object", file=file)
    return state
