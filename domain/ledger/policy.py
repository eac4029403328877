"""C2SP tlog-policy: whom a verifier trusts. The log's keys, the witnesses, and how many of these must cosign.

log <vkey> [<url>]
witness <name> <vkey> [<url>]
group <name> all|any|<k> <name>...
quorum <name>|none

A checkpoint counts if one of the log's keys signed it and the quorum's witnesses cosigned it. A log that has
changed its key has one line for each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.cosignature import WitnessKey, read_cosignatures
from domain.ledger.errors import PolicyMalformed, QuorumMissing
from domain.ledger.note import Note, VerifierKey

SIZE_LIMIT = 1_000_000
ITEM_LIMIT = 1_000
"""How many logs, witnesses and groups a policy may have altogether."""

NONE = "none"
_ALLOWED = re.compile(r"[\t\n -~\u0080-\U0010ffff]*")
_SPACES = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True)
class TrustedLog:
    """A key that may sign the log's checkpoints; `url` is where the log is published, or ""."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class TrustedWitness:
    """A witness under its name in the policy; `url` is the prefix of its `add-checkpoint`, or ""."""

    name: str
    key: WitnessKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Counts as having witnessed what `needed` of its members (witnesses or groups) have."""

    name: str
    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that a policy accepts, and when each trusted witness cosigned it (seconds since 1970)."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Whom to trust. `quorum` is the name of a witness or group, or "none"."""

    logs: tuple[TrustedLog, ...]
    witnesses: tuple[TrustedWitness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy file. Raises PolicyMalformed naming the line and what is wrong with it."""
        reader = _Reader()
        for number, items in _lines(data):
            reader.read(number, items)
        if not reader.quorum:
            raise PolicyMalformed(line=0, reason="no quorum line")
        return cls(tuple(reader.logs), tuple(reader.witnesses), tuple(reader.groups), reader.quorum)

    @classmethod
    def of_keys(cls, keys: Sequence[VerifierKey]) -> Self:
        """The policy that trusts these keys of a log and asks no witness."""
        return cls(tuple(map(TrustedLog, keys)))

    def encode(self) -> bytes:
        """The policy file. Raises PolicyMalformed for a policy that could not be read back."""
        lines = [_line("log", one.key.encode(), one.url) for one in self.logs]
        lines += [_line("witness", one.name, one.key.encode(), one.url) for one in self.witnesses]
        lines += [_line("group", one.name, str(one.needed), *one.members) for one in self.groups]
        data = "".join((*lines, _line("quorum", self.quorum))).encode("utf-8", "surrogateescape")
        if type(self).parse(data) != self:
            raise PolicyMalformed(line=0, reason="could not be read back")
        return data

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """The log's keys."""
        return tuple(one.key for one in self.logs)

    @property
    def witness_keys(self) -> tuple[WitnessKey, ...]:
        """The witnesses' keys."""
        return tuple(one.key for one in self.witnesses)

    def is_met(self, cosigned: Collection[str]) -> bool:
        """Whether the witnesses of these names make up the quorum."""
        if self.quorum == NONE:
            return True
        counted = set(cosigned)
        for group in self.groups:  # each only refers to what stands before it
            if len(counted.intersection(group.members)) >= group.needed:
                counted.add(group.name)
        return self.quorum in counted

    def cosigners(self, note: bytes) -> dict[str, int]:
        """Which trusted witnesses cosigned a checkpoint, by name, and when (seconds since 1970).

        Raises NoteMalformed, SignatureInvalid. Does not look at the log's own signature.
        """
        names = {one.key: one.name for one in self.witnesses}
        found = read_cosignatures(Note.parse(note), self.witness_keys)
        return {names[one.witness]: one.at for one in found}

    def open(self, note: bytes) -> Witnessed:
        """A checkpoint that this policy accepts.

        Raises what `open_checkpoint` raises, and QuorumMissing where too few witnesses have cosigned it.
        """
        checkpoint = open_checkpoint(note, self.keys)
        cosigned = self.cosigners(note)
        if not self.is_met(cosigned):
            names = _shown(", ".join(sorted(cosigned)))
            raise QuorumMissing(size=checkpoint.size, quorum=_shown(self.quorum), cosigned=names)
        return Witnessed(checkpoint, cosigned)


class _Reader:
    """Collects what the lines say; names are known only from the line that defines them on."""

    def __init__(self) -> None:
        self.logs: list[TrustedLog] = []
        self.witnesses: list[TrustedWitness] = []
        self.groups: list[Group] = []
        self.quorum = ""
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._keys: set[bytes] = set()

    def read(self, number: int, items: list[str]) -> None:
        keyword, *rest = items
        reader = _READERS.get(keyword)
        try:
            if reader is None:
                raise ValueError("unknown keyword")
            reader(self, rest)
            if len(self.logs) + len(self._names) > ITEM_LIMIT:
                raise ValueError("too many lines")
        except ValueError as error:  # KeyMalformed and a key name that is no UTF-8 among them
            raise PolicyMalformed(line=number, reason=_shown(str(error))) from error

    def _log(self, items: list[str]) -> None:
        vkey, url = _with_url(items, 1)
        key = VerifierKey.parse(vkey)
        self._new_key(b"log" + key.public)
        self.logs.append(TrustedLog(key, url))

    def _witness(self, items: list[str]) -> None:
        name, vkey, url = _with_url(items, 2)
        key = WitnessKey.parse(vkey)
        self._new_key(b"witness" + key.public)
        self._new_name(name)
        self.witnesses.append(TrustedWitness(name, key, url))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            raise ValueError("a group needs a name, a number and members")
        name, needed, *members = items
        for member in members:
            if member not in self._names:
                raise ValueError(f"{member} is not defined before")
            if member in self._members:
                raise ValueError(f"{member} is a member twice")
            self._members.add(member)
        self.groups.append(Group(name, _threshold(needed, len(members)), tuple(members)))
        self._new_name(name)

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1 or self.quorum:
            raise ValueError("there is one quorum line, with one name")
        if items[0] != NONE and items[0] not in self._names:
            raise ValueError(f"{items[0]} is not defined before")
        self.quorum = items[0]

    def _new_name(self, name: str) -> None:
        if name == NONE or name in self._names:
            raise ValueError(f"the name {name} is taken")
        self._names.add(name)

    def _new_key(self, key: bytes) -> None:
        if key in self._keys:
            raise ValueError("the same public key twice")
        self._keys.add(key)


_READERS = {
    "log": _Reader._log,
    "witness": _Reader._witness,
    "group": _Reader._group,
    "quorum": _Reader._quorum,
}


def _with_url(items: list[str], count: int) -> tuple[str, ...]:
    if len(items) == count:
        return (*items, "")
    if len(items) == count + 1:
        return tuple(items)
    raise ValueError("too few or too many items")


def _threshold(text: str, members: int) -> int:
    if text == "all":
        return members
    if text == "any":
        return 1
    if not _NUMBER.fullmatch(text) or int(text) > members:
        raise ValueError(f"{text} of {members} members cannot be needed")
    return int(text)


def _lines(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The items of each line that says something, with its number from 1."""
    if len(data) > SIZE_LIMIT:
        raise PolicyMalformed(line=0, reason="too large")
    # Octets above ASCII are opaque to the format: surrogates carry those that are no UTF-8.
    text = data.decode("utf-8", "surrogateescape")
    if text and not text.endswith("\n"):
        raise PolicyMalformed(line=text.count("\n") + 1, reason="no line end")
    for number, line in enumerate(text.split("\n"), 1):
        items = _SPACES.split(line.strip(" \t"))
        if not _ALLOWED.fullmatch(line):
            raise PolicyMalformed(line=number, reason="control character")
        if items[0] and not items[0].startswith("#"):
            yield number, items


def _line(*items: str) -> str:
    return " ".join(item for item in items if item) + "\n"


def _shown(name: str) -> str:
    """A name for a message: octets that are no UTF-8 as \\xff."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
