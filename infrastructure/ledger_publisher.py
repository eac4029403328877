"""Publishes the log: entries into tiles, then a signed checkpoint, and nothing that contradicts an old one.

Order of a publication: tiles on the disk, the latch in the store moved by compare-and-swap, the checkpoint
file; only what is latched is shown to anybody. Killed anywhere, the next run goes on from what stands: the
checkpoint file says how far the tiles are good, the latch says what was signed. A store that has less than
was published or witnessed, or something else, is a restored backup or worse: nothing is signed then, until
two people have given up what was published (the charter says so), and then only at larger sizes.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Final, NoReturn, Protocol

import structlog

from domain.errors import DomainError, KeyUnusable, LedgerDiverged, NotWitnessed, StoreUnavailable
from domain.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from domain.ledger.cosignature import add_signatures
from domain.ledger.errors import LedgerError
from domain.ledger.merkle import EMPTY_ROOT, Frontier, inclusion_proof, leaf_hash, verify_inclusion
from domain.ledger.note import Note, SigningKey, VerifierKey
from domain.ledger.tiles import TileReader, TileWriter
from infrastructure.attestation import Attestation
from infrastructure.charter import Charter
from infrastructure.event_store.recorder import Row
from infrastructure.files import disk_errors
from infrastructure.ledger_files import LedgerFolder, Published
from infrastructure.trust import Trust

__all__ = ["LedgerPublisher", "Published"]

_log = structlog.get_logger(__name__)
_RACES: Final = 5
_SLOWLY: Final = 5.0
"""How many seconds lie between two looks at a log that has diverged."""


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

    It signs only while its key is the charter's; keys `beside` it sign as well, at a hand-over. `former` are
    verifier keys that signed earlier checkpoints, where there is no charter to say so. `failure` is "" while
    all is well, else the code and reason of the last refusal, for `/readyz`. `published` is the size of the
    last checkpoint that this publisher showed or found.
    """

    def __init__(
        self,
        log: Log,
        latch: LatchRow,
        key: SigningKey,
        folder: Path,
        *,
        former: Sequence[VerifierKey] = (),
        trust: Trust | None = None,
        beside: Sequence[SigningKey] = (),
        attestation: Attestation | None = None,
    ) -> None:
        self._log, self._latch, self._key, self._beside = log, latch, key, tuple(beside)
        self._files = LedgerFolder(folder)
        self._trust = trust or Trust(key.verifier, former=former)
        self.attestation = attestation or Attestation(self._trust, self._files)
        self._charter = Charter(key.verifier.encode(), (), ())
        self._writer: TileWriter | None = None
        self.vkey = key.verifier.encode()
        self.failure = ""
        self.published = 0

    def publish_once(self) -> Checkpoint | None:
        """Sign and publish a checkpoint of all that is stored now; None if there is nothing new.

        Raises, and nothing is signed then: `LedgerDiverged` (reasons: restore-unverified, latch-unreadable,
        checkpoint-unreadable, store-behind, root-differs, gap, given-up, witness-ahead, witness-differs),
        `KeyUnusable` (superseded, not-the-founders), `NotWitnessed` while the quorum's witnesses have not
        told what they hold since the start, `StoreUnavailable`.
        """
        try:
            with disk_errors():
                self._ask_outside()
                with self._files.alone():
                    checkpoint = self._publish()
        except DomainError as error:
            self._writer = None
            self.failure = f"{error.code}: {error.facts.get('reason', '')}"
            raise
        self.failure = ""
        return checkpoint

    def publish_witnessed(self, idx: int) -> None:
        """Publish a checkpoint that covers the event, and have the quorum cosign it; `NotWitnessed`.

        Raises what `publish_once` raises.
        """
        self.publish_once()
        self.attestation.attest(idx)

    def run(self, stop: Event, interval: float = 1.0) -> None:
        """Publish every `interval` seconds until `stop` is set, and once more then.

        Whatever stands in the way is told by `failure` and tried again; a diverged log is looked at slowly,
        so that it goes on once people have decided.
        """
        stopping, told = False, ""
        while True:
            wait = interval
            try:
                self.publish_once()
                self.attestation.tick()
            except (StoreUnavailable, NotWitnessed) as error:
                _log.warning("ledger.not-published", code=error.code, **error.facts)
            except (LedgerDiverged, KeyUnusable) as error:
                wait = max(interval, _SLOWLY)
                if told != self.failure:
                    _log.critical("ledger.diverged", code=error.code, **error.facts)
            except Exception as error:  # noqa: BLE001
                # Nobody would start this thread again: it tells, and tries again from what is on the disk.
                self._writer, self.failure = None, f"internal: {type(error).__name__}"
                _log.error("ledger.not-published", exc_info=error)
            told = self.failure
            if stopping:
                return
            stopping = stop.wait(wait)

    def receipt(self, idx: int) -> bytes:
        """The `.tlog-proof` of a published event; `ReceiptAhead`, `NotFound`."""
        return self._files.receipt(idx)

    def close(self) -> None:
        """Wait for the answers of witnesses that are under way, and close the connections."""
        self.attestation.close()

    @property
    def _given_up(self) -> int:
        """The largest size at which anything published was given up: nothing is signed up to there."""
        return max((one.size for one in self._charter.resumed), default=0)

    def _read_charter(self) -> None:
        self._charter = self._trust.charter()
        if self._charter.key != self.vkey:
            superseded = self.vkey in self._charter.former
            raise KeyUnusable(path="", reason="superseded" if superseded else "not-the-founders")

    def _ask_outside(self) -> None:
        """Before the first signature, and while somebody contradicts: ask the witnesses what they hold."""
        self._read_charter()
        if self.attestation.is_settled(self._given_up):
            return
        with self._files.alone():
            self._require_verified()
            latch = self._catch_up()
        held = self._latch.read()
        if latch is None or held is None or self._is_given_up(latch):
            # Of an empty tree there is one root only: signing it says nothing, and the answer tells all.
            note = sign_checkpoint(Checkpoint(self._key.name, 0, EMPTY_ROOT), self._key)
        else:
            note = held[1]
        self.attestation.settle(note, self._given_up)

    def _require_verified(self) -> None:
        if self._files.unverified:
            self._diverge("restore-unverified", self._stored(), self.published)

    def _publish(self) -> Checkpoint | None:
        self._require_verified()
        for _ in range(_RACES):
            stored = self._stored()
            # Read behind `stored`: the old key never signs what covers the event that changed it.
            self._read_charter()
            self._files.show_trust(self.vkey, self._trust.policy_of(self._charter).encode())
            latch = self._catch_up()
            size = latch.size if latch else 0
            self.attestation.check(size, self._given_up)
            if latch is not None and stored == size and not self._is_given_up(latch):
                return None
            if stored == 0 == size:
                return None
            if stored <= max(size, self._given_up):
                self._diverge("given-up", stored, self._given_up)
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
        shown = self._shown(note) if note is not None else None
        if note is None and (bundled := self._files.entries_beyond(self._stored())):
            # Somebody removed the checkpoint; what it covered is there all the same.
            self._diverge("store-behind", self._stored(), bundled)
        if note is not None and shown and self._is_given_up(shown):
            self._abandon(note, shown)
            shown = None
        if shown and (latch is None or shown.size > latch.size):
            self._diverge("store-behind", latch.size if latch else 0, shown.size, shown.root)
        writer = self._writer_at(shown)
        if held and latch and not self._is_given_up(latch):
            self._reach(writer, latch)
            if latch.size > max(shown.size if shown else 0, self._given_up):
                self._show(latch, held[1])
        self._writer = writer
        self.published = shown.size if shown else self.published
        return latch

    def _shown(self, note: bytes) -> Checkpoint:
        """The checkpoint that stands as the published one. A backup from before a change of the key does not
        know the key that signed it; what two people gave up, and what the store does not reach, needs none.
        """
        with suppress(LedgerError):
            said = Checkpoint.parse(Note.parse(note).text)
            if self._is_given_up(said):
                return said
            if said.origin == self._key.name and said.size > self._stored():
                self._diverge("store-behind", self._stored(), said.size, said.root)
        return self._open(note, "checkpoint-unreadable")

    def _is_given_up(self, checkpoint: Checkpoint) -> bool:
        given_up = {(one.size, one.root) for one in self._charter.resumed}
        return (checkpoint.size, checkpoint.root.hex()) in given_up

    def _abandon(self, note: bytes, shown: Checkpoint) -> None:
        """Take a checkpoint that was given up out of the way, once something larger can take its place."""
        stored = self._stored()
        if stored <= self._given_up:
            self._diverge("given-up", stored, self._given_up, shown.root)
        _log.warning("ledger.abandoned", size=shown.size, root=shown.root.hex())
        self._files.abandon(note, stay=self._kept_that_fit())
        self._writer = None

    def _kept_that_fit(self) -> set[int]:
        """The sizes of kept checkpoints to which the store's entries hash."""
        frontier, fitting = Frontier(), set[int]()
        stored = self._stored()
        for size in sorted(self._files.kept.sizes()):
            if size > stored:
                break
            for entry in self._entries(frontier.size, size):
                frontier.append(leaf_hash(entry))
            kept = self._open(self._files.kept.note(size) or b"", "kept-unreadable")
            if kept.root == frontier.root():
                fitting.add(size)
        return fitting

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
            self._diverge("root-differs", checkpoint.size, checkpoint.size, checkpoint.root)

    def _fits(self, shown: Checkpoint) -> bool:
        """Whether the published files prove the store's entry at the seam: it is the same log."""
        last = next(self._log.rows(shown.size - 1, 1), None)
        if last is None:
            self._diverge("store-behind", self._stored(), shown.size, shown.root)
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
        note = sign_checkpoint(checkpoint, self._key)
        return checkpoint, add_signatures(
            note, [key.sign(checkpoint.text().encode()) for key in self._beside]
        )

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
        if self._beside:
            # The only one that the former key and its successor signed: who trusts the former asks for it.
            self._files.kept.keep(note)
        self._files.show(note)
        self.published = checkpoint.size

    def _stored(self) -> int:
        head = self._log.head()
        return 0 if head is None else head + 1

    def _open(self, note: bytes, reason: str) -> Checkpoint:
        try:
            keys = (self._charter.key, *self._charter.former)
            return open_checkpoint(note, [VerifierKey.parse(line) for line in keys])
        except LedgerError as error:
            _log.error("ledger.checkpoint-refused", reason=reason, error=str(error))
            self._diverge(reason, self._stored(), self.published)

    def _diverge(self, reason: str, size: int, published: int, root: bytes = b"") -> NoReturn:
        raise LedgerDiverged(reason=reason, size=size, published=published, root=root.hex())
