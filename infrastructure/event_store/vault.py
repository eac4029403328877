"""The vault: personal data beside the log, erasable without touching a proof."""

from collections.abc import Mapping, Sequence

import msgspec

from infrastructure.event_store.database import Database

BATCH = 500


class StoredVault:
    """Reads the vault; writing travels with an append."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, persons: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The values of those persons that are there and not erased; any number of persons."""
        values: dict[str, Mapping[str, str]] = {}
        for start in range(0, len(persons), BATCH):
            values.update(self._some(persons[start : start + BATCH]))
        return values

    def scrub(self) -> None:
        """Let the bytes of what was erased leave the store's files; `StoreUnavailable` if readers hold them.

        On PostgreSQL the dead row stays until VACUUM, which is not the service's to run.
        """
        self._database.scrub()

    def persons(self, uniques: Sequence[str]) -> Mapping[str, str]:
        """Who has those unique keys now, by key; any number of keys."""
        found: dict[str, str] = {}
        for start in range(0, len(uniques), BATCH):
            some = uniques[start : start + BATCH]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT unique_key, person FROM vault WHERE unique_key IN ({marks})"  # noqa: S608
            found.update(self._database.fetch(sql, some))
        return found

    def _some(self, persons: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        marks = ", ".join("?" * len(persons))
        sql = f"SELECT person, value FROM vault WHERE erased_at IS NULL AND person IN ({marks})"  # noqa: S608
        rows = self._database.fetch(sql, persons)
        return {person: msgspec.json.decode(value, type=dict[str, str]) for person, value in rows}
