"""Where a backup is read from: a folder or an archive, file by file in the order in which it was written.

Nothing in it is believed before its hash was seen to be right.
"""

import tarfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Final

from infrastructure.backups.manifest import (
    MANIFEST,
    STORE,
    SUMS,
    BackupWrong,
    Chunk,
    Manifest,
    parse_manifest,
    parse_sum,
)
from infrastructure.backups.tables import EVENTS, TABLES
from infrastructure.backups.target import PIECE

Progress = Callable[[int, int], None]
"""Called now and then with how many bytes, or events, of how many are done."""

MANIFEST_LIMIT: Final = 256 << 20


class Source(ABC):
    """A backup to be read; its manifest is seen to fit the list of sums."""

    def __init__(self, manifest: bytes, sums: IO[bytes]) -> None:
        self.manifest = parse_manifest(manifest)
        self.fingerprint = sha256(manifest).hexdigest()
        self._sums = sums
        if digest_of(sums) != self.manifest.sums:
            raise BackupWrong(file=SUMS, reason="differs")
        _check_columns(self.manifest)

    def files(self) -> Iterator[tuple[str, str, BinaryIO]]:
        """Path, SHA-256 as listed, and content of each file; a stream serves until the next is asked for.

        `BackupWrong` for a file that is missing.
        """
        self._sums.seek(0)
        listed = (parse_sum(line) for line in self._sums)
        yield from self._opened(listed)

    @abstractmethod
    def _opened(self, listed: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str, BinaryIO]]:
        """The files that are listed, opened one after the other."""

    def chunks(self) -> dict[str, tuple[str, Chunk]]:
        """The table and chunk of each file with rows, by its path."""
        return {
            chunk.path: (name, chunk) for name, kept in self.manifest.tables.items() for chunk in kept.chunks
        }


class FolderSource(Source):
    """A backup in a folder."""

    def __init__(self, folder: Path, sums: IO[bytes]) -> None:
        self._folder = folder
        super().__init__(_read_manifest(folder / MANIFEST), sums)

    def _opened(self, listed: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str, BinaryIO]]:
        for digest, path in listed:
            try:
                stream = (self._folder / path).open("rb")
            except FileNotFoundError as error:
                raise BackupWrong(file=path, reason="missing") from error
            with stream:
                yield path, digest, stream


class ArchiveSource(Source):
    """A backup in a tar archive, read from its beginning each time."""

    def __init__(self, archive: Path, manifest: bytes, sums: IO[bytes]) -> None:
        self._archive = archive
        super().__init__(manifest, sums)

    def _opened(self, listed: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str, BinaryIO]]:
        with _members(self._archive) as members:
            for digest, path in listed:
                name, stream = next(members, ("", None))
                if name != path or stream is None:
                    raise BackupWrong(file=path, reason="missing")
                yield path, digest, stream


@contextmanager
def open_backup(place: Path) -> Iterator[Source]:
    """The backup in a folder or archive, with a manifest that can be read.

    `BackupWrong` for what is none, or of another format, or with a list of files that was changed.
    """
    with ExitStack() as stack:
        sums: IO[bytes]
        if place.is_dir():
            try:
                sums = stack.enter_context((place / SUMS).open("rb"))
            except FileNotFoundError as error:
                raise BackupWrong(file=SUMS, reason="missing") from error
            yield FolderSource(place, sums)
            return
        sums = stack.enter_context(TemporaryFile())
        yield ArchiveSource(place, _read_tail(place, sums), sums)


def check_backup(
    source: Source, progress: Progress | None = None, *, skip: frozenset[str] = frozenset()
) -> None:
    """Read every file of a backup, but those of the paths `skip`, against its SHA-256.

    And the list against the manifest: each file with rows, and how many there are. `BackupWrong` names the
    first file that is wrong.
    """
    done, count, chunks = 0, 0, source.chunks()
    _check_rows(source.manifest)
    for path, digest, stream in source.files():
        count += 1
        known = chunks.pop(path, None)
        if known is None and path.startswith(f"{STORE}/"):
            raise BackupWrong(file=path, reason="unknown")
        if known is not None and known[1].sha256 != digest:
            raise BackupWrong(file=MANIFEST, reason="differs", chunk=path)
        if path not in skip:
            done += _check_file(path, digest, stream)
        if progress:
            progress(done, source.manifest.bytes)
    if chunks or count != source.manifest.files:
        raise BackupWrong(file=next(iter(chunks), MANIFEST), reason="missing")


def digest_of(stream: IO[bytes]) -> str:
    """The SHA-256 of a stream from its beginning."""
    stream.seek(0)
    digest = sha256()
    while piece := stream.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def read_whole(path: str, digest: str, stream: BinaryIO) -> bytes:
    """The content of a small file, seen to have its SHA-256; `BackupWrong`."""
    content = stream.read()
    if sha256(content).hexdigest() != digest:
        raise BackupWrong(file=path, reason="differs")
    return content


def _check_file(path: str, expected: str, stream: BinaryIO) -> int:
    digest, size = sha256(), 0
    while piece := stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    if digest.hexdigest() != expected:
        raise BackupWrong(file=path, reason="differs")
    return size


def _check_columns(manifest: Manifest) -> None:
    """The tables must be those of this version, or rows would go into wrong columns."""
    expected = {name: table.names for name, table in TABLES.items()}
    if {name: kept.columns for name, kept in manifest.tables.items()} != expected:
        raise BackupWrong(file=MANIFEST, reason="tables")


def _check_rows(manifest: Manifest) -> None:
    """The chunks' numbers of rows must add up."""
    for name, kept in manifest.tables.items():
        if sum(chunk.rows for chunk in kept.chunks) != kept.rows:
            raise BackupWrong(file=MANIFEST, reason="rows", table=name)
    if manifest.tables[EVENTS.name].rows != manifest.size:
        raise BackupWrong(file=MANIFEST, reason="rows", table=EVENTS.name)


def _read_manifest(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise BackupWrong(file=MANIFEST, reason="missing") from error


def _read_tail(archive: Path, sums: IO[bytes]) -> bytes:
    """The manifest of an archive; the list of its files goes into `sums`."""
    manifest = b""
    with _members(archive) as members:
        for name, stream in members:
            if name == SUMS:
                while piece := stream.read(PIECE):
                    sums.write(piece)
            elif name == MANIFEST:
                manifest = stream.read(MANIFEST_LIMIT)
    if not manifest:
        raise BackupWrong(file=MANIFEST, reason="missing")
    return manifest


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    try:
        with tarfile.open(archive, mode="r|*") as opened:
            yield _each(opened)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise BackupWrong(file=archive.name, reason="malformed") from error


def _each(archive: tarfile.TarFile) -> Iterator[tuple[str, BinaryIO]]:
    for member in archive:
        stream = archive.extractfile(member) if member.isreg() else None
        if stream is None:
            raise BackupWrong(file=member.name, reason="path")
        yield member.name, stream  # type: ignore[misc]
        archive.members.clear()  # type: ignore[attr-defined]
