"""The store's tables as they were at one moment, in chunks, and the ledger's tree over the events."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from domain.ledger.merkle import Frontier, leaf_hash, perfect_root
from infrastructure.backups.manifest import EVENTS_IN_CHUNK, LEVEL, Chunk, Kept, Manifest, chunk_path
from infrastructure.backups.tables import EVENTS, LATCH, TABLES, Row, Table
from infrastructure.backups.target import Target
from infrastructure.event_store.database import Rows, Session

Progress = Callable[[int, int], None]
"""Called now and then with how many rows of how many are done."""

PAGE: Final = 2000
_ENTRY: Final = [name for name, _ in EVENTS.columns].index("entry")
PRESSURE: Final = 3
"""Twice as fast as zlib's usual 6, and a tenth larger."""


def compress(lines: bytes) -> bytes:
    """A gzip file; the same bytes for the same lines, whenever it is made."""
    packer = zlib.compressobj(PRESSURE, zlib.DEFLATED, 31)
    return packer.compress(lines) + packer.flush()


class Snapshot:
    """Writes the tables of one session into a target. `tree` is the ledger's over the events written.

    Full chunks of events that the `previous` backup of this log has are taken from there.
    """

    def __init__(
        self, session: Session, target: Target, progress: Progress | None, previous: "Previous | None"
    ) -> None:
        self._session, self._target, self._previous = session, target, previous
        self._progress, self._done = progress, 0
        self._total = sum(_count(session, table) for table in TABLES.values()) if progress else 0
        self.tree = Frontier()
        self.linked: set[str] = set()

    def write(self) -> dict[str, Kept]:
        """Write all tables; what the manifest says of each."""
        return {name: self._table(table) for name, table in TABLES.items()}

    def _table(self, table: Table) -> Kept:
        chunks = tuple(self._events() if table is EVENTS else self._others(table))
        rows = sum(chunk.rows for chunk in chunks)
        return Kept(columns=table.names, rows=rows, chunks=chunks)

    def _others(self, table: Table) -> Iterator[Chunk]:
        first, after = 0, None
        while rows := self._rows(table, after, EVENTS_IN_CHUNK):
            yield self._chunk(table, first, rows)
            first, after = first + len(rows), rows[-1][: table.key]

    def _events(self) -> Iterator[Chunk]:
        first = 0
        for chunk in self._taken():
            yield chunk
            first += chunk.rows
        while rows := self._rows(EVENTS, (first - 1,), EVENTS_IN_CHUNK):
            yield self._grown(self._chunk(EVENTS, first, rows), rows)
            first = rows[-1][0] + 1

    def _taken(self) -> Iterator[Chunk]:
        """Full chunks of the previous backup, as long as the store still has what they end with."""
        if self._previous is None:
            return
        for chunk in self._previous.full_chunks():
            end = self.tree.size + EVENTS_IN_CHUNK - 1
            found = self._session.fetch("SELECT leaf FROM events WHERE idx = ?", (end,))
            file = self._previous.folder / chunk.path
            if not found or found[0][0].hex() != chunk.last:
                return
            if not self._target.link(chunk.path, file, chunk.sha256, chunk.bytes):
                return
            self.tree.graft(bytes.fromhex(chunk.tree), LEVEL)
            self.linked.add(chunk.path)
            self._told(chunk.rows)
            yield chunk

    def _grown(self, chunk: Chunk, rows: Rows) -> Chunk:
        """The chunk with its tree, which the log's tree has grown by."""
        leaves = [leaf_hash(row[_ENTRY]) for row in rows]
        if len(leaves) == EVENTS_IN_CHUNK and self.tree.size % EVENTS_IN_CHUNK == 0:
            root = perfect_root(leaves)
            self.tree.graft(root, LEVEL)
        else:
            own = Frontier()
            own.extend(leaves)
            self.tree.extend(leaves)
            root = own.root()
        return msgspec.structs.replace(chunk, tree=root.hex(), last=rows[-1][-1].hex())

    def _chunk(self, table: Table, first: int, rows: Rows) -> Chunk:
        content, path = compress(table.encode(rows)), chunk_path(table.name, first)
        digest = self._target.add(path, content)
        self._told(len(rows))
        return Chunk(path=path, rows=len(rows), bytes=len(content), sha256=digest)

    def _rows(self, table: Table, after: Row | None, limit: int) -> Rows:
        rows: Rows = []
        while len(rows) < limit:
            page = table.page(self._session, after, min(PAGE, limit - len(rows)))
            if not page:
                break
            rows += page
            after = page[-1][: table.key]
        return rows

    def _told(self, rows: int) -> None:
        self._done += rows
        if self._progress:
            self._progress(self._done, self._total)


class Previous:
    """An earlier backup of the same log, in a folder, whose files may be taken."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest

    def full_chunks(self) -> Iterator[Chunk]:
        """The chunks of events that never change, as far as they follow each other."""
        for place, chunk in enumerate(self.manifest.tables[EVENTS.name].chunks):
            if chunk.rows != EVENTS_IN_CHUNK or chunk.path != chunk_path(
                EVENTS.name, place * EVENTS_IN_CHUNK
            ):
                return
            yield chunk

    def has(self, path: str, content: bytes) -> bool:
        """Whether it has exactly this file."""
        try:
            kept = (self.folder / path).read_bytes()
        except OSError:
            return False
        return kept == content


def _count(session: Session, table: Table) -> int:
    if table is EVENTS:
        head = session.fetch("SELECT max(idx) FROM events")[0][0]
        return 0 if head is None else int(head) + 1
    return 1 if table is LATCH else int(session.fetch(f"SELECT count(*) FROM {table.name}")[0][0])  # noqa: S608
