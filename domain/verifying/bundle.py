"""The whole verification of a draw: its files, its events' proofs, and, where it is given, its log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from domain.drawing.errors import DrawingError, MissingFile
from domain.drawing.verify import Beacon, Files, Progress, Verdict, check_bundle
from domain.ledger.policy import TrustPolicy
from domain.verifying.chance import NOT_PROVED, check_kept, judge_chance
from domain.verifying.closings import ClosingFold
from domain.verifying.errors import WrongProof
from domain.verifying.log import IsWorkingDay, LogCheck, Logged
from domain.verifying.proofs import Opener, Proved, check_chain, prove_events
from domain.verifying.registries import RegistryFold
from domain.verifying.steps import Steps, check_steps, check_times


def verify_draw(
    open_file: Opener,
    names: Collection[str],
    *,
    now: datetime,
    policy: TrustPolicy | None = None,
    beacon: Beacon | None = None,
    log: Iterable[Logged] | None = None,
    is_working_day: IsWorkingDay | None = None,
) -> Verdict:
    """Check a bundle with all that is given beside it.

    `names` are the files of the bundle. `policy` is whom the caller trusts, never taken from the bundle.
    `log` are the events of an exported log, in order, whose hashes the caller has verified. Raises
    MissingFile for a bundle that cannot be judged.
    """
    progress = Progress()
    try:
        files = check_bundle(open_file, progress, beacon)
        events = _check_proofs(open_file, names, files, progress, policy)
        if log is None:
            progress.unchecked.append(("log", "no-ledger"))
        else:
            kind = ClosingFold if files.rules.plan_row.startswith("recheck/") else RegistryFold
            fold = kind(files.rules.draw_no, files.rules.as_of)
            LogCheck(now=now, is_working_day=is_working_day).run(fold.follow(_compared(log, events)))
            progress.checked.append("log")
            _check_registries(fold, files, progress)
    except MissingFile:
        raise
    except DrawingError as error:
        return progress.conclude(error)
    return progress.conclude(None)


def _check_proofs(
    open_file: Opener, names: Collection[str], files: Files, progress: Progress, policy: TrustPolicy | None
) -> list[Proved]:
    events = prove_events(open_file, names, policy)
    if not events:
        progress.unchecked.append(("proofs", "no-proofs"))
        progress.unchecked.append(("sealed-before-chance", NOT_PROVED))
        return events
    if policy is None:
        progress.unchecked.append(("signatures", "no-trust-policy"))
    check_chain(events)
    steps = Steps(events)
    check_steps(steps, files)
    check_times(steps, files)
    if policy is not None and any(event.checkpoint.origin != files.rules.log for event in events):
        raise WrongProof("another-log", files.rules.log, file=events[0].file)
    progress.checked.append("proofs")
    kept = check_kept(open_file, names, steps, policy)
    progress.checked.append("kept-receipts")
    judge_chance(steps, files, kept, policy, progress)
    return events


def _check_registries(fold: RegistryFold, files: Files, progress: Progress) -> None:
    """Frame and pool against the registries' own events, where they are at hand."""
    frame, pool = files.frame, files.pool
    reason = "states-missing" if fold.untold else "" if fold.applies else "not-of-registries"
    if frame is None or reason:
        progress.unchecked.append(("frame-of-registry", reason or "frame-confidential"))
        return
    fold.check_frame(frame)
    progress.checked.append("frame-of-registry")
    if pool is None:
        progress.unchecked.append(("pool-of-registry", "public-bundle"))
        return
    fold.check_pool(frame, pool, files.raw["pool.jsonl"])
    progress.checked.append("pool-of-registry")


def _compared(log: Iterable[Logged], events: Sequence[Proved]) -> Iterator[Logged]:
    """The log's events as they come, those of the draw seen to be the bundle's, and no other among them."""
    expected = {event.entry.idx: event for event in events}
    streams = {event.entry.stream for event in events}
    for logged in log:
        event = expected.pop(logged.entry.idx, None)
        if event is not None and event.entry != logged.entry:
            raise WrongProof("not-the-logs-entry", logged.entry.stream, file=event.file)
        if event is None and logged.entry.stream in streams:
            raise WrongProof("event-left-out", logged.entry.topic, file=f"log:{logged.entry.idx}")
        yield logged
    for event in expected.values():
        raise WrongProof("not-in-the-log", event.entry.topic, file=event.file)
