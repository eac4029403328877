"""An agency for tests of the application: an office over a real store, founded, with people in every role.

    def test_something(agency: Agency) -> None:
        publish_catalogue(agency.office, agency.call(agency.people.leader), region=TAIYUAN)
        assert agency.topics()[-1] == "catalogue.published.v1"

Fixtures in conftest.py: `agency` on each engine, `sqlite_agency` on SQLite alone. The clock stands still
until a test moves it (`agency.clock`), chance repeats itself, files lie in `tmp_path`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from eventsourcing.persistence import StoredEvent

from application import accounts
from application.authorisation import (
    ADMINISTRATOR,
    AUDITOR,
    CASE_HANDLER,
    CITY_OFFICER,
    DISCIPLINE,
    ENTERPRISE,
    INSPECTOR,
    LEADER,
    PROVINCE,
    REPORTING,
    Actor,
    Grant,
)
from application.office import Office
from application.people_ports import Standing
from application.ports import RetryKey
from application.workflow import Call, Workflow
from domain.act import Act
from domain.aggregate import DomainEvent
from domain.installation import Adopted
from infrastructure.adopted_rulebooks import AdoptedRulebooks
from infrastructure.beacons import is_quicknet_signature
from infrastructure.blobs import FolderBlobs
from infrastructure.bundling import LedgerBundling
from infrastructure.database import Store
from infrastructure.event_store.mapper import EventMapper
from infrastructure.mentions import mentions
from infrastructure.people import ProjectedPeople
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.registry_log import LoggedRegistries
from infrastructure.rulebooks import SHIPPED, load_rulebooks
from infrastructure.spreadsheets import read_table
from infrastructure.working_days import ChineseWorkingDays
from tests.fakes import FakeClock, SeededChance
from tests.ledger import ORIGIN, MemoryLedger
from tests.registries import FoldedRegistries

SHANXI = "140000"
TAIYUAN = "140100"
DATONG = "140200"
PASSWORD = "correct horse battery"


def actor(name: str, role: str, region: str = TAIYUAN, *, inspector: str = "") -> Actor:
    """Somebody with one role in one region; the same name is always the same account."""
    return Actor(
        account=f"account-{name.encode().hex():0>32.32}", grants=(Grant(role, region),), inspector=inspector
    )


class People:
    """One actor for each role, two where a rule wants another person. All of Taiyuan, unless said."""

    def __init__(self) -> None:
        self.administrator = actor("admin", ADMINISTRATOR, SHANXI)
        self.officer = actor("officer", CITY_OFFICER)
        self.second_officer = actor("officer-2", CITY_OFFICER)
        self.elsewhere = actor("datong", CITY_OFFICER, DATONG)
        self.leader = actor("leader", LEADER)
        self.second_leader = actor("leader-2", LEADER)
        self.case_handler = actor("cases", CASE_HANDLER)
        self.province = actor("province", PROVINCE, SHANXI)
        self.auditor = actor("auditor", AUDITOR, SHANXI)
        self.discipline = actor("discipline", DISCIPLINE, SHANXI)
        self.reporting = actor("reporting", REPORTING, SHANXI)
        self.enterprise = actor("enterprise", ENTERPRISE)

    @staticmethod
    def inspector(id: str) -> Actor:
        """The account that stands for an inspector of the registry."""
        return actor(f"i-{id[-12:]}", INSPECTOR, inspector=id)


class PlainPasswords:
    """Port Passwords without the cost of hashing."""

    decoy = "plain:nobody"

    def hash(self, password: str) -> str:
        """The password itself, marked."""
        return f"plain:{password}"

    def matches(self, password: str, hashed: str) -> bool:
        """Whether it is the marked one."""
        return hashed == f"plain:{password}"


class LatePeople:
    """Port People over the read models, which are opened when first asked for and closed again."""

    def __init__(self, store: Store, log: str) -> None:
        self._store, self._log = store, log

    def standing(self, person: str) -> Standing | None:
        """Where the person stands at the head of the log."""
        runner = ProjectionRunner(self._store, EventMapper(SeededChance()), log=self._log)
        try:
            return ProjectedPeople(runner, self._store.recorder).standing(person)
        finally:
            runner.close()


@dataclass(frozen=True)
class Agency:
    """An office and all that a test wants to see of it."""

    office: Office
    store: Store
    clock: FakeClock
    ledger: MemoryLedger
    people: People = field(default_factory=People)

    def call(
        self,
        by: Actor,
        *,
        expected: int | None = None,
        retry: RetryKey | None = None,
        occurred_at: datetime | None = None,
    ) -> Call:
        """A request of an actor at the clock's present."""
        now = self.clock.now()
        act = Act(by=by.account, at=now, occurred_at=occurred_at or now)
        return Call(actor=by, act=act, expected=expected, retry=retry)

    def events(self, start: int = 0) -> Iterator[DomainEvent]:
        """The log's events from an `idx` on."""
        for row in self.store.recorder.rows(start):
            stored = StoredEvent(row.stream, row.ver, row.topic, row.state)
            yield cast(DomainEvent, self.office.workflow.mapper.to_domain_event(stored))

    def topics(self, start: int = 0) -> list[str]:
        """The topics of the log's events from an `idx` on."""
        return [row.topic for row in self.store.recorder.rows(start)]

    def size(self) -> int:
        """How many events the log holds."""
        head = self.store.recorder.head()
        return 0 if head is None else head + 1


def open_agency(store: Store, clock: FakeClock, folder: Path, *, seed: int = 0) -> Agency:
    """An agency over a fresh store: founded, the shipped rulebook adopted."""
    agency = join_agency(store, clock, folder, seed=seed)
    now = clock.now()
    accounts.found(
        agency.office,
        Act(by="system", at=now, occurred_at=now),
        origin=ORIGIN,
        verifier_key=agency.ledger.key.verifier.encode(),
        rulebook=_shipped(),
        region=SHANXI,
        login="admin",
        password=PASSWORD,
        name="管理员",
    )
    return agency


def join_agency(store: Store, clock: FakeClock, folder: Path, *, seed: int) -> Agency:
    """Another office over a store that is founded already, as a second process would open it."""
    chance = SeededChance(seed)
    workflow = Workflow(recorder=store.recorder, mapper=EventMapper(chance), answers=store.answers)
    ledger = MemoryLedger(store.recorder)
    office = Office(
        workflow=workflow,
        claims=store.claims,
        blobs=FolderBlobs(folder / "blobs"),
        vault=store.vault,
        credentials=store.credentials,
        passwords=PlainPasswords(),
        registries=FoldedRegistries(store.recorder),
        registry_log=LoggedRegistries(store.recorder, workflow.mapper),
        rulebooks=AdoptedRulebooks(load_rulebooks(SHIPPED), workflow, store.claims),
        calendar=ChineseWorkingDays(),
        ledger=ledger,
        bundling=LedgerBundling(store.recorder, ledger),
        beacon=is_quicknet_signature,
        read_table=read_table,
        people=LatePeople(store, ORIGIN),
        mentions=mentions,
        clock=clock,
        chance=chance,
    )
    return Agency(office, store, clock, ledger)


def _shipped() -> Adopted:
    """The rulebook as shipped."""
    (loaded,) = load_rulebooks(SHIPPED).all
    book = loaded.rulebook
    return Adopted(version=book.version, digest=loaded.digest, effective_from=book.effective_from)
