"""A draw's bundle as a `.tar.gz` stream or a folder: piece by piece, so that memory stays flat.

Equal bundles give equal bytes: names in order, no times, no owners. The hash of the archive can be published.
"""

import gzip
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final

from application.bundles import Bundle, Member
from domain.errors import BlobDamaged
from infrastructure.files import PRIVATE, PUBLIC, disk_errors, make_folder, part_file

_CHUNK: Final = 256 * 1024


def bundle_archive(bundle: Bundle) -> Iterator[bytes]:
    """The archive as it comes, in pieces.

    `BlobDamaged` in the middle where a file is not what it was: what came so far is no archive then.
    """
    packed = BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=6, mtime=0) as squeeze:
        for member in bundle.members:
            squeeze.write(_header(f"{bundle.name}/{member.name}", member.size))
            for piece in _pieces(member):
                squeeze.write(piece)
                if packed.tell() >= _CHUNK:
                    yield _drained(packed)
            squeeze.write(bytes(-member.size % tarfile.BLOCKSIZE))
        squeeze.write(bytes(2 * tarfile.BLOCKSIZE))
    yield packed.getvalue()


def write_bundle_archive(bundle: Bundle, file: Path, *, private: bool) -> str:
    """Write the archive, which stands there whole or not at all; its SHA-256 in hex."""
    digest = sha256()
    with disk_errors():
        make_folder(file.absolute().parent)
        with part_file(file.absolute().parent, mode=PRIVATE if private else PUBLIC) as part:
            for piece in bundle_archive(bundle):
                digest.update(piece)
                part.stream.write(piece)
            part.keep(file.absolute())
    return digest.hexdigest()


def write_bundle_folder(bundle: Bundle, folder: Path, *, private: bool) -> None:
    """Write the files into a folder, each whole or not at all; only their owner reads private ones."""
    with disk_errors():
        for member in bundle.members:
            place = folder / member.name
            if not place.resolve().is_relative_to(folder.resolve()):
                raise ValueError(f"{member.name} does not stand below the folder")
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700 if private else 0o755)
            with part_file(place.parent, mode=PRIVATE if private else PUBLIC) as part:
                for piece in _pieces(member):
                    part.stream.write(piece)
                part.keep(place, sync_name=False)


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, PUBLIC
    return member.tobuf(tarfile.PAX_FORMAT)


def _pieces(member: Member) -> Iterator[bytes]:
    """The content, seen at its end to be what its digest says."""
    digest, size = sha256(), 0
    with member.open() as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
            if size > member.size:
                break
            yield piece
    if size != member.size or digest.hexdigest() != member.digest:
        raise BlobDamaged(digest=member.digest)


def _drained(buffer: BytesIO) -> bytes:
    content = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return content
