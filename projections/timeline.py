"""Every event of a subject in the order of the log: when it happened, when it was recorded, who did it.

A subject is a stream, a site, an enterprise (USCC), an inspector, a plan row (`plan/row`), a draw, or the
account that did it or for which it was done.
Rows hold references and a few plain facts; words are told elsewhere, by topic and language. What
belongs to a sealed draw is hidden until the draw is opened, unless the reader may see sealed draws.
"""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from domain.access import Access
from domain.account import Account
from domain.aggregate import DomainEvent
from domain.assignment import Assignment
from domain.catalogue import Catalogue
from domain.draw import Draw
from domain.events import topics
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
from projections.projection import Batch, Handlers, Projection, Recorded, Rows, streams
from projections.query import Regions, rows, within
from projections.timeline_subjects import BROUGHT, ONLY_HERE, PARENTS, REGIONS, SEALED
from projections.view import View

Fact = str | int | bool | None


class TimelineEntry(msgspec.Struct):
    """One event. `draw` names the draw that must be open before everybody may see it, or is empty."""

    idx: int
    stream: str
    version: int
    topic: str
    occurred_at: datetime
    recorded_at: datetime
    by: str
    on_behalf_of: str
    correlation_id: str
    causation_id: str
    draw: str
    facts: dict[str, Fact]


class _Mention(msgspec.Struct):
    subject: str
    idx: int
    occurred_at: datetime


class _Stream(msgspec.Struct):
    stream: str
    subjects: tuple[str, ...]
    draw: str
    region: str


class _Opened(msgspec.Struct):
    draw: str


ENTRIES: Final = View("timeline_v2", TimelineEntry, ("idx",), ("correlation_id", "idx"))
MENTIONS: Final = View(
    "timeline_subjects_v2", _Mention, ("subject", "idx"), ("subject", "occurred_at", "idx")
)
STREAMS: Final = View("timeline_streams_v2", _Stream, ("stream",))
OPENED: Final = View("timeline_opened_draws_v2", _Opened, ("draw",))

_FACTS: Final[dict[type[DomainEvent], str]] = {
    Installation.Founded: "origin",
    Installation.RulebookAdopted: "rulebook.version rulebook.effective_from",
    Installation.KeyChangeAsked: "verifier_key reason",
    Installation.KeyChangeWithdrawn: "verifier_key reason",
    Installation.KeyChanged: "verifier_key former reason",
    Installation.ResumeAsked: "size root reason",
    Installation.ResumeWithdrawn: "size root reason",
    Installation.Resumed: "size root reason",
    Account.GrantGiven: "role region until",
    Account.GrantTaken: "role region reason",
    Account.Linked: "inspector",
    Account.EnterpriseLinked: "uscc",
    Account.TokenIssued: "token label expires_on",
    Account.TokenRevoked: "token",
    Account.Closed: "reason",
    Access.Recorded: "kind reason",
    Person.ErasureAsked: "ground reason retain_until",
    Person.ErasureAskedAgain: "ground reason retain_until",
    Person.ErasureRefused: "reason",
    Person.Erased: "ground retain_until erased_on",
    Intake.OriginalErased: "ground erased_on",
    Intake.Completed: "kind region counts.rows counts.created counts.changed counts.unchanged",
    Item.Drafted: "region code facts.name",
    Item.Revised: "number reason facts.name",
    Item.Repealed: "effective_from reason",
    Catalogue.Opened: "region",
    Catalogue.Published: "edition published_on",
    Site.Registered: "facts.name facts.region facts.stratum provenance.source provenance.reason",
    Site.Changed: "facts.name facts.region facts.stratum provenance.source provenance.reason",
    Site.Assessed: "assessed_on",
    Site.Removed: "ground provenance.source provenance.reason",
    Inspector.Registered: "region facts.kind facts.role_class provenance.source provenance.reason",
    Inspector.Changed: "facts.kind facts.role_class provenance.source provenance.reason",
    Inspector.Removed: "provenance.source provenance.reason",
    Inspector.RecusalDeclared: "recusal uscc ground origin",
    Inspector.RecusalGranted: "recusal uscc ground reason decided_as",
    Inspector.RecusalRefused: "recusal reason decided_as",
    Inspector.RecusalWithdrawn: "recusal reason",
    Plan.Drafted: "region year title",
    Plan.RowSet: "row.no row.task row.period",
    Plan.RowDropped: "no",
    Plan.Approved: "opinion",
    Plan.Returned: "reason",
    Plan.Published: "published_on",
    Draw.Announced: "draw_no attempt period region",
    Draw.RecheckAnnounced: "draw_no attempt period region",
    Draw.SupplementAnnounced: "draw_no attempt supplements missing.reason",
    Draw.Committed: "party",
    Draw.Sealed: "seal.as_of seal.rules_hash seal.frame_reason",
    Draw.Revealed: "party",
    Draw.ValueTyped: "party",
    Draw.PublicValueObserved: "value",
    Draw.Completed: "result.sums",
    Draw.VoidAsked: "ground",
    Draw.Voided: "ground reroll_warning",
    Assignment.Made: "task.draw_no task.period task.stratum task.rank",
    Assignment.RecusalDeclared: "recusal inspector seat ground origin",
    Assignment.RecusalGranted: "recusal seat substitute reason decided_as",
    Assignment.RecusalRefused: "recusal reason decided_as",
    Assignment.RecusalWithdrawn: "recusal reason",
    Assignment.SeatFilled: "seat inspector draw",
    Assignment.VoidAsked: "ground",
    Assignment.VoidRefused: "reason",
    Assignment.SiteVoided: "ground replacement",
    Inspection.Opened: "visit.mode visit.period",
    Inspection.Approved: "approval_no",
    Inspection.Notified: "urgent reason",
    Inspection.SeatChanged: "seat inspector",
    Inspection.EvidenceAdded: "evidence.kind evidence.digest",
    Inspection.FindingRecorded: "finding.no finding.item finding.category finding.disposal",
    Inspection.FindingWithdrawn: "no reason",
    Inspection.Concluded: "record.primary publication.due",
    Inspection.Returned: "reason",
    Inspection.Reviewed: "opinion",
    Inspection.Published: "published_on",
    Inspection.Withheld: "ground reason",
    Violation.Opened: "matter.finding matter.item matter.category disposal owner",
    Violation.RectificationOrdered: "order.number order.deadline.due",
    Violation.RectificationSubmitted: "note for_enterprise",
    Violation.RectificationReturned: "reason deadline.due",
    Violation.RectificationVerified: "note",
    Violation.Disposed: "disposal reason",
    Violation.Closed: "note closed_on",
    Violation.RecheckRecorded: "recheck outcome note disposal",
    Recheck.Drawn: "task.draw_no task.period task.closing task.rank",
    Recheck.CarriedOut: "outcome note",
    Referral.Sent: "letter.number letter.addressee letter.reason",
    Referral.Received: "received_on",
    Referral.Replied: "accepted note",
}
"""Which facts of an event are told: never a secret, a class that is not public, or personal data."""

_GETTERS: Final = {
    kind: tuple((path.rsplit(".", 1)[-1], attrgetter(path)) for path in paths.split())
    for kind, paths in _FACTS.items()
}


class _State(NamedTuple):
    entries: Rows[TimelineEntry]
    mentions: Rows[_Mention]
    streams: Rows[_Stream]
    opened: Rows[_Opened]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    parents = {PARENTS[type(one.event)](one.event) for one in events if type(one.event) in PARENTS}
    known = batch.rows(STREAMS).load(parents | streams(events))
    return _State(batch.rows(ENTRIES), batch.rows(MENTIONS), known, batch.rows(OPENED))


def _tell(state: _State, event: DomainEvent, recorded: Recorded) -> None:
    about = _about(state, event)
    kind = type(event)
    draw = event.originator_id if kind is Draw.Changed else about.draw
    state.entries.add(
        TimelineEntry(
            idx=recorded.idx,
            stream=event.originator_id,
            version=event.originator_version,
            topic=kind.TOPIC,
            occurred_at=event.occurred_at,
            recorded_at=recorded.recorded_at,
            by=event.by,
            on_behalf_of=event.on_behalf_of or "",
            correlation_id=event.correlation_id,
            causation_id=event.causation_id,
            draw=draw,
            facts={name: _plain(get(event)) for name, get in _GETTERS.get(kind, ())},
        )
    )
    here = ONLY_HERE[kind](event) if kind in ONLY_HERE else ()
    for subject in {event.originator_id, *about.subjects, event.by, event.on_behalf_of, *here}:
        if subject:
            state.mentions.add(_Mention(subject, recorded.idx, event.occurred_at))
    if kind is Draw.Opened:
        state.opened.add(_Opened(event.originator_id))


def _about(state: _State, event: DomainEvent) -> _Stream:
    kind = type(event)
    known = state.streams.get(event.originator_id) or _inherited(state, event)
    if kind in BROUGHT or kind in REGIONS:
        new = (subject for subject in BROUGHT[kind](event) if subject) if kind in BROUGHT else ()
        known = _Stream(
            known.stream,
            tuple(dict.fromkeys((*known.subjects, *new))),
            SEALED[kind](event) if kind in SEALED else known.draw,
            REGIONS[kind](event) if kind in REGIONS else known.region,
        )
        state.streams.add(known)
    return known


def _inherited(state: _State, event: DomainEvent) -> _Stream:
    parent = PARENTS.get(type(event))
    known = state.streams.get(parent(event)) if parent else None
    if known is None:
        return _Stream(event.originator_id, (), "", "")
    return _Stream(event.originator_id, known.subjects, known.draw, known.region)


def _plain(value: Any) -> Fact:
    if isinstance(value, date):  # a time is a date as well
        return value.isoformat()
    plain: Fact = value
    return plain


_HANDLERS: Final[Handlers] = dict.fromkeys(topics().values(), _tell)

PROJECTION: Final = Projection("timeline", (ENTRIES, MENTIONS, STREAMS, OPENED), _HANDLERS, _begin, version=2)


def list_timeline(
    connection: Connection,
    subject: str,
    *,
    sealed: bool = False,
    regions: Regions = None,
    newest_first: bool = False,
    after: int | None = None,
    limit: int = 50,
) -> list[TimelineEntry]:
    """The events of a subject by `idx`; of sealed draws only if `sealed` is set."""
    table, mentions = ENTRIES.table, MENTIONS.table
    conditions = [mentions.c.subject == subject, visible(sealed), in_regions(regions)]
    idx = mentions.c.idx
    if after is not None:
        conditions.append(idx < after if newest_first else idx > after)
    statement = select(table).select_from(mentions.join(table, table.c.idx == idx)).where(*conditions)
    return rows(connection, ENTRIES, statement.order_by(idx.desc() if newest_first else idx).limit(limit))


def visible(sealed: bool) -> ColumnElement[bool]:
    """Which entries may be shown: all if `sealed` is set, else what no sealed draw decided."""
    draw = ENTRIES.table.c.draw
    return true() if sealed else or_(draw == "", draw.in_(select(OPENED.table.c.draw)))


def in_regions(regions: Regions, *, everywhere: bool = True) -> ColumnElement[bool]:
    """Which entries belong to streams of the regions.

    Those of streams without a region of their own (accounts, readings) are there if `everywhere` is set.
    """
    if regions is None:
        return true()
    streams = STREAMS.table.c
    region = select(streams.region).where(streams.stream == ENTRIES.table.c.stream).scalar_subquery()
    found = func.coalesce(region, "")
    return or_(found == "", within(found, regions)) if everywhere else within(found, regions)
