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
from domain.ledger.published_trust import PublishedTrust
from domain.ledger.rows import Row, RowCheck
from domain.ledger.stream_links import Spill, StreamLinks
from domain.ledger.tiles import ENTRIES, WIDTH, Opener, Tile, parse_bundle, read_tile, tile_width
from domain.ledger.verify import Report, RowsPass, RowsReport, conclude

CHECKPOINT = "checkpoint"
STATES = "states"
Bundle = tuple[int, list[bytes | None], list[Finding]]
"""Its number, its entries (None for what cannot be read), and what is wrong with the file."""

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

    Never raises for what the folder contains. `Report.unchecked` names what it cannot show: `entries` where
    no checkpoint says how many there are, `states` where none or not all are there, `key-changes` where the
    events that say so are not, `tokens` that nobody could read, `unwitnessed` where the last entries still
    wait for the quorum, `trust-policy` where the folder's has other keys or witnesses than the one that is
    believed, and findings 11 to 13.
    """
    check = _FolderCheck(read, trust, spill, limit)
    return check.run(progress)


class _FolderCheck:
    def __init__(self, read: Opener, trust: FolderTrust, spill: Spill | None, limit: int) -> None:
        self._files = _Files(read, Findings(limit))
        self._note = next((one.note for one in trust.held if one.name == CHECKPOINT), None)
        size = _size(self._note, trust.policy, read)
        self._is_bounded, self.size = size is not None, size or 0
        self._files.size = self.size
        charter = self._files.charter()
        self._expected: Expected = open_held(
            trust.held,
            trust.policy,
            charter=charter,
            size=self.size,
            read_token=trust.read_token,
            acknowledged=trust.acknowledged,
            read=read,
        )
        self._told = bool(charter.terms)
        self._trust = PublishedTrust(read, trust.policy)
        self._tiles = TileCheck(self.size, read, limit=limit, bundles=False)
        self._links = StreamLinks(self.size, spill, limit=limit)
        self._limit = limit

    def run(self, progress: Callable[[int, int], None]) -> Report:
        check = _EntryCheck(self._expected, self._tiles, self._links)
        rows = self._files.rows(lambda done: progress(done, self.size))
        by_idx = RowsPass(self._expected, check, limit=self._limit).run(rows)
        others = (self._files.findings, self._tiles.findings, self._missing())
        return conclude(by_idx, self._links.report(), *others, unchecked=self._unchecked(by_idx))

    def _missing(self) -> Findings:
        findings = Findings()
        findings.add(self._trust.findings)
        if self._note is None:
            findings.add([Finding("checkpoint.missing", None, {"checkpoint": CHECKPOINT, "size": 0})])
        return findings

    def _unchecked(self, rows: RowsReport) -> list[str]:
        missing = {
            "entries": not self._is_bounded,
            "states": self._files.withheld > 0,
            "key-changes": not self._told,
            "tokens": self._expected.unread > 0,
            "unwitnessed": rows.unwitnessed,
            "trust-policy": self._trust.differs,
        }
        return [*(name for name, is_missing in missing.items() if is_missing), *NOT_HERE]


class _EntryCheck(RowCheck):
    """RowCheck for rows of (position, entry, state) alone; the rest is taken from the entry."""

    def __init__(self, expected: Expected, tiles: TileCheck, links: StreamLinks) -> None:
        super().__init__(expected, tiles)
        self._links, self._files = links, tiles

    def _check(self, block: Sequence[Row], leaves: Sequence[bytes]) -> Iterator[Finding]:
        first, times = self.tree.size, list[tuple[int, str]]()
        for (_, data, state, *_), leaf in zip(block, leaves, strict=True):
            if data is None:  # whoever could not read its bundle has said so
                self._whole = False
                self._files.lose()
                self._pass_over()
                continue
            try:
                entry = parse_entry(data)
            except LedgerError as error:
                yield Finding(error.code, self.next_idx, error.params)
                self._pass_over()
                continue
            yield from self._diagnose(entry, state)
            self._links.add(entry, leaf)
            self._whole = self._whole and entry.idx <= self.next_idx
            self.next_idx, self.last_at = max(self.next_idx, entry.idx + 1), entry.at
            times.append((entry.idx, entry.at))
        if times:
            self.unwitnessed_at = self.unwitnessed_at or times[0][1]
        yield from self._bounds.check(first, times)

    def _pass_over(self) -> None:
        """What cannot be read keeps its place, and is left out of everything else."""
        self.next_idx += 1
        self._links.skip(1)

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
        self._absent = Findings(findings.limit)
        self._read, self._has_states = read, False

    def charter(self) -> LogCharter:
        """What the log's own events say, as far as their states are here and are what was recorded."""
        charter = LogCharter()
        for index, entries, _ in self._bundles():
            if not any(entry and _OF_THE_LOG in entry for entry in entries):
                continue
            for entry, state in zip(entries, self._states(index, len(entries))[0], strict=True):
                if entry and state and _OF_THE_LOG in entry:
                    charter = _take(charter, entry, state)
        return charter

    def rows(self, progress: Callable[[int], None]) -> Iterator[Row]:
        """Every entry with its state; None for what is not there."""
        self._absent = Findings(self.findings.limit)
        for index, entries, wrong in self._bundles():
            states, unfit = self._states(index, len(entries)) if entries else ([], [])
            self.findings.add((*wrong, *unfit))
            self.withheld += states.count(None)
            for offset, (entry, state) in enumerate(zip(entries, states, strict=True)):
                yield index * WIDTH + offset, entry, state, "", "", 0
            progress(index * WIDTH + len(entries))
        if self._has_states:
            self.findings.join(self._absent)

    def _bundles(self) -> Iterator[Bundle]:
        """Each bundle, and those that are missing before another. Whoever signs a size that the folder does
        not have must not keep a check busy for ever: behind as many missing ones as a bundle has entries
        nothing is looked for. Missing ones that follow each other are one finding, at the first.
        """
        gone = list[Bundle]()
        for index in range(-(-self.size // WIDTH)):
            bundle = self._bundle(index)
            if bundle is not None:
                yield from (*gone, bundle)
                gone = []
            elif len(gone) < WIDTH:
                gone.append(self._gone(index, is_first=not gone))
            else:
                break
        for index, _, wrong in gone[:1]:
            yield index, [], wrong

    def _gone(self, index: int, *, is_first: bool) -> Bundle:
        tile = Tile(ENTRIES, index, tile_width(ENTRIES, index, self.size))
        missing = Finding("tile.missing", index * WIDTH, {"path": tile.path()})
        return index, [None] * tile.width, [missing] if is_first else []

    def _bundle(self, index: int) -> Bundle | None:
        width = tile_width(ENTRIES, index, self.size)
        with suppress(FileNotFoundError):
            return self._parsed(index, Tile(ENTRIES, index, width), width)
        with suppress(FileNotFoundError):
            return self._parsed(index, Tile(ENTRIES, index), width)
        return None

    def _parsed(self, index: int, tile: Tile, width: int) -> Bundle:
        """The first entries of a bundle, as many as the log has: all that can be read."""
        data = self._read(tile.path())
        try:
            return index, list(parse_bundle(data, tile.width)[:width]), []
        except BundleMalformed as error:
            place = index * WIDTH + min(int(error.params.get("entry", 0)), width - 1)
            found = Finding(error.code, place, {"path": tile.path(), **error.params})
            return index, _readable(data, width), [found]

    def _states(self, index: int, width: int) -> tuple[list[bytes | None], list[Finding]]:
        path = states_path(index)
        try:
            data = self._read(path)
        except FileNotFoundError:
            self._absent.add([Finding("states.missing", index * WIDTH, {"path": path})])
            return [None] * width, []
        self._has_states = True
        lines = data.split(b"\n")
        if lines.pop() or len(lines) != width:
            return [None] * width, [Finding("states.malformed", index * WIDTH, {"path": path})]
        return [line or None for line in lines], []


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


def _size(note: bytes | None, policy: TrustPolicy, read: Opener) -> int | None:
    """How far the folder says that it goes; None where nothing says so. A checkpoint that is not valid is
    found as such; what it says is all the same where to look, if there is anything.
    """
    if note is None:
        return None
    with suppress(LedgerError):
        return open_checkpoint(note, policy.keys).size
    with suppress(LedgerError, FileNotFoundError):
        size = Checkpoint.parse(Note.parse(note).text).size
        last = max(0, size - 1) // WIDTH
        read_tile(read, Tile(ENTRIES, last, tile_width(ENTRIES, last, size)), size)
        return size
    return None
