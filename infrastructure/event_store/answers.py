"""Answers kept for safe retries: written in the transaction of the events they tell of."""

import msgspec

from application.ports import Answer, Remembered
from infrastructure.event_store.database import Database


class StoredAnswers:
    """The answers that appends kept under their retry keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: str, key: str) -> Remembered | None:
        """The answer kept under the key, or None."""
        sql = "SELECT request, answer, position FROM answers WHERE account = ? AND key = ?"
        rows = self._database.fetch(sql, (account, key))
        if not rows:
            return None
        request, answer, position = rows[0]
        kept = msgspec.json.decode(answer, type=Answer)
        return Remembered(request, msgspec.structs.replace(kept, position=position))
