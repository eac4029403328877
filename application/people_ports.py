"""What the application needs of the world where people are concerned: vault, standing, passwords, tokens."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

import msgspec


class Vault(Protocol):
    """Personal data. Writing travels in `Append`; reading for a person is recorded by the caller."""

    def read(self, persons: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The values of those persons that are not erased."""
        ...

    def scrub(self) -> None:
        """Let the bytes of what was erased leave the store's files as well, as far as the engine can."""
        ...

    def persons(self, uniques: Sequence[str]) -> Mapping[str, str]:
        """Who has those unique keys now, by key; any number of keys. Tells references, no personal data."""
        ...


class Original(msgspec.Struct, frozen=True):
    """The original of an import: the intake and the digest of its file."""

    intake: str
    digest: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a person of the vault stands at log position `as_of` (an `idx`).

    `left_on` is None while he is listed. `own` are his accounts, `matters` the ids of what is open and
    needs him known, `originals` imports that may name him, `version` is that of the person's own stream
    (0 before the first request).
    """

    as_of: int
    kind: str
    holder: str
    region: str
    left_on: date | None
    version: int
    own: tuple[str, ...]
    matters: tuple[str, ...]
    originals: tuple[Original, ...]


class People(Protocol):
    """Where people stand, for the decision whether their data may go."""

    def standing(self, person: str) -> Standing | None:
        """Where the person stands at the head of the log; None for nobody. `ProjectionBehind`."""
        ...


class Mentions(Protocol):
    """Looking into kept tables."""

    def __call__(self, content: bytes, words: Collection[str]) -> bool:
        """Whether one of the words stands anywhere in the file."""
        ...


class Passwords(Protocol):
    """Hashing and checking of passwords (argon2id)."""

    @property
    def decoy(self) -> str:
        """The hash of nobody's password, so that an unknown login name takes as long as a known one."""
        ...

    def hash(self, password: str) -> str:
        """A salted hash."""
        ...

    def matches(self, password: str, hashed: str) -> bool:
        """Whether the password is the hashed one, in constant time."""
        ...


class Credential(msgspec.Struct, frozen=True):
    """A local account's secret side. `locked_until` is None when the account may sign in."""

    account: str
    password_hash: str
    failures: int
    locked_until: datetime | None


class Token(msgspec.Struct, frozen=True):
    """A bearer token's record."""

    id: str
    account: str
    expires_at: datetime
    revoked: bool


class Credentials(Protocol):
    """Credentials: changed outside the log, because they are not facts about the world."""

    def by_login(self, login: str) -> Credential | None:
        """The credential of a login name, or None."""
        ...

    def failed(self, account: str, *, locked_until: datetime | None) -> None:
        """Count one failed sign-in, and lock the account until then if given."""
        ...

    def succeeded(self, account: str) -> None:
        """Set failures to nought and lift the lock."""
        ...

    def token(self, digest: str) -> Token | None:
        """The token whose SHA-256 this is, or None."""
        ...
