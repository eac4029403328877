"""An export for auditors: everything that is needed to check the log offline, in a folder or an archive.

One checkpoint is the end of it, however the log goes on meanwhile. It is written last, so that an export that
was cut short is seen to be none. The published files are public; states only go to whoever may have them.
"""

import gzip
import os
import tarfile
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Final

from domain.errors import NotFound
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.errors import ExportDiffers
from domain.ledger.folder import format_states, states_path
from domain.ledger.merkle import root_at
from domain.ledger.note import Note
from domain.ledger.tiles import WIDTH, Tile, TileReader, read_tile, tiles_written
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.files import PUBLIC, disk_errors, make_folder, part_file, write_file
from infrastructure.ledger_files import CHECKPOINT, Published
from infrastructure.ledger_guide import Guide, guide_files

File = tuple[str, bytes]
"""A path within the export, and what stands there."""

_AS_THEY_ARE: Final = ("vkey", "trust-policy")
_FOLDERS: Final = ("checkpoints", "abandoned")
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class States:
    """Where states are taken from, and the streams whose states are not given."""

    recorder: EventRecorder
    withheld: frozenset[str] = field(default_factory=frozenset)


class LedgerExport:
    """The files of an export as they come, each read when it is asked for: memory stays flat."""

    def __init__(
        self, published: Published, *, certificates: bytes = b"", states: States | None = None
    ) -> None:
        """`certificates` are those (PEM) that time-stamps lead to. `NotFound` before the first checkpoint."""
        note = published.checkpoint()
        if note is None:
            raise NotFound(kind="checkpoint", id="")
        self.note = note
        self.checkpoint = Checkpoint.parse(Note.parse(note).text)
        self._published, self._certificates, self._states = published, certificates, states

    def telling(self, states: States) -> "LedgerExport":
        """The same export, up to the same checkpoint, with states."""
        told = copy(self)
        told._states = states
        return told

    def read(self, path: str) -> bytes:
        """A tile as it is published; FileNotFoundError."""
        return self._published.read(path)

    def files(self, progress: Callable[[int, int], None] = lambda done, size: None) -> Iterator[File]:
        """Every file, the checkpoint last; `progress` counts entries."""
        yield from self._guide()
        yield from self._as_published()
        yield from self._tiles(progress)
        yield from self._told_states(progress)
        yield CHECKPOINT, self.note

    def _guide(self) -> Iterator[File]:
        guide = Guide(
            note=self.note,
            vkey=self._read("vkey"),
            policy=self._read("trust-policy"),
            states=self._states is not None,
        )
        yield from guide_files(guide)

    def _as_published(self) -> Iterator[File]:
        for name in _AS_THEY_ARE:
            if content := self._read(name):
                yield name, content
        if self._certificates:
            yield "tsa.pem", self._certificates
        for folder in _FOLDERS:
            yield from self._below(folder)

    def _tiles(self, progress: Callable[[int, int], None]) -> Iterator[File]:
        size = self.checkpoint.size
        for tile in tiles_written(0, size):
            yield tile.path(), read_tile(self._published.read, tile, size)
            if tile.level < 0:
                progress(tile.index * WIDTH + tile.width, size)

    def _told_states(self, progress: Callable[[int, int], None]) -> Iterator[File]:
        if self._states is None:
            return
        size, withheld = self.checkpoint.size, self._states.withheld
        rows = self._states.recorder.rows(0, size)
        for index in range(-(-size // WIDTH)):
            states = [None if row.stream in withheld else row.state for row in islice(rows, WIDTH)]
            yield states_path(index), format_states(states)
            progress(index * WIDTH + len(states), size)

    def _below(self, folder: str) -> Iterator[File]:
        """What stands in a folder of the published ledger, as far as the checkpoint goes."""
        for file in sorted((self._published.folder / folder).rglob("*")):
            size = file.name.removesuffix(".tsr")
            ahead = folder == "checkpoints" and size.isdecimal() and int(size) > self.checkpoint.size
            if file.is_file() and not file.name.startswith(".") and not ahead:
                yield file.relative_to(self._published.folder).as_posix(), file.read_bytes()

    def _read(self, name: str) -> bytes:
        try:
            return self._published.read(name)
        except FileNotFoundError:
            return b""


def write_folder(export: LedgerExport, folder: Path, progress: Callable[[int, int], None]) -> None:
    """Write an export into a folder, or bring an earlier one of the same log up to date.

    Each file stands there whole or not at all. Raises ExportDiffers for an earlier export that the log does
    not go on from.
    """
    with disk_errors():
        _require_earlier(export, folder)
        for path, content in export.files(progress):
            place = folder / path
            make_folder(place.parent)
            if path == CHECKPOINT:
                # What it covers must be on the disk before it is: one flush for all of it.
                os.sync()
                write_file(place, content, mode=PUBLIC)
            elif not place.is_file() or place.read_bytes() != content:
                _write(place, content)
            _remove_outgrown(folder, path)


def write_archive(export: LedgerExport, file: Path, progress: Callable[[int, int], None]) -> None:
    """Write an export as a .tar.gz file, which stands there whole or not at all."""
    with disk_errors():
        make_folder(file.absolute().parent)
        with part_file(file.absolute().parent, mode=PUBLIC) as part:
            for chunk in archive(export, progress):
                part.stream.write(chunk)
            part.keep(file.absolute())


def archive(
    export: LedgerExport, progress: Callable[[int, int], None] = lambda done, size: None
) -> Iterator[bytes]:
    """The .tar.gz of an export as it comes, in chunks; equal exports give equal bytes."""
    packed, written = BytesIO(), BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as squeeze:
        with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for path, content in export.files(progress):
                tar.addfile(_member(f"{_root(export)}/{path}", content), BytesIO(content))
                squeeze.write(_drained(written))
                if packed.tell() >= _CHUNK:
                    yield _drained(packed)
                # It remembers what it has written, for readers that a stream has not.
                tar.getmembers().clear()
        squeeze.write(_drained(written))
    yield packed.getvalue()


def _drained(buffer: BytesIO) -> bytes:
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content


def _member(name: str, content: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), PUBLIC
    return member


def _root(export: LedgerExport) -> str:
    return f"ledger-{export.checkpoint.size}"


def _write(place: Path, content: bytes) -> None:
    with part_file(place.parent, mode=PUBLIC) as part:
        part.stream.write(content)
        part.stream.flush()
        part.path.replace(place)


def _remove_outgrown(folder: Path, path: str) -> None:
    """Partial tiles that the one just written replaces."""
    if not path.startswith("tile/"):
        return
    tile = Tile.parse(path)
    partials = folder / f"{Tile(tile.level, tile.index).path()}.p"
    for partial in partials.glob("*") if partials.is_dir() else ():
        if partial != folder / path:
            partial.unlink()


def _require_earlier(export: LedgerExport, folder: Path) -> None:
    try:
        earlier = Checkpoint.parse(Note.parse((folder / CHECKPOINT).read_bytes()).text)
    except FileNotFoundError:
        return
    size = export.checkpoint.size
    fits = earlier.origin == export.checkpoint.origin and earlier.size <= size
    if not fits or root_at(earlier.size, TileReader(export.read, size)) != earlier.root:
        raise ExportDiffers(earlier=earlier.size, size=size, origin=earlier.origin)
