"""All aggregates: importing this module registers every topic."""

from typing import Final

from domain.access import Access
from domain.account import Account
from domain.aggregate import Aggregate, DomainEvent
from domain.assignment import Assignment
from domain.catalogue import Catalogue
from domain.draw import Draw
from domain.inspection import Inspection
from domain.inspector import Inspector
from domain.installation import Installation
from domain.intake import Intake
from domain.item import Item
from domain.person import Person
from domain.plan import Plan
from domain.recheck import Recheck
from domain.referral import Referral
from domain.site import Site
from domain.violation import Violation

AGGREGATES: Final[tuple[type[Aggregate], ...]] = (
    Installation,
    Account,
    Access,
    Person,
    Intake,
    Item,
    Catalogue,
    Site,
    Inspector,
    Plan,
    Draw,
    Assignment,
    Inspection,
    Violation,
    Recheck,
    Referral,
)


def event_classes(aggregate: type[Aggregate]) -> list[type[DomainEvent]]:
    """The event classes of an aggregate, in the order of its file, without the abstract base."""
    return [
        value
        for name, value in vars(aggregate).items()
        if isinstance(value, type) and issubclass(value, DomainEvent) and name != "Event"
    ]


def topics() -> dict[str, type[DomainEvent]]:
    """Every event class by its topic."""
    return {str(one.TOPIC): one for aggregate in AGGREGATES for one in event_classes(aggregate)}
