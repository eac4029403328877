"""Looking something up in the published ledger: a receipt, a position, or a hash of a leaf, state or root.

No index of hashes is kept: the newest hundred thousand entries are searched at once, all of them only for who
asks for it and waits. Roots are compared with the newest thousand checkpoints that are kept, or with all.
Anybody may ask: what one question costs does not grow with the log.
"""

from collections.abc import Callable, Iterator
from heapq import nsmallest
from typing import Final

import msgspec

from domain.errors import NotFound, ReceiptAhead
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.entry import Entry, parse_entry
from domain.ledger.errors import LedgerError
from domain.ledger.held import Held, TokenReader, open_held
from domain.ledger.merkle import HASH_SIZE, leaf_hash
from domain.ledger.note import Note
from domain.ledger.policy import TrustPolicy
from domain.ledger.proof import Receipt
from domain.ledger.tiles import ENTRIES, WIDTH, Tile, parse_bundle, read_tile, tile_width
from infrastructure.files import disk_errors
from infrastructure.held_checkpoints import KEPT, abandoned_checkpoints
from infrastructure.ledger_files import CHECKPOINT, Published

NEWEST: Final = 100_000
"""How many of the newest entries are searched for a hash without being asked for more."""

ROOTS: Final = 1000
"""How many of the newest kept checkpoints are searched for a root without being asked for more."""

TRIED: Final = 60
"""How many kept checkpoints over a position are tried for the quorum's cosignatures."""

Progress = Callable[[int, int], None]


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in an entry, and its leaf hash (hex)."""

    idx: int
    at: str
    stream: str
    topic: str
    ver: int
    prev: str
    state: str
    leaf: str


class CheckpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint as the trust policy sees it. `cosigned` tells when each witness did, in seconds since
    1970, `stamped` the time of its time-stamp, None without one that was read; `quorum` whether it counts.
    """

    size: int
    root: str
    cosigned: dict[str, int]
    quorum: bool
    stamped: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked up: `kind` is receipt, entry, leaf, state or root. `proved` says that the entry is
    proved to be under the checkpoint, or that the checkpoint is validly signed; `reason` why not.
    """

    kind: str
    entry: EntryFacts | None = None
    checkpoint: CheckpointFacts | None = None
    proved: bool
    reason: str = ""


class Lookup:
    """Looks things up under a trust policy."""

    def __init__(self, published: Published, policy: TrustPolicy, read_token: TokenReader | None) -> None:
        self._published, self._policy, self._read_token = published, policy, read_token

    def receipt(self, data: bytes) -> Found:
        """Check a receipt against the entry that is published at its position.

        Raises ReceiptMalformed, and `ReceiptAhead` for a position that is not published here.
        """
        receipt = Receipt.parse(data)
        with disk_errors():
            entry = self._entry(receipt.index)
        reason = ""
        try:
            receipt.verify(entry, self._policy.keys)
        except LedgerError as error:
            reason = str(error)
        facts = None if reason else self._facts(Held("receipt", receipt.checkpoint))
        return Found(kind="receipt", entry=_facts(entry), checkpoint=facts, proved=not reason, reason=reason)

    def entry(self, idx: int, kind: str = "entry") -> Found:
        """The entry at a position, proved under the best checkpoint there is: `NotFound`, `ReceiptAhead`."""
        found = self.receipt(self._published.receipt(idx))
        return msgspec.structs.replace(found, kind=kind, checkpoint=self._covering(idx) or found.checkpoint)

    def hash(self, digest: bytes, *, whole: bool = False, progress: Progress | None = None) -> Found:
        """What has this hash (32 bytes): a checkpoint's root, an entry's leaf, or a state; `NotFound`.

        Of the entries the newest hundred thousand are searched and of kept checkpoints the newest thousand,
        all of them if `whole`.
        """
        with disk_errors():
            for held in self._checkpoints(None if whole else ROOTS):
                # Signatures of thousands would take seconds: only those on the right root are looked at.
                facts = self._facts(held) if told_root(held.note) == digest else None
                if facts is not None:
                    return Found(kind="root", checkpoint=facts, proved=True)
            for kind, idx in self._search(digest, 0 if whole else max(0, self._size() - NEWEST), progress):
                return self.entry(idx, kind)
        raise NotFound(kind="hash", id=digest.hex())

    def _checkpoints(self, limit: int | None) -> Iterator[Held]:
        """The newest, so many kept ones, the largest first, and those that were given up."""
        newest, kept = self._published.checkpoint(), self._published.kept
        if newest is not None:
            yield Held(CHECKPOINT, newest)
        for size in kept.sizes(limit=limit):
            note = kept.note(size)
            if note is not None:
                yield Held(f"{KEPT}/{size}", note, kept.token(size))
        yield from abandoned_checkpoints(self._published.folder)

    def _search(self, digest: bytes, first: int, progress: Progress | None) -> Iterator[tuple[str, int]]:
        """The newest first: what people ask for is seldom old."""
        size, told = self._size(), b'"state":"%b"' % digest.hex().encode()
        for index in range((size - 1) // WIDTH, first // WIDTH - 1, -1):
            hashes, bundle = self._read(0, index), self._read(ENTRIES, index)
            place = hashes.find(digest)
            if place >= 0 and place % HASH_SIZE == 0:
                yield "leaf", index * WIDTH + place // HASH_SIZE
            if told in bundle:
                entries = parse_bundle(bundle, tile_width(ENTRIES, index, size))
                yield "state", index * WIDTH + next(n for n, one in enumerate(entries) if told in one)
            if progress:
                progress(size - index * WIDTH, size - first)

    def _entry(self, idx: int) -> bytes:
        size = self._size()
        if not 0 <= idx < size:
            raise ReceiptAhead(idx=idx, size=size)
        bundle = self._read(ENTRIES, idx // WIDTH)
        return parse_bundle(bundle, tile_width(ENTRIES, idx // WIDTH, size))[idx % WIDTH]

    def _read(self, level: int, index: int) -> bytes:
        size = self._size()
        return read_tile(self._published.read, Tile(level, index, tile_width(level, index, size)), size)

    def _size(self) -> int:
        note = self._published.checkpoint()
        return 0 if note is None else Checkpoint.parse(Note.parse(note).text).size

    def _covering(self, idx: int) -> CheckpointFacts | None:
        """The smallest kept checkpoint over a position that the witnesses' quorum has cosigned, if it is one
        of the smallest there are.
        """
        if not self._policy.witnesses:
            return None
        over = (size for size in self._published.kept.sizes() if size > idx)
        for size in nsmallest(TRIED, over):
            note, token = self._published.kept.note(size), self._published.kept.token(size)
            facts = self._facts(Held(str(size), note, token)) if note is not None else None
            if facts is not None and facts.quorum and facts.cosigned:
                return facts
        return None

    def _facts(self, held: Held) -> CheckpointFacts | None:
        expected = open_held([held], self._policy, read_token=self._read_token)
        if not expected.commitments:
            return None
        (commitment,) = expected.commitments
        times = {one.source.removeprefix(f"{held.name} "): one.at for one in expected.times}
        stamped = times.pop("time-stamp", None) if commitment.stamped else None
        return CheckpointFacts(
            size=commitment.checkpoint.size,
            root=commitment.checkpoint.root.hex(),
            cosigned={name: times[name] for name in sorted(commitment.cosigned)},
            quorum=self._policy.is_met(commitment.cosigned),
            stamped=stamped,
        )


def told_root(note: bytes) -> bytes | None:
    """The root that a checkpoint tells, before anybody knows who signed it; None for what is none."""
    try:
        return Checkpoint.parse(Note.parse(note).text).root
    except LedgerError:
        return None


def _facts(data: bytes) -> EntryFacts:
    entry: Entry = parse_entry(data)
    return EntryFacts(
        idx=entry.idx,
        at=entry.at,
        stream=entry.stream,
        topic=entry.topic,
        ver=entry.ver,
        prev=entry.prev,
        state=entry.state,
        leaf=leaf_hash(data).hex(),
    )
