"""The first pass of the verifier: every entry is built again from its row and compared byte for byte, and
every leaf hash, computed once, goes into the tree that checkpoints and published files are held against.
Recorded times are held against those of cosignatures and time-stamps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import Any

from domain.ledger.checkpoint import Checkpoint
from domain.ledger.entry import NUMBER_LIMIT, SIZE_LIMIT, Entry, are_plain, is_time, parse_entry
from domain.ledger.errors import LedgerError
from domain.ledger.finding import Finding, Params, Saved
from domain.ledger.held import Commitment, Expected
from domain.ledger.merkle import leaf_hash
from domain.ledger.published_tiles import TileCheck
from domain.ledger.tiles import WIDTH, TileWriter
from domain.ledger.times import TimeBounds

Row = tuple[int, bytes | None, bytes | None, str, str, int, *tuple[Any, ...]]
"""(idx, entry bytes, state bytes, stream, topic, version), None where the store holds nothing; then, if the
store has such columns, `at` and leaf hash: (str, bytes).
"""

_AT = slice(7, 34)
_PREV_SIZE = 64
_WITHOUT_COPIES = 6


class RowCheck:
    """The first pass: position, time, state and columns of each row against its entry; the tree against what
    the log committed to and the published tiles; recorded times against outside proofs.

    After `run` is exhausted `tree`, `covered`, `witnessed` and `stamped` stand. `save` and `restore` go on
    elsewhere, given the same `expected` and tiles.
    """

    def __init__(self, expected: Expected, tiles: TileCheck | None = None) -> None:
        self.covered = self.witnessed = self.stamped = 0
        self.tree = TileWriter()
        self.next_idx = 0
        self.last_at = self.unwitnessed_at = ""
        self._ahead = expected.commitments[::-1]
        self._bounds = TimeBounds(expected.times)
        self._given_up = expected.given_up
        self._tiles = tiles
        self._whole = True
        self._doubted: list[tuple[int, str, str]] | None = None

    def run(self, rows: Iterable[Row], pause: Callable[[], None] = lambda: None) -> Iterator[Finding]:
        """What is wrong, in order of position. A root that differs is told of every checkpoint that a later
        one belies, and of the first of those behind which none agrees any more: one change makes all of them
        differ. `rows` go on from `next_idx`. `pause` is called where `save` may be.
        """
        following = iter(rows)
        yield from self._compare_roots()
        while block := list(islice(following, self._room())):
            leaves = [sha256(b"\x00" + (row[1] or b"")).digest() for row in block]
            yield from self._check(block, leaves)
            self._grow(block, leaves)
            yield from self._compare_roots()
            if self.tree.room == WIDTH:
                pause()
        if self._tiles:
            self._tiles.end(self.tree)
        yield from self._unreached()

    def save(self) -> Saved:
        """All that `restore` needs, as plain values; only from within `pause`."""
        return {
            "size": self.tree.size,
            "tree": [row.hex() for row in self.tree.rows()],
            "next_idx": self.next_idx,
            "at": [self.last_at, self.unwitnessed_at],
            "reach": [self.covered, self.witnessed, self.stamped],
            "whole": self._whole,
            "doubted": self._doubted,
            "told": sorted(map(list, self._bounds.told)),
        }

    def restore(self, saved: Saved) -> None:
        """Go on where `save` was called. Raises TileMalformed for what it cannot have given."""
        self.tree = TileWriter.of_rows(saved["size"], [bytes.fromhex(row) for row in saved["tree"]])
        self.next_idx, self._whole = saved["next_idx"], saved["whole"]
        doubted = saved["doubted"]
        self._doubted = None if doubted is None else [(size, root, found) for size, root, found in doubted]
        self.last_at, self.unwitnessed_at = saved["at"]
        self.covered, self.witnessed, self.stamped = saved["reach"]
        self._bounds.told = {(code, source) for code, source in saved["told"]}
        while self._ahead and self._ahead[-1].checkpoint.size <= self.tree.size:
            self._ahead.pop()

    def _room(self) -> int:
        """How many rows are looked at together: as many as fill a tile, or reach a size to stop at."""
        size = self.tree.size
        stops = [size + self.tree.room]
        if self._ahead:
            stops.append(self._ahead[-1].checkpoint.size)
        if self._tiles and self._tiles.size > size:
            stops.append(self._tiles.size)
        return min(stops) - size

    def _check(self, block: Sequence[Row], leaves: Sequence[bytes]) -> Iterator[Finding]:
        """Together if all is well; one by one to say what is wrong, and with which row."""
        first, last = self.tree.size, sound_until(block, leaves, self.next_idx, self.last_at)
        self.unwitnessed_at = self.unwitnessed_at or _claimed_at(block[0][1])
        if last is None:
            for row in block:
                yield from diagnose(row, self.next_idx, self.last_at)
                self._follow(row)
        else:
            self.next_idx, self.last_at = self.next_idx + len(block), last
        if last is None or not self._bounds.fits(first, (block[0][1] or b"")[_AT].decode("ascii"), last):
            yield from self._bounds.check(first, [(row[0], _claimed_at(row[1])) for row in block])

    def _follow(self, row: Row) -> None:
        self._whole = self._whole and row[1] is not None and row[0] <= self.next_idx
        self.next_idx = max(self.next_idx, row[0] + 1)
        self.last_at = _claimed_at(row[1]) or self.last_at

    def _grow(self, block: Sequence[Row], leaves: Sequence[bytes]) -> None:
        entries = [row[1] or b"" for row in block]
        if max(map(len, entries)) > SIZE_LIMIT:
            # Such an entry has been found, and no bundle can hold it.
            entries = [entry if len(entry) <= SIZE_LIMIT else b"" for entry in entries]
        filled = list(self.tree.add(entries, leaves))
        if self._tiles:
            self._tiles.follow(self.tree, filled)

    def _compare_roots(self) -> Iterator[Finding]:
        size = self.tree.size
        here: list[Commitment] = []
        while self._ahead and self._ahead[-1].checkpoint.size == size:
            here.append(self._ahead.pop())
        if not here:
            return
        root = self.tree.root()
        kept = [one for one in here if one.checkpoint.root == root]
        if kept:
            yield from self._belied()
        for one in kept:
            yield from self._reach(one, size)
        if not kept:
            for one in here:
                yield from self._doubt(one.checkpoint, root.hex() if self._whole else "")

    def _reach(self, commitment: Commitment, size: int) -> Iterator[Finding]:
        self.covered = size
        if commitment.stamped:
            self.stamped = size
        if commitment.witnessed:
            self.witnessed, self.unwitnessed_at = size, ""
        for one in self._given_up:
            if one.idx < size <= one.size:
                sizes: Params = {"checkpoint": commitment.name, "size": size, "given_up": one.size}
                yield Finding("log.signed_again", one.idx, sizes)

    def _doubt(self, checkpoint: Checkpoint, found: str) -> Iterator[Finding]:
        """Tell the first; of the others it shows only later whether they are as false."""
        doubted = checkpoint.size, checkpoint.root.hex(), found
        if self._doubted is None:
            self._doubted = []
            yield self._root_differs(*doubted)
        else:
            self._doubted.append(doubted)

    def _belied(self) -> Iterator[Finding]:
        """The entries are what a later checkpoint says: whatever differed before was signed falsely."""
        for doubted in self._doubted or ():
            yield self._root_differs(*doubted)
        self._doubted = None

    def _unreached(self) -> Iterator[Finding]:
        """Checkpoints beyond the rows: the tail is missing, or so many rows before it."""
        beyond = [one.checkpoint for one in reversed(self._ahead)]
        for one in beyond:
            if one.size <= self.next_idx:
                yield from self._doubt(one, "")
        for size in sorted({one.size for one in beyond if one.size > self.next_idx}, reverse=True):
            yield Finding("log.cut_off", self.next_idx, {"size": self.next_idx, "held": size})

    def _root_differs(self, size: int, expected: str, found: str) -> Finding:
        where: Params = {"size": size, "first": self.covered, "last": max(0, size - 1)}
        return Finding("root.differs", None, {**where, "expected": expected, "found": found})


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


def sound_until(rows: Sequence[Row], leaves: Sequence[bytes], first: int, last_at: str) -> str | None:
    """The `at` of the last of some rows that follow each other from position `first` and the time `last_at`
    on, if each entry is exactly what its row's columns and state give; None if anything is off.

    The fast path of a million: no parsing, one comparison. Times and `prev` are taken from the entries,
    times checked here and `prev` in the second pass.
    """
    if not (are_plain([row[3] for row in rows]) and are_plain([row[4] for row in rows])):
        return None
    times: list[str] = []
    for expected_idx, row in enumerate(rows, first):
        idx, entry, state, stream, topic, version = row[:6]
        if idx != expected_idx or entry is None or state is None or not 1 <= version <= NUMBER_LIMIT:
            return None
        text = entry.decode("latin-1")
        at = text[_AT]
        head = f'{{"at":"{at}","idx":{idx},"prev":"'
        prev = text[len(head) : len(head) + _PREV_SIZE] if version > 1 else ""
        if len(text) > SIZE_LIMIT or text != (
            f'{head}{prev}","state":"{sha256(state).hexdigest()}",'
            f'"stream":"{stream}","topic":"{topic}","v":1,"ver":{version}}}'
        ):
            return None
        if at != last_at:
            if at < last_at or not is_time(at):
                return None
            last_at = at
        times.append(at)
    return last_at if _are_copies(rows, times, leaves) else None


def _are_copies(rows: Sequence[Row], times: Sequence[str], leaves: Sequence[bytes]) -> bool:
    if len(rows[0]) == _WITHOUT_COPIES:
        return True
    return [row[6] for row in rows] == times and [row[7] for row in rows] == leaves


def _claimed_at(entry: bytes | None) -> str:
    """The `at` of an entry that is wrong in some way, so that the next is compared with it where it can
    be read.
    """
    try:
        return parse_entry(entry or b"").at
    except LedgerError:
        return ""


def _column_findings(row: Row, entry: Entry) -> Iterator[Finding]:
    """The columns beside their entry. `at` is shown to people and the next entry is made with the leaf: both
    forged would tell a lie that no hash contains.
    """
    idx, data, _, stream, topic, version, *copies = row
    compared: list[tuple[str, str | int, str | int]] = [
        ("idx", entry.idx, idx),
        ("stream", entry.stream, stream),
        ("topic", entry.topic, topic),
        ("ver", entry.ver, version),
    ]
    if copies:
        at, leaf = copies
        compared += [("at", entry.at, at), ("leaf", leaf_hash(data or b"").hex(), leaf.hex())]
    for name, in_entry, in_row in compared:
        if in_entry != in_row:
            yield Finding("entry.differs", idx, {"field": name, "entry": in_entry, "row": in_row})
