"""What `sunlot doctor` looks at, one function a thing, each with what it found.

`fine`, `mind` (it works, but somebody should see to it) or `wrong`. Nothing here changes anything.
"""

import random
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from api.bootstrap import Settings, System, Tools, WitnessVerdict
from application.originals import CLAIM
from domain.deadlines import day_of
from domain.errors import BlobDamaged, CalendarMissing, DomainError, NotFound, StoreUnavailable
from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.errors import LedgerError
from domain.ledger.note import VerifierKey

State = Literal["fine", "mind", "wrong"]
NEEDED_PYTHON: Final = (3, 11)
SAMPLE: Final = 100
SCARCE_BYTES: Final = 2_000_000_000
FULL_BYTES: Final = 100_000_000
MINUTE: Final = timedelta(seconds=60)
BACKLOG: Final = 1000


@dataclass(frozen=True)
class Check:
    """One thing looked at. `advice` is a text's key, "" where there is nothing to do."""

    name: str
    state: State
    facts: dict[str, Any] = field(default_factory=dict)
    advice: str = ""


def fine(name: str, **facts: Any) -> Check:
    """Nothing to do."""
    return Check(name, "fine", facts)


def check_machine(settings: Settings) -> Iterator[Check]:
    """Python, the data folder and the room on its disk."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "fine" if sys.version_info >= NEEDED_PYTHON else "wrong", {"version": version})
    folder = settings.data_dir
    yield fine("settings", data=str(folder), origin=settings.origin, region=settings.region)
    if not folder.is_dir():
        yield Check("data", "wrong", {"folder": str(folder)}, "advise-init")
        return
    free = shutil.disk_usage(folder).free
    state: State = "wrong" if free < FULL_BYTES else "mind" if free < SCARCE_BYTES else "fine"
    yield Check(
        "disk", state, {"free_megabytes": free // 1_000_000}, "" if state == "fine" else "advise-disk"
    )
    yield from check_modes(folder)


def check_modes(folder: Path) -> Iterator[Check]:
    """Files that hold personal data or secrets and that others on the machine may read."""
    kept = (folder / name for name in ("store.db", "views.db", "ledger.key"))
    open_files = [file.name for file in kept if file.exists() and file.stat().st_mode & stat.S_IRWXO]
    closed = not folder.stat().st_mode & stat.S_IXOTH
    if open_files and not closed:
        yield Check("modes", "mind", {"files": open_files}, "advise-modes")
    else:
        yield fine("modes")


def check_key(tools: Tools) -> Check:
    """The ledger's signing key."""
    try:
        return fine("key", vkey=tools.verifier_key())
    except DomainError as error:
        return _refused("key", error, "advise-key")


def check_store(tools: Tools) -> Check:
    """Whether the store answers, at the revision that this version expects."""
    try:
        tools.store().close()
    except StoreUnavailable as error:
        return _refused("store", error, "advise-store")
    return fine("store")


def check_clock(tools: Tools) -> Check:
    """The machine's clock beside the last recorded time: events must not be recorded backwards."""
    now = tools.clock.now()
    store = tools.store()
    try:
        head = store.recorder.head()
        last = next(store.recorder.rows(head, 1)).at if head is not None else ""
    finally:
        store.close()
    facts = {"now": now.isoformat(), "last": last}
    behind = datetime.fromisoformat(last) - now if last else timedelta(0)
    if behind > MINUTE:
        return Check("clock", "wrong", facts, "advise-clock")
    if behind > timedelta(0):
        return Check("clock", "mind", facts, "advise-clock")
    return fine("clock", **facts)


def check_ledger_head(tools: Tools) -> Check:
    """Stored, latched and published sizes; published beyond stored means a restored backup, or worse."""
    store = tools.store()
    try:
        head, latch = store.recorder.head(), store.ledger_latch.read()
    finally:
        store.close()
    stored, latched = 0 if head is None else head + 1, latch[0] if latch else 0
    facts: dict[str, Any] = {"stored": stored, "latched": latched}
    if tools.published().unverified:
        return Check("ledger", "wrong", facts, "advise-restore")
    try:
        facts["published_size"] = published = _published_size(tools)
    except (LedgerError, DomainError) as error:
        return Check("ledger", "wrong", {**facts, "reason": error.code}, "advise-ledger-wrong")
    if max(published, latched) > stored or published > latched:
        return Check("ledger", "wrong", facts, "advise-ledger-wrong")
    if published < stored:
        return Check("ledger", "mind", facts, "advise-ledger-behind")
    return fine("ledger", **facts)


def check_claims(tools: Tools) -> Check:
    """The claims against those that the events give: one that was deleted lets a name be taken twice."""
    found = tools.audit().check_claims()
    facts: dict[str, Any] = {"found": found.count}
    if found.count:
        facts["first"] = [f"{one.code} {one.params['kind']}/{one.params['key']}" for one in found.kept[:5]]
        return Check("claims", "wrong", facts, "advise-claims")
    return fine("claims", **facts)


def check_blobs(tools: Tools) -> Check:
    """A sample of the kept files against their digests."""
    blobs = tools.blobs()
    digests = list(blobs.digests())
    sample = random.SystemRandom().sample(digests, min(SAMPLE, len(digests)))
    damaged: list[str] = []
    for digest in sample:
        try:
            blobs.read(digest)
        except (BlobDamaged, NotFound):
            damaged.append(digest)
    facts = {"kept": len(digests), "read": len(sample), "damaged": damaged}
    return Check("blobs", "wrong", facts, "advise-blobs") if damaged else fine("blobs", **facts)


def check_erasures(tools: Tools) -> Check:
    """Files that were erased with a person whom they name, and are still there (`blob.not-erased`)."""
    store, blobs = tools.store(), tools.blobs()
    try:
        erased = sorted({key.partition("/")[0] for key, _ in store.claims.keys(CLAIM)})
    finally:
        store.close()
    left = [digest for digest in erased if blobs.has(digest)]
    facts = {"erased": len(erased), "not_erased": left}
    return Check("erasures", "wrong", facts, "advise-erasures") if left else fine("erasures", **facts)


def check_calendar(tools: Tools) -> Iterator[Check]:
    """Working days of this year and the next, which deadlines run into."""
    try:
        calendar = tools.calendar()
    except DomainError as error:
        yield _refused("calendar", error, "advise-calendar")
        return
    this_year = day_of(tools.clock.now()).year
    needed: tuple[tuple[int, State], ...] = ((this_year, "wrong"), (this_year + 1, "mind"))
    for year, state in needed:
        facts = {"year": year, "folder": str(tools.settings.calendar_dir)}
        try:
            calendar.is_working_day(date(year, 1, 1))
            calendar.is_working_day(date(year, 12, 31))
        except CalendarMissing:
            yield Check("calendar", state, facts, "advise-calendar")
        else:
            yield fine("calendar", year=year, version=calendar.version)


def check_founded(system: System) -> Iterator[Check]:
    """The first administrator, and the rulebook of today."""
    if system.office.claims.holder("installation", "1") is None:
        yield Check("founded", "wrong", {}, "advise-init")
        return
    yield fine("founded")
    today = day_of(system.clock.now())
    try:
        yield fine("rulebook", version=system.office.rules(today).version)
    except DomainError as error:
        yield _refused("rulebook", error, "advise-rulebook")


def check_projections(system: System) -> Iterator[Check]:
    """How far the read models are."""
    standing = system.projections.status()
    failed = [one for one in standing if one.status != "live"]
    for one in failed:
        yield Check("projection", "wrong", {"name": one.name, "error": one.error}, "advise-projection-failed")
    lag = max((one.lag for one in standing if one.status == "live"), default=0)
    if lag > BACKLOG:
        yield Check("projections", "mind", {"lag": lag}, "advise-projection-behind")
    elif not failed:
        yield fine("projections", lag=lag, count=len(standing))


def check_witnesses(system: System) -> Iterator[Check]:
    """Each witness, asked now about the published checkpoint, and whether those that answer are the quorum.

    One that holds more than was published, or another history, is wrong unless two people gave that up.
    """
    note, policy = system.published.checkpoint(), system.trust.written
    if note is None or not policy.witnesses:
        return
    given_up = max((one.size for one in system.trust.charter().resumed), default=0)
    attestation = system.publisher.attestation
    attestation.settle(note, given_up)
    told = attestation.told
    for one in policy.witnesses:
        yield _witness(one.name, told.get(one.name), given_up)
    answered = [name for name, verdict in told.items() if verdict.answered]
    facts = {"quorum": policy.quorum, "answered": answered}
    if policy.is_met(answered):
        yield fine("quorum", **facts)
    else:
        yield Check("quorum", "wrong", facts, "advise-quorum")


def _witness(name: str, said: WitnessVerdict | None, given_up: int) -> Check:
    if said is None:
        return Check("witness", "mind", {"witness": name, "state": "silent"}, "advise-witness")
    facts = {
        "witness": name,
        "state": said.state,
        "size": said.size,
        "held": said.held,
        "reason": said.reason,
    }
    facts = {key: value for key, value in facts.items() if value}
    if said.contradicts(given_up):
        return Check("witness", "wrong", facts, "advise-witness-contradicts")
    return fine("witness", **facts) if said.answered else Check("witness", "mind", facts, "advise-witness")


def _published_size(tools: Tools) -> int:
    note = tools.published().checkpoint()
    if note is None:
        return 0
    return open_checkpoint(note, [VerifierKey.parse(tools.verifier_key())]).size


def _refused(name: str, error: DomainError, advice: str) -> Check:
    return Check(name, "wrong", {"code": error.code, **error.facts}, advice)
