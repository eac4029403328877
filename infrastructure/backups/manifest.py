"""What a backup says about itself, and which names its files may have."""

import re
from typing import Final

import msgspec

from domain.errors import Invalid

FORMAT: Final = "sunlot-backup/1"
MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
STORE: Final = "store"
LEDGER: Final = "ledger"
BLOBS: Final = "blobs"
CALENDAR: Final = "calendar"
RULEBOOKS: Final = "rulebooks"

LEVEL: Final = 13
EVENTS_IN_CHUNK: Final = 1 << LEVEL
"""Events to a chunk: a complete subtree of the ledger, so that full chunks never change and hash alone."""

_WORD: Final = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_PATH: Final = re.compile(
    rf"ledger(?:/{_WORD})+|store/{_WORD}/[0-9]{{12}}\.ndjson\.gz"
    r"|blobs/(?P<a>[0-9a-f]{2})/(?P<b>[0-9a-f]{2})/(?P=a)(?P=b)[0-9a-f]{60}"
    r"|(?:calendar|rulebooks)/[^/\\\x00-\x1f\x7f.][^/\\\x00-\x1f\x7f]*"
)
_LINE: Final = re.compile(r"(?P<digest>[0-9a-f]{64})  (?P<path>.+)")


class BackupWrong(Invalid):
    """A backup is not what it says, or not for this installation; facts: `file`, `reason`."""

    code = "backup-wrong"


class Chunk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file with rows of one table. `bytes` and `sha256` are of the file as it lies there, compressed.

    Of events also `tree`, the root (RFC 6962) over the chunk's own entries, and `last`, the leaf hash of
    its last one.
    """

    path: str
    rows: int
    bytes: int
    sha256: str
    tree: str = ""
    last: str = ""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table as it was kept: the columns in the order of the lines."""

    columns: tuple[str, ...]
    rows: int
    chunks: tuple[Chunk, ...]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The head of a backup, written last.

    `size` and `root` are of the log in the store's snapshot, `published` is the size of the checkpoint that
    lies in `ledger/` (0 for none). `sums` is the SHA-256 of `SHA256SUMS`, which names all other files.
    `lost` are published files that were missing where the backup was made, `damaged` blobs whose content was
    not what their name says; neither is in the backup.
    """

    format: str
    made_at: str
    origin: str
    region: str
    revision: str
    size: int
    root: str
    published: int
    tables: dict[str, Kept]
    blobs: int
    files: int
    bytes: int
    sums: str
    lost: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as it is written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"


def parse_manifest(content: bytes) -> Manifest:
    """Read a manifest. `BackupWrong` for one of another format, or none."""
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupWrong(file=MANIFEST, reason="malformed") from error
    if manifest.format != FORMAT:
        raise BackupWrong(file=MANIFEST, reason="format", found=manifest.format, expected=FORMAT)
    return manifest


def say_sum(digest: str, path: str) -> bytes:
    """A line of `SHA256SUMS`, as `sha256sum` writes and checks it."""
    return f"{digest}  {path}\n".encode()


def parse_sum(line: bytes) -> tuple[str, str]:
    """Digest and path of a line. `BackupWrong` also for a path that a backup cannot have, such as `../x`."""
    try:
        found = _LINE.fullmatch(line.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise BackupWrong(file=SUMS, reason="malformed")
    check_path(found["path"])
    return found["digest"], found["path"]


def check_path(path: str) -> None:
    """`BackupWrong` for a path that a backup cannot have."""
    if not _PATH.fullmatch(path):
        raise BackupWrong(file=path, reason="path")


def chunk_path(table: str, first: int) -> str:
    """Where a table's rows from the `first` on are kept."""
    return f"{STORE}/{table}/{first:012d}.ndjson.gz"
