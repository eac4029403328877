"""Evidence that a command names: a file of this machine, or the digest of one that is kept already."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from api.bootstrap import check_media
from api.cli.desk import Desk
from application.workflow import Call
from domain.errors import BlobTooLarge

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def keep_files(desk: Desk, call: Call, given: Sequence[str]) -> list[str]:
    """The digests of files, each kept first if it is a path and not a digest already."""
    return [keep_file(desk, call, one) for one in given]


def keep_file(desk: Desk, call: Call, given: str) -> str:
    """Keep a file as evidence, if its content is of a kind that the rulebook lets any evidence be."""
    if _DIGEST.fullmatch(given):
        return given
    call.require("blob.write", None)
    kinds, file = desk.office.rules(call.act.day).evidence, Path(given)
    largest = max(kind.limit for kind in kinds)
    if file.stat().st_size > largest:
        raise BlobTooLarge(limit=largest)
    content = file.read_bytes()
    media = check_media(content, {media for kind in kinds for media in kind.media})
    return desk.office.blobs.put(content, limit=max(one.limit for one in kinds if media in one.media))
