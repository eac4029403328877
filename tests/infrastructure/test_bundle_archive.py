"""Packing a bundle: readable by anybody's tar, flat in memory, loud about what is not what it was."""

import stat
import tarfile
import tracemalloc
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from application.bundles import Bundle, Member
from domain.errors import BlobDamaged
from infrastructure.bundle_archive import bundle_archive, write_bundle_archive, write_bundle_folder

LARGE = 64 * 1024 * 1024
LONG_NAME = f"kept/{'p' * 120}.tlog-proof"


class Zeros(RawIOBase):
    """A long file that lies nowhere."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = bytes(min(self._left, size))
        self._left -= len(piece)
        return piece


def member(name: str, content: bytes, *, digest: str = "", size: int | None = None) -> Member:
    return Member(
        name=name,
        size=len(content) if size is None else size,
        digest=digest or sha256(content).hexdigest(),
        open=partial(BytesIO, content),
    )


def bundle(*members: Member) -> Bundle:
    return Bundle(name="draw-1-public", members=members)


def read(data: bytes) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=BytesIO(data), mode="r:gz") as archive:
        for one in archive:
            file = archive.extractfile(one)
            assert file is not None
            found[one.name] = file.read()
    return found


def test_any_tar_reads_what_was_packed() -> None:
    made = bundle(member("a", b""), member("b", b"x" * 512), member(LONG_NAME, b"y" * 1000))
    packed = b"".join(bundle_archive(made))
    assert read(packed) == {
        "draw-1-public/a": b"",
        "draw-1-public/b": b"x" * 512,
        f"draw-1-public/{LONG_NAME}": b"y" * 1000,
    }
    assert packed == b"".join(bundle_archive(made))


def test_a_long_file_takes_no_room() -> None:
    digest = sha256(bytes(LARGE)).hexdigest()
    long = Member(name="frame.jsonl", size=LARGE, digest=digest, open=lambda: cast(BinaryIO, Zeros(LARGE)))
    tracemalloc.start()
    try:
        length = sum(map(len, bundle_archive(bundle(long))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert length > 60_000
    assert peak < 8 * 1024 * 1024


def wrong() -> Iterator[Member]:
    """What is shorter, longer or other than its digest says."""
    yield member("x", b"short", size=9)
    yield member("x", b"longer", size=3)
    yield member("x", b"other", digest="0" * 64)


@pytest.mark.parametrize("one", list(wrong()))
def test_what_is_not_what_it_was_breaks_the_archive_off(one: Member, tmp_path: Path) -> None:
    with pytest.raises(BlobDamaged):
        list(bundle_archive(bundle(one)))
    file = tmp_path / "out" / "draw.tar.gz"
    with pytest.raises(BlobDamaged):
        write_bundle_archive(bundle(one), file, private=False)
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_only_the_owner_reads_what_is_private(tmp_path: Path, private: bool, mode: int) -> None:
    made = bundle(member("proofs/1.entry", b"{}"))
    digest = write_bundle_archive(made, tmp_path / "draw.tar.gz", private=private)
    write_bundle_folder(made, tmp_path / "draw", private=private)
    archive, entry = tmp_path / "draw.tar.gz", tmp_path / "draw" / "proofs" / "1.entry"
    assert digest == sha256(archive.read_bytes()).hexdigest()
    assert [stat.S_IMODE(file.stat().st_mode) for file in (archive, entry)] == [mode, mode]


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="below the folder"):
        write_bundle_folder(bundle(member("kept/../../evil", b"x")), tmp_path / "draw", private=False)
    assert not (tmp_path / "evil").exists()
