"""The wiring: builds everything by hand, top to bottom, once. The only importer of `infrastructure`.

`build` opens a working system; `tools` is what is needed when the store does not open.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from application.accounts import Authenticator
from application.office import Office
from application.ports import Chance, Clock
from application.workflow import Workflow
from infrastructure.adopted_rulebooks import AdoptedRulebooks
from infrastructure.blobs import FolderBlobs
from infrastructure.chance import SystemChance
from infrastructure.clock import SystemClock
from infrastructure.database import Store, open_store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.ledger_publisher import LedgerPublisher, Published
from infrastructure.passwords import Argon2Passwords
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.published_ledger import PublishedLedger
from infrastructure.registries import ProjectedRegistries
from infrastructure.rulebooks import SHIPPED, Rulebooks, load_rulebooks
from infrastructure.settings import Settings
from infrastructure.signing import ledger_key
from infrastructure.spreadsheets import read_table
from infrastructure.working_days import load_working_days

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
    rulebooks: Rulebooks
    clock: Clock
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Start the workers: projections and the ledger's publisher, each a thread that stops by itself."""
        if self._threads:
            return
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
        self.projections.close()
        self.workflow.close()
        self.store.close()

    def _project(self) -> None:
        self.projections.run(self._stop, self.settings.poll_seconds)

    def _publish(self) -> None:
        self.publisher.run(self._stop, self.settings.publish_seconds)


def build(settings: Settings, *, clock: Clock | None = None, chance: Chance | None = None) -> System:
    """Open the installation; the clock and chance are the machine's unless others are given.

    Raises `StoreUnavailable` for a store that is missing or not migrated, `KeyUnusable` for the ledger's
    key, `RulebookWrong` or `CalendarWrong` for a file that cannot be used.
    """
    clock, chance = clock or SystemClock(), chance or SystemChance()
    rulebooks = load_rulebooks(SHIPPED, settings.rulebook_dir)
    calendar = load_working_days(settings.calendar_dir)
    key = ledger_key(file=settings.key_file, secret=settings.key_secret, origin=settings.origin)
    store = open_store(settings.store_url, clock=clock)
    mapper = EventMapper(chance)
    workflow = Workflow(recorder=store.recorder, mapper=mapper, answers=store.answers)
    projections = ProjectionRunner(store, mapper, log=settings.origin)
    publisher = LedgerPublisher(store.recorder, store.ledger_latch, key, settings.ledger_dir)
    published = Published(settings.ledger_dir)
    office = Office(
        workflow=workflow,
        claims=store.claims,
        blobs=FolderBlobs(settings.blobs_dir),
        vault=store.vault,
        credentials=store.credentials,
        passwords=Argon2Passwords(),
        registries=ProjectedRegistries(projections, store.recorder),
        rulebooks=AdoptedRulebooks(rulebooks, workflow, store.claims),
        calendar=calendar,
        ledger=PublishedLedger(settings.origin, store.recorder, publisher, published),
        read_table=read_table,
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
        rulebooks=rulebooks,
        clock=clock,
    )
