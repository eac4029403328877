"""The live check of the ledger: every stored state against its entry, the entries against the tree, the tree
against every signed checkpoint that is held, and the published files against the entries.

Memory stays flat. The store may go on growing meanwhile: what came after the beginning is left for the next
check.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.note import VerifierKey
from domain.ledger.published_tiles import verify_tiles
from domain.ledger.verify import Finding, Report, verify_log
from infrastructure.database import Store
from infrastructure.files import disk_errors
from infrastructure.ledger_files import CHECKPOINT, Published

Progress = Callable[[int, int], None]
"""Called now and then with how many steps of how many are done."""

KEPT_CHECKPOINTS: Final = "checkpoints"
LATCH: Final = "latch"
_PASSES: Final = 3
_STEP: Final = 4096
_T = TypeVar("_T")


def verify_store(
    store: Store, folder: Path, vkeys: Sequence[str], progress: Progress | None = None
) -> Report:
    """Check the whole log of a store and the ledger published from it in `folder`.

    `vkeys` are the verifier keys that are trusted, present and former; take them from somewhere else than
    the store or the folder. Beside the findings of `domain.ledger.verify`: `checkpoint.missing` for a log
    that has events and no published checkpoint or latch. Raises KeyMalformed for a wrong `vkeys` line, and
    `StoreUnavailable`.
    """
    keys = [VerifierKey.parse(line.strip()) for line in vkeys]
    with disk_errors():
        notes = list(_notes(store, folder))
        head = store.recorder.head()
        size = 0 if head is None else head + 1
        steps = _Steps(size * _PASSES, progress)
        report = verify_log(
            steps.counted(store.recorder.audit_rows(size)),
            steps.counted(store.recorder.by_stream(size)),
            notes,
            keys,
        )
        return _with(report, [*_missing(notes, size), *_tile_findings(store, folder, notes, keys, steps)])


class _Steps:
    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def counted(self, rows: Iterable[_T]) -> Iterator[_T]:
        for row in rows:
            self._done += 1
            if self._progress and (self._done % _STEP == 0 or self._done == self._total):
                self._progress(self._done, self._total)
            yield row


def _notes(store: Store, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every signed checkpoint held: published, in the store's latch, and kept with cosignatures."""
    published = Published(folder).checkpoint()
    if published is not None:
        yield CHECKPOINT, published
    latch = store.ledger_latch.read()
    if latch is not None:
        yield LATCH, latch[1]
    for kept in sorted((folder / KEPT_CHECKPOINTS).glob("*")):
        yield f"{KEPT_CHECKPOINTS}/{kept.name}", kept.read_bytes()


def _missing(notes: Sequence[tuple[str, bytes]], size: int) -> Iterator[Finding]:
    held = {name for name, _ in notes}
    for name in (CHECKPOINT, LATCH):
        if size and name not in held:
            yield Finding("checkpoint.missing", None, {"checkpoint": name, "size": size})


def _tile_findings(
    store: Store,
    folder: Path,
    notes: Sequence[tuple[str, bytes]],
    keys: Sequence[VerifierKey],
    steps: _Steps,
) -> Iterator[Finding]:
    """The published files against the store's entries, as far as the published checkpoint says."""
    note = dict(notes).get(CHECKPOINT)
    if note is None:
        return
    try:
        size = open_checkpoint(note, keys).size
    except LedgerError:
        return
    entries = (_entry_of(row) for row in steps.counted(store.recorder.audit_rows(size)))
    yield from verify_tiles(entries, size, Published(folder).read)


def _entry_of(row: Sequence[Any]) -> tuple[int, bytes]:
    return row[0], row[1] or b""


def _with(report: Report, findings: Sequence[Finding]) -> Report:
    if not findings:
        return report
    return replace(report, findings=(*report.findings, *findings), found=report.found + len(findings))
