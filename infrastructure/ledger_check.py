"""The live check of the ledger: every stored state against its entry, the entries against the tree, the tree
against every signed checkpoint that is held, and the published files against the entries.

Memory stays flat. The store may go on growing meanwhile: what came after the beginning is left for the next
check.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.finding import Finding, Findings
from domain.ledger.note import VerifierKey
from domain.ledger.published_tiles import TileCheck
from domain.ledger.verify import Report, conclude, verify_rows
from infrastructure.collection import collection_paused
from infrastructure.database import Store
from infrastructure.files import disk_errors
from infrastructure.ledger_files import CHECKPOINT, Published
from infrastructure.ledger_links import SecondPass

Progress = Callable[[int, int], None]
"""Called now and then with how many steps of how many are done."""

KEPT_CHECKPOINTS: Final = "checkpoints"
LATCH: Final = "latch"


def verify_store(
    store: Store,
    folder: Path,
    vkeys: Sequence[str],
    progress: Progress | None = None,
    *,
    held: Sequence[tuple[str, bytes]] = (),
) -> Report:
    """Check the whole log of a store and the ledger published from it in `folder`.

    `vkeys` are the verifier keys that are trusted, present and former; take them from somewhere else than
    the store or the folder. `held` are signed checkpoints kept outside, each with a name to report it by.
    Beside the findings of `domain.ledger.verify`: `checkpoint.missing` where a checkpoint was published but
    the latch is gone. `covered` tells how far a checkpoint reaches: what lies behind it nobody has signed
    yet. Raises KeyMalformed for a wrong `vkeys` line, and `StoreUnavailable`.
    """
    keys = [VerifierKey.parse(line.strip()) for line in vkeys]
    with disk_errors(), collection_paused():
        notes = [*_notes(store, folder), *held]
        head = store.recorder.head()
        size = 0 if head is None else head + 1
        tiles = _published_tiles(folder, notes, keys)
        steps = _Steps(size, progress)
        with SecondPass(store, size, steps.read_by_stream) as links:
            rows = links.beside(store.recorder.audit_rows(size), steps.read_by_idx)
            by_idx = verify_rows(rows, notes, keys, tiles=tiles)
            return conclude(by_idx, links.report(), _missing(notes, size), tiles.findings)


class _Steps:
    """How far both passes are, told as one sum."""

    def __init__(self, size: int, progress: Progress | None) -> None:
        self._total, self._progress = 2 * size, progress
        self._by_idx = self._by_stream = 0

    def read_by_idx(self, rows: int) -> None:
        self._by_idx = rows
        self._tell()

    def read_by_stream(self, rows: int) -> None:
        self._by_stream = rows
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            self._progress(self._by_idx + self._by_stream, self._total)


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


def _missing(notes: Sequence[tuple[str, bytes]], size: int) -> Findings:
    """A latch that is gone although something was published.

    A process that was killed may leave entries that nothing covers yet, tiles without a checkpoint file,
    and a checkpoint file behind the latch; it never leaves anything published without a latch, but before
    the very first, whose tiles come alone.
    """
    held, findings = {name for name, _ in notes}, Findings()
    if size and CHECKPOINT in held and LATCH not in held:
        findings.add([Finding("checkpoint.missing", None, {"checkpoint": LATCH, "size": size})])
    return findings


def _published_tiles(
    folder: Path, notes: Sequence[tuple[str, bytes]], keys: Sequence[VerifierKey]
) -> TileCheck:
    """The published files as far as a valid published checkpoint says."""
    note, size = dict(notes).get(CHECKPOINT), 0
    if note is not None:
        with suppress(LedgerError):
            size = open_checkpoint(note, keys).size
    return TileCheck(size, Published(folder).read)
