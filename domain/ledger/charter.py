"""What the log says about itself in its own events: which key signs from where on, and which published
checkpoints two people gave up.

A verifier reads it from states that it has checked. It narrows what a trust policy allows and widens nothing:
a key is trusted because somebody outside says so, never because the log does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Self

FOUNDED = "installation.founded.v1"
KEY_CHANGED = "installation.key-changed.v1"
RESUMED = "installation.resumed.v1"
TOPICS = frozenset((FOUNDED, KEY_CHANGED, RESUMED))
_ROOT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeyTerm:
    """A verifier key that signs every checkpoint that covers the position `first`, until the next term."""

    key: str
    first: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A published checkpoint (root in hex) that was given up, and the position of the event that says so."""

    size: int
    root: str
    idx: int


@dataclass(frozen=True, slots=True)
class LogCharter:
    """The log's name, the terms of its keys in order, and all that was given up. Empty where no states are at
    hand. `unreadable` are the events (position, topic) that should say such a thing and do not.
    """

    terms: tuple[KeyTerm, ...] = ()
    given_up: tuple[GivenUp, ...] = ()
    origin: str = ""
    unreadable: tuple[tuple[int, str], ...] = ()

    def take(self, topic: str, state: bytes, idx: int) -> Self:
        """The charter after the event at `idx`; the same for an event that says nothing about it."""
        if topic not in TOPICS:
            return self
        match topic, _facts(state):
            case (
                ("installation.founded.v1" | "installation.key-changed.v1"),
                {"verifier_key": str(key), **facts},
            ):
                origin = self.origin or str(facts.get("origin", ""))
                return replace(self, terms=(*self.terms, KeyTerm(key, idx)), origin=origin)
            case "installation.resumed.v1", {"size": int(size), "root": str(root)} if _ROOT.fullmatch(root):
                return replace(self, given_up=(*self.given_up, GivenUp(size, root, idx)))
        return replace(self, unreadable=(*self.unreadable, (idx, topic)))

    def signer(self, size: int) -> KeyTerm | None:
        """Whose signature a checkpoint of this size must have; None where the log does not say."""
        return next((term for term in reversed(self.terms) if term.first < size), None)

    def gave_up(self, size: int, root: bytes) -> GivenUp | None:
        """The event that gave up this checkpoint, or None."""
        return next((one for one in self.given_up if (one.size, one.root) == (size, root.hex())), None)


def _facts(state: bytes) -> dict[str, Any]:
    """What a state says; nothing for one that cannot be read."""
    try:
        facts = json.loads(state)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}
