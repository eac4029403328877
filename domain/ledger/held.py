"""What people hold of a log: signed checkpoints from anywhere, with the cosignatures and time-stamps on them.

Each is opened under a trust policy. What is valid commits the log to a root; what is not is a finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain.ledger.abandoned import goes_with
from domain.ledger.charter import GivenUp, LogCharter
from domain.ledger.checkpoint import Checkpoint, open_signed
from domain.ledger.errors import LedgerError, SignatureInvalid
from domain.ledger.finding import Finding, Params
from domain.ledger.note import Note, VerifierKey
from domain.ledger.policy import NONE, TrustPolicy
from domain.ledger.tiles import Opener
from domain.ledger.times import OutsideTime

TokenReader = Callable[[bytes, bytes], int]
"""Checks a time-stamp token over a checkpoint's text and gives its time in seconds since 1970; raises a
LedgerError for one that does not prove it.
"""

_NAMED_BY_SIZE = re.compile(r"(?:abandoned/[0-9]+/)?checkpoints/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Held:
    """A signed checkpoint as it was found, under the name to report it by; `token` is the RFC 3161 response
    over its text, if there is one.
    """

    name: str
    note: bytes
    token: bytes | None = None


@dataclass(frozen=True, slots=True)
class Commitment:
    """A root that the log committed to at a size: what all valid checkpoints of it say together.

    `cosigned` are the trusted witnesses that vouch for it; `witnessed` whether they make up the quorum.
    """

    name: str
    checkpoint: Checkpoint
    cosigned: frozenset[str] = frozenset()
    witnessed: bool = False
    stamped: bool = False


@dataclass(slots=True)
class Expected:
    """What a log must agree with. `commitments` by size, smallest first; those of one size differ in their
    roots. `quorum` is the policy's, `unread` counts the time-stamps that nobody could read, `given_up` is
    what the log says that two people gave up.
    """

    commitments: list[Commitment] = field(default_factory=list)
    times: list[OutsideTime] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    quorum: str = NONE
    unread: int = 0
    given_up: tuple[GivenUp, ...] = ()


def read_held(name: str, data: bytes, token: bytes | None = None) -> list[Held]:
    """The checkpoints in a file that somebody brings along: one, or the two of a witness's evidence."""
    if not data.startswith(b"{"):
        return [Held(name, data, token)]
    try:
        facts = json.loads(data)
    except ValueError:
        return [Held(name, data)]
    told = {f"{name} {field}": facts.get(field) for field in ("held", "submitted")}
    return [Held(place, note.encode()) for place, note in told.items() if isinstance(note, str) and note]


def open_held(
    held: Iterable[Held],
    policy: TrustPolicy,
    *,
    charter: LogCharter | None = None,
    size: int | None = None,
    read_token: TokenReader | None = None,
    acknowledged: Collection[int] = (),
    read: Opener | None = None,
) -> Expected:
    """Open everything held. Never raises for what is held.

    With a `charter` a checkpoint counts only under the key of its time. A larger one than the log's `size`
    may have a trusted key that the log does not name: it may have come behind where the log was cut off. One
    that was given up is reported as `log.resumed` instead of being compared, or not at all where its size is
    `acknowledged`. What `read` opens below `abandoned/` shows which other checkpoints there went with it.
    """
    opening = _Opening(policy, charter or LogCharter(), size, read_token, acknowledged, read)
    for one in held:
        opening.take(one)
    return opening.result()


class _Opening:
    def __init__(
        self,
        policy: TrustPolicy,
        charter: LogCharter,
        size: int | None,
        read_token: TokenReader | None,
        acknowledged: Collection[int],
        read: Opener | None,
    ) -> None:
        self._policy, self._charter, self._read = policy, charter, read
        self._size = size
        self._read_token, self._acknowledged = read_token, acknowledged
        self._opened: dict[tuple[int, bytes, str], Commitment] = {}
        self._given_up: set[tuple[int, bytes]] = set()
        self._first: dict[int, Commitment] = {}
        self._strange: set[str] = set()
        self._expected = Expected(quorum=policy.quorum, given_up=charter.given_up)
        for idx, topic in charter.unreadable:
            self._find(Finding("charter.unreadable", idx, {"topic": topic}))

    def take(self, held: Held) -> None:
        try:
            checkpoint, signers = open_signed(held.note, self._policy.keys)
        except LedgerError as error:
            self._find(Finding(error.code, None, {"checkpoint": held.name, **error.params}))
            return
        self._compare_with_name(held, checkpoint)
        self._compare_with_first(held, checkpoint)
        if self._is_given_up(held, checkpoint):
            return  # of a history that this log does not have: its keys' terms say nothing there
        if self._is_of_another(held, checkpoint):
            return
        if retired := self._retired(held, checkpoint, signers):
            self._find(retired)
            return
        self._commit(held, checkpoint)

    def result(self) -> Expected:
        self._expected.commitments = sorted(self._opened.values(), key=lambda one: one.checkpoint.size)
        return self._expected

    def _find(self, *findings: Finding) -> None:
        self._expected.findings += findings

    def _retired(self, held: Held, checkpoint: Checkpoint, signers: Sequence[VerifierKey]) -> Finding | None:
        term = self._charter.signer(checkpoint.size)
        keys = {key.encode() for key in signers}
        if term is None or term.key in keys or self._may_follow(checkpoint.size, keys):
            return None
        params: Params = {
            "checkpoint": held.name,
            "size": checkpoint.size,
            "key": signers[0].id.hex(),
            "changed": term.first,
        }
        return Finding("key.retired", None, params)

    def _may_follow(self, size: int, keys: Collection[str]) -> bool:
        """Whether the key may be one that the log came to behind its present end, where it was cut off."""
        known = {term.key for term in self._charter.terms}
        return self._size is not None and size > self._size and not known.issuperset(keys)

    def _compare_with_name(self, held: Held, checkpoint: Checkpoint) -> None:
        named = _NAMED_BY_SIZE.fullmatch(held.name)
        if named and named[1] != str(checkpoint.size):
            params: Params = {"checkpoint": held.name, "size": checkpoint.size}
            self._find(Finding("checkpoint.misnamed", None, params))

    def _is_of_another(self, held: Held, checkpoint: Checkpoint) -> bool:
        """Whether it is of another log that is trusted too. Where it is the log that calls itself by a name
        which nobody trusts, that is told and the comparison made all the same.
        """
        own, found = self._charter.origin, checkpoint.origin
        if not own or found == own:
            return False
        if found not in self._strange:
            self._strange.add(found)
            params: Params = {"checkpoint": held.name, "expected": own, "found": found}
            self._find(Finding("checkpoint.origin_differs", None, params))
        return own in {key.name for key in self._policy.keys}

    def _compare_with_first(self, held: Held, checkpoint: Checkpoint) -> None:
        first = self._first.setdefault(checkpoint.size, Commitment(held.name, checkpoint))
        if first.checkpoint != checkpoint and not _agree(first.checkpoint, checkpoint):
            params: Params = {"size": checkpoint.size, "checkpoint": held.name, "other": first.name}
            self._find(Finding("checkpoint.conflict", None, params))

    def _is_given_up(self, held: Held, checkpoint: Checkpoint) -> bool:
        said = self._charter.gave_up(checkpoint.size, checkpoint.root)
        if said is None:
            given_up, read = self._charter.given_up, self._read
            return read is not None and goes_with(held.name, checkpoint, given_up, read)
        known = (said.size, checkpoint.root) in self._given_up
        self._given_up.add((said.size, checkpoint.root))
        if not known and said.size not in self._acknowledged:
            self._find(Finding("log.resumed", said.idx, {"size": said.size, "root": said.root}))
        return True

    def _commit(self, held: Held, checkpoint: Checkpoint) -> None:
        key = (checkpoint.size, checkpoint.root, checkpoint.origin)
        standing = self._opened.get(key, Commitment(held.name, checkpoint))
        cosigned = standing.cosigned.union(self._cosigners(held, checkpoint.size))
        self._opened[key] = replace(
            standing,
            cosigned=cosigned,
            witnessed=bool(cosigned) and self._policy.is_met(cosigned),
            stamped=self._stamp(held, checkpoint.size) or standing.stamped,
        )

    def _cosigners(self, held: Held, size: int) -> Iterator[str]:
        """The trusted witnesses on one note; the time of each is kept, and each wrong line is found."""
        note = Note.parse(held.note)
        trusted = {(one.key.name, one.key.id): one for one in self._policy.witnesses}
        for line in note.signatures:
            witness = trusted.get((line.name, line.key_id))
            if witness is None:
                continue
            try:
                at = witness.key.verify(line.signature, note.text)
            except SignatureInvalid as error:
                self._find(Finding("cosignature.invalid", None, {"checkpoint": held.name, **error.params}))
                continue
            self._expected.times.append(OutsideTime(size, at, f"{held.name} {witness.name}"))
            yield witness.name

    def _stamp(self, held: Held, size: int) -> bool:
        if held.token is None:
            return False
        if self._read_token is None:
            self._expected.unread += 1
            return False
        try:
            at = self._read_token(held.token, Note.parse(held.note).text.encode())
        except LedgerError as error:
            self._find(Finding(error.code, None, {"checkpoint": held.name, **error.params}))
            return False
        self._expected.times.append(OutsideTime(size, at, f"{held.name} time-stamp"))
        return True


def _agree(one: Checkpoint, other: Checkpoint) -> bool:
    return (one.origin, one.root) == (other.origin, other.root)
