"""What a folder says of whom to trust, held against whom the checker trusts. It proves nothing either way,
but a folder that hands on a false key is not what the log published.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.ledger.errors import LedgerError
from domain.ledger.finding import Finding
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.tiles import Opener

VKEY = "vkey"
POLICY = "trust-policy"


class PublishedTrust:
    """The key and the policy in a folder, where they are there.

    `findings` names those that nobody who is trusted can have published; `differs` is whether the policy has
    other keys or witnesses than the checker's own, which may be as it should.
    """

    def __init__(self, read: Opener, policy: TrustPolicy) -> None:
        self._read, self._policy = read, policy
        self.differs = False
        self.findings = [*self._of_key(), *self._of_policy()]

    def _of_key(self) -> Iterator[Finding]:
        data = self._opened(VKEY)
        if data is not None and _key(data) not in _logs(self._policy):
            yield Finding("trust.differs", None, {"path": VKEY})

    def _of_policy(self) -> Iterator[Finding]:
        data = self._opened(POLICY)
        if data is None:
            return
        try:
            published = TrustPolicy.parse(data)
        except LedgerError:
            yield Finding("trust.differs", None, {"path": POLICY})
            return
        mine, theirs = _logs(self._policy), _logs(published)
        if mine and not mine & theirs:
            yield Finding("trust.differs", None, {"path": POLICY})
        self.differs = (mine, _witnesses(self._policy)) != (theirs, _witnesses(published))

    def _opened(self, path: str) -> bytes | None:
        try:
            return self._read(path)
        except FileNotFoundError:
            return None


def _key(data: bytes) -> str:
    """The key in its one form; nothing for what is none."""
    try:
        return VerifierKey.parse(data.decode().strip()).encode()
    except (LedgerError, UnicodeDecodeError):
        return ""


def _logs(policy: TrustPolicy) -> frozenset[str]:
    return frozenset(key.encode() for key in policy.keys)


def _witnesses(policy: TrustPolicy) -> frozenset[str]:
    return frozenset(one.key.encode() for one in policy.witnesses)
