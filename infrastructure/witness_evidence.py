"""What a witness keeps against a log: signed checkpoints that contradict what it cosigned.

Anybody may send a witness what a log once signed, so each kind has room of its own: what is no proof of a lie
can never take the place of what is. Within a kind the first ones stay and later ones find no room.
"""

from collections.abc import Iterator
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import structlog

from domain.errors import StoreUnavailable
from domain.ledger.note import Note
from infrastructure.files import disk_errors, make_folder, write_file

_log = structlog.get_logger(__name__)


class Kind(StrEnum):
    """What a submission shows.

    `TWO_ROOTS`: two checkpoints of one size, both signed by the log, which proves that it told two stories.
    `INCONSISTENT`: a larger checkpoint whose proof does not continue the one held; the log may be asked for a
    good one. `ROLLBACK`: a smaller checkpoint offered as new, such as a restored backup's; somebody else may
    have sent it. `FORGOTTEN`: what people made the witness forget.
    """

    TWO_ROOTS = "two-roots"
    INCONSISTENT = "inconsistent"
    ROLLBACK = "rollback"
    FORGOTTEN = "forgotten"


class Evidence(msgspec.Struct, frozen=True):
    """One contradiction. `held` is the note that was cosigned before, `request` the whole body that was sent,
    or the reason where something was forgotten; `at` in seconds since 1970.
    """

    kind: Kind
    origin: str
    at: int
    held: str
    request: str
    submitted: str = ""


ROOM: Final = {Kind.TWO_ROOTS: 1000, Kind.INCONSISTENT: 200, Kind.ROLLBACK: 200}
"""How many are kept of a kind."""

ROOM_BYTES: Final = 50_000_000
"""How many bytes of a kind are kept."""


class EvidenceFolder:
    """Evidence as files of JSON, one for each contradiction: the same two checkpoints are kept once."""

    def __init__(self, folder: Path, *, room: dict[Kind, int] | None = None, size: int = ROOM_BYTES) -> None:
        self.folder = folder
        self._room, self._size = ROOM if room is None else room, size

    def keep(self, found: Evidence) -> bool:
        """Keep it on the disk, unless the same is kept or there is no room; whether it is kept now.

        A full disk is told loudly, and does not make the witness forget how to refuse.
        """
        place = self.folder / found.kind / f"{_name(found)}.json"
        if place.exists():
            return True
        facts = {"kind": found.kind.value, "origin": found.origin, "file": str(place)}
        try:
            with disk_errors():
                make_folder(place.parent)
                if self._is_full(found.kind):
                    _log.critical("witness.evidence-full", **facts)
                    return False
                write_file(place, msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
        except StoreUnavailable as error:
            _log.critical("witness.evidence-lost", **facts, submitted=found.submitted, **error.facts)
            return False
        _log.critical("witness.evidence", **facts, held=found.held, submitted=found.submitted)
        return True

    def all(self) -> Iterator[tuple[str, Evidence]]:
        """All that is kept, each with its name, by kind."""
        for kind in Kind:
            for file in sorted((self.folder / kind).glob("*.json")):
                yield f"{kind}/{file.stem}", msgspec.json.decode(file.read_bytes(), type=Evidence)

    def _is_full(self, kind: Kind) -> bool:
        if kind not in self._room:
            return False
        sizes = [file.stat().st_size for file in (self.folder / kind).glob("*.json")]
        return len(sizes) >= self._room[kind] or sum(sizes) >= self._size


def _name(found: Evidence) -> str:
    """The same for the same two checkpoints, however they are signed and whatever else was sent."""
    if found.kind is Kind.FORGOTTEN:
        return sha256(msgspec.json.encode(found)).hexdigest()[:32]
    texts = (found.origin, _text(found.held), _text(found.submitted))
    return sha256(msgspec.json.encode(texts)).hexdigest()[:32]


def _text(note: str) -> str:
    return Note.parse(note.encode()).text
