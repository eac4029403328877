"""Whom and what each event concerns, and in which region: what the timeline's subjects are made of."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from domain.access import Access
from domain.account import Account
from domain.aggregate import DomainEvent
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

Subjects = Iterable[str | None]


def _drawn(task: Any, team: Any) -> Subjects:
    people = (holding.inspector for holding in team)
    return (task.site, task.uscc, task.draw, f"{task.plan}/{task.row}", *people)


def _rechecked(task: Any, team: Any) -> Subjects:
    return (task.violation, task.draw, *(holding.inspector for holding in team))


def _read(event: Access.Recorded) -> Subjects:
    # That somebody asked about an enterprise what sealed draws decided must not stand in its timeline.
    sealed = event.kind == "sealed-draw"
    return (one for one in event.subjects if not sealed or one.startswith("draw-"))


BROUGHT: Final[dict[type[DomainEvent], Callable[[Any], Subjects]]] = {
    Site.Registered: lambda event: (event.facts.uscc,),
    Account.Linked: lambda event: (event.inspector,),
    Draw.Announced: lambda event: (event.plan, event.plan_row),
    Draw.RecheckAnnounced: lambda event: (event.plan_row,),
    Draw.SupplementAnnounced: lambda event: (event.plan, event.plan_row, event.missing.draw),
    Assignment.Made: lambda event: _drawn(event.task, event.team),
    Assignment.RecusalGranted: lambda event: (event.substitute,),
    Assignment.SeatFilled: lambda event: (event.inspector,),
    Inspection.Opened: lambda event: (event.visit.assignment, *_drawn(event.visit, event.team)),
    Inspection.Approved: lambda event: event.experts,
    Inspection.SeatChanged: lambda event: (event.inspector,),
    Violation.Opened: lambda event: (event.matter.site, event.matter.uscc, event.matter.inspection),
    Recheck.Drawn: lambda event: _rechecked(event.task, event.team),
    Referral.Sent: lambda event: (event.violation,),
    Person.ErasureAsked: lambda event: (event.case.holder,),
}
"""The subjects that an event brings to its stream; all later events of the stream concern them too."""

ONLY_HERE: Final[dict[type[DomainEvent], Callable[[Any], Subjects]]] = {
    Plan.RowSet: lambda event: (f"{event.originator_id}/{event.row.no}",),
    Plan.RowDropped: lambda event: (f"{event.originator_id}/{event.no}",),
    Access.Recorded: _read,
    Inspector.RecusalDeclared: lambda event: (event.uscc,),
    Inspector.RecusalGranted: lambda event: (event.uscc,),
    Account.EnterpriseLinked: lambda event: (event.uscc,),
    Intake.OriginalErased: lambda event: (event.person,),
}
"""Subjects of one event only."""

PARENTS: Final[dict[type[DomainEvent], Callable[[Any], str]]] = {
    Violation.Opened: lambda event: event.matter.inspection,
    Referral.Sent: lambda event: event.violation,
}
"""The stream whose subjects and draw a new stream takes over."""

REGIONS: Final[dict[type[DomainEvent], Callable[[Any], str]]] = {
    Site.Registered: lambda event: event.facts.region,
    Site.Changed: lambda event: event.facts.region,
    Inspector.Registered: lambda event: event.region,
    Item.Drafted: lambda event: event.region,
    Catalogue.Opened: lambda event: event.region,
    Plan.Drafted: lambda event: event.region,
    Draw.Announced: lambda event: event.region,
    Draw.SupplementAnnounced: lambda event: event.region,
    Draw.RecheckAnnounced: lambda event: event.region,
    Assignment.Made: lambda event: event.task.region,
    Inspection.Opened: lambda event: event.visit.region,
    Violation.Opened: lambda event: event.matter.region,
    Recheck.Drawn: lambda event: event.task.region,
    Referral.Sent: lambda event: event.region,
    Intake.Completed: lambda event: event.region,
    Person.ErasureAsked: lambda event: event.case.region,
    Person.ErasureAskedAgain: lambda event: event.case.region,
}
"""The region that an event gives its stream; streams without one belong to the whole installation."""

SEALED: Final[dict[type[DomainEvent], Callable[[Any], str]]] = {
    Assignment.Made: lambda event: event.task.draw,
    Inspection.Opened: lambda event: event.visit.draw,
    Recheck.Drawn: lambda event: event.task.draw,
}
"""The draw that must be opened before everybody may see the stream."""
