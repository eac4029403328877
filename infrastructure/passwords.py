"""Passwords, hashed by argon2id."""

from functools import cached_property

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher


class Argon2Passwords:
    """Port Passwords; the library's parameters, which follow RFC 9106."""

    def __init__(self) -> None:
        self._hashes = PasswordHash((Argon2Hasher(),))

    @cached_property
    def decoy(self) -> str:
        """The hash of nobody's password."""
        return self.hash("nobody's password, compared when a login name is unknown")

    def hash(self, password: str) -> str:
        """A salted hash."""
        return self._hashes.hash(password)

    def matches(self, password: str, hashed: str) -> bool:
        """Whether the password is the hashed one."""
        return self._hashes.verify(password, hashed)
