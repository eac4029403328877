"""The eventsourcing library's own test cases, on our recorders.

`AggregateRecorderTestCase` does not fit: it expects no notification ids from an application's recorder.
The library's test module imports its cipher, which needs pycryptodome; none of the cases used here does,
so an empty module stands in for it while it is imported.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from eventsourcing.persistence import ApplicationRecorder, StoredEvent, Subscription

from infrastructure.database import Store

_CIPHER = ModuleType("eventsourcing.cipher")
_CIPHER.AESCipher = object  # type: ignore[attr-defined]
with patch.dict(sys.modules, {"eventsourcing.cipher": _CIPHER}):
    from eventsourcing.tests.persistence import ApplicationRecorderTestCase


class FromOne(ApplicationRecorder):
    """Counts versions from 1 where the library's concurrency cases count from 0; ours never start at 0."""

    def __init__(self, recorder: ApplicationRecorder) -> None:
        self.recorder = recorder

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append, shifted where the batch starts at 0."""
        shift = 1 if stored_events and stored_events[0].originator_version == 0 else 0
        shifted = [replace(e, originator_version=e.originator_version + shift) for e in stored_events]
        return self.recorder.insert_events(shifted, **kwargs)

    def select_events(self, *args: Any, **kwargs: Any) -> Sequence[StoredEvent]:
        """As it is."""
        return self.recorder.select_events(*args, **kwargs)

    def select_notifications(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        return self.recorder.select_notifications(*args, **kwargs)

    def max_notification_id(self) -> int | None:
        """As it is."""
        return self.recorder.max_notification_id()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """As it is."""
        return self.recorder.subscribe(gt, topics)


class RecorderCase(ApplicationRecorderTestCase[ApplicationRecorder]):
    """The library's cases that say something about us."""

    __test__ = False
    store: Store
    test_performance = None  # type: ignore[assignment]  # prints a figure and asserts nothing

    def new_originator_id(self) -> str:
        """Our streams are texts."""
        return str(super().new_originator_id())

    def create_recorder(self) -> ApplicationRecorder:
        """The store's recorder."""
        return FromOne(self.store.recorder)

    def test_insert_subscribe(self) -> None:
        """Both our engines have subscriptions."""
        self.optional_test_insert_subscribe()


class TestOnSqlite(RecorderCase):
    """On SQLite."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def _given(self, sqlite_store: Store) -> None:
        self.store = sqlite_store


class TestOnPostgresql(RecorderCase):
    """On PostgreSQL."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def _given(self, postgres_store: Store) -> None:
        self.store = postgres_store
