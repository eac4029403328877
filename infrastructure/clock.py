"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The present as this machine has it."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return datetime.now(UTC)
