"""Blobs: kept by their content, whole or not at all, and never believed without a check."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from domain.errors import BlobDamaged, BlobTooLarge, MediaRefused, NotFound, StoreUnavailable
from infrastructure.blobs import XLSX, FolderBlobs, check_media, media_type
from infrastructure.spreadsheet_writer import Sheet, write_sheets

CONTENT = "现场照片".encode() * 1000
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> FolderBlobs:
    return FolderBlobs(tmp_path / "blobs")


def place(tmp_path: Path, digest: str = DIGEST) -> Path:
    return tmp_path / "blobs" / digest[:2] / digest[2:4] / digest


def leftovers(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "blobs").rglob(".part-*"))


@pytest.mark.parametrize("content", [CONTENT, BytesIO(CONTENT)], ids=["bytes", "stream"])
def test_what_was_put_is_read_again(blobs: FolderBlobs, tmp_path: Path, content: bytes) -> None:
    assert blobs.put(content) == DIGEST
    assert blobs.read(DIGEST) == CONTENT
    with blobs.open(DIGEST) as stream:
        assert stream.read() == CONTENT
    assert blobs.has(DIGEST)
    assert place(tmp_path).is_file()
    assert list(blobs.digests()) == [DIGEST]


def test_the_same_content_twice_is_one_file(blobs: FolderBlobs) -> None:
    assert blobs.put(CONTENT) == blobs.put(CONTENT)
    assert list(blobs.digests()) == [DIGEST]


def test_nothing_is_a_blob_too(blobs: FolderBlobs) -> None:
    assert blobs.read(blobs.put(b"")) == b""


@pytest.mark.parametrize("limit", [0, len(CONTENT) - 1])
def test_content_beyond_the_limit_is_refused_and_leaves_nothing(
    blobs: FolderBlobs, tmp_path: Path, limit: int
) -> None:
    with pytest.raises(BlobTooLarge) as refusal:
        blobs.put(BytesIO(CONTENT), limit=limit)
    assert refusal.value.facts == {"limit": limit}
    assert not blobs.has(DIGEST)
    assert leftovers(tmp_path) == []
    assert blobs.put(CONTENT, limit=len(CONTENT)) == DIGEST


@pytest.mark.parametrize("digest", ["0" * 64, "../../../etc/passwd", "", DIGEST.upper(), DIGEST + "\n"])
def test_what_is_not_kept_is_not_found(blobs: FolderBlobs, digest: str) -> None:
    blobs.put(CONTENT)
    assert not blobs.has(digest)
    for look in (blobs.read, blobs.open):
        with pytest.raises(NotFound):
            look(digest)


def test_a_changed_byte_is_noticed_and_mended_by_putting_again(blobs: FolderBlobs, tmp_path: Path) -> None:
    blobs.put(CONTENT)
    place(tmp_path).write_bytes(b"x" + CONTENT[1:])
    with pytest.raises(BlobDamaged) as refusal:
        blobs.read(DIGEST)
    assert refusal.value.facts == {"digest": DIGEST}
    blobs.put(CONTENT)
    assert blobs.read(DIGEST) == CONTENT


def test_a_full_disk_is_said_and_leaves_nothing(
    blobs: FolderBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    blobs.put(b"first")
    monkeypatch.setattr("infrastructure.files.os.fsync", full)
    with pytest.raises(StoreUnavailable) as refusal:
        blobs.put(CONTENT)
    assert refusal.value.facts["reason"] == "disk-full"
    assert not blobs.has(DIGEST)
    assert leftovers(tmp_path) == []


def test_a_stream_that_breaks_off_leaves_nothing(blobs: FolderBlobs, tmp_path: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(10)

    with pytest.raises(StoreUnavailable):
        blobs.put(Broken(CONTENT))
    assert leftovers(tmp_path) == []


WRITER = """
import sys
from pathlib import Path
from infrastructure.blobs import FolderBlobs
blobs, number = FolderBlobs(Path(sys.argv[1])), 0
while True:
    sys.stdout.write(blobs.put(b"%d" % number * 200_000) + "\\n")
    sys.stdout.flush()
    number += 1
"""


@pytest.mark.parametrize("milliseconds", [150, 230, 310])
def test_a_killed_writer_leaves_only_whole_blobs(
    blobs: FolderBlobs, tmp_path: Path, milliseconds: int
) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "blobs")],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline().strip()]
    time.sleep(milliseconds / 1000)
    writer.send_signal(signal.SIGKILL)
    said += [line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    writer.wait()
    writer.stdout.close()
    kept = list(blobs.digests())
    assert set(said) <= set(kept)
    assert all(sha256(blobs.read(digest)).hexdigest() == digest for digest in kept)
    assert blobs.sweep(datetime.now(UTC), older_than=timedelta(days=1)) == 0
    blobs.sweep(datetime.now(UTC), older_than=-timedelta(minutes=1))
    assert leftovers(tmp_path) == []


def workbook(tmp_path: Path) -> bytes:
    file = tmp_path / "a.xlsx"
    write_sheets(file, [Sheet(name="a", titles=("b",), rows=[("c",)])])
    return file.read_bytes()


def archive() -> bytes:
    target = BytesIO()
    with ZipFile(target, "w") as zipped:
        zipped.writestr("a.txt", "a")
    return target.getvalue()


def samples() -> Iterator[tuple[bytes, str]]:
    yield b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"
    yield b"\x89PNG\r\n\x1a\n\x00\x00", "image/png"
    yield b"%PDF-1.7\n", "application/pdf"
    yield b'{"a": [1, 2]}', "application/json"
    yield "名称,代码\n甲,1\n乙,2\n".encode(), "text/csv"
    yield "名称,代码\n甲,1\n".encode("gb18030"), "text/csv"
    yield "\ufeff名称,代码\r\n甲,1\r\n".encode(), "text/csv"
    yield "一段说明，没有表格。\n第二行\n".encode(), "text/plain"
    yield b"{ not json", "text/plain"
    yield b"", ""
    yield b"\x00\x01\x02", ""
    yield b"MZ\x90\x00\x03", ""
    yield b"\xff\xfe\xfd", ""
    yield b"PK\x03\x04 not a zip", ""
    yield archive(), ""


@pytest.mark.parametrize(("content", "media"), list(samples()))
def test_the_media_type_is_told_from_the_bytes(content: bytes, media: str) -> None:
    assert media_type(content) == media


def test_a_workbook_is_told_from_any_other_archive(tmp_path: Path) -> None:
    assert media_type(workbook(tmp_path)) == XLSX


def test_only_allowed_media_pass() -> None:
    assert check_media(b"%PDF-1.7\n", {"application/pdf", "image/png"}) == "application/pdf"
    with pytest.raises(MediaRefused) as refusal:
        check_media(b"<html></html>", {"image/png", "application/pdf"})
    assert refusal.value.facts == {"found": "text/plain", "allowed": ["application/pdf", "image/png"]}
