"""How far a check of the ledger has come, in a file, so that one that was interrupted goes on.

Whoever can write this file can make the check skip what he likes. So it is named by whoever checks, and
refused where the service keeps its own files or where others may write it.
"""

import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import Any, Final, Protocol

from domain.ledger.errors import ResumeRefused
from domain.ledger.finding import Saved
from domain.ledger.held import Held
from infrastructure.files import make_folder, write_file

SAVE_SECONDS: Final = 3.0
_FORMAT: Final = 1
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


class Keeper(Protocol):
    """Keeps what a check has come to."""

    def begin(self, bound: Mapping[str, str], size: int, held: Sequence[Held]) -> tuple[int, list[Held]]:
        """What the check is of: the size and everything held, as they were when it began."""
        ...

    def saved(self, part: str) -> Saved | None:
        """Where a part of the check had come to."""
        ...

    def save(self, parts: Callable[[], Mapping[str, Saved | None]]) -> None:
        """Keep all parts, if it is time again."""
        ...

    def end(self) -> None:
        """The check is done; nothing is kept any more."""
        ...


class Nowhere:
    """Keeps nothing: for checks that begin anew if they are interrupted."""

    def begin(self, bound: Mapping[str, str], size: int, held: Sequence[Held]) -> tuple[int, list[Held]]:
        """As given."""
        return size, list(held)

    def saved(self, part: str) -> Saved | None:
        """Nothing."""
        return None

    def save(self, parts: Callable[[], Mapping[str, Saved | None]]) -> None:
        """Not at all."""

    def end(self) -> None:
        """Nothing to do."""


class ProgressFile:
    """Keeps it in a file, replaced as a whole every few seconds, removed at the end."""

    def __init__(self, file: Path, *, service: Path, seconds: float = SAVE_SECONDS) -> None:
        """`service` is the folder that the service writes by itself. Raises ResumeRefused."""
        if file.resolve().is_relative_to(service.resolve()):
            raise ResumeRefused(reason="in the data folder", file=str(file))
        self._file, self._seconds, self._written = file, seconds, monotonic()
        self._parts: dict[str, Saved | None] = {}
        self._head: dict[str, Any] = {}

    def begin(self, bound: Mapping[str, str], size: int, held: Sequence[Held]) -> tuple[int, list[Held]]:
        """What the check is of: as given, or as it was when the saved one began.

        Raises ResumeRefused where the file is of another log, policy or version of the code, or where
        something that was held then is gone or has changed.
        """
        kept = self._read()
        if kept is None:
            make_folder(self._file.absolute().parent)
            self._head = {"format": _FORMAT, "bound": dict(bound), "size": size, "held": _frozen(held)}
            return size, list(held)
        for name, value in bound.items():
            if kept["bound"].get(name) != value:
                raise ResumeRefused(reason="of something else", file=str(self._file), differs=name)
        self._parts = kept["parts"]
        self._head = {name: kept[name] for name in ("format", "bound", "size", "held")}
        return kept["size"], [_thawed(one, held) for one in kept["held"]]

    def saved(self, part: str) -> Saved | None:
        """Where a part of the check had come to."""
        return self._parts.get(part)

    def save(self, parts: Callable[[], Mapping[str, Saved | None]]) -> None:
        """Keep all parts, if it is time again."""
        if monotonic() - self._written < self._seconds:
            return
        self._parts |= parts()
        write_file(self._file, json.dumps({**self._head, "parts": self._parts}).encode())
        self._written = monotonic()

    def end(self) -> None:
        """The check is done: the file goes."""
        self._file.unlink(missing_ok=True)

    def _read(self) -> Any:
        try:
            with self._file.open("rb") as stream:
                self._require_own(os.fstat(stream.fileno()))
                kept = json.loads(stream.read())
        except FileNotFoundError:
            return None
        except ValueError as error:
            if isinstance(error, ResumeRefused):
                raise
            raise ResumeRefused(reason="unreadable", file=str(self._file)) from error
        if not isinstance(kept, dict) or kept.get("format") != _FORMAT:
            raise ResumeRefused(reason="unreadable", file=str(self._file))
        return kept

    def _require_own(self, status: os.stat_result) -> None:
        # In a folder for everybody, such as /tmp, somebody else may have put his own file at this name.
        if status.st_mode & _OTHERS or status.st_uid != os.geteuid():
            raise ResumeRefused(reason="others may write it", file=str(self._file))


def version_of_verifier() -> str:
    """SHA-256 (hex) over the source of the verifier: what another version had come to says nothing here."""
    digest = sha256()
    for source in sorted(files("domain.ledger").iterdir(), key=lambda one: one.name):
        if source.name.endswith(".py"):
            digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def _frozen(held: Iterable[Held]) -> list[dict[str, Any]]:
    """What is held, by length and hash: files of kept checkpoints only grow, by further signatures. Those
    that are replaced while the log goes on (published, latch) are kept whole.
    """
    return [
        {
            "name": one.name,
            "note": [len(one.note), _digest(one.note)],
            "token": None if one.token is None else _digest(one.token),
            "whole": b64encode(one.note).decode() if "/" not in one.name else None,
        }
        for one in held
    ]


def _thawed(frozen: Mapping[str, Any], held: Iterable[Held]) -> Held:
    if frozen["whole"] is not None:
        return Held(frozen["name"], b64decode(frozen["whole"]))
    length, digest = frozen["note"]
    for one in held:
        token = None if frozen["token"] is None else one.token
        if (one.name, _digest(one.note[:length])) == (frozen["name"], digest) and (
            frozen["token"] == (None if token is None else _digest(token))
        ):
            return Held(one.name, one.note[:length], token)
    raise ResumeRefused(reason="of something else", differs=frozen["name"])


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
