"""The first pass looks at rows together where all is well: it must see whatever looking at each one sees."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.checkpoint import Checkpoint, sign_checkpoint
from domain.ledger.entry import Entry, chain
from domain.ledger.finding import Finding
from domain.ledger.held import Expected, Held, open_held
from domain.ledger.merkle import Frontier, leaf_hash
from domain.ledger.note import SigningKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.published_tiles import TileCheck
from domain.ledger.rows import Row, diagnose, sound_until
from domain.ledger.tiles import TileWriter
from domain.ledger.verify import RowsReport, verify_log, verify_rows
from tests.domain.ledger.vectors import ORIGIN, links

KEY = SigningKey(ORIGIN, b"k" * 32)
FIRST, LAST_AT = 997, "2026-11-23T01:02:03.000000Z"


def rows_of(size: int, *, first: int = 0, streams: int = 5, topic: str = "site.assessed.v1") -> list[Row]:
    """Streams in turn, a microsecond apart."""
    rows: list[Row] = []
    prevs: dict[str, str] = {}
    for idx in range(first, first + size):
        stream, version, state = f"site-{idx % streams}", idx // streams + 1, b'{"salt":"%d"}' % idx
        prevs.setdefault(stream, "ab" * 32)
        at = f"2026-11-23T01:02:03.{idx:06d}Z"
        ((entry, _),) = chain([(state, stream, topic, version)], at=at, idx=idx, prevs=prevs)
        rows.append((idx, entry, state, stream, topic, version))
    return rows


def with_copies(rows: list[Row]) -> list[Row]:
    """The rows as a store holds them that repeats time and leaf hash in columns."""
    return [(*row[:6], (row[1] or b"")[7:34].decode(), leaf_hash(row[1] or b"")) for row in rows]


SOUND = with_copies(rows_of(12, first=FIRST))
LOG = rows_of(700)
ENTRIES = [row[1] or b"" for row in LOG]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def put(column: int, value: object) -> st.SearchStrategy[tuple[int, object]]:
    return st.just((column, value))


def bytes_changed() -> st.SearchStrategy[tuple[int, object]]:
    """A byte of an entry set to another value; not of `prev`, which is for the second pass."""
    places = st.one_of(st.integers(0, 53), st.integers(120, 250))
    return st.tuples(st.just(1), st.tuples(places, st.integers(0, 255)))


CHANGES = st.one_of(
    bytes_changed(),
    put(0, FIRST - 1),
    put(0, FIRST + 500),
    put(1, None),
    put(1, b""),
    put(2, None),
    put(2, b"another"),
    *(put(column, name) for column in (3, 4) for name in ("", "other", 'a"b', "a\\b", "a b", "é", "a\n")),
    *(put(6, at) for at in ("2026-11-23T01:02:03.001001Z", "")),
    *(put(7, leaf) for leaf in (bytes(32), b"")),
    *(put(5, version) for version in (0, -1, 2, 1, 2**53, 2**60)),
)


def changed(rows: list[Row], nth: int, change: tuple[int, object]) -> list[Row]:
    column, value = change
    if isinstance(value, tuple):
        entry = bytearray(rows[nth][1] or b"")
        place, byte = value
        entry[place % len(entry)] = byte
        value = bytes(entry)
    fields: list[object] = list(rows[nth])
    fields[column] = value
    return [*rows[:nth], tuple(fields), *rows[nth + 1 :]]  # type: ignore[list-item]


def until(rows: list[Row], first: int = FIRST, last_at: str = LAST_AT) -> str | None:
    return sound_until(rows, [leaf_hash(row[1] or b"") for row in rows], first, last_at)


def one_by_one(rows: list[Row], last_at: str) -> list[Finding]:
    found = list[Finding]()
    for expected, row in enumerate(rows, FIRST):
        found += diagnose(row, expected, last_at)
        last_at = (row[1] or b"")[7:34].decode("latin-1")
    return found


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SOUND) - 1), CHANGES)
def test_looking_at_rows_together_sees_what_looking_at_each_sees(
    nth: int, change: tuple[int, object]
) -> None:
    rows = changed(SOUND, nth, change)
    assert (until(rows) is None) == bool(one_by_one(rows, LAST_AT))


def test_sound_rows_give_the_time_of_their_last() -> None:
    last = "2026-11-23T01:02:03.001008Z"
    assert until(SOUND) == until([row[:6] for row in SOUND]) == last
    assert until(SOUND, last_at="2026-11-23T01:02:03.000997Z") == last


@pytest.mark.parametrize(("first", "last"), [(FIRST, "2026-11-23T01:02:03.000998Z"), (FIRST + 1, LAST_AT)])
def test_rows_that_begin_too_early_or_elsewhere_are_not_sound(first: int, last: str) -> None:
    assert until(SOUND, first, last) is None


def test_a_first_version_linked_to_something_is_not_taken_for_sound() -> None:
    state = b"{}"
    entry = Entry(LAST_AT, 0, "ab" * 32, sha256(state).hexdigest(), "site-1", "t", 1).encode()
    assert until([(0, entry, state, "site-1", "t", 1)], 0, "") is None


def test_names_that_need_escapes_are_sound_as_well() -> None:
    report = verify_rows(rows_of(40, topic='quo"ted\\topic'), Expected())
    assert (report.findings.count, report.size) == (0, 40)


def published(size: int) -> dict[str, bytes]:
    writer = TileWriter()
    files = [*writer.extend(ENTRIES[:size]), *writer.partials()]
    return {tile.path(): data for tile, data in files}


def opened(files: dict[str, bytes], path: str) -> bytes:
    if path not in files:
        raise FileNotFoundError(path)
    return files[path]


def checked(
    rows: list[Row], files: dict[str, bytes], size: int, notes: list[int]
) -> tuple[RowsReport, TileCheck]:
    tiles = TileCheck(size, lambda path: opened(files, path))
    signed = (Held(f"checkpoints/{held}", note_at(held)) for held in notes)
    expected = open_held(signed, TrustPolicy.of_keys([KEY.verifier]))
    return verify_rows(rows, expected, tiles=tiles), tiles


def note_at(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return sign_checkpoint(Checkpoint(ORIGIN, size, frontier.root()), KEY)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 700), st.integers(0, 700), st.lists(st.integers(0, 700), max_size=6, unique=True))
def test_a_sound_log_is_sound_wherever_tiles_and_checkpoints_end(
    size: int, behind: int, notes: list[int]
) -> None:
    shown = max(0, size - behind)
    held = [note for note in notes if note <= size]
    report, tiles = checked(LOG[:size], published(shown), shown, held)
    assert (report.findings.kept, tiles.findings.kept) == ([], [])
    assert (report.size, report.covered, report.checkpoints) == (size, max(held, default=0), len(held))
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    assert report.root == frontier.root()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 700), st.integers(0, 2**32), st.integers(1, 255))
def test_any_byte_changed_in_any_published_file_is_found(shown: int, place: int, flip: int) -> None:
    files = published(shown)
    path = sorted(files)[place % len(files)]
    content = bytearray(files[path])
    content[place % len(content)] ^= flip
    files[path] = bytes(content)
    report, tiles = checked(LOG, files, shown, [])
    assert report.findings.count == 0
    assert [(finding.code, finding.params) for finding in tiles.findings.kept] == [
        ("tile.differs", {"path": path})
    ]


def test_files_beyond_the_rows_are_missed_at_the_end_of_the_rows() -> None:
    report, tiles = checked(LOG[:600], published(700), 700, [700])
    assert [finding.code for finding in report.findings.kept] == ["log.cut_off"]
    assert {finding.code for finding in tiles.findings.kept} == {"tile.missing"}


def test_an_entry_that_no_bundle_can_hold_is_named_and_ends_nothing() -> None:
    rows = list(LOG)
    entry = (rows[300][1] or b"").replace(b"site-0", b"s" * 65_536)
    rows[300] = (300, entry, rows[300][2], "s" * 65_536, *rows[300][4:])
    report, tiles = checked(rows, published(600), 600, [600])
    assert [finding.code for finding in report.findings.kept] == ["entry.too_large", "root.differs"]
    assert {(finding.code, finding.params["path"]) for finding in tiles.findings.kept} == {
        ("tile.differs", path) for path in ("tile/entries/001", "tile/0/001", "tile/1/000.p/2")
    }


def test_a_log_all_wrong_is_counted_to_its_end() -> None:
    rows: list[Row] = [(idx, entry, b"?", *rest) for idx, entry, _, *rest in LOG]
    report = verify_log(rows, links(LOG), [], [], limit=5)
    assert (len(report.findings), report.found, report.size) == (5, 700, 700)
