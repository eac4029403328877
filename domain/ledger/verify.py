"""The whole log, checked as if a stranger had written the server: state ↔ entry ↔ tree ↔ signed checkpoints.

Two passes, memory flat in the size of the log: the rows by position, and their entries by stream and
version. Nothing is repaired and nothing is believed: every entry is built again from its row and compared
byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.entry import SIZE_LIMIT, Entry, format_entry, is_time, parse_entry
from domain.ledger.errors import EntryMalformed, LedgerError
from domain.ledger.merkle import Frontier
from domain.ledger.note import VerifierKey

Row = tuple[int, bytes | None, bytes | None, str, str, int]
"""(idx, entry bytes, state bytes, stream, topic, version); None where the store holds nothing."""

Params = Mapping[str, str | int]

Link = tuple[int, bytes | None, str, int]
"""(idx, entry bytes, stream, version) of the same rows."""

_FLUSH = 4096
_AT_START, _AT_END = 7, 34
_AFTER_IDX = 42
_PREV = b'"prev":"'


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is stable; `idx` is the event's position, None where it is not
    about one event.

    Codes and their `params` are listed in docs/reference/ledger-format.md, “What a verifier finds”.
    """

    code: str
    idx: int | None = None
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found and how far the checks reach.

    `findings` are the first ones, `found` counts all. `size` and `root` are of the rows as read.
    `covered` is the largest size at which the rows hash to the root of a validly signed checkpoint:
    events from there on are checked against themselves only.
    """

    findings: tuple[Finding, ...]
    found: int
    size: int
    root: bytes
    streams: int
    checkpoints: int
    covered: int

    @property
    def sound(self) -> bool:
        """Whether nothing at all was found."""
        return self.found == 0

    @property
    def first(self) -> Finding | None:
        """The finding at the smallest position; where none has a position, the first of all."""
        placed = [finding for finding in self.findings if finding.idx is not None]
        return min(placed, key=lambda finding: finding.idx or 0, default=next(iter(self.findings), None))


def verify_log(
    rows: Iterable[Row],
    links: Iterable[Link],
    notes: Iterable[tuple[str, bytes]],
    keys: Sequence[VerifierKey],
    *,
    limit: int = 1000,
) -> Report:
    """Check a whole log.

    `rows` ordered by idx; `links` ordered by stream and version (any order of streams in which one
    stream's rows stand together); `notes` are the signed checkpoints held, each with a name to report it
    by; `keys` the log's verifier keys, current and former. At most `limit` findings are kept. Never
    raises for what the log contains.
    """
    checkpoints, refused = open_checkpoints(notes, keys)
    rows_check, links_check = RowCheck(checkpoints), LinkCheck()
    kept, found = list[Finding](), 0
    for findings in (refused, rows_check.run(rows), links_check.run(links), _counts(rows_check, links_check)):
        for finding in findings:
            found += 1
            if len(kept) < limit:
                kept.append(finding)
    return Report(
        findings=tuple(kept),
        found=found,
        size=rows_check.size,
        root=rows_check.frontier.root(),
        streams=links_check.streams,
        checkpoints=len(checkpoints),
        covered=rows_check.covered,
    )


def open_checkpoints(
    notes: Iterable[tuple[str, bytes]], keys: Sequence[VerifierKey]
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints that are validly signed, one for each size, smallest first; and what is wrong with
    the others.
    """
    opened: dict[int, tuple[str, Checkpoint]] = {}
    findings: list[Finding] = []
    for name, note in notes:
        try:
            checkpoint = open_checkpoint(note, keys)
        except LedgerError as error:
            findings.append(Finding(error.code, None, {"checkpoint": name, **error.params}))
            continue
        first_name, first = opened.setdefault(checkpoint.size, (name, checkpoint))
        if (first.origin, first.root) != (checkpoint.origin, checkpoint.root):
            params: Params = {"size": checkpoint.size, "checkpoint": name, "other": first_name}
            findings.append(Finding("checkpoint.conflict", None, params))
    return [opened[size][1] for size in sorted(opened)], findings


class RowCheck:
    """First pass: position, time, state and columns of each row against its entry; the tree against the
    checkpoints.

    `checkpoints` are `open_checkpoints`' answer. After `run` is exhausted `size`, `frontier` and
    `covered` stand.
    """

    def __init__(self, checkpoints: Sequence[Checkpoint]) -> None:
        self.size = 0
        self.covered = 0
        self.frontier = Frontier()
        self._ahead = list(reversed(checkpoints))
        self._leaves: list[bytes] = []
        self._next_idx = 0
        self._agrees = True

    def run(self, rows: Iterable[Row]) -> Iterator[Finding]:
        """What is wrong, in order of position; at most one finding about roots, naming the events it can
        lie in.
        """
        last, leaves = "", self._leaves
        yield from self._compare_roots()
        stop = self._next_stop()
        for row in rows:
            idx, entry = row[:2]
            at = _sound_at(row, last) if idx == self._next_idx else None
            if at is None:
                yield from diagnose(row, self._next_idx, last)
                at = max(last, _claimed_at(entry))
            last, self._next_idx = at, idx + 1
            leaves.append(sha256(b"\x00" + (entry or b"")).digest())
            self.size += 1
            if self.size == stop:
                yield from self._compare_roots()
                stop = self._next_stop()
        self._hash_leaves()
        yield from self._unreached()

    def _next_stop(self) -> int:
        """The size at which leaves must be hashed next: a checkpoint's, or sooner to keep memory flat."""
        flush = self.size + _FLUSH
        return min(flush, self._ahead[-1].size) if self._ahead else flush

    def _hash_leaves(self) -> None:
        self.frontier.extend(self._leaves)
        self._leaves.clear()

    def _compare_roots(self) -> Iterator[Finding]:
        self._hash_leaves()
        while self._ahead and self._ahead[-1].size == self.size:
            checkpoint = self._ahead.pop()
            if checkpoint.root == self.frontier.root():
                self.covered = self.size
            elif self._agrees:
                yield self._root_differs(checkpoint, self.frontier.root().hex())

    def _unreached(self) -> Iterator[Finding]:
        """Checkpoints beyond the rows: the tail is missing, or so many rows before it."""
        for checkpoint in reversed(self._ahead):
            if checkpoint.size > self._next_idx:
                sizes = {"size": self._next_idx, "checkpoint": checkpoint.size}
                yield Finding("log.cut_off", self._next_idx, sizes)
                return
            if self._agrees:
                yield self._root_differs(checkpoint, "")

    def _root_differs(self, checkpoint: Checkpoint, found: str) -> Finding:
        self._agrees = False
        roots = {"expected": checkpoint.root.hex(), "found": found}
        first, last = self.covered, checkpoint.size - 1
        return Finding("root.differs", None, {"size": checkpoint.size, "first": first, "last": last, **roots})


class LinkCheck:
    """Second pass: versions of each stream without gap or repeat, and `prev` of each the leaf hash of the
    one before.
    """

    def __init__(self) -> None:
        self.size = 0
        self.streams = 0

    def run(self, links: Iterable[Link]) -> Iterator[Finding]:
        """What is wrong, in the order of the rows."""
        stream, version, before = "", 0, b""
        for idx, entry, row_stream, row_version in links:
            data = entry or b""
            self.size += 1
            if row_stream != stream:
                stream, version, prev = row_stream, 0, b'"'
                self.streams += 1
            else:
                prev = sha256(b"\x00" + before).hexdigest().encode()
            if row_version != version + 1:
                code = "version.gap" if row_version > version + 1 else "version.repeated"
                yield Finding(code, idx, {"stream": stream, "expected": version + 1, "found": row_version})
            elif not data.startswith(prev, data.find(_PREV, _AFTER_IDX) + len(_PREV)):
                link: Params = {
                    "stream": stream,
                    "version": row_version,
                    "expected": prev.decode().strip('"'),
                }
                yield Finding("prev.differs", idx, link)
            version, before = row_version, data


def diagnose(row: Row, expected_idx: int, last_at: str) -> Iterator[Finding]:
    """Say what is wrong with one row that stands where `expected_idx` should, after an entry recorded at
    `last_at`.
    """
    idx, data, state, *_ = row
    if idx != expected_idx:
        code = "idx.gap" if idx > expected_idx else "idx.repeated"
        yield Finding(code, idx, {"expected": expected_idx, "found": idx})
    if state is None:
        yield Finding("event.missing", idx)
    if data is None:
        yield Finding("entry.missing", idx)
        return
    try:
        entry = parse_entry(data)
    except LedgerError as error:
        yield Finding(error.code, idx, error.params)
        return
    if state is not None and entry.state != sha256(state).hexdigest():
        yield Finding("state.differs", idx, {"entry": entry.state, "state": sha256(state).hexdigest()})
    yield from _column_findings(row, entry)
    if entry.at < last_at:
        yield Finding("at.backwards", idx, {"at": entry.at, "before": last_at})


def _sound_at(row: Row, last: str) -> str | None:
    """The `at` of a row whose entry is exactly what its columns and state give; None if anything is off.

    The fast path of a million: no parsing, one comparison. Times and `prev` are taken from the entry,
    times checked here and `prev` in the second pass.
    """
    idx, entry, state, stream, topic, version = row
    if entry is None or state is None or not entry.isascii() or len(entry) > SIZE_LIMIT or version < 1:
        return None
    text = entry.decode("ascii")
    at = text[_AT_START:_AT_END]
    start = _AFTER_IDX + len(str(idx)) + 9
    prev = text[start : start + 64] if version > 1 else ""
    try:
        expected = format_entry(at, idx, prev, sha256(state).hexdigest(), stream, topic, version)
    except EntryMalformed:
        return None
    if text != expected or (at != last and (at < last or not is_time(at))):
        return None
    return at


def _claimed_at(entry: bytes | None) -> str:
    """The `at` of an entry that is wrong in some way, so that the next is compared with it where it can
    be read.
    """
    try:
        return parse_entry(entry or b"").at
    except LedgerError:
        return ""


def _column_findings(row: Row, entry: Entry) -> Iterator[Finding]:
    idx, _, _, stream, topic, version = row
    compared: dict[str, tuple[str | int, str | int]] = {
        "idx": (entry.idx, idx),
        "stream": (entry.stream, stream),
        "topic": (entry.topic, topic),
        "ver": (entry.ver, version),
    }
    for name, (in_entry, in_row) in compared.items():
        if in_entry != in_row:
            yield Finding("entry.differs", idx, {"field": name, "entry": in_entry, "row": in_row})


def _counts(rows: RowCheck, links: LinkCheck) -> Iterator[Finding]:
    """Both passes must have read the same rows, or a chain has gone unchecked."""
    if rows.size != links.size:
        yield Finding("rows.differ", None, {"by_idx": rows.size, "by_stream": links.size})
