"""The wiring: builds everything by hand, top to bottom, once. The only importer of `infrastructure`.

`build` opens a working system; `tools` is what is needed when the store does not open.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from application.accounts import Authenticator
from application.erasure import finish_erasures
from application.office import Office
from application.ports import Chance, Clock
from application.workflow import Workflow
from domain.errors import CertificateUnusable, KeyUnusable, StoreUnavailable
from domain.installation import Adopted
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.note import SigningKey
from infrastructure.adopted_rulebooks import AdoptedRulebooks
from infrastructure.attestation import Attestation, Pace
from infrastructure.auditing import Audit, sealed_now, states_of
from infrastructure.backups.backup import Made
from infrastructure.backups.installation import Backups, backups_of
from infrastructure.backups.outside import Outside
from infrastructure.backups.restore import Restored
from infrastructure.backups.settling import Verdict
from infrastructure.beacons import is_quicknet_signature
from infrastructure.blobs import FolderBlobs, check_media
from infrastructure.bundle_archive import bundle_archive, write_bundle_archive, write_bundle_folder
from infrastructure.bundling import LedgerBundling
from infrastructure.chance import SystemChance
from infrastructure.charter import CharterReader
from infrastructure.clock import SystemClock
from infrastructure.courier import Courier, is_address
from infrastructure.csv_writer import write_csv
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.ledger_export import LedgerExport, archive, write_archive, write_folder
from infrastructure.ledger_files import LedgerFolder
from infrastructure.ledger_lookup import Found, Lookup
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.mentions import mentions
from infrastructure.migration import migrate
from infrastructure.passwords import Argon2Passwords
from infrastructure.people import ProjectedPeople
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.published_ledger import PublishedLedger
from infrastructure.registries import ProjectedRegistries
from infrastructure.registry_log import LoggedRegistries
from infrastructure.rulebooks import SHIPPED, Rulebooks, load_rulebooks
from infrastructure.settings import Settings
from infrastructure.signing import (
    former_key,
    keygen,
    ledger_key,
    next_key,
    next_key_file,
    switch_keys,
    witness_keygen,
)
from infrastructure.spreadsheet_writer import Sheet, write_sheets, write_template
from infrastructure.spreadsheets import read_table
from infrastructure.standing import Standing, find_standing
from infrastructure.telemetry import configure_logging
from infrastructure.timestamps import TimestampAuthority, load_certificates
from infrastructure.trust import Trust, load_policy
from infrastructure.witness import Witness, open_witness
from infrastructure.witness_evidence import Evidence
from infrastructure.witnesses import Verdict as WitnessVerdict
from infrastructure.witnesses import WitnessClient
from infrastructure.working_days import ChineseWorkingDays, load_working_days

__all__ = [
    "Audit",
    "Evidence",
    "Found",
    "LedgerExport",
    "Lookup",
    "Made",
    "Outside",
    "Restored",
    "Settings",
    "Sheet",
    "Standing",
    "System",
    "Tools",
    "Verdict",
    "Witness",
    "WitnessVerdict",
    "archive",
    "build",
    "bundle_archive",
    "check_media",
    "configure_logging",
    "find_standing",
    "hand_over",
    "make_key",
    "migrate_store",
    "newest_rulebook",
    "next_key",
    "next_key_file",
    "open_witness",
    "sealed_now",
    "states_of",
    "tools",
    "witness_keygen",
    "write_archive",
    "write_bundle_archive",
    "write_bundle_folder",
    "write_csv",
    "write_folder",
    "write_sheets",
    "write_template",
]

JOIN_SECONDS: Final = 10.0


@dataclass(frozen=True)
class System:
    """A working installation: what every way in is given."""

    settings: Settings
    store: Store
    workflow: Workflow
    office: Office
    authenticator: Authenticator
    projections: ProjectionRunner
    publisher: LedgerPublisher
    published: Published
    trust: Trust
    rulebooks: Rulebooks
    clock: Clock
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start the workers: projections and the ledger's publisher, each a thread that stops by itself."""
        if self._threads:
            return
        # What a killed process left undone of an erasure; a store that cannot now says so to `doctor`.
        with suppress(StoreUnavailable):
            finish_erasures(self.office)
        self._stop.clear()
        self._threads.extend(
            (
                threading.Thread(target=self._project, name="projections", daemon=True),
                threading.Thread(target=self._publish, name="publisher", daemon=True),
            )
        )
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the workers and wait for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        self._threads.clear()

    def close(self) -> None:
        """Stop the workers and close all connections."""
        self.stop()
        self.publisher.close()
        self.projections.close()
        self.workflow.close()
        self.store.close()

    def _project(self) -> None:
        self.projections.run(self._stop, self.settings.poll_seconds)

    def _publish(self) -> None:
        self.publisher.run(self._stop, self.settings.publish_seconds)


def migrate_store(settings: Settings) -> None:
    """Bring the store to this version's shape, or make it; needs no key and changes nothing twice."""
    migrate(settings.owner_url, settings.service_role or None)


def make_key(settings: Settings) -> str:
    """Make the ledger's key file if there is no key yet; the verifier key in either case.

    `KeyUnusable` for a key that cannot be used. The file is the only copy: whoever has it can sign as
    this log, and without it the log cannot go on.
    """
    if settings.key_secret is None and not settings.key_file.exists():
        return tools(settings).new_key()
    key = ledger_key(file=settings.key_file, secret=settings.key_secret, origin=settings.origin)
    return key.verifier.encode()


def hand_over(
    settings: Settings, *, clock: Clock | None = None, chance: Chance | None = None
) -> Checkpoint | None:
    """Sign on with the next key, after two people confirmed it: the first checkpoint is signed by both keys.

    Then its file takes the place of the ledger's, which is kept, unless that is a secret. After a kill, or
    done twice, it does what is left. `KeyUnusable` (not-the-founders) before the change is confirmed.
    """
    following = next_key_file(settings.key_file)
    if not following.exists():
        return None
    old = former_key(settings.key_file, settings.key_secret, settings.origin)
    update = {"ledger_key_file": following, "ledger_key": None}
    beside = () if old is None else (old,)
    system = build(settings.model_copy(update=update), clock=clock, chance=chance, beside=beside)
    try:
        checkpoint = system.publisher.publish_once()
    finally:
        system.close()
    if settings.key_secret is None:
        switch_keys(settings.key_file)
    return checkpoint


def newest_rulebook(system: System, day: date) -> Adopted:
    """The rulebook at hand that is in force on the day, as an event adopts it."""
    found = system.rulebooks.at(day)
    book = found.rulebook
    return Adopted(version=book.version, digest=found.digest, effective_from=book.effective_from)


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    chance: Chance | None = None,
    beside: Sequence[SigningKey] = (),
) -> System:
    """Open the installation; the clock and chance are the machine's unless others are given.

    Keys `beside` the ledger's sign its checkpoints as well, while they are handed over.

    Raises `StoreUnavailable` for a store that is missing or not migrated, `KeyUnusable` for the ledger's
    key, also for one that does not sign this log now, `RulebookWrong`, `CalendarWrong`, `TrustPolicyWrong`
    or `CertificateUnusable` for a file that cannot be used.
    """
    clock, chance = clock or SystemClock(), chance or SystemChance()
    rulebooks = load_rulebooks(SHIPPED, settings.rulebook_dir)
    calendar = load_working_days(settings.calendar_dir)
    key = ledger_key(file=settings.key_file, secret=settings.key_secret, origin=settings.origin)
    written = load_policy(settings.policy_file, needed=settings.trust_policy_file is not None)
    authority = _authority(settings, clock)
    store = open_store(settings.store_url, clock=clock)
    mapper = EventMapper(chance)
    workflow = Workflow(recorder=store.recorder, mapper=mapper, answers=store.answers)
    projections = ProjectionRunner(store, mapper, log=settings.origin)
    trust = Trust(key.verifier, written, CharterReader(workflow, store.claims))
    _require_own_key(settings, store, trust, key.verifier.encode())
    publisher = _publisher(settings, store, key, trust, authority, clock, beside)
    published = Published(settings.ledger_dir)
    ledger = PublishedLedger(settings.origin, store.recorder, publisher, published, trust)
    office = Office(
        workflow=workflow,
        claims=store.claims,
        blobs=FolderBlobs(settings.blobs_dir),
        vault=store.vault,
        credentials=store.credentials,
        passwords=Argon2Passwords(),
        registries=ProjectedRegistries(projections, store.recorder),
        registry_log=LoggedRegistries(store.recorder, mapper),
        rulebooks=AdoptedRulebooks(rulebooks, workflow, store.claims),
        calendar=calendar,
        ledger=ledger,
        bundling=LedgerBundling(store.recorder, ledger),
        beacon=is_quicknet_signature,
        read_table=read_table,
        people=ProjectedPeople(projections, store.recorder),
        mentions=mentions,
        clock=clock,
        chance=chance,
    )
    return System(
        settings=settings,
        store=store,
        workflow=workflow,
        office=office,
        authenticator=Authenticator(office, workflow),
        projections=projections,
        publisher=publisher,
        published=published,
        trust=trust,
        rulebooks=rulebooks,
        clock=clock,
    )


def _authority(settings: Settings, clock: Clock) -> TimestampAuthority | None:
    if not settings.tsa_url:
        return None
    if not is_address(settings.tsa_url):
        raise CertificateUnusable(path=settings.tsa_url, reason="address")
    certificates = load_certificates(settings.tsa_certificate)
    return TimestampAuthority(certificates, Courier(settings.tsa_url), clock)


def _publisher(
    settings: Settings,
    store: Store,
    key: SigningKey,
    trust: Trust,
    authority: TimestampAuthority | None,
    clock: Clock,
    beside: Sequence[SigningKey] = (),
) -> LedgerPublisher:
    """The publisher, with whoever attests its checkpoints."""
    clients = [
        WitnessClient(one, Courier(f"{one.url.rstrip('/')}/add-checkpoint"), clock)
        for one in trust.written.witnesses
        if one.url
    ]
    pace = Pace(settings.witness_seconds, settings.timestamp_seconds, settings.quorum_seconds)
    folder = settings.ledger_dir
    attestation = Attestation(trust, LedgerFolder(folder), clients, authority, pace)
    return LedgerPublisher(
        store.recorder,
        store.ledger_latch,
        key,
        folder,
        trust=trust,
        beside=beside,
        attestation=attestation,
    )


def _require_own_key(settings: Settings, store: Store, trust: Trust, vkey: str) -> None:
    """Another key than the one that signs the log now could only start a second log beside it."""
    charter = trust.charter()
    if charter.key != vkey:
        store.close()
        reason = "superseded" if vkey in charter.former else "not-the-founders"
        raise KeyUnusable(path=str(settings.key_file), reason=reason)


@dataclass(frozen=True)
class Tools:
    """What is needed when the store or the ledger's key does not open; each part is opened on demand."""

    settings: Settings
    clock: Clock

    def store(self) -> Store:
        """The store, which the caller closes; `StoreUnavailable`."""
        return open_store(self.settings.store_url, clock=self.clock)

    def verifier_key(self) -> str:
        """The public half of the ledger's key; `KeyUnusable`."""
        secret = self.settings.key_secret
        key = ledger_key(file=self.settings.key_file, secret=secret, origin=self.settings.origin)
        return key.verifier.encode()

    def new_key(self) -> str:
        """Make the ledger's key in its file, never in place of another; the verifier key.

        `KeyUnusable` also where a log exists that another key signs: its key must come from a backup.
        """
        if self.published().checkpoint() is not None or self._has_events():
            raise KeyUnusable(path=str(self.settings.key_file), reason="log-exists")
        return keygen(self.settings.key_file, self.settings.origin)

    def _has_events(self) -> bool:
        try:
            store = self.store()
        except StoreUnavailable:
            return False
        try:
            return store.recorder.head() is not None
        finally:
            store.close()

    def calendar(self) -> ChineseWorkingDays:
        """The working days that are known; `CalendarWrong`."""
        return load_working_days(self.settings.calendar_dir)

    def is_beacons(self, round: int, signature: bytes) -> bool:
        """Whether these bytes are the beacon's own signature of a round, checked offline."""
        return is_quicknet_signature(round, signature)

    def rulebooks(self) -> Rulebooks:
        """The rulebooks at hand; `RulebookWrong`."""
        return load_rulebooks(SHIPPED, self.settings.rulebook_dir)

    def blobs(self) -> FolderBlobs:
        """The files kept by their content."""
        return FolderBlobs(self.settings.blobs_dir)

    def published(self) -> Published:
        """The ledger as it is published."""
        return Published(self.settings.ledger_dir)

    def backups(self) -> Backups:
        """Making, checking and restoring backups; no secret key is needed."""
        return backups_of(self.settings, self.clock)

    def audit(self) -> Audit:
        """Checking the ledger, taking it out, looking things up; no secret key is needed."""
        return Audit(self.settings, self.clock)


def tools(settings: Settings, *, clock: Clock | None = None) -> Tools:
    """The tools of an installation, whatever state it is in."""
    return Tools(settings, clock or SystemClock())
