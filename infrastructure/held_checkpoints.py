"""The signed checkpoints that are at hand: published, in the store's latch, kept with cosignatures and
time-stamps, abandoned after a divergence, and those that an auditor brings along.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from domain.ledger.held import Held, read_held
from infrastructure.ledger_files import CHECKPOINT

KEPT: Final = "checkpoints"
ABANDONED: Final = "abandoned"
STAMP: Final = ".tsr"
LATCH: Final = "latch"


def published_checkpoints(folder: Path) -> Iterator[Held]:
    """Those in a published ledger: the newest, the kept ones by size, and those that were given up with all
    that was kept beside them.
    """
    newest = folder / CHECKPOINT
    if newest.is_file():
        yield Held(CHECKPOINT, newest.read_bytes())
    yield from _kept(folder, KEPT)
    yield from abandoned_checkpoints(folder)
    for place in sorted(folder.glob(f"{ABANDONED}/*/{KEPT}")):
        yield from _kept(folder, place.relative_to(folder).as_posix())


def abandoned_checkpoints(folder: Path) -> Iterator[Held]:
    """Those in a published ledger that were given up."""
    for note in sorted(folder.glob(f"{ABANDONED}/*/{CHECKPOINT}")):
        yield _held(note.relative_to(folder).as_posix(), note)


def _kept(folder: Path, place: str) -> Iterator[Held]:
    for note in sorted(_notes(folder / place), key=lambda file: (len(file.name), file.name)):
        yield _held(f"{place}/{note.name}", note)


def brought_checkpoints(places: Iterable[Path]) -> Iterator[Held]:
    """Those in files, or in folders of files, that somebody brings along, each with its time-stamp beside
    it; a witness's evidence as well.

    OSError for a place that cannot be read.
    """
    for place in places:
        for note in sorted(_notes(place)) if place.is_dir() else [place]:
            held = _held(str(note.absolute()), note)
            yield from read_held(held.name, held.note, held.token)


def _notes(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*") if file.is_file() and _is_note(file))


def _is_note(file: Path) -> bool:
    return not file.name.startswith(".") and file.suffix != STAMP


def _held(name: str, note: Path) -> Held:
    token = note.with_name(note.name + STAMP)
    return Held(name, note.read_bytes(), token.read_bytes() if token.is_file() else None)
