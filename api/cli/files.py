"""Files that commands take in and give out: facts, secrets, passwords."""

import os
import sys
from pathlib import Path
from typing import TypeVar

import msgspec
import typer

from api.cli.refusals import Cannot

T = TypeVar("T")


def read_facts(file: Path, kind: type[T]) -> T:
    """The facts in a JSON file; `Cannot` says which of them is not as it must be."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Cannot("json-wrong", file=str(file), reason=str(error)) from error


def read_text(file: Path) -> str:
    """A small file's text; `Cannot` for one that is no text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Cannot("file-unusable", file=str(file), reason="UTF-8") from error


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
        return read_text(file).rstrip("\r\n")
    if sys.stdin.isatty():
        return str(typer.prompt(ask, hide_input=True, confirmation_prompt=True, err=True))
    found = sys.stdin.readline().rstrip("\r\n")
    if not found:
        raise Cannot("password-missing")
    return found
