"""Whom to trust: the witnesses and quorum of the operator's file, with the log's keys from its charter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from domain.errors import TrustPolicyWrong
from domain.ledger.errors import PolicyMalformed
from domain.ledger.note import VerifierKey
from domain.ledger.policy import NONE, TrustedLog, TrustPolicy
from infrastructure.charter import Charter
from infrastructure.courier import is_address

NOBODY: Final = TrustPolicy(logs=(), quorum=NONE)
"""The policy of an installation without witnesses, still without the log's keys."""


class Chartered(Protocol):
    """What reads a log's charter, such as `CharterReader`."""

    def read(self) -> Charter | None:
        """The charter as the store has it now, None before the log is founded."""
        ...


class Trust:
    """The trust policy of one log as it stands at any moment.

    `key` is the one that we sign with. A log that is not founded, or a publisher without a charter, has that
    key and the `former` ones.
    """

    def __init__(
        self,
        key: VerifierKey,
        written: TrustPolicy = NOBODY,
        charter: Chartered | None = None,
        former: Sequence[VerifierKey] = (),
    ) -> None:
        self.written = written
        self._own = Charter(key.encode(), tuple(one.encode() for one in former), ())
        self._charter = charter

    def charter(self) -> Charter:
        """Which key signs now, which did before, what was given up; `StoreUnavailable`."""
        found = self._charter.read() if self._charter is not None else None
        return found or self._own

    def policy(self) -> TrustPolicy:
        """The policy as it is published: the log's present key first, then the former ones, oldest first."""
        return self.policy_of(self.charter())

    def policy_of(self, charter: Charter) -> TrustPolicy:
        """The policy under a charter that was read before."""
        urls = {one.key: one.url for one in self.written.logs}
        keys = [VerifierKey.parse(line) for line in (charter.key, *charter.former)]
        logs = tuple(TrustedLog(key, urls.get(key, "")) for key in dict.fromkeys(keys))
        return TrustPolicy(logs, self.written.witnesses, self.written.groups, self.written.quorum)


def load_policy(file: Path, *, needed: bool) -> TrustPolicy:
    """The operator's policy; one without witnesses where there is no file, unless it is `needed`.

    `TrustPolicyWrong` also for a witness whose address is none.
    """
    try:
        policy = TrustPolicy.parse(file.read_bytes())
    except FileNotFoundError as error:
        if needed:
            raise TrustPolicyWrong(path=str(file), line=0, reason="missing") from error
        return NOBODY
    except OSError as error:
        raise TrustPolicyWrong(path=str(file), line=0, reason="unreadable") from error
    except PolicyMalformed as error:
        params = error.params
        raise TrustPolicyWrong(path=str(file), line=params["line"], reason=params["reason"]) from error
    for one in policy.witnesses:
        if one.url and not is_address(one.url):
            raise TrustPolicyWrong(path=str(file), line=0, reason="address", name=one.name)
    return policy
