"""The latch: the last signed checkpoint, moved only by who saw the one before."""

from infrastructure.event_store.database import Database


class Latch:
    """One row with the last signed checkpoint. Two publishers cannot both move it from the same size."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> tuple[int, bytes] | None:
        """Size and note of the last signed checkpoint, or None before the first."""
        rows = self._database.fetch("SELECT size, note FROM latch")
        return (rows[0][0], rows[0][1]) if rows else None

    def swap(self, old_size: int | None, size: int, note: bytes) -> bool:
        """Move the latch from `old_size` (None: from nothing) to `size`; False if it did not stand there.

        ValueError for a size below the old one: a log does not shrink.
        """
        if old_size is None:
            sql = "INSERT INTO latch (one, size, note) VALUES (1, ?, ?) ON CONFLICT (one) DO NOTHING"
            return self._database.change(sql, (size, note)) == 1
        if size < old_size:
            raise ValueError(f"the latch cannot go back from {old_size} to {size}")
        sql = "UPDATE latch SET size = ?, note = ? WHERE one = 1 AND size = ?"
        return self._database.change(sql, (size, note, old_size)) == 1
