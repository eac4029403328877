"""The log itself: versions, positions, entries, reading, recorded time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from eventsourcing.persistence import IntegrityError, ProgrammingError, StoredEvent, Tracking
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import ClockBehind, EventRefused
from domain.ledger.entry import parse_entry
from domain.ledger.merkle import leaf_hash
from infrastructure.database import Store
from infrastructure.event_store import recorder
from tests.contracts.checks import assert_whole
from tests.contracts.sample import claiming, stored, taking
from tests.fakes import BEGINNING, FakeClock

NAME = st.text(st.sampled_from("!#$%&'()*+,-./0129:;<=>?@AZ[]^_`az{|}~"), min_size=1, max_size=40)
STATES = st.dictionaries(st.text(max_size=6), st.text(max_size=12), max_size=3)


def test_an_empty_log_has_no_head(store: Store) -> None:
    assert store.recorder.head() is None
    assert store.recorder.max_notification_id() is None
    assert list(store.recorder.rows()) == []
    assert list(store.recorder.by_stream()) == []
    assert store.recorder.position_before(BEGINNING) is None


def test_positions_and_notification_ids_are_dense(store: Store) -> None:
    assert store.recorder.insert_events(stored("a", 1, 2)) == [1, 2]
    with pytest.raises(IntegrityError):
        store.recorder.insert_events(stored("a", 2))
    assert store.recorder.insert_events(stored("b", 1)) == [3]
    assert [row.idx for row in store.recorder.rows()] == [0, 1, 2]
    assert [n.id for n in store.recorder.select_notifications(None, 10)] == [1, 2, 3]
    assert store.recorder.head() == 2


@pytest.mark.parametrize("versions", [(2,), (1, 3), (1, 1), (2, 1), (1, 2, 4)])
def test_a_gap_or_clash_of_versions_writes_nothing(store: Store, versions: tuple[int, ...]) -> None:
    with pytest.raises(IntegrityError):
        store.recorder.insert_events([*stored("other"), *stored("a", *versions)])
    assert store.recorder.head() is None


def test_a_version_that_exists_is_refused(store: Store) -> None:
    store.recorder.insert_events(stored("a", 1, 2))
    for again in (1, 2, 4):
        with pytest.raises(IntegrityError):
            store.recorder.insert_events(stored("a", again))
    assert store.recorder.head() == 1


def test_streams_mix_in_one_append(store: Store) -> None:
    store.recorder.insert_events(stored("a", 1))
    batch = [*stored("b", 1), *stored("a", 2), *stored("b", 2), *stored("a", 3), *stored("c", 1)]
    store.recorder.insert_events(batch)
    assert [(row.stream, row.ver) for row in store.recorder.rows()][1:] == [
        (event.originator_id, event.originator_version) for event in batch
    ]
    assert_whole(store)


@pytest.mark.parametrize("name", ["", "ä", 'a"b', "a\\b", "a b", "a\nb", "a\x7f", "x" * 256])
def test_a_name_that_sql_could_not_write_canonically_is_refused(store: Store, name: str) -> None:
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored(name))
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored("a", topic=name))
    assert store.recorder.head() is None


def test_version_nought_is_refused(store: Store) -> None:
    with pytest.raises(EventRefused):
        store.recorder.insert_events(stored("a", 0))


def test_what_the_log_does_not_keep_is_refused(store: Store) -> None:
    with pytest.raises(ProgrammingError):
        store.recorder.insert_events(stored("a"), tracking=Tracking("x", 1))
    assert store.recorder.insert_events([], tracking=None) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(NAME, NAME, st.binary(max_size=60)), min_size=1, max_size=5), max_size=3
    )
)
def test_entries_are_what_the_ledger_would_write(
    store: Store, batches: Sequence[Sequence[tuple[str, str, bytes]]]
) -> None:
    for batch in batches:
        versions: dict[str, int] = {}
        events = []
        for stream, topic, state in batch:
            known = versions.get(stream, len(store.recorder.select_events(stream)))
            versions[stream] = known + 1
            events.append(StoredEvent(stream, known + 1, topic, state))
        store.recorder.insert_events(events)
    assert_whole(store)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=30))
def test_states_come_back_byte_for_byte(store: Store, text: str) -> None:
    state = text.encode()
    first = store.recorder.insert_events([StoredEvent("u", _next(store, "u"), "t", state)])[0] - 1
    row = next(store.recorder.rows(first, 1))
    assert row.state == state
    assert row.leaf == leaf_hash(row.entry)
    assert parse_entry(row.entry).idx == first


def _next(store: Store, stream: str) -> int:
    return len(store.recorder.select_events(stream)) + 1


def test_events_of_a_stream_are_read_by_version(store: Store) -> None:
    store.recorder.insert_events([*stored("a", 1, 2, 3), *stored("b", 1)])
    select = store.recorder.select_events
    assert [e.originator_version for e in select("a")] == [1, 2, 3]
    assert [e.originator_version for e in select("a", desc=True, limit=2)] == [3, 2]
    assert [e.originator_version for e in select("a", gt=1, lte=2)] == [2]
    assert select("c") == []


def test_rows_are_read_page_by_page(store: Store) -> None:
    many = [event for nth in range(2100) for event in stored(f"s-{nth % 7}", nth // 7 + 1)]
    store.recorder.insert_events(many)
    assert [row.idx for row in store.recorder.rows()] == list(range(2100))
    assert [row.idx for row in store.recorder.rows(2050, 10)] == list(range(2050, 2060))
    assert [idx for idx, _ in store.recorder.leaves(2098)] == [2098, 2099]
    ordered = [(stream, ver) for _, _, stream, ver in store.recorder.by_stream()]
    assert ordered == sorted(ordered)
    assert len(ordered) == 2100
    assert len(list(store.recorder.by_stream(stop=100))) == 100
    assert_whole(store)


@pytest.mark.parametrize("page", [1, 2, 3, 5, 6, 7])
def test_no_row_is_lost_where_pages_meet(store: Store, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    store.recorder.insert_events([*stored("b", 1, 2), *stored("a", 1, 2, 3), *stored("c", 1)])
    monkeypatch.setattr(recorder, "PAGE", page)
    assert [row.idx for row in store.recorder.rows()] == [0, 1, 2, 3, 4, 5]
    assert [row.idx for row in store.recorder.rows(2, 3)] == [2, 3, 4]
    assert [idx for idx, *_ in store.recorder.by_stream()] == [2, 3, 4, 0, 1, 5]
    assert [idx for idx, *_ in store.recorder.by_stream(stop=4)] == [2, 3, 0, 1]


def test_streams_are_ordered_by_their_bytes(store: Store) -> None:
    for name in ("b", "B", "a-1", "a", "~", "!", "a1"):
        store.recorder.insert_events(stored(name))
    assert [stream for _, _, stream, _ in store.recorder.by_stream()] == [
        "!",
        "B",
        "a",
        "a-1",
        "a1",
        "b",
        "~",
    ]


def test_a_version_is_located_and_dated(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(hours=1)
    store.recorder.insert_events([*stored("b", 1), *stored("a", 2)])
    assert store.recorder.locate("a", 2) == 2
    assert store.recorder.locate("a", 3) is None
    later = BEGINNING + timedelta(hours=1)
    assert store.recorder.recorded("a") == [(1, 0, BEGINNING), (2, 2, later)]
    assert store.recorder.recorded("a")[0].at.tzinfo is not None


def test_the_position_before_a_moment(store: Store, clock: FakeClock) -> None:
    for nth in range(1, 6):
        clock.set(BEGINNING + timedelta(hours=nth))
        store.recorder.insert_events([*stored(f"a-{nth}"), *stored(f"b-{nth}")])
    before = store.recorder.position_before
    for nth in range(1, 6):
        moment = BEGINNING + timedelta(hours=nth)
        assert before(moment) == (2 * nth - 3 if nth > 1 else None)
        assert before(moment, inclusive=True) == 2 * nth - 1
        assert before(moment + timedelta(microseconds=1)) == 2 * nth - 1
    assert before(datetime(2999, 1, 1, tzinfo=UTC)) == 9


def test_recorded_time_never_goes_back(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(seconds=-60)
    store.recorder.insert_events(stored("a", 2))
    assert [moment.at for moment in store.recorder.recorded("a")] == [BEGINNING, BEGINNING]
    clock.advance(seconds=61, microseconds=5)
    store.recorder.insert_events(stored("a", 3))
    assert [row.at for row in store.recorder.rows()][2] == "2024-04-01T01:00:01.000005Z"
    assert_whole(store)


def test_a_clock_that_fell_behind_stops_appending(store: Store, clock: FakeClock) -> None:
    store.recorder.insert_events(stored("a", 1))
    clock.advance(seconds=-60, microseconds=-1)
    with pytest.raises(ClockBehind) as refusal:
        store.recorder.insert_events(stored("a", 2), append=claiming(taking("a", "1")))
    assert refusal.value.facts == {
        "now": "2024-04-01T00:58:59.999999Z",
        "last": "2024-04-01T01:00:00.000000Z",
    }
    assert store.recorder.head() == 0
    assert store.claims.holder("seal", "1") is None
    clock.set(BEGINNING)
    assert store.recorder.insert_events(stored("a", 2)) == [2]


def test_a_leap_forward_is_kept_and_stops_what_comes_after(store: Store, clock: FakeClock) -> None:
    clock.set(datetime(2099, 1, 1, tzinfo=UTC))
    store.recorder.insert_events(stored("a", 1))
    clock.set(BEGINNING)
    with pytest.raises(ClockBehind):
        store.recorder.insert_events(stored("a", 2))


def test_whole_rows_of_a_stream_come_in_pages(store: Store) -> None:
    recorder = store.recorder
    recorder.insert_events([event for ver in range(1, 6) for event in (*stored("a", ver), *stored("b", ver))])
    whole = [row for row in recorder.rows() if row.stream == "a"]
    assert recorder.versions("a") == whole
    assert recorder.versions("a", limit=2) == whole[:2]
    assert recorder.versions("a", after=2, limit=2) == whole[2:4]
    assert recorder.versions("a", after=5) == recorder.versions("c") == []


def test_whole_rows_are_found_at_any_positions(store: Store) -> None:
    recorder = store.recorder
    recorder.insert_events([event for ver in range(1, 6) for event in stored("a", ver)])
    rows = list(recorder.rows())
    assert recorder.among([3, 0, 99, 3]) == [rows[0], rows[3]]
    assert recorder.among([]) == []
    assert recorder.among(range(5)) == rows
