"""Where a backup is written: a new folder, or an archive. Neither has its name before it is whole.

Files are for their owner's eyes only: credentials' hashes and personal data are in them. All is flushed to
the disk before it is named; what was cut off keeps a name that begins with `.part-`.
"""

import fcntl
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Final

from domain.errors import StoreUnavailable
from infrastructure.backups.manifest import MANIFEST, SUMS, Manifest, encode_manifest, say_sum
from infrastructure.files import PRIVATE, TEMPORARY, disk_errors, part_file, sync_all, sync_folder

PIECE: Final = 1 << 20
ONLY_OWNER: Final = 0o700


class Target(ABC):
    """A backup being written. `files` and `bytes` count what is in it, without manifest and sums."""

    def __init__(self, sums: IO[bytes]) -> None:
        self.files = self.bytes = 0
        self._sums = sums

    def add(self, path: str, content: bytes) -> str:
        """Write a file; its SHA-256."""
        return self.copy(path, BytesIO(content), len(content))

    def copy(self, path: str, source: BinaryIO, size: int) -> str:
        """Write a file of `size` bytes from a stream; its SHA-256."""
        reader = _Hashing(source)
        self._write(path, reader, size)
        return self._noted(path, reader.digest.hexdigest(), size)

    def link(self, path: str, previous: Path, digest: str, size: int) -> bool:
        """Take a file of an earlier backup that is known to have this SHA-256; False where it cannot be."""
        if not self._link(path, previous, size):
            return False
        self._noted(path, digest, size)
        return True

    @abstractmethod
    def finish(self, manifest: Manifest) -> None:
        """Write the sums and the manifest, and let the backup have its name."""

    @abstractmethod
    def _write(self, path: str, source: "_Hashing", size: int) -> None:
        """Write a file from the stream."""

    @abstractmethod
    def _link(self, path: str, previous: Path, size: int) -> bool:
        """Let a file of an earlier backup stand here too."""

    def sums(self) -> str:
        """The SHA-256 of the list of all files so far."""
        self._sums.flush()
        self._sums.seek(0)
        digest = sha256()
        while piece := self._sums.read(PIECE):
            digest.update(piece)
        return digest.hexdigest()

    def _noted(self, path: str, digest: str, size: int) -> str:
        self._sums.write(say_sum(digest, path))
        self.files += 1
        self.bytes += size
        return digest


class FolderTarget(Target):
    """A folder beside the one that it will be."""

    def __init__(self, part: Path, place: Path, sums: IO[bytes]) -> None:
        super().__init__(sums)
        self._part, self._place = part, place
        self._folders: set[Path] = set()

    def finish(self, manifest: Manifest) -> None:
        """Write sums and manifest, flush everything, and give the folder its name."""
        self._sums.seek(0)
        self._write(SUMS, _Hashing(self._sums), 0)
        content = encode_manifest(manifest)
        self._write(MANIFEST, _Hashing(BytesIO(content)), 0)
        sync_all(self._part)
        self._part.rename(self._place)
        sync_folder(self._place.parent)

    def _write(self, path: str, source: "_Hashing", size: int) -> None:
        handle = os.open(self._made(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(handle, "wb") as stream:
            while piece := source.read(PIECE):
                stream.write(piece)

    def _link(self, path: str, previous: Path, size: int) -> bool:
        # Another disk, too many links, a file that is gone: it is written anew then.
        with suppress(OSError):
            if previous.stat().st_size == size:
                self._made(path).hardlink_to(previous)
                return True
        return False

    def _made(self, path: str) -> Path:
        place = self._part / path
        self._make(place.parent)
        return place

    def _make(self, folder: Path) -> None:
        # `mkdir` gives its mode to the last folder only, not to parents that it makes on the way.
        if folder not in self._folders and folder != self._part:
            self._make(folder.parent)
            folder.mkdir(mode=ONLY_OWNER, exist_ok=True)
            self._folders.add(folder)


class ArchiveTarget(Target):
    """A tar archive, written from its beginning to its end."""

    def __init__(self, archive: tarfile.TarFile, sums: IO[bytes]) -> None:
        super().__init__(sums)
        self._archive = archive

    def finish(self, manifest: Manifest) -> None:
        """Write sums and manifest, which come last; who opened the archive gives it its name."""
        size = self._sums.seek(0, os.SEEK_END)
        self._sums.seek(0)
        self._write(SUMS, _Hashing(self._sums), size)
        content = encode_manifest(manifest)
        self._write(MANIFEST, _Hashing(BytesIO(content)), len(content))

    def _write(self, path: str, source: "_Hashing", size: int) -> None:
        member = tarfile.TarInfo(path)
        member.size, member.mode = size, PRIVATE
        self._archive.addfile(member, source)
        # The archive would keep one of these for each of a hundred thousand files.
        self._archive.members.clear()  # type: ignore[attr-defined]

    def _link(self, path: str, previous: Path, size: int) -> bool:
        return False


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.digest.update(piece)
        return piece


@contextmanager
def folder_target(place: Path) -> Iterator[FolderTarget]:
    """A new folder at `place`, there only once it was finished; FileExistsError, `StoreUnavailable`."""
    if place.exists():
        raise FileExistsError(place)
    part = place.with_name(f"{TEMPORARY}{place.name}")
    with disk_errors(), TemporaryFile() as sums, _alone(part):
        try:
            yield FolderTarget(part, place, sums)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """An empty folder that nobody else writes to; what a killed backup left there is removed."""
    part.parent.mkdir(parents=True, exist_ok=True)
    part.mkdir(mode=ONLY_OWNER, exist_ok=True)
    handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreUnavailable(reason="busy", cause=str(part)) from error
        for left in part.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        os.close(handle)


@contextmanager
def archive_target(place: Path) -> Iterator[ArchiveTarget]:
    """A new archive at `place` (`.tar`, or `.tar.gz`, which is compressed), there only once it was finished.

    FileExistsError, `StoreUnavailable`.
    """
    if place.exists():
        raise FileExistsError(place)
    with disk_errors(passing=FileExistsError), TemporaryFile() as sums:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part_file(place.parent) as part:
            with _tar(part.stream, compressed=place.suffix == ".gz") as archive:
                yield ArchiveTarget(archive, sums)
            part.keep(place, replace=False)


def _tar(stream: IO[bytes], *, compressed: bool) -> tarfile.TarFile:
    if compressed:
        return tarfile.open(fileobj=stream, mode="w|gz", format=tarfile.PAX_FORMAT)
    return tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)
