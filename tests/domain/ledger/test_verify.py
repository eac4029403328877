"""Each thing that can be wrong with a log, done to a sound one, and found by name."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.links import LinkCheck, verify_links
from domain.ledger.merkle import Frontier, leaf_hash
from domain.ledger.note import Note, SigningKey
from domain.ledger.verify import Report, Row, verify_log
from tests.domain.ledger.vectors import ORIGIN, links

KEY = SigningKey(ORIGIN, b"k" * 32)
SIZE = 40

Notes = list[tuple[str, bytes]]


def entry_of(
    idx: int, prev: str, state: bytes, stream: str, topic: str, ver: int, seconds: int = -1
) -> bytes:
    at = f"2026-11-23T01:02:{seconds if seconds >= 0 else idx:02d}.000000Z"
    return Entry(at, idx, prev, sha256(state).hexdigest(), stream, topic, ver).encode()


def sound_rows(size: int = SIZE) -> list[Row]:
    """Four streams in turn, a second apart."""
    rows: list[Row] = []
    prevs: dict[str, str] = {}
    for idx in range(size):
        stream, ver, state = f"site-{idx % 4}", idx // 4 + 1, b'{"salt":"%d"}' % idx
        entry = entry_of(idx, prevs.get(stream, ""), state, stream, "site.assessed.v1", ver)
        prevs[stream] = leaf_hash(entry).hex()
        rows.append((idx, entry, state, stream, "site.assessed.v1", ver))
    return rows


def rechain(rows: list[Row]) -> list[Row]:
    """What a forger with the whole store does: positions, versions and hashes all made anew."""
    forged: list[Row] = []
    prevs: dict[str, tuple[str, int]] = {}
    for idx, (_, entry, state, stream, topic, _) in enumerate(rows):
        assert entry is not None
        assert state is not None
        prev, ver = prevs.get(stream, ("", 0))
        facts = replace(parse_entry(entry), idx=idx, prev=prev, ver=ver + 1, state=sha256(state).hexdigest())
        prevs[stream] = leaf_hash(facts.encode()).hex(), ver + 1
        forged.append((idx, facts.encode(), state, stream, topic, ver + 1))
    return forged


def checkpoint_of(rows: list[Row], size: int, key: SigningKey = KEY) -> bytes:
    frontier = Frontier()
    frontier.extend([leaf_hash(row[1] or b"") for row in rows[:size]])
    return sign_checkpoint(Checkpoint(key.name, size, frontier.root()), key)


def held(*sizes: int) -> Notes:
    """Checkpoints of the sound log, held outside."""
    return [(f"checkpoints/{size}", checkpoint_of(sound_rows(), size)) for size in sizes]


def verify(rows: list[Row], notes: Notes | None = None, limit: int = 1000) -> Report:
    return verify_log(rows, links(rows), held(SIZE) if notes is None else notes, [KEY.verifier], limit=limit)


def codes(report: Report) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.idx) for finding in report.findings]


def changed(idx: int, **columns: object) -> list[Row]:
    """The sound rows with one row's columns changed."""
    names = ("idx", "entry", "state", "stream", "topic", "version")
    rows = sound_rows()
    fields = dict(zip(names, rows[idx], strict=True)) | columns
    rows[idx] = tuple(fields.values())
    return rows


def with_entry(idx: int, change: Callable[[Entry], Entry]) -> list[Row]:
    return changed(idx, entry=change(parse_entry(sound_rows()[idx][1] or b"")).encode())


def test_a_sound_log_has_no_findings() -> None:
    report = verify(sound_rows(), held(0, 1, 7, 32, SIZE))
    assert report.sound
    assert report.first is None
    assert (report.size, report.streams, report.checkpoints, report.covered) == (SIZE, 4, 5, SIZE)


def test_an_empty_log_is_sound() -> None:
    report = verify([], held(0))
    assert report.sound
    assert (report.size, report.covered) == (0, 0)


def test_events_after_the_last_checkpoint_are_reported_as_not_covered() -> None:
    report = verify(sound_rows(), held(7))
    assert report.sound
    assert (report.size, report.covered) == (SIZE, 7)


def test_a_changed_byte_of_a_state_is_named() -> None:
    report = verify(changed(9, state=b'{"salt":"X"}'))
    assert codes(report) == [("state.differs", 9)]
    assert report.findings[0].params["state"] == sha256(b'{"salt":"X"}').hexdigest()


def test_a_state_rewritten_with_its_entry_is_named_by_the_chain_and_the_checkpoint() -> None:
    state = b'{"salt":"rewritten"}'
    rows = with_entry(9, lambda entry: replace(entry, state=sha256(state).hexdigest()))
    rows[9] = (*rows[9][:2], state, *rows[9][3:])
    report = verify(rows, held(8, SIZE))
    assert codes(report) == [("root.differs", None), ("prev.differs", 13)]
    assert (report.findings[0].params["first"], report.findings[0].params["last"]) == (8, SIZE - 1)
    assert report.covered == 8


def test_a_history_rewritten_without_a_trace_differs_from_every_checkpoint_held() -> None:
    rows = sound_rows()
    rows[9] = (9, rows[9][1], b'{"salt":"rewritten"}', *rows[9][3:])
    report = verify(rechain(rows), held(8, 16, 32, SIZE))
    assert codes(report) == [("root.differs", None)]
    assert report.findings[0].params["size"] == 16


def test_an_event_deleted_and_all_that_follows_renumbered_is_found() -> None:
    rows = sound_rows()
    del rows[12]
    assert codes(verify(rechain(rows), held(8, 16))) == [("root.differs", None)]
    assert codes(verify(rechain(rows), held(8, SIZE))) == [("log.cut_off", SIZE - 1)]


def test_a_deleted_event_leaves_a_gap() -> None:
    rows = sound_rows()
    del rows[12]
    report = verify(rows)
    assert codes(report) == [("idx.gap", 13), ("root.differs", None), ("version.gap", 16)]
    assert report.findings[0].params == {"expected": 12, "found": 13}
    assert report.first == report.findings[0]


def test_a_position_used_twice_is_named() -> None:
    rows = sound_rows()
    rows.insert(13, rows[12])
    assert codes(verify(rows))[0] == ("idx.repeated", 12)
    assert ("version.repeated", 12) in codes(verify(rows))


def test_versions_of_a_stream_rise_with_the_position() -> None:
    rows = sound_rows()
    stored = [(30, rows[4][1], "s", 1), (10, None, "s", 2)]
    codes_ = [(one.code, one.idx, one.params) for one in verify_links(stored).findings.kept]
    assert ("version.unordered", 10, {"stream": "s", "version": 2, "before": 30}) in codes_
    halves, check = verify_links(stored), LinkCheck()
    check.run(stored[:1])
    later = LinkCheck()
    later.restore(check.save())
    assert later.run(stored[1:]) == halves


def test_two_swapped_events_are_named() -> None:
    rows = sound_rows()
    rows[5], rows[6] = (5, *rows[6][1:]), (6, *rows[5][1:])
    found = codes(verify(rows))
    assert ("entry.differs", 5) in found
    assert ("entry.differs", 6) in found
    assert ("root.differs", None) in found


def test_a_tail_cut_off_is_named() -> None:
    report = verify(sound_rows()[:30], held(8, 30, SIZE))
    assert codes(report) == [("log.cut_off", 30)]
    assert report.findings[0].params == {"size": 30, "held": SIZE}
    assert report.covered == 30


def test_a_log_emptied_is_named() -> None:
    assert codes(verify([])) == [("log.cut_off", 0)]


def test_recorded_time_going_backwards_is_named() -> None:
    rows = sound_rows()
    _, _, state, stream, topic, ver = rows[20]
    assert state is not None
    prev = parse_entry(rows[20][1] or b"").prev
    rows[20] = (20, entry_of(20, prev, state, stream, topic, ver, 18), state, stream, topic, ver)
    report = verify(rechain(rows), [])
    assert codes(report) == [("at.backwards", 20)]
    assert report.findings[0].params == {
        "at": "2026-11-23T01:02:18.000000Z",
        "before": "2026-11-23T01:02:19.000000Z",
    }


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("topic", "site.removed.v1", "topic"),
        ("stream", "site-x", "stream"),
        ("version", 99, "ver"),
        ("version", 0, "ver"),
    ],
)
def test_a_column_that_differs_from_its_entry_is_named(column: str, value: object, field: str) -> None:
    report = verify(changed(9, **{column: value}))
    finding = report.findings[0]
    assert (finding.code, finding.idx, finding.params["field"], finding.params["row"]) == (
        "entry.differs",
        9,
        field,
        value,
    )


@pytest.mark.parametrize("topic", ["", "two words", "主题", "line\n"])
def test_a_column_that_no_entry_can_hold_is_named(topic: str) -> None:
    assert codes(verify(changed(9, topic=topic))) == [("entry.differs", 9)]


@pytest.mark.parametrize(
    "entry",
    [b"", b"{}", b"\xff" * 300, (sound_rows()[39][1] or b"") + b"\n", (sound_rows()[39][1] or b"")[:-1]],
)
def test_an_entry_that_is_not_canonical_is_named(entry: bytes) -> None:
    report = verify(changed(39, entry=entry), [])
    assert codes(report)[0] == ("entry.malformed", 39)


def test_an_impossible_time_is_named() -> None:
    entry = (sound_rows()[39][1] or b"").replace(b"11-23", b"11-31")
    assert codes(verify(changed(39, entry=entry), [])) == [("entry.malformed", 39)]


def test_an_entry_over_65535_bytes_is_named() -> None:
    stream = "s" * 65_500
    entry = (sound_rows()[39][1] or b"").replace(b"site-3", stream.encode())
    assert codes(verify(changed(39, entry=entry, stream=stream), []))[0] == ("entry.too_large", 39)


def test_an_event_without_an_entry_and_an_entry_without_an_event_are_named() -> None:
    assert codes(verify(changed(39, entry=None), []))[0] == ("entry.missing", 39)
    assert codes(verify(changed(39, state=None), [])) == [("event.missing", 39)]


def test_a_prev_that_is_not_the_entry_before_is_named() -> None:
    rows = with_entry(39, lambda entry: replace(entry, prev="ab" * 32))
    report = verify(rows, [])
    assert codes(report) == [("prev.differs", 39)]
    assert report.findings[0].params["expected"] == leaf_hash(rows[35][1] or b"").hex()


@pytest.mark.parametrize(("idx", "prev"), [(39, ""), (3, "ab" * 32)])
def test_a_stream_begun_twice_or_begun_on_nothing_is_named(idx: int, prev: str) -> None:
    report = verify(with_entry(idx, lambda entry: replace(entry, prev=prev)), [])
    assert codes(report)[0] == ("prev.differs", idx)


def test_a_gap_in_a_streams_versions_is_named() -> None:
    rows = with_entry(39, lambda entry: replace(entry, ver=12))
    rows[39] = (*rows[39][:5], 12)
    report = verify(rows, [])
    assert codes(report) == [("version.gap", 39)]
    assert report.findings[0].params == {"stream": "site-3", "expected": 10, "found": 12}


def test_two_checkpoints_of_one_size_are_named() -> None:
    other = checkpoint_of(rechain(sound_rows(32)[1:]), 31)
    report = verify(sound_rows(), [*held(31, SIZE), ("copy", held(31)[0][1]), ("elsewhere", other)])
    assert codes(report) == [("checkpoint.conflict", None)]
    assert report.findings[0].params == {"size": 31, "checkpoint": "elsewhere", "other": "checkpoints/31"}


def test_a_checkpoint_of_a_stranger_under_our_name_is_named() -> None:
    note = checkpoint_of(sound_rows(), SIZE, SigningKey(ORIGIN, b"x" * 32))
    report = verify(sound_rows(), [("checkpoint", note)])
    assert codes(report) == [("key.unknown", None)]
    assert report.findings[0].params["checkpoint"] == "checkpoint"
    assert report.covered == 0


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"\n40\n", b"\n39\n", "signature.invalid"),
        (b"=\n\n", b"\n\n", "signature.invalid"),
        (b"\n\n", b"\n", "note.malformed"),
        (b"sunlot.example/140100 ", b"another.example ", "signature.missing"),
    ],
)
def test_a_damaged_checkpoint_is_named(old: bytes, new: bytes, code: str) -> None:
    note = held(SIZE)[0][1]
    assert old in note
    assert codes(verify(sound_rows(), [("checkpoint", note.replace(old, new))])) == [(code, None)]


def test_a_cosignature_beside_ours_is_ignored() -> None:
    note = Note.parse(held(SIZE)[0][1])
    witnessed = Note(note.text, (*note.signatures, SigningKey("witness.example", b"w" * 32).sign(b"other")))
    assert verify(sound_rows(), [("checkpoint", witnessed.encode())]).covered == SIZE


def test_passes_that_did_not_read_the_same_rows_are_named() -> None:
    rows = sound_rows()
    report = verify_log(rows, links(rows)[:-1], [], [KEY.verifier])
    assert codes(report) == [("rows.differ", None)]


def test_findings_are_counted_beyond_those_kept() -> None:
    rows: list[Row] = [(idx, entry, b"?", *rest) for idx, entry, _, *rest in sound_rows()]
    report = verify(rows, limit=3)
    assert (len(report.findings), report.found) == (3, SIZE)
    assert report.first == report.findings[0]


def test_memory_is_flat_in_the_size_of_the_log() -> None:
    def rows(size: int) -> Iterator[Row]:
        for idx in range(size):
            state, stream = b"%d" % idx, f"site-{idx}"
            yield (
                idx,
                entry_of(idx, "", state, stream, "site.assessed.v1", 1, 0),
                state,
                stream,
                "site.assessed.v1",
                1,
            )

    def peak(size: int) -> int:
        tracemalloc.start()
        pair = ((idx, entry, stream, ver) for idx, entry, _, stream, _, ver in rows(size))
        assert verify_log(rows(size), pair, [], [KEY.verifier]).sound
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(20_000) < peak(8_000) * 1.2
