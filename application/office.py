"""What the verbs of the application work with: one bundle, built once by the wiring."""

from dataclasses import dataclass, field
from datetime import date

from application.bundle_ports import Bundling
from application.frame_indexes import FrameIndexes
from application.people_ports import Credentials, Mentions, Passwords, People, Vault
from application.ports import (
    Blobs,
    Chance,
    Claims,
    Clock,
    Ledger,
    ReadTable,
    Registries,
    RegistryLog,
    Rulebooks,
    WorkingDays,
)
from application.workflow import Workflow
from domain.drawing.verify import Beacon
from domain.rulebook_data import Rulebook


@dataclass(frozen=True)
class Office:
    """The agency's office: the workflow, and ports to the world."""

    workflow: Workflow
    claims: Claims
    blobs: Blobs
    vault: Vault
    credentials: Credentials
    passwords: Passwords
    registries: Registries
    registry_log: RegistryLog
    rulebooks: Rulebooks
    calendar: WorkingDays
    ledger: Ledger
    bundling: Bundling
    beacon: Beacon
    read_table: ReadTable
    people: People
    mentions: Mentions
    clock: Clock
    chance: Chance
    indexes: FrameIndexes = field(default_factory=FrameIndexes)

    def rules(self, day: date) -> Rulebook:
        """The rulebook in force on the day."""
        return self.rulebooks.in_force(day)
