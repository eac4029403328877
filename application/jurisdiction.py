"""Where a stream belongs: the region whose auditors may replay it."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from domain.aggregate import Aggregate
from domain.assignment import Assignment
from domain.catalogue import Catalogue
from domain.draw import Draw
from domain.inspection import Inspection
from domain.inspector import Inspector
from domain.intake import Intake
from domain.item import Item
from domain.person import Person
from domain.plan import Plan
from domain.recheck import Recheck
from domain.referral import Referral
from domain.site import Site
from domain.violation import Violation

REGIONS: Final[dict[type[Aggregate], Callable[[Any], str]]] = {
    Site: attrgetter("facts.region"),
    Assignment: attrgetter("task.region"),
    Inspection: attrgetter("visit.region"),
    Violation: attrgetter("matter.region"),
    Recheck: attrgetter("task.region"),
    Person: attrgetter("case.region"),
    **dict.fromkeys((Inspector, Item, Catalogue, Plan, Draw, Referral, Intake), attrgetter("region")),
}


def region_of(aggregate: Aggregate, home: str) -> str:
    """The region of a stream by its present state; `home`, the installation's, where it has none."""
    region = REGIONS.get(type(aggregate))
    return home if region is None else region(aggregate) or home
