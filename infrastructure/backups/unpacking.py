"""The files of a backup, each to its place: rows into tables, blobs by their content, the ledger as it is."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from infrastructure.backups.backup import Places
from infrastructure.backups.loading import UNFIT, insert_rows, revoked
from infrastructure.backups.manifest import BLOBS, CALENDAR, LEDGER, RULEBOOKS, STORE, BackupWrong, Chunk
from infrastructure.backups.source import Progress, Source, read_whole
from infrastructure.backups.tables import TABLES, TOKENS, Row, Table
from infrastructure.blobs import FolderBlobs
from infrastructure.event_store.database import Session
from infrastructure.files import PRIVATE, PUBLIC, make_folder, sync_all, sync_file, sync_folder

_GZIP: Final = 31


class Unpacking:
    """One backup being unpacked. `written` grows by the files that go into the administrator's folders."""

    def __init__(
        self, source: Source, session: Session, places: Places, written: list[Path], *, keep_tokens: bool
    ) -> None:
        self._source, self._session, self._places = source, session, places
        self._keep_tokens = keep_tokens
        self._chunks = source.chunks()
        self._blobs = FolderBlobs(places.blobs)
        self._folders: set[Path] = set()
        self._written = written

    def run(self, progress: Progress | None) -> None:
        """Unpack all. `BackupWrong` names the first file that is not what the backup says."""
        total = self._source.manifest.files
        for done, (path, digest, stream) in enumerate(self._source.files(), 1):
            self._unpack(path, digest, stream)
            if progress:
                progress(done, total)
        sync_all(self._places.ledger)
        for file in self._written:
            sync_file(file)
            sync_folder(file.parent)

    def _unpack(self, path: str, digest: str, stream: BinaryIO) -> None:
        room, _, rest = path.partition("/")
        match room:
            case _ if room == STORE:
                self._insert(path, digest, stream)
            case _ if room == BLOBS:
                if self._blobs.put(stream) != digest or not path.endswith(digest):
                    raise BackupWrong(file=path, reason="differs")
            case _ if room == LEDGER:
                self._write(self._places.ledger / rest, read_whole(path, digest, stream), PUBLIC)
            case _:
                folder = {CALENDAR: self._places.calendar, RULEBOOKS: self._places.rulebooks}[room]
                self._bring(folder / rest, read_whole(path, digest, stream))

    def _insert(self, path: str, digest: str, stream: BinaryIO) -> None:
        name, chunk = self._chunks[path]
        table = TABLES[name]
        rows = read_chunk(table, chunk, digest, stream)
        if table is TOKENS and not self._keep_tokens:
            rows = revoked(rows)
        try:
            insert_rows(self._session, table, rows)
        except UNFIT as error:
            raise BackupWrong(file=path, reason="rows", detail=str(error)) from error

    def _bring(self, place: Path, content: bytes) -> None:
        """A file of the administrator's own; one that is there already is newer, and stays."""
        if not place.exists():
            self._write(place, content, PRIVATE)
            self._written.append(place)

    def _write(self, place: Path, content: bytes, mode: int) -> None:
        if place.parent not in self._folders:
            make_folder(place.parent)
            self._folders.add(place.parent)
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)


def read_chunk(table: Table, chunk: Chunk, digest: str, stream: BinaryIO) -> Sequence[Row]:
    """The rows of a chunk; `BackupWrong` for one that is not what the manifest says."""
    content = read_whole(chunk.path, digest, stream)
    try:
        rows = table.decode(zlib.decompress(content, _GZIP))
    except (ValueError, zlib.error) as error:
        raise BackupWrong(file=chunk.path, reason="malformed") from error
    if len(rows) != chunk.rows:
        raise BackupWrong(file=chunk.path, reason="rows")
    return rows
