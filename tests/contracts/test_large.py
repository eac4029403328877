"""One append as large as an import: by socket and by TCP, with its claims."""

import pytest

from infrastructure.database import Store, open_store
from tests.contracts.sample import claiming, stored, taking
from tests.engines import PostgresServer, postgres_url
from tests.fakes import FakeClock

EVENTS = 100_000
STATE = b"x" * 450


@pytest.mark.parametrize("tcp", [False, True], ids=["socket", "tcp"])
def test_a_hundred_thousand_events_in_one_append(
    postgres_server: PostgresServer, clock: FakeClock, tcp: bool
) -> None:
    with postgres_url(postgres_server, tcp=tcp) as url:
        store = open_store(url, clock=clock)
        append_and_check(store)
        store.close()


def test_a_hundred_thousand_events_in_one_append_on_sqlite(sqlite_store: Store) -> None:
    append_and_check(sqlite_store)


def append_and_check(store: Store) -> None:
    """50,000 streams of two events and 200,000 claims, all at once."""
    events = [event for nth in range(EVENTS // 2) for event in stored(f"s-{nth}", 1, 2, state=STATE)]
    claims = taking("s-1", *(str(nth) for nth in range(2 * EVENTS)))
    ids = store.recorder.insert_events(events, append=claiming(claims))
    assert ids == list(range(1, EVENTS + 1))
    assert store.recorder.head() == EVENTS - 1
    assert store.claims.highest("seal") == 2 * EVENTS - 1
    assert sum(1 for _ in store.recorder.leaves()) == EVENTS
