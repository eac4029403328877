"""The bytes of events: canonical, salted, refused where they could not be read back the same."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.aggregate import Aggregate
from domain.errors import EventRefused, EventUnreadable
from infrastructure.event_store.mapper import EventMapper
from tests.contracts.sample import ACT, Line, Seal
from tests.fakes import BEGINNING, SeededChance

BEIJING = timezone(timedelta(hours=8))
LIMIT = 2**53 - 1


class Thing(Aggregate):
    """Whatever can be in an event."""

    TOPIC = "sample-thing"

    class Noted(Aggregate.Event, frozen=True, kw_only=True):
        """Something was noted."""

        TOPIC = "sample-thing.noted.v1"
        what: Any

    class Dated(Aggregate.Event, frozen=True, kw_only=True):
        """Days and times."""

        TOPIC = "sample-thing.dated.v1"
        day: date
        moment: datetime | None
        line: Line | None = None

    class Salted(Aggregate.Event, frozen=True, kw_only=True):
        """A field that the store needs itself."""

        TOPIC = "sample-thing.salted.v1"
        salt: str


def noted(what: Any) -> Thing.Noted:
    """An event with anything in it."""
    return Thing.Noted(originator_id="thing-1", originator_version=3, what=what, **ACT.stamp())


@pytest.fixture
def mapper() -> EventMapper:
    """A mapper whose salts repeat."""
    return EventMapper(SeededChance())


def test_the_state_is_sorted_salted_json_without_stream_and_version(mapper: EventMapper) -> None:
    event = Seal.set(ACT, id="seal-1", number="七", lines=(Line("a", 1),)).collect_events()[0]
    stored = mapper.to_stored_event(event)
    assert (stored.originator_id, stored.originator_version, stored.topic) == (
        "seal-1",
        1,
        "sample-seal.set.v1",
    )
    state = json.loads(stored.state)
    salt = SeededChance().token(16).hex()
    assert state == {
        "by": "account-1",
        "causation_id": "",
        "correlation_id": "",
        "lines": [{"count": 1, "name": "a"}],
        "number": "七",
        "occurred_at": "2024-04-01T01:00:00.000000Z",
        "on_behalf_of": None,
        "originator_topic": "sample-seal",
        "salt": salt,
        "timestamp": "2024-04-01T01:00:00.000000Z",
    }
    assert (
        stored.state == json.dumps(state, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )


def test_no_two_events_have_the_same_salt(mapper: EventMapper) -> None:
    event = noted("x")
    assert mapper.to_stored_event(event).state != mapper.to_stored_event(event).state


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LIMIT, LIMIT) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(what=VALUES)
def test_what_is_stored_is_canonical_and_comes_back(what: Any) -> None:
    mapper = EventMapper(SeededChance())
    stored = mapper.to_stored_event(noted(what))
    plain = json.loads(stored.state)
    assert (
        stored.state == json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    )
    assert mapper.to_domain_event(stored) == noted(what)


@settings(max_examples=60, deadline=None)
@given(
    day=st.dates(),
    moment=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),
    hours=st.integers(-23, 23),
)
def test_times_are_written_in_utc_with_six_digits(day: date, moment: datetime, hours: int) -> None:
    mapper = EventMapper(SeededChance())
    aware = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    event = Thing.Dated(originator_id="t", originator_version=1, day=day, moment=aware, **ACT.stamp())
    stored = mapper.to_stored_event(event)
    written = json.loads(stored.state)
    assert written["moment"] == aware.astimezone(UTC).strftime("%Y").zfill(4) + aware.astimezone(
        UTC
    ).strftime("-%m-%dT%H:%M:%S.%fZ")
    assert written["day"] == day.isoformat()
    assert mapper.to_domain_event(stored) == event


@pytest.mark.parametrize(
    ("what", "field"),
    [
        (1.0, "what"),
        ([{"a": [0, 0.5]}], "what.0.a.1"),
        ({"a": float("nan")}, "what.a"),
        (LIMIT + 1, "what"),
        ([-LIMIT - 1], "what.0"),
        ({"a": "\ud800"}, "what.a"),
        ({"\udfff": 1}, "what.\\udfff"),
        ({1: 2}, "what.1"),
        (datetime(2024, 4, 1), "what"),
        ({"at": [datetime(2024, 4, 1)]}, "what.at.0"),
        (object(), ""),
    ],
)
def test_what_cannot_be_told_twice_the_same_is_refused(mapper: EventMapper, what: Any, field: str) -> None:
    with pytest.raises(EventRefused) as refusal:
        mapper.to_stored_event(noted(what))
    assert refusal.value.facts["topic"] == "sample-thing.noted.v1"
    assert refusal.value.facts["field"] == field
    assert refusal.value.facts["why"]


def test_naive_base_times_are_refused(mapper: EventMapper) -> None:
    naive = msgspec.structs.replace(noted("x"), timestamp=datetime(2024, 4, 1))
    with pytest.raises(EventRefused) as refusal:
        mapper.to_stored_event(naive)
    assert refusal.value.facts["field"] == "timestamp"


def test_a_field_called_salt_is_refused(mapper: EventMapper) -> None:
    event = Thing.Salted(originator_id="t", originator_version=1, salt="mine", **ACT.stamp())
    with pytest.raises(EventRefused):
        mapper.to_stored_event(event)


@pytest.mark.parametrize("limit", [LIMIT, -LIMIT])
def test_the_largest_integers_are_kept(mapper: EventMapper, limit: int) -> None:
    stored = mapper.to_stored_event(noted(limit))
    assert b'"what":%d}' % limit in stored.state
    assert mapper.to_domain_event(stored) == noted(limit)


def test_a_time_of_another_zone_comes_back_as_the_same_instant(mapper: EventMapper) -> None:
    local = BEGINNING.astimezone(BEIJING)
    event = Thing.Dated(
        originator_id="t", originator_version=1, day=date(2024, 4, 1), moment=local, **ACT.stamp()
    )
    back = mapper.to_domain_event(mapper.to_stored_event(event))
    assert isinstance(back, Thing.Dated)
    assert back.moment == local
    assert back.moment is not None
    assert back.moment.utcoffset() == timedelta(0)


def unreadable() -> Iterable[tuple[str, bytes]]:
    """Topics and states that cannot be read."""
    good = EventMapper(SeededChance()).to_stored_event(noted("x")).state
    return [
        ("sample-thing.forgotten.v1", good),
        ("os:system", good),
        ("sample-thing", good),
        ("sample-thing.noted.v1", b""),
        ("sample-thing.noted.v1", b"[]"),
        ("sample-thing.noted.v1", b"{}"),
        ("sample-thing.noted.v1", good[:-1]),
        ("sample-thing.noted.v1", good + b"x"),
        ("sample-thing.noted.v1", good.replace(b'"what"', b'"that"')),
        ("sample-thing.noted.v1", good.replace(b'"x"', b'"\xff"')),
        ("sample-thing.dated.v1", good),
    ]


@pytest.mark.parametrize(("topic", "state"), unreadable())
def test_what_cannot_be_read_is_named(mapper: EventMapper, topic: str, state: bytes) -> None:
    with pytest.raises(EventUnreadable) as unread:
        mapper.to_domain_event(StoredEvent("thing-1", 3, topic, state))
    facts = unread.value.facts
    assert (facts["stream"], facts["version"], facts["topic"]) == ("thing-1", 3, topic)
    assert facts["reason"]


PROGRAM = """
import sys
from eventsourcing.application import ProcessingEvent
from application.workflow import Workflow
from infrastructure.database import open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.migration import migrate
from tests.contracts.sample import ACT, Seal
from tests.fakes import FakeClock, SeededChance
url = sys.argv[1]
migrate(url)
store = open_store(url, clock=FakeClock())
workflow = Workflow(recorder=store.recorder, mapper=EventMapper(SeededChance()), answers=store.answers)
seal = Seal.set(ACT, id="seal-1", number="7")
seal.break_it(ACT, "time")
workflow.save(seal)
for row in store.recorder.rows():
    print(row.state.hex(), row.entry.hex())
"""


def test_the_environment_cannot_change_stored_bytes(tmp_path: Path) -> None:
    def run(name: str, **environment: str) -> str:
        command = [sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path / name}"]
        return subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, check=True
        ).stdout

    plain = run("plain")
    changed = run(
        "changed",
        COMPRESSOR_TOPIC="eventsourcing.compressor:ZlibCompressor",
        CIPHER_TOPIC="eventsourcing.cipher:AESCipher",
        CIPHER_KEY="MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        TRANSCODER_TOPIC="nowhere:Transcoder",
        MAPPER_TOPIC="nowhere:Mapper",
        PERSISTENCE_MODULE="eventsourcing.popo",
        POSTGRES_ENABLE_DB_FUNCTIONS="y",
        IS_SNAPSHOTTING_ENABLED="y",
        SQLITE_DBNAME=":memory:",
    )
    assert plain.count("\n") == 2
    assert changed == plain
