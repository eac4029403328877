"""Files by their content: the name is the SHA-256, two folder levels deep, and nothing is ever changed.

A blob is on the disk, flushed, before `put` returns, so that an event may name it.
"""

import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO, Final
from zipfile import BadZipFile, ZipFile

from domain.errors import BlobDamaged, BlobTooLarge, MediaRefused, NotFound
from infrastructure.files import disk_errors, make_folder, part_file, sweep, sync_folder

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)
_CHUNK: Final = 1 << 20
_PAIR: Final = "[0-9a-f][0-9a-f]"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_SAMPLED_LINES: Final = 20


class FolderBlobs:
    """The `Blobs` port over a folder, which is made when the first blob comes. Safe for many processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"

    def put(self, content: bytes | BinaryIO, *, limit: int | None = None) -> str:
        """Keep the content; its lower-case hex SHA-256.

        A stream is read to its end in pieces. `BlobTooLarge` beyond `limit` bytes, `StoreUnavailable`
        where the disk refuses; nothing is kept then. Content kept already is written again, which
        mends it if it was damaged.
        """
        stream = BytesIO(content) if isinstance(content, bytes) else content
        with disk_errors():
            make_folder(self._incoming)
            with part_file(self._incoming) as part:
                digest = _copy(stream, part.stream, limit)
                place = self._place(digest)
                make_folder(place.parent)
                part.keep(place)
        return digest

    def read(self, digest: str) -> bytes:
        """The content, checked against the digest. Raises `NotFound`, `BlobDamaged`, `StoreUnavailable`."""
        with self.open(digest) as stream, disk_errors():
            content = stream.read()
        if sha256(content).hexdigest() != digest:
            raise BlobDamaged(digest=digest)
        return content

    def open(self, digest: str) -> BinaryIO:
        """The content as a stream that the caller closes, unchecked; `NotFound`, `StoreUnavailable`."""
        try:
            with disk_errors(passing=FileNotFoundError):
                return self._place(digest).open("rb")
        except FileNotFoundError as error:
            raise NotFound(kind="blob", id=digest) from error

    def has(self, digest: str) -> bool:
        """Whether the content is kept."""
        with disk_errors():
            return bool(_DIGEST.fullmatch(digest)) and self._place(digest).is_file()

    def digests(self) -> Iterator[str]:
        """The digests of all blobs kept, in order; for backups and checks. Holds one folder's at a time."""
        for outer in sorted(self._folder.glob(_PAIR)):
            for inner in sorted(outer.glob(_PAIR)):
                yield from sorted(file.name for file in inner.iterdir() if _DIGEST.fullmatch(file.name))

    def remove(self, digest: str) -> bool:
        """Remove the content for good, because it names people whose data is erased; whether it was there."""
        place = self._place(digest)
        with disk_errors(passing=FileNotFoundError):
            try:
                place.unlink()
            except FileNotFoundError:
                return False
            sync_folder(place.parent)
        return True

    def sweep(self, now: datetime, *, older_than: timedelta = timedelta(days=1)) -> int:
        """Remove what writers that were killed left behind; how many files."""
        with disk_errors():
            return sweep(self._incoming, before=(now - older_than).timestamp())

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFound(kind="blob", id=digest)
        return self._folder / digest[:2] / digest[2:4] / digest


def _copy(source: BinaryIO, target: IO[bytes], limit: int | None) -> str:
    digest, size = sha256(), 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if limit is not None and size > limit:
            raise BlobTooLarge(limit=limit)
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()


def check_media(content: bytes, allowed: Collection[str]) -> str:
    """The media type of the content; `MediaRefused` (facts: `found`, `allowed`) if it is not allowed."""
    found = media_type(content)
    if found not in allowed:
        raise MediaRefused(found=found, allowed=sorted(allowed))
    return found


def media_type(content: bytes) -> str:
    """What the content is by its own bytes, whatever its name says; "" for what we do not know.

    JPEG, PNG, PDF, XLSX, JSON, CSV (`text/csv`) and plain text in UTF-8 or GB 18030.
    """
    for magic, media in _MAGIC:
        if content.startswith(magic):
            return media
    if content.startswith(b"PK\x03\x04"):
        return XLSX if _is_workbook(content) else ""
    return _text_type(content)


def _is_workbook(content: bytes) -> bool:
    try:
        with ZipFile(BytesIO(content)) as archive:
            return {"[Content_Types].xml", "xl/workbook.xml"} <= set(archive.namelist())
    except BadZipFile:
        return False


def _text_type(content: bytes) -> str:
    text = _decoded(content)
    if not text or _CONTROL.search(text):
        return ""
    if _is_json(text):
        return "application/json"
    return "text/csv" if _is_table(text) else "text/plain"


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return ""


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str) -> bool:
    """Whether the first lines have the same number of commas, and more than none."""
    lines = [line for line in text.splitlines()[:_SAMPLED_LINES] if line]
    commas = {line.count(",") for line in lines}
    return len(lines) > 1 and len(commas) == 1 and commas != {0}
