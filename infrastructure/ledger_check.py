"""The live check of the ledger: every stored state against its entry, the entries against the tree, the tree
against every signed checkpoint, cosignature and time-stamp that is held, and the published files against the
entries.

Memory stays flat. The store may go on growing meanwhile: what came after the beginning is left for the next
check. One that is interrupted goes on where it was, if its progress is kept.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.ledger.charter import LogCharter
from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.entry import format_at
from domain.ledger.errors import LedgerError
from domain.ledger.finding import Finding, Findings, Saved
from domain.ledger.held import Held, TokenReader, open_held
from domain.ledger.note import VerifierKey
from domain.ledger.policy import TrustPolicy
from domain.ledger.published_tiles import TileCheck
from domain.ledger.rows import RowCheck
from domain.ledger.verify import Report, RowsPass, RowsReport, conclude
from infrastructure.collection import collection_paused
from infrastructure.database import Store
from infrastructure.files import disk_errors
from infrastructure.held_checkpoints import KEPT, LATCH, published_checkpoints
from infrastructure.ledger_files import CHECKPOINT, Published
from infrastructure.ledger_links import SecondPass
from infrastructure.ledger_progress import Keeper, Nowhere, version_of_verifier

Progress = Callable[[int, int], None]
"""Called now and then with how many steps of how many are done."""

KEPT_CHECKPOINTS: Final = KEPT
NOT_HERE: Final = ("personal-data", "projections", "frames")
"""What the log alone does not show: findings 11 to 13, which other checks of the store make."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whom and what a check believes, all from outside of what it checks.

    `held` are checkpoints that were brought along; `acknowledged` sizes of checkpoints that were given up
    and are known to be; `now` is when the check is made, None where that does not matter.
    """

    policy: TrustPolicy
    held: Sequence[Held] = ()
    read_token: TokenReader | None = None
    acknowledged: Collection[int] = ()
    now: datetime | None = None

    @classmethod
    def of_keys(cls, vkeys: Sequence[str]) -> "Trust":
        """Trust in these verifier keys alone. Raises KeyMalformed."""
        return cls(policy=TrustPolicy.of_keys([VerifierKey.parse(line.strip()) for line in vkeys]))

    def digest(self) -> str:
        """SHA-256 (hex) of what decides what is found."""
        known = ",".join(map(str, sorted(self.acknowledged)))
        return sha256(self.policy.encode() + known.encode() + bytes([self.read_token is None])).hexdigest()


def verify_store(
    store: Store,
    folder: Path,
    trust: Trust | Sequence[str],
    progress: Progress | None = None,
    *,
    keeper: Keeper | None = None,
) -> Report:
    """Check the whole log of a store and the ledger published from it in `folder`.

    `trust` is taken from somewhere else than the store or the folder; verifier keys alone will do. Beside the
    findings of `domain.ledger.verify`: `checkpoint.missing` where a checkpoint was published but the latch is
    gone. `covered` tells how far a checkpoint reaches: what lies behind it nobody has signed yet. Raises
    KeyMalformed for a wrong key, ResumeRefused, and `StoreUnavailable`.
    """
    trusted = trust if isinstance(trust, Trust) else Trust.of_keys(trust)
    with disk_errors(), collection_paused():
        return _Check(store, folder, trusted, progress, keeper or Nowhere()).run()


class _Check:
    def __init__(
        self, store: Store, folder: Path, trust: Trust, progress: Progress | None, keeper: Keeper
    ) -> None:
        self._store, self._keeper = store, keeper
        head = store.recorder.head()
        bound = {
            "log": "".join(leaf.hex() for _, leaf in store.recorder.leaves(0, 1)),
            "trust": trust.digest(),
            "verifier": version_of_verifier(),
        }
        held = [*_at_hand(store, folder), *trust.held]
        self._size, self._held = keeper.begin(bound, 0 if head is None else head + 1, held)
        charter = read_charter(store, self._size)
        self._expected = open_held(
            self._held,
            trust.policy,
            charter=charter,
            size=self._size,
            read_token=trust.read_token,
            acknowledged=trust.acknowledged,
            read=Published(folder).read,
        )
        self._tiles = _published_tiles(folder, self._held, trust.policy)
        self._rows = RowsPass(
            self._expected,
            RowCheck(self._expected, self._tiles),
            now="" if trust.now is None else format_at(trust.now),
        )
        self._steps = _Steps(self._size, progress)

    def run(self) -> Report:
        keeper, recorder = self._keeper, self._store.recorder
        self._restore()
        steps = self._steps
        with SecondPass(self._store, self._size, steps.read_by_stream, keeper.saved("links")) as links:

            def save() -> None:
                keeper.save(lambda: {**self._saved(), "links": links.saved})

            def keep_links() -> None:
                keeper.save(lambda: {"links": links.saved})

            first = self._rows.check.next_idx
            rows = links.beside(recorder.audit_rows(self._size, start=first), steps.begun_at(first))
            by_idx = self._rows.run(rows, save)
            by_stream = links.report(keep_links)
            others = (self._missing(), self._tiles.findings)
            report = conclude(by_idx, by_stream, *others, unchecked=self._unchecked(by_idx))
        keeper.end()
        return report

    def _restore(self) -> None:
        if rows := self._keeper.saved("rows"):
            self._rows.restore(rows)
        if tiles := self._keeper.saved("tiles"):
            self._tiles.findings.restore(tiles)

    def _saved(self) -> Mapping[str, Saved | None]:
        return {"rows": self._rows.save(), "tiles": self._tiles.findings.save()}

    def _unchecked(self, rows: RowsReport) -> tuple[str, ...]:
        missing = {"tokens": self._expected.unread > 0, "unwitnessed": rows.unwitnessed}
        return (*(name for name, is_missing in missing.items() if is_missing), *NOT_HERE)

    def _missing(self) -> Findings:
        """A latch that is gone although something was published.

        A process that was killed may leave entries that nothing covers yet, tiles without a checkpoint file,
        and a checkpoint file behind the latch; it never leaves anything published without a latch, but before
        the very first, whose tiles come alone.
        """
        names, findings = {one.name for one in self._held}, Findings()
        if self._size and CHECKPOINT in names and LATCH not in names:
            findings.add([Finding("checkpoint.missing", None, {"checkpoint": LATCH, "size": self._size})])
        return findings


class _Steps:
    """How far both passes are, told as one sum."""

    def __init__(self, size: int, progress: Progress | None) -> None:
        self._total, self._progress = 2 * size, progress
        self._by_idx = self._by_stream = 0

    def begun_at(self, first: int) -> Callable[[int], None]:
        """Counts rows by idx from there on."""

        def read_by_idx(rows: int) -> None:
            self._by_idx = first + rows
            self._tell()

        return read_by_idx

    def read_by_stream(self, rows: int) -> None:
        self._by_stream = rows
        self._tell()

    def _tell(self) -> None:
        if self._progress:
            self._progress(self._by_idx + self._by_stream, self._total)


def read_charter(store: Store, size: int) -> LogCharter:
    """What the log's own events below position `size` say about its keys and what was given up."""
    charter, stream = LogCharter(), store.claims.holder("installation", "1")
    for event in store.recorder.select_events(stream) if stream is not None else ():
        idx = store.recorder.locate(stream or "", event.originator_version)
        if idx is not None and idx < size:
            charter = charter.take(event.topic, event.state, idx)
    return charter


def _at_hand(store: Store, folder: Path) -> list[Held]:
    """Every signed checkpoint that the installation has."""
    latch = store.ledger_latch.read()
    latched = [] if latch is None else [Held(LATCH, latch[1])]
    return [*latched, *published_checkpoints(folder)]


def _published_tiles(folder: Path, held: Sequence[Held], policy: TrustPolicy) -> TileCheck:
    """The published files as far as a valid published checkpoint says."""
    note, size = {one.name: one.note for one in held}.get(CHECKPOINT), 0
    if note is not None:
        with suppress(LedgerError):
            size = open_checkpoint(note, policy.keys).size
    return TileCheck(size, Published(folder).read)
