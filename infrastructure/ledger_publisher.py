"""Publishes the log: entries into tiles, then a signed checkpoint, and nothing that contradicts an old one.

Order of a publication: tiles on the disk, the latch in the store moved by compare-and-swap, the checkpoint
file. Killed anywhere, the next run goes on from what stands: the checkpoint file says how far the tiles are
good, the latch says what was signed. A store that has less than was published, or something else, is a
restored backup or worse: nothing is signed then until people have looked.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import Final, NoReturn, Protocol

import structlog

from domain.errors import DomainError, LedgerDiverged, StoreUnavailable
from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import inclusion_proof, leaf_hash, verify_inclusion
from domain.ledger.note import SigningKey, VerifierKey
from domain.ledger.tiles import TileReader, TileWriter
from infrastructure.event_store.recorder import Row
from infrastructure.files import disk_errors
from infrastructure.ledger_files import LedgerFolder, Published

__all__ = ["LedgerPublisher", "Published"]

_log = structlog.get_logger(__name__)
_RACES: Final = 5


class Log(Protocol):
    """The stored log, such as `EventRecorder`."""

    def head(self) -> int | None:
        """The last `idx`."""
        ...

    def rows(self, start: int = 0, limit: int | None = None) -> Iterator[Row]:
        """Rows by `idx`."""
        ...


class LatchRow(Protocol):
    """The last signed checkpoint in the store, such as `Latch`."""

    def read(self) -> tuple[int, bytes] | None:
        """Size and note."""
        ...

    def swap(self, old_size: int | None, size: int, note: bytes) -> bool:
        """Move it, unless somebody else did."""
        ...


class LedgerPublisher:
    """Publishes one log into one folder. Threads and processes may share both: they wait for each other.

    `former` are verifier keys that signed earlier checkpoints, before the key was changed. `failure` is ""
    while all is well, else the code and reason of the last refusal, for `/readyz`. `published` is the size
    of the last checkpoint that this publisher showed or found.
    """

    def __init__(
        self,
        log: Log,
        latch: LatchRow,
        key: SigningKey,
        folder: Path,
        *,
        former: Sequence[VerifierKey] = (),
    ) -> None:
        self._log, self._latch, self._key = log, latch, key
        self._files = LedgerFolder(folder)
        self._keys = (key.verifier, *former)
        self._writer: TileWriter | None = None
        self.vkey = key.verifier.encode()
        self.failure = ""
        self.published = 0

    def publish_once(self) -> Checkpoint | None:
        """Sign and publish a checkpoint of all that is stored now; None if there is nothing new.

        Raises `LedgerDiverged` (reasons: restore-unverified, latch-unreadable, checkpoint-unreadable,
        store-behind, root-differs, gap) and `StoreUnavailable`; nothing is signed then.
        """
        try:
            with disk_errors(), self._files.alone():
                checkpoint = self._publish()
        except DomainError as error:
            self._writer = None
            self.failure = f"{error.code}: {error.facts.get('reason', '')}"
            raise
        self.failure = ""
        return checkpoint

    def run(self, stop: Event, interval: float = 1.0) -> None:
        """Publish every `interval` seconds until `stop` is set, and once more then.

        Whatever stands in the way is told by `failure` and tried again. Only a diverged log ends the loop.
        """
        stopping = False
        while True:
            try:
                self.publish_once()
            except StoreUnavailable as error:
                _log.warning("ledger.not-published", **error.facts)
            except LedgerDiverged as error:
                _log.critical("ledger.diverged", **error.facts)
                return
            except Exception as error:  # noqa: BLE001
                # Nobody would start this thread again: it tells, and tries again from what is on the disk.
                self._writer, self.failure = None, f"internal: {type(error).__name__}"
                _log.error("ledger.not-published", exc_info=error)
            if stopping:
                return
            stopping = stop.wait(interval)

    def receipt(self, idx: int) -> bytes:
        """The `.tlog-proof` of a published event; `ReceiptAhead`, `NotFound`."""
        return self._files.receipt(idx)

    def _publish(self) -> Checkpoint | None:
        if self._files.unverified:
            self._diverge("restore-unverified", self._stored(), self.published)
        self._files.show_vkey(self.vkey)
        for _ in range(_RACES):
            latch = self._catch_up()
            stored = self._stored()
            if stored == (latch.size if latch else 0):
                return None
            checkpoint, note = self._extend(stored)
            if self._latch.swap(latch.size if latch else None, checkpoint.size, note):
                self._show(checkpoint, note)
                return checkpoint
            self._writer = None
        raise StoreUnavailable(reason="busy")

    def _catch_up(self) -> Checkpoint | None:
        """Bring the files to where the latch stands; the latch's checkpoint, None before the first."""
        held = self._latch.read()
        latch = self._open(held[1], "latch-unreadable") if held else None
        note = self._files.checkpoint()
        shown = self._open(note, "checkpoint-unreadable") if note is not None else None
        if shown and (latch is None or shown.size > latch.size):
            self._diverge("store-behind", latch.size if latch else 0, shown.size)
        writer = self._writer_at(shown)
        if held and latch:
            self._reach(writer, latch)
            if shown is None or shown.size < latch.size:
                self._show(latch, held[1])
        self._writer = writer
        self.published = writer.size
        return latch

    def _writer_at(self, shown: Checkpoint | None) -> TileWriter:
        """A writer that stands where the published files do, seen to be the same log as the store."""
        writer = self._writer
        if shown is None:
            return TileWriter()
        if writer is None or writer.size != shown.size:
            writer = self._resumed(shown.size)
        if writer is None or writer.root() != shown.root or not self._fits(shown):
            return self._rebuilt(shown)
        return writer

    def _resumed(self, size: int) -> TileWriter | None:
        try:
            return TileWriter.resume(size, self._files.read)
        except (FileNotFoundError, LedgerError):
            return None

    def _rebuilt(self, shown: Checkpoint) -> TileWriter:
        """The tiles made again from the store, once the store is seen to be what the checkpoint says."""
        _log.warning("ledger.tiles-made-again", size=shown.size)
        self._reach(TileWriter(), shown, write=False)
        writer = TileWriter()
        self._reach(writer, shown)
        return writer

    def _reach(self, writer: TileWriter, checkpoint: Checkpoint, *, write: bool = True) -> None:
        """Let the writer grow to a signed checkpoint by the store's entries; they must give its root."""
        self._grow(writer, checkpoint.size, write=write)
        if writer.root() != checkpoint.root:
            self._diverge("root-differs", checkpoint.size, checkpoint.size)

    def _fits(self, shown: Checkpoint) -> bool:
        """Whether the published files prove the store's entry at the seam: it is the same log."""
        last = next(self._log.rows(shown.size - 1, 1), None)
        if last is None:
            self._diverge("store-behind", self._stored(), shown.size)
        try:
            path = inclusion_proof(last.idx, shown.size, TileReader(self._files.read, shown.size))
            verify_inclusion(last.idx, shown.size, leaf_hash(last.entry), path, shown.root)
        except (FileNotFoundError, LedgerError):
            return False
        return True

    def _extend(self, size: int) -> tuple[Checkpoint, bytes]:
        writer = self._writer or TileWriter()
        self._writer = None
        self._grow(writer, size)
        self._writer = writer
        checkpoint = Checkpoint(self._key.name, size, writer.root())
        return checkpoint, sign_checkpoint(checkpoint, self._key)

    def _grow(self, writer: TileWriter, size: int, *, write: bool = True) -> None:
        if writer.size == size:
            return
        entries = self._entries(writer.size, size)
        for tiles in (writer.extend(entries), writer.partials()):
            for tile, content in tiles:
                if write:
                    self._files.write(tile, content)
        self._files.flush()

    def _entries(self, start: int, size: int) -> Iterator[bytes]:
        position = start
        for row in self._log.rows(start, size - start):
            if row.idx != position:
                self._diverge("gap", position, size)
            position += 1
            yield row.entry
        if position != size:
            self._diverge("store-behind", position, size)

    def _show(self, checkpoint: Checkpoint, note: bytes) -> None:
        self._files.show(note)
        self.published = checkpoint.size

    def _stored(self) -> int:
        head = self._log.head()
        return 0 if head is None else head + 1

    def _open(self, note: bytes, reason: str) -> Checkpoint:
        try:
            return open_checkpoint(note, self._keys)
        except LedgerError as error:
            _log.error("ledger.checkpoint-refused", reason=reason, error=str(error))
            self._diverge(reason, self._stored(), self.published)

    def _diverge(self, reason: str, size: int, published: int) -> NoReturn:
        raise LedgerDiverged(reason=reason, size=size, published=published)
