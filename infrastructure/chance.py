"""Randomness of the operating system."""

import secrets


class SystemChance:
    """Chance that nobody can foresee: `secrets`."""

    def id(self, kind: str) -> str:
        """A fresh stream id: `kind-` and 32 hexadecimal digits."""
        return f"{kind}-{secrets.token_hex(16)}"

    def token(self, size: int) -> bytes:
        """`size` random bytes fit for secrets."""
        return secrets.token_bytes(size)
