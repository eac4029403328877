"""An exported ledger, checked from its files alone: entries out of bundles, tree, tiles, chains, the states
that were given along, and every checkpoint, cosignature and time-stamp.

`checkpoint`, `tile/…` as published; `states/<N>` with 256 states, a line each, N as in a tile's path. An
empty line is a state that was not given. Trust comes from elsewhere: a folder vouches for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256

from domain.ledger.charter import LogCharter
from domain.ledger.checkpoint import Checkpoint, open_checkpoint
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.errors import BundleMalformed, LedgerError
from domain.ledger.finding import LIMIT, Finding, Findings
from domain.ledger.held import Expected, Held, TokenReader, open_held
from domain.ledger.note import Note
from domain.ledger.policy import TrustPolicy
from domain.ledger.published_tiles import TileCheck
from domain.ledger.rows import Row, RowCheck
from domain.ledger.stream_links import Spill, StreamLinks
from domain.ledger.tiles import ENTRIES, WIDTH, Opener, Tile, parse_bundle, read_tile, tile_width
from domain.ledger.verify import Report, RowsPass, conclude

CHECKPOINT = "checkpoint"
STATES = "states"
NOT_HERE = ("personal-data", "projections", "frames")
"""What no export shows: findings 11 to 13 need the store itself."""

_OF_THE_LOG = b'"topic":"installation.'


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTrust:
    """Whom a check of a folder believes. `held` are all checkpoints at hand, those of the folder among them
    under their paths; `acknowledged` sizes of checkpoints that were given up and are known to be.
    """

    policy: TrustPolicy
    held: Sequence[Held]
    read_token: TokenReader | None = None
    acknowledged: Collection[int] = ()


def verify_folder(
    read: Opener,
    trust: FolderTrust,
    *,
    spill: Spill | None = None,
    progress: Callable[[int, int], None] = lambda done, size: None,
    limit: int = LIMIT,
) -> Report:
    """Check an exported ledger. `read` opens its files; `spill` keeps memory flat in a long log.

    Never raises for what the folder contains. `Report.unchecked` names what it cannot show: `states` where
    none or not all are there, `key-changes` where the events that say so are not, `tokens` that nobody could
    read, and findings 11 to 13.
    """
    check = _FolderCheck(read, trust, spill, limit)
    return check.run(progress)


class _FolderCheck:
    def __init__(self, read: Opener, trust: FolderTrust, spill: Spill | None, limit: int) -> None:
        self._files = _Files(read, Findings(limit))
        self._note = next((one.note for one in trust.held if one.name == CHECKPOINT), None)
        self.size = self._files.size = _size(self._note, trust.policy, read)
        charter = self._files.charter()
        self._expected: Expected = open_held(
            trust.held,
            trust.policy,
            charter=charter,
            size=self.size,
            read_token=trust.read_token,
            acknowledged=trust.acknowledged,
        )
        self._told = bool(charter.terms)
        self._tiles = TileCheck(self.size, read, limit=limit, bundles=False)
        self._links = StreamLinks(self.size, spill, limit=limit)
        self._limit = limit

    def run(self, progress: Callable[[int, int], None]) -> Report:
        check = _EntryCheck(self._expected, self._tiles, self._links)
        rows = self._files.rows(lambda done: progress(done, self.size))
        by_idx = RowsPass(self._expected, check, limit=self._limit).run(rows)
        others = (self._files.findings, self._tiles.findings, self._missing())
        return conclude(by_idx, self._links.report(), *others, unchecked=self._unchecked())

    def _missing(self) -> Findings:
        findings = Findings()
        if self._note is None:
            findings.add([Finding("checkpoint.missing", None, {"checkpoint": CHECKPOINT, "size": 0})])
        return findings

    def _unchecked(self) -> list[str]:
        missing = {
            "states": self._files.withheld > 0,
            "key-changes": not self._told,
            "tokens": self._expected.unread > 0,
        }
        return [*(name for name, is_missing in missing.items() if is_missing), *NOT_HERE]


class _EntryCheck(RowCheck):
    """RowCheck for rows of (position, entry, state) alone; the rest is taken from the entry."""

    def __init__(self, expected: Expected, tiles: TileCheck, links: StreamLinks) -> None:
        super().__init__(expected, tiles)
        self._links = links

    def _check(self, block: Sequence[Row], leaves: Sequence[bytes]) -> Iterator[Finding]:
        first, times = self.tree.size, list[tuple[int, str]]()
        for (_, data, state, *_), leaf in zip(block, leaves, strict=True):
            if data is None:  # whoever could not read its bundle has said so
                self.next_idx += 1
                self._links.skip(1)
                continue
            try:
                entry = parse_entry(data)
            except LedgerError as error:
                yield Finding(error.code, self.next_idx, error.params)
                self.next_idx += 1
                self._links.skip(1)
                continue
            yield from self._diagnose(entry, state)
            self._links.add(entry, leaf)
            self.next_idx, self.last_at = entry.idx + 1, max(self.last_at, entry.at)
            times.append((entry.idx, entry.at))
        if times:
            self.unwitnessed_at = self.unwitnessed_at or times[0][1]
        yield from self._bounds.check(first, times)

    def _diagnose(self, entry: Entry, state: bytes | None) -> Iterator[Finding]:
        if entry.idx != self.next_idx:
            code = "idx.gap" if entry.idx > self.next_idx else "idx.repeated"
            yield Finding(code, entry.idx, {"expected": self.next_idx, "found": entry.idx})
        if state is not None and sha256(state).hexdigest() != entry.state:
            hashes = {"entry": entry.state, "state": sha256(state).hexdigest()}
            yield Finding("state.differs", entry.idx, hashes)
        if entry.at < self.last_at:
            yield Finding("at.backwards", entry.idx, {"at": entry.at, "before": self.last_at})


class _Files:
    """Reads entries and states, 256 at a time, and finds what is wrong with the files themselves."""

    def __init__(self, read: Opener, findings: Findings) -> None:
        self.size = self.withheld = 0
        self.findings = findings
        self._read = read

    def charter(self) -> LogCharter:
        """What the log's own events say, as far as their states are here and are what was recorded."""
        charter = LogCharter()
        for index, width in self._blocks():
            entries, _ = self._bundle(index, width)
            if not any(entry and _OF_THE_LOG in entry for entry in entries):
                continue
            for entry, state in zip(entries, self._states(index, width)[0], strict=True):
                if entry and state and _OF_THE_LOG in entry:
                    charter = _take(charter, entry, state)
        return charter

    def rows(self, progress: Callable[[int], None]) -> Iterator[Row]:
        """Every entry with its state; None for what is not there."""
        for index, width in self._blocks():
            entries, wrong = self._bundle(index, width)
            states, unfit = self._states(index, width)
            self.findings.add((*wrong, *unfit))
            self.withheld += states.count(None)
            for offset, (entry, state) in enumerate(zip(entries, states, strict=True)):
                yield index * WIDTH + offset, entry, state, "", "", 0
            progress(index * WIDTH + width)

    def _blocks(self) -> Iterator[tuple[int, int]]:
        for index in range(-(-self.size // WIDTH)):
            yield index, tile_width(ENTRIES, index, self.size)

    def _bundle(self, index: int, width: int) -> tuple[list[bytes | None], list[Finding]]:
        tile = Tile(ENTRIES, index, width)
        where = {"path": tile.path()}
        try:
            return list(parse_bundle(read_tile(self._read, tile, self.size), width)), []
        except FileNotFoundError:
            return [None] * width, [Finding("tile.missing", index * WIDTH, where)]
        except BundleMalformed as error:
            found = Finding(
                error.code, index * WIDTH + int(error.params.get("entry", 0)), {**where, **error.params}
            )
            return _readable(self._read(tile.path()), width), [found]

    def _states(self, index: int, width: int) -> tuple[list[bytes | None], list[Finding]]:
        path = states_path(index)
        try:
            data = self._read(path)
        except FileNotFoundError:
            missing = [Finding("states.missing", index * WIDTH, {"path": path})] if self._has_states() else []
            return [None] * width, missing
        lines = data.split(b"\n")
        if lines.pop() or len(lines) != width:
            return [None] * width, [Finding("states.malformed", index * WIDTH, {"path": path})]
        return [line or None for line in lines], []

    def _has_states(self) -> bool:
        """Whether states were exported at all: a file of them that is gone is missed then."""
        try:
            self._read(states_path(0))
        except FileNotFoundError:
            return False
        return True


def states_path(index: int) -> str:
    """Where the states of the entries in bundle `index` are exported."""
    return Tile(ENTRIES, index).path().replace("tile/entries", STATES)


def format_states(states: Iterable[bytes | None]) -> bytes:
    """The file of some states, None for those that are not given."""
    return b"".join((state or b"") + b"\n" for state in states)


def _take(charter: LogCharter, data: bytes, state: bytes) -> LogCharter:
    try:
        entry = parse_entry(data)
    except LedgerError:
        return charter
    if sha256(state).hexdigest() != entry.state:
        return charter
    return charter.take(entry.topic, state, entry.idx)


def _readable(data: bytes, width: int) -> list[bytes | None]:
    """As many entries of a bundle as can be read."""
    entries, start = list[bytes | None](), 0
    while len(entries) < width and start + 2 <= len(data):
        end = start + 2 + int.from_bytes(data[start : start + 2], "big")
        entries.append(data[start + 2 : end] if end <= len(data) else None)
        start = end
    return entries + [None] * (width - len(entries))


def _size(note: bytes | None, policy: TrustPolicy, read: Opener) -> int:
    """How far the folder says that it goes. A checkpoint that is not valid is found as such; what it says is
    all the same where to look, if there is anything.
    """
    if note is None:
        return 0
    with suppress(LedgerError):
        return open_checkpoint(note, policy.keys).size
    with suppress(LedgerError, FileNotFoundError):
        size = Checkpoint.parse(Note.parse(note).text).size
        last = max(0, size - 1) // WIDTH
        read_tile(read, Tile(ENTRIES, last, tile_width(ENTRIES, last, size)), size)
        return size
    return 0
