"""A restored installation is not done until its ledger verifies against what is held outside.

What is sound may sign again. What lost its tail against an honest copy is kept, shows the newest checkpoint
as the published one, and so signs nothing until people resume it. Anything else keeps its mark.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from domain.ledger.finding import Finding
from domain.ledger.held import Held, open_held
from domain.ledger.verify import Report, Row, RowsReport, verify_rows
from infrastructure.backups.erasing import Erased, erase_again
from infrastructure.backups.manifest import LEDGER, MANIFEST, BackupWrong
from infrastructure.backups.outside import Outside, Tail
from infrastructure.backups.source import Progress, Source, read_whole
from infrastructure.backups.tables import EVENTS
from infrastructure.backups.unpacking import read_chunk
from infrastructure.blobs import FolderBlobs
from infrastructure.database import Store
from infrastructure.files import disk_errors
from infrastructure.held_checkpoints import KEPT
from infrastructure.ledger_check import Trust, verify_store
from infrastructure.ledger_files import CHECKPOINT, UNVERIFIED, LedgerFolder

CUT_OFF: Final = "log.cut_off"
OTHER_HISTORY: Final = "root.differs"


@dataclass(frozen=True)
class Missing:
    """Events that were published and are not in the restored log: from `first` to `last` (an `idx`).

    `first_at` and `last_at` tell when they were recorded, "" where only a checkpoint is at hand.
    """

    first: int
    last: int
    first_at: str
    last_at: str


@dataclass(frozen=True)
class Verdict:
    """What a restored installation is worth. `findings` holds the report's and those beside it.

    `signs` says whether the ledger goes on; `held` that a newer checkpoint stands as the published one.
    """

    report: Report
    findings: tuple[Finding, ...]
    missing: Missing | None
    erased: Erased
    signs: bool
    held: bool


def settle(
    store: Store,
    ledger: Path,
    blobs: Path,
    trust: Trust,
    outside: Outside,
    rebuild: Callable[[], None],
    progress: Progress | None = None,
) -> Verdict:
    """Verify a restored installation, and let it sign if it is sound and all that was published is there.

    `rebuild` makes the read models. What was erased after the backup is erased first.
    """
    head = store.recorder.head()
    size = 0 if head is None else head + 1
    tail = outside.tail(size)
    erased = _erase(store, blobs, tail)
    report = verify_store(store, ledger, _trusting(trust, outside), progress)
    findings = (*report.findings, *_other_history(report, tail))
    missing = _missing(size, outside, tail)
    held = bool(missing) and all(one.code == CUT_OFF for one in findings)
    with disk_errors():
        if held:
            _publish_held(ledger, outside)
        elif not findings:
            rebuild()
            (ledger / UNVERIFIED).unlink(missing_ok=True)
    return Verdict(report, findings, missing, erased, signs=not findings, held=held)


def check_log(source: Source, trust: Trust, outside: Outside, progress: Progress | None = None) -> RowsReport:
    """Check the log in a backup, without restoring it: each state and entry, and the tree against the
    checkpoints in the backup and outside. `BackupWrong` where the manifest tells another log.
    """
    held = [*_held_inside(source), *_trusting(trust, outside).held]
    report = verify_rows(_rows(source, progress), open_held(held, trust.policy))
    if (report.size, report.root.hex()) != (source.manifest.size, source.manifest.root):
        raise BackupWrong(file=MANIFEST, reason="root")
    return report


def _trusting(trust: Trust, outside: Outside) -> Trust:
    return replace(trust, held=(*trust.held, *(one.held for one in outside.known)))


def _erase(store: Store, blobs: Path, tail: Tail | None) -> Erased:
    if tail is None or not tail.erasures:
        return Erased()
    with store.database.exclusively() as session:
        erased = erase_again(session, FolderBlobs(blobs), tail.erasures)
    if erased.persons:
        store.database.scrub()
    return erased


def _other_history(report: Report, tail: Tail | None) -> Iterator[Finding]:
    """The restored log must be how the copy begins; only then does the copy just go on."""
    if tail is not None and tail.root is not None and tail.root != report.root:
        roots = {"expected": tail.root.hex(), "found": report.root.hex()}
        yield Finding(
            OTHER_HISTORY, None, {"size": report.size, "first": 0, "last": report.size - 1, **roots}
        )


def _missing(size: int, outside: Outside, tail: Tail | None) -> Missing | None:
    newest = outside.newest
    if newest is None or newest.checkpoint.size <= size:
        return None
    first_at, last_at = (tail.first_at, tail.last_at) if tail is not None else ("", "")
    return Missing(size, newest.checkpoint.size - 1, first_at, last_at)


def _publish_held(ledger: Path, outside: Outside) -> None:
    folder = LedgerFolder(ledger)
    with folder.alone():
        outside.publish(folder)
        (ledger / UNVERIFIED).unlink(missing_ok=True)


def _held_inside(source: Source) -> Iterator[Held]:
    kept = f"{LEDGER}/{KEPT}/"
    for path, digest, stream in source.files():
        is_kept = path.startswith(kept) and path.removeprefix(kept).isdecimal()
        if is_kept or path == f"{LEDGER}/{CHECKPOINT}":
            yield Held(path, read_whole(path, digest, stream))


def _rows(source: Source, progress: Progress | None) -> Iterator[Row]:
    """The events in the backup, as the verifier asks for them."""
    chunks, done = source.chunks(), 0
    for path, digest, stream in source.files():
        name, chunk = chunks.get(path, ("", None))
        if name != EVENTS.name or chunk is None:
            continue
        for idx, name, ver, topic, at, state, entry, leaf in read_chunk(EVENTS, chunk, digest, stream):
            yield idx, entry, state, name, topic, ver, at, leaf
        done += chunk.rows
        if progress:
            progress(done, source.manifest.size)
