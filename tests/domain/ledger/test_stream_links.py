"""Chains followed by position, in buckets outside of memory, find what the pass by stream finds."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger import stream_links
from domain.ledger.entry import Entry, chain, parse_entry
from domain.ledger.finding import Finding
from domain.ledger.links import verify_links
from domain.ledger.merkle import leaf_hash
from domain.ledger.stream_links import StreamLinks


class Buckets:
    """Room in memory that stands for files."""

    def __init__(self) -> None:
        self.kept: dict[int, BytesIO] = {}

    def write(self, bucket: int, data: bytes) -> None:
        self.kept.setdefault(bucket, BytesIO()).write(data)

    def open(self, bucket: int) -> BytesIO:
        return BytesIO(self.kept.get(bucket, BytesIO()).getvalue())


def entries(size: int, streams: int = 5) -> list[Entry]:
    prevs: dict[str, str] = {}
    made: list[Entry] = []
    for idx in range(size):
        event = (b"%d" % idx, f"site-{idx % streams}", "site.assessed.v1", idx // streams + 1)
        ((data, _),) = chain([event], at="2026-11-23T01:02:03.000001Z", idx=idx, prevs=prevs)
        made.append(parse_entry(data))
    return made


def followed(log: list[Entry], spill: Buckets | None) -> tuple[list[Finding], int, int]:
    check = StreamLinks(len(log), spill)
    for entry in log:
        check.add(entry, leaf_hash(entry.encode()))
    report = check.report()
    return sorted(report.findings.kept, key=str), report.size, report.streams


def by_stream(log: list[Entry]) -> list[Finding]:
    links = sorted((one.stream, one.ver, one.idx, one.encode()) for one in log)
    report = verify_links((idx, data, stream, ver) for stream, ver, idx, data in links)
    return sorted(report.findings.kept, key=str)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_buckets_find_what_the_pass_by_stream_finds(data: st.DataObject) -> None:
    log = entries(60)
    gone = data.draw(st.sets(st.integers(0, 59), max_size=4))
    kept = [one for one in log if one.idx not in gone]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream_links, "PER_BUCKET", 10)
        spilled = Buckets()
        found = followed(kept, spilled)
    assert len(spilled.kept) > 1
    assert found == followed(kept, None)
    assert found[0] == by_stream(kept)
    assert found[1:] == (len(kept), 5)


def test_a_link_to_another_entry_is_found_in_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    log = entries(40)
    wrong = log[37]
    log[37] = Entry(wrong.at, 37, "ab" * 32, wrong.state, wrong.stream, wrong.topic, wrong.ver)
    monkeypatch.setattr(stream_links, "PER_BUCKET", 10)
    (finding,), _, _ = followed(log, Buckets())
    assert (finding.code, finding.idx) == ("prev.differs", 37)


def test_there_are_never_more_buckets_than_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_links, "PER_BUCKET", 1)
    spill = Buckets()
    assert followed(entries(2000, streams=700), spill)[0] == []
    assert max(spill.kept) < stream_links.BUCKETS
