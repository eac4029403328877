"""Files that a command names must have been uploaded before."""

from collections.abc import Sequence

from application.office import Office
from domain.errors import Invalid


class BlobUnknown(Invalid):
    """The file was not uploaded; facts: `digest`."""

    code = "blob-unknown"


def require_blobs(office: Office, digests: Sequence[str], pointer: str) -> None:
    """Refuse with `BlobUnknown` what was not uploaded."""
    for digest in digests:
        if not office.blobs.has(digest) or _is_of_draw(office, digest):
            raise BlobUnknown(pointer, digest=digest)


def _is_of_draw(office: Office, digest: str) -> bool:
    """Whether it is a line file of a draw, which nobody uploaded; no evidence looks like one.

    The teams of a small draw can be guessed: whoever names their digest must not learn that it is right.
    """
    with office.blobs.open(digest) as content:
        return content.read(2) == b'{"'
