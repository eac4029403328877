"""Files that commands take in and give out."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import typer

from api.bootstrap import check_media
from api.cli.desk import Desk
from api.cli.refusals import Cannot
from application.workflow import Call
from domain.errors import BlobTooLarge

T = TypeVar("T")

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def read_facts(file: Path, kind: type[T]) -> T:
    """The facts in a JSON file; `Cannot` says which of them is not as it must be."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Cannot("json-wrong", file=str(file), reason=str(error)) from error


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


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, and that was not there before; FileExistsError."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def read_password(file: Path | None, ask: str) -> str:
    """A password from its file, from standard input, or asked for twice where somebody sits.

    Never from the command line, which everybody on the machine can see.
    """
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if sys.stdin.isatty():
        return str(typer.prompt(ask, hide_input=True, confirmation_prompt=True, err=True))
    found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise Cannot("password-missing")
    return found
