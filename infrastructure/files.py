"""Writing files so that a crash, a kill or a full disk never leaves half of one.

A file is written beside its place under another name, flushed to the disk, and then renamed; the folder
is flushed too, or a power cut could undo the rename.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC, EROFS
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from domain.errors import StoreUnavailable

TEMPORARY = ".part-"
PRIVATE = 0o600
PUBLIC = 0o644
_REASONS = {ENOSPC: "disk-full", EDQUOT: "disk-full", EROFS: "read-only"}


class Part:
    """A file being written: fill `stream`, then `keep` it. See `part_file`."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream = stream
        self.path = Path(stream.name)

    def keep(self, place: Path, *, replace: bool = True, sync_name: bool = True) -> None:
        """Let the content stand at `place`, in a folder that exists on the same disk, and flush both.

        Without `replace` a file that stands there is left alone: FileExistsError. Who writes many files
        may leave `sync_name` to one `sync_folder` at the end.
        """
        self.stream.flush()
        os.fsync(self.stream.fileno())
        if replace:
            self.path.replace(place)
        else:
            place.hardlink_to(self.path)
        if sync_name:
            sync_folder(place.parent)


@contextmanager
def part_file(folder: Path, *, mode: int = PRIVATE) -> Iterator[Part]:
    """A new file in `folder`, gone again after the block unless it was kept.

    After a kill it stays, with a name that starts with `.part-`, until `sweep` removes it.
    """
    with NamedTemporaryFile(dir=folder, prefix=TEMPORARY, delete=False) as stream:
        part = Part(stream)
        try:
            os.fchmod(stream.fileno(), mode)
            yield part
        finally:
            part.path.unlink(missing_ok=True)


def write_file(place: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Let a whole file stand at `place`, or what stood there before; its folder must exist."""
    with part_file(place.parent, mode=mode) as part:
        part.stream.write(content)
        part.keep(place)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents, so that they are still there after a power cut."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def make_private(file: Path) -> None:
    """Make an empty file that only its owner can read, unless it is there: for what holds personal data."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    except FileExistsError:
        return
    except OSError as error:
        raise StoreUnavailable(reason="unreachable", cause=str(error)) from error


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_file(file: Path) -> None:
    """Flush a file's content to the disk."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all(folder: Path) -> None:
    """Flush everything below a folder, and its name.

    For who wrote many files: the first flush takes most of the others along, which is much faster than to
    flush each when it was written.
    """
    for outer, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync_file(Path(outer) / name)
        sync_folder(Path(outer))
    if folder.is_dir():
        sync_folder(folder.parent)


def sweep(folder: Path, *, before: float) -> int:
    """Remove what killed writers left below the folder before a time (Unix seconds); how many files."""
    removed = 0
    for part in folder.rglob(f"{TEMPORARY}*"):
        with suppress(FileNotFoundError):
            if part.stat().st_mtime < before:
                part.unlink()
                removed += 1
    return removed


@contextmanager
def disk_errors(passing: type[OSError] | tuple[type[OSError], ...] = ()) -> Iterator[None]:
    """Turn what the disk refuses into `StoreUnavailable`: reason disk-full, read-only or io-error.

    Errors of the classes `passing` are the caller's.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, passing):
            raise
        reason = _REASONS.get(error.errno or 0, "io-error")
        raise StoreUnavailable(reason=reason, detail=error.strerror or type(error).__name__) from error
