"""A clock that is set by hand, and chance that repeats itself."""

from datetime import UTC, datetime, timedelta
from random import Random

BEGINNING = datetime(2024, 4, 1, 1, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = BEGINNING) -> None:
        self._now = now

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Set it to any instant."""
        self._now = moment

    def advance(self, **delta: float) -> None:
        """Move it by a `timedelta(**delta)`, back as well."""
        self._now += timedelta(**delta)


class SeededChance:
    """The same ids and tokens for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311

    def id(self, kind: str) -> str:
        """A stream id: `kind-` and 32 hexadecimal digits."""
        return f"{kind}-{self.token(16).hex()}"

    def token(self, size: int) -> bytes:
        """`size` bytes."""
        return self._random.randbytes(size)
