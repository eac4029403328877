"""The violation ledger (违法违规台账): one row per finding to be closed, with owner, due date and state."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, select

from domain.inspection import Inspection
from domain.recheck import REOPENED
from domain.violation import Violation
from projections.projection import Batch, Entry, Handlers, Projection, Recorded, Rows, begun, streams, touch
from projections.query import Regions, equal, one, read, rows, within
from projections.view import View

ORDERED: Final = "ordered"
STATES: Final = ("open", ORDERED, "submitted", "verified", "closed")


class ViolationEntry(Entry):
    """A row of the ledger. `state` is one of `STATES`; times are when things happened.

    `due` is the rectification's date as it stands now, `returns` how often it was sent back,
    `evidence` the number of different pieces of evidence. `recheck_outcome` is that of the last re-check,
    `failed_closings` how many closings did not hold.
    """

    inspection: str
    finding: int
    site: str
    uscc: str
    region: str
    period: str
    item: str
    category: str
    description: str
    disposal: str
    disposal_reason: str
    owner: str
    state: str
    order_no: str
    requirements: str
    due: datetime | None
    due_rule: str
    opened_at: datetime
    ordered_at: datetime | None
    submitted_at: datetime | None
    submitted_by: str
    for_enterprise: bool
    returned_at: datetime | None
    return_reason: str
    returns: int
    verified_at: datetime | None
    verified_by: str
    closed_on: date | None
    closed_by: str
    digests: tuple[str, ...]
    evidence: int
    rechecked_at: datetime | None
    recheck_outcome: str
    failed_closings: int

    def overdue(self, now: datetime) -> bool:
        """Whether the enterprise's time is up and it has not said that it is done."""
        return self.state == ORDERED and self.due is not None and self.due < now


class PublicViolation(msgspec.Struct, frozen=True):
    """What the public sees of a violation, once the inspection that found it is published."""

    id: str
    idx: int
    uscc: str
    site: str
    region: str
    period: str
    item: str
    category: str
    disposal: str
    state: str
    due: datetime | None
    overdue: bool
    closed_on: date | None


class PublishedInspection(msgspec.Struct):
    """An inspection whose result is public."""

    inspection: str
    idx: int


VIOLATIONS: Final = View(
    "violations_v2",
    ViolationEntry,
    ("id",),
    ("idx",),
    ("inspection",),
    ("uscc",),
    ("region", "period"),
    ("state", "due"),
)
PUBLISHED: Final = View("violations_published_v2", PublishedInspection, ("inspection",))


class _State(NamedTuple):
    violations: Rows[ViolationEntry]
    published: Rows[PublishedInspection]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    violations = batch.rows(VIOLATIONS).load(streams(events, Violation.Event))
    return _State(violations, batch.rows(PUBLISHED))


def _opened(state: _State, event: Violation.Opened, recorded: Recorded) -> None:
    matter = event.matter
    row = ViolationEntry(
        *begun(recorded),
        inspection=matter.inspection,
        finding=matter.finding,
        site=matter.site,
        uscc=matter.uscc,
        region=matter.region,
        period=matter.period,
        item=matter.item,
        category=matter.category,
        description=matter.description,
        disposal=event.disposal,
        disposal_reason="",
        owner=event.owner,
        state="open",
        order_no="",
        requirements="",
        due=None,
        due_rule="",
        opened_at=event.occurred_at,
        ordered_at=None,
        submitted_at=None,
        submitted_by="",
        for_enterprise=False,
        returned_at=None,
        return_reason="",
        returns=0,
        verified_at=None,
        verified_by="",
        closed_on=None,
        closed_by="",
        digests=(),
        evidence=0,
        rechecked_at=None,
        recheck_outcome="",
        failed_closings=0,
    )
    state.violations.add(row)
    _add_evidence(row, event.evidence)


def _ordered(state: _State, event: Violation.RectificationOrdered, recorded: Recorded) -> None:
    row, order = touch(state.violations, recorded), event.order
    row.state, row.ordered_at = ORDERED, event.occurred_at
    row.order_no, row.requirements = order.number, order.requirements
    row.due, row.due_rule = order.deadline.due, order.deadline.rule


def _submitted(state: _State, event: Violation.RectificationSubmitted, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.state, row.submitted_at, row.submitted_by = "submitted", event.occurred_at, event.by
    row.for_enterprise = event.for_enterprise
    _add_evidence(row, event.evidence)


def _returned(state: _State, event: Violation.RectificationReturned, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.state, row.returned_at, row.return_reason = ORDERED, event.occurred_at, event.reason
    row.due = event.deadline.due
    row.returns += 1


def _verified(state: _State, event: Violation.RectificationVerified, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.state, row.verified_at, row.verified_by = "verified", event.occurred_at, event.by
    _add_evidence(row, event.evidence)


def _disposed(state: _State, event: Violation.Disposed, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.disposal, row.disposal_reason = event.disposal, event.reason


def _closed(state: _State, event: Violation.Closed, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.state, row.closed_on, row.closed_by = "closed", event.closed_on, event.by
    _add_evidence(row, event.evidence)


def _rechecked(state: _State, event: Violation.RecheckRecorded, recorded: Recorded) -> None:
    row = touch(state.violations, recorded)
    row.rechecked_at, row.recheck_outcome = event.occurred_at, event.outcome
    row.disposal = event.disposal
    _add_evidence(row, event.evidence)
    if event.outcome == REOPENED:
        row.failed_closings += 1
        row.closed_on, row.closed_by = None, ""
        row.state = ORDERED if row.order_no else "open"
    if event.deadline is not None:
        row.due, row.due_rule = event.deadline.due, event.deadline.rule


def _published(state: _State, event: Inspection.Published, recorded: Recorded) -> None:
    state.published.add(PublishedInspection(event.originator_id, recorded.idx))


def _add_evidence(row: ViolationEntry, digests: Sequence[str]) -> None:
    row.digests = tuple(dict.fromkeys((*row.digests, *digests)))
    row.evidence = len(row.digests)


_HANDLERS: Final[Handlers] = {
    Violation.Opened: _opened,
    Violation.RectificationOrdered: _ordered,
    Violation.RectificationSubmitted: _submitted,
    Violation.RectificationReturned: _returned,
    Violation.RectificationVerified: _verified,
    Violation.Disposed: _disposed,
    Violation.Closed: _closed,
    Violation.RecheckRecorded: _rechecked,
    Inspection.Published: _published,
}

PROJECTION: Final = Projection("violation_ledger", (VIOLATIONS, PUBLISHED), _HANDLERS, _begin, version=2)


def list_violations(
    connection: Connection,
    regions: Regions = None,
    *,
    state: str = "",
    disposal: str = "",
    period: str = "",
    uscc: str = "",
    site: str = "",
    inspection: str = "",
    owner: str = "",
    overdue_at: datetime | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[ViolationEntry]:
    """Violations in the order in which they were opened; `overdue_at` asks for those overdue at that time."""
    c = VIOLATIONS.table.c
    filters = {"disposal": disposal, "period": period, "uscc": uscc, "site": site, "owner": owner}
    filters |= {"state": state, "inspection": inspection}
    conditions = [within(c.region, regions), *(equal(c[name], value) for name, value in filters.items())]
    if overdue_at is not None:
        conditions.append(_overdue(overdue_at))
    return read(connection, VIOLATIONS, *conditions, after=after, limit=limit)


def get_violation(connection: Connection, id: str) -> ViolationEntry | None:
    """The violation, or None."""
    return one(connection, VIOLATIONS, id)


def list_public_violations(
    connection: Connection,
    regions: Regions = None,
    *,
    now: datetime,
    state: str = "",
    period: str = "",
    uscc: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PublicViolation]:
    """The public part of the ledger, the latest first: only what published inspections found."""
    table, c = VIOLATIONS.table, VIOLATIONS.table.c
    conditions = [
        c.inspection.in_(select(PUBLISHED.table.c.inspection)),
        within(c.region, regions),
        equal(c.state, state),
        equal(c.period, period),
        equal(c.uscc, uscc),
    ]
    if after is not None:
        conditions.append(c.idx < after)
    statement = select(table).where(*conditions).order_by(c.idx.desc()).limit(limit)
    return [_public(row, now) for row in rows(connection, VIOLATIONS, statement)]


def _overdue(now: datetime) -> ColumnElement[bool]:
    c = VIOLATIONS.table.c
    return and_(c.state == ORDERED, c.due < now)


def _public(row: ViolationEntry, now: datetime) -> PublicViolation:
    return PublicViolation(
        id=row.id,
        idx=row.idx,
        uscc=row.uscc,
        site=row.site,
        region=row.region,
        period=row.period,
        item=row.item,
        category=row.category,
        disposal=row.disposal,
        state=row.state,
        due=row.due,
        overdue=row.overdue(now),
        closed_on=row.closed_on,
    )
