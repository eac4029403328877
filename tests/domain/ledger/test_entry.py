from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.entry import (
    NUMBER_LIMIT,
    SIZE_LIMIT,
    Entry,
    chain,
    format_at,
    parse_at,
    parse_entry,
    recorded_at,
)
from domain.ledger.errors import ClockBehind, EntryMalformed, EntryTooLarge, PrevUnknown
from domain.ledger.merkle import leaf_hash

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
ENTRIES = st.builds(
    Entry,
    at=st.datetimes(timezones=st.just(UTC)).map(format_at),
    idx=st.integers(0, NUMBER_LIMIT),
    prev=st.one_of(st.just(""), HASHES),
    state=HASHES,
    stream=NAMES,
    topic=NAMES,
    ver=st.integers(1, NUMBER_LIMIT),
)
ENTRY = Entry("2026-11-23T01:02:03.123456Z", 5, "ab" * 32, "cd" * 32, "draw-0", "draw.sealed.v1", 2)


@settings(max_examples=80, deadline=None)
@given(ENTRIES)
def test_an_entry_reads_back_and_is_canonical_json(entry: Entry) -> None:
    data = entry.encode()
    assert parse_entry(data) == entry
    fields = json.loads(data)
    assert fields.keys() == {"at", "idx", "prev", "state", "stream", "topic", "v", "ver"}
    assert json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data


@settings(max_examples=80, deadline=None)
@given(ENTRIES, st.data())
def test_whatever_parses_is_the_only_way_to_write_it(entry: Entry, data: st.DataObject) -> None:
    changed = bytearray(entry.encode())
    changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsed = parse_entry(bytes(changed))
    except EntryMalformed:
        return
    assert parsed.encode() == changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"at"', '{ "at"'),
        ('"v":1', '"v":2'),
        ('"v":1', '"v":1,"w":1'),
        ('"idx":5', '"idx":05'),
        ('"idx":5', '"idx":5.0'),
        ('"idx":5', '"idx":-5'),
        ('"idx":5', '"idx":9007199254740992'),
        ('"ver":2', '"ver":0'),
        ('"ver":2', '"ver":"2"'),
        ("draw-0", ""),
        ("draw-0", "draw 0"),
        ("draw-0", "抽查"),
        ("draw-0", "draw\\u002d0"),
        ("draw-0", "draw\\/0"),
        ("draw.sealed", "draw\\tsealed"),
        ("draw.sealed", "draw\tsealed"),
        ("abab", "ABAB"),
        ("cdcd", "cd"),
        ("11-23T", "13-23T"),
        ("11-23T", "02-29T"),
        ("T01:02", "T24:02"),
        (":03.123456Z", ":60.123456Z"),
        (".123456Z", ".123Z"),
        (".123456Z", ".123456+00:00"),
        ('"ver":2}', '"ver":2}\n'),
    ],
)
def test_any_other_way_of_writing_an_entry_is_refused(old: str, new: str) -> None:
    text = ENTRY.encode().decode()
    assert old in text
    with pytest.raises(EntryMalformed):
        parse_entry(text.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2026-11-23"),
        ("idx", -1),
        ("prev", "ab"),
        ("state", ""),
        ("stream", "一"),
        ("topic", " "),
        ("ver", 0),
    ],
)
def test_an_entry_with_an_unsound_field_cannot_be_written(field: str, value: str | int) -> None:
    with pytest.raises(EntryMalformed) as refusal:
        replace(ENTRY, **{field: value}).encode()  # type: ignore[arg-type]
    assert refusal.value.params["field"] == field


def test_an_entry_fits_a_bundles_two_byte_length() -> None:
    room = SIZE_LIMIT - len(ENTRY.encode()) + len(ENTRY.stream)
    assert len(parse_entry(replace(ENTRY, stream="s" * room).encode()).stream) == room
    with pytest.raises(EntryTooLarge):
        replace(ENTRY, stream="s" * (room + 1)).encode()
    with pytest.raises(EntryTooLarge):
        parse_entry(b" " * (SIZE_LIMIT + 1))
    with pytest.raises(EntryTooLarge):
        list(chain([(b"{}", "s" * SIZE_LIMIT, "t", 1)], at=ENTRY.at, idx=0, prevs={}))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["draw-0", 'odd"\\stream', "site-1"]), max_size=12))
def test_chained_entries_are_those_written_one_by_one(streams: list[str]) -> None:
    versions: dict[str, int] = {}
    events = []
    for stream in streams:
        versions[stream] = versions.get(stream, 0) + 1
        events.append((stream.encode(), stream, 'odd"\\topic', versions[stream]))
    prevs: dict[str, str] = {}
    last: dict[str, str] = {}
    made = chain(events, at=ENTRY.at, idx=7, prevs=prevs)
    for position, ((data, leaf), (state, stream, topic, ver)) in enumerate(zip(made, events, strict=True), 7):
        prev, digest = last.get(stream, ""), sha256(state).hexdigest()
        assert data == Entry(ENTRY.at, position, prev, digest, stream, topic, ver).encode()
        assert leaf == leaf_hash(data)
        last[stream] = leaf.hex()
    assert prevs == last


def test_an_entry_without_its_known_predecessor_is_not_made() -> None:
    with pytest.raises(PrevUnknown):
        next(chain([(b"{}", "draw-0", "draw.sealed.v1", 2)], at=ENTRY.at, idx=0, prevs={}))


@pytest.mark.parametrize("name", ["", "a b", "抽", "a\n", "a\x7f"])
def test_an_entry_is_not_made_for_a_name_that_is_not_printable_ascii(name: str) -> None:
    for stream, topic in ((name, "t"), ("s", name)):
        with pytest.raises(EntryMalformed):
            next(chain([(b"{}", stream, topic, 1)], at=ENTRY.at, idx=0, prevs={}))


def test_times_are_written_in_utc_with_six_digits() -> None:
    beijing = timezone(timedelta(hours=8))
    assert format_at(datetime(2026, 11, 23, 9, 2, 3, tzinfo=beijing)) == "2026-11-23T01:02:03.000000Z"
    assert parse_at("2026-11-23T01:02:03.000007Z") == datetime(2026, 11, 23, 1, 2, 3, 7, UTC)
    with pytest.raises(EntryMalformed):
        format_at(datetime(2026, 11, 23))
    with pytest.raises(EntryMalformed):
        parse_at("2026-11-23T01:02:03Z")


def test_recorded_time_never_goes_back() -> None:
    now = datetime(2026, 11, 23, 1, 2, 3, 0, UTC)
    later = format_at(now + timedelta(seconds=60))
    assert recorded_at(now, "") == format_at(now)
    assert recorded_at(now, format_at(now - timedelta(days=9))) == format_at(now)
    assert recorded_at(now, later) == later


def test_a_clock_more_than_a_minute_behind_stops_recording() -> None:
    now = datetime(2026, 11, 23, 1, 2, 3, 0, UTC)
    with pytest.raises(ClockBehind) as refusal:
        recorded_at(now, format_at(now + timedelta(seconds=60, microseconds=1)))
    assert refusal.value.params["seconds"] == 60
