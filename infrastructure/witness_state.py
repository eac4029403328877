"""What a witness remembers of each log, in a folder: the last checkpoint it cosigned, and all before it.

Layout: `logs/<SHA-256 of the origin>/checkpoint` is a signed note with our cosignature, `history` beside it
has a line for each checkpoint cosigned. The checkpoint is on the disk before the line, the line before the
answer: killed anywhere, nothing that left the witness is missing, and whoever comes next completes the rest.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from domain.errors import Unavailable
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.cosignature import WitnessKey, read_cosignatures
from domain.ledger.errors import LedgerError
from domain.ledger.note import Note, Signature
from infrastructure.files import PRIVATE, make_folder, sync_folder, write_file

CHECKPOINT: Final = "checkpoint"
HISTORY: Final = "history"
LOGS: Final = "logs"
ORIGIN: Final = "origin"
VKEY: Final = "vkey"
_LOCK: Final = ".lock"
_TAIL: Final = 1 << 16


class WitnessStateDamaged(Unavailable):
    """What the witness remembers cannot be read, so it signs nothing for this log; facts: `path`, `reason`
    (other-key: the folder is another witness's; unreadable)."""

    code = "witness-state-damaged"


class Held(NamedTuple):
    """The last checkpoint cosigned of a log: `note` with the log's and our signature, `at` in seconds since
    1970, `line` our signature.
    """

    checkpoint: Checkpoint
    note: bytes
    at: int
    line: Signature


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the history: a note cosigned at a time, or, with a reason, the note that was forgotten then.

    `since` is the byte at which the present beginning of the log stands; sizes only grow from there on.
    """

    at: int
    size: int
    since: int
    note: str
    reason: str = ""


class WitnessState:
    """The memory of the witness whose key this is. Processes may share it: they wait for each other."""

    def __init__(self, folder: Path, key: WitnessKey) -> None:
        self.folder, self._key = folder, key

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other thread and process out. `WitnessStateDamaged` for another witness's folder."""
        make_folder(self.folder)
        with (self.folder / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._require_own()
            yield

    def place(self, origin: str) -> Path:
        """The folder of a log."""
        return self.folder / LOGS / sha256(origin.encode()).hexdigest()

    def history(self, origin: str) -> Path:
        """The file with a log's history."""
        return self.place(origin) / HISTORY

    def held(self, origin: str) -> Held | None:
        """The last checkpoint cosigned of a log, None before the first. `WitnessStateDamaged`."""
        place = self.place(origin) / CHECKPOINT
        try:
            note = place.read_bytes()
        except FileNotFoundError:
            return None
        last = last_line(self.history(origin))
        if last is not None and last.reason and last.note == note.decode():
            return None  # a kill kept it from being removed
        return self._opened(place, note)

    def earliest(self, origin: str) -> int:
        """The earliest second at which the next signature for a log may be made; none goes back in time."""
        held, last = self.held(origin), last_line(self.history(origin))
        forgot = last.at + 1 if last and last.reason else 0
        return max(held.at if held else 0, forgot)

    def keep(self, origin: str, note: bytes) -> None:
        """Let a cosigned checkpoint be the last one. Only alone, and before anybody sees the signature."""
        self._prepare(origin)
        self.complete(origin)
        write_file(self.place(origin) / CHECKPOINT, note)
        self.complete(origin)

    def complete(self, origin: str) -> None:
        """Let the history end with the checkpoint that is held, whatever a kill left undone. Only alone."""
        held = self.held(origin)
        if held is None:
            return
        last = last_line(self.history(origin))
        if last is None or last.note != held.note.decode():
            since = last.since if last else 0
            self._append(origin, Line(held.at, held.checkpoint.size, since, held.note.decode()))

    def forget(self, origin: str, held: Held, *, at: int, reason: str) -> None:
        """Let the log begin anew with its next checkpoint, as people decided. Only alone."""
        self.complete(origin)
        self._append(origin, Line(at, 0, self._trimmed(origin), held.note.decode(), reason))
        (self.place(origin) / CHECKPOINT).unlink()
        sync_folder(self.place(origin))

    def cosigned(self, origin: str, size: int) -> bytes | None:
        """The note cosigned at this size since the log began, found by halving; None if there is none."""
        try:
            with self.history(origin).open("rb") as stream:
                found = _find(stream, self.history(origin), self._since(origin), size)
        except FileNotFoundError:
            return None
        return found.note.encode() if found and found.size == size and not found.reason else None

    def lines(self, origin: str) -> Iterator[Line]:
        """The history of a log from the first line on."""
        try:
            with self.history(origin).open("rb") as stream:
                yield from (_read(self.history(origin), one) for one in stream if one.endswith(b"\n"))
        except FileNotFoundError:
            return

    def origins(self) -> list[str]:
        """The logs that the witness has met."""
        kept = sorted((self.folder / LOGS).glob(f"*/{ORIGIN}"))
        return [file.read_text(encoding="utf-8").rstrip("\n") for file in kept]

    def _since(self, origin: str) -> int:
        last = last_line(self.history(origin))
        return last.since if last else 0

    def _opened(self, place: Path, note: bytes) -> Held:
        try:
            opened = Note.parse(note)
            cosigned = max(read_cosignatures(opened, [self._key]), key=lambda one: one.at)
            ours = next(line for line in opened.signatures if line.key_id == self._key.id)
            return Held(Checkpoint.parse(opened.text), note, cosigned.at, ours)
        except (LedgerError, StopIteration, ValueError) as error:
            raise WitnessStateDamaged(path=str(place), reason="unreadable") from error

    def _require_own(self) -> None:
        place, line = self.folder / VKEY, f"{self._key.encode()}\n".encode()
        if not place.exists():
            write_file(place, line)
        elif place.read_bytes() != line:
            raise WitnessStateDamaged(path=str(self.folder), reason="other-key")

    def _prepare(self, origin: str) -> None:
        place = self.place(origin)
        make_folder(place)
        if not (place / ORIGIN).exists():
            write_file(place / ORIGIN, f"{origin}\n".encode())

    def _trimmed(self, origin: str) -> int:
        """Where the next line begins, after taking away half a line that a kill may have left."""
        try:
            with self.history(origin).open("r+b") as stream:
                return stream.truncate(_whole(stream))
        except FileNotFoundError:
            return 0

    def _append(self, origin: str, line: Line) -> None:
        place = self.history(origin)
        new, end = not place.exists(), self._trimmed(origin)
        handle = os.open(place, os.O_CREAT | os.O_APPEND | os.O_WRONLY, PRIVATE)
        try:
            _write_all(handle, msgspec.json.encode(line) + b"\n")
            os.fsync(handle)
        except OSError:
            with suppress(OSError):  # what may not be on the disk must not look as if it were
                os.ftruncate(handle, end)
            raise
        finally:
            os.close(handle)
        if new:
            sync_folder(place.parent)


def last_line(history: Path) -> Line | None:
    """The last whole line of a history, None where there is none. `WitnessStateDamaged`."""
    try:
        with history.open("rb") as stream:
            end = _whole(stream)
            start = _before(stream, end - 1) if end else 0
            stream.seek(start)
            return _read(history, stream.read(end - start)) if end else None
    except FileNotFoundError:
        return None


def _whole(stream: BinaryIO) -> int:
    """Where the last whole line ends."""
    return _before(stream, stream.seek(0, os.SEEK_END))


def _before(stream: BinaryIO, end: int) -> int:
    """Where the line begins that holds the byte before `end`: behind the last line end before that."""
    while end > 0:
        start = max(0, end - _TAIL)
        stream.seek(start)
        found = stream.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _find(stream: BinaryIO, history: Path, since: int, size: int) -> Line | None:
    """The last line of at most this size, of those from the byte `since` on."""
    low, high, best = since, _whole(stream), None
    while low < high:
        middle = (low + high) // 2
        start = max(low, _before(stream, middle))
        stream.seek(start)
        content = stream.readline()
        line = _read(history, content)
        if line.size > size:
            high = start
        else:
            low, best = start + len(content), line
    return best


def _read(history: Path, content: bytes) -> Line:
    try:
        return msgspec.json.decode(content, type=Line)
    except msgspec.DecodeError as error:
        raise WitnessStateDamaged(path=str(history), reason="unreadable") from error


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]
