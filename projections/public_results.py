"""Results as the public sees them: nothing before publication, no person's name, no risk class.

What is not public yet is kept in a table of its own, so that no query on the public one can show it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from domain.act import CHINA
from domain.aggregate import DomainEvent
from domain.inspection import Inspection, Visit
from domain.plan import Plan
from domain.site import Site
from domain.values import ItemResult
from projections.projection import Batch, Handlers, Projection, Recorded, Rows, streams
from projections.query import Regions, contains, equal, one, read, within
from projections.view import View


class PublicResult(msgspec.Struct):
    """A published inspection. `idx` is where it was published.

    `inspected_on` is the visit's last day in China. `site_name` and `task` are as they stood when it was
    published.
    """

    inspection: str
    idx: int
    uscc: str
    site: str
    site_name: str
    region: str
    period: str
    draw_no: int
    task: str
    mode: str
    primary: str
    lines: tuple[ItemResult, ...]
    findings: int
    inspected_on: date
    published_on: date
    due: datetime
    channels: tuple[str, ...]


class _Draft(msgspec.Struct):
    inspection: str
    visit: Visit
    primary: str
    lines: tuple[ItemResult, ...]
    findings: int
    ended_at: datetime | None
    due: datetime | None


class _Name(msgspec.Struct):
    subject: str
    name: str


RESULTS: Final = View(
    "public_results_v1", PublicResult, ("inspection",), ("idx",), ("uscc",), ("region", "period")
)
DRAFTS: Final = View("public_results_drafts_v1", _Draft, ("inspection",))
NAMES: Final = View("public_results_names_v1", _Name, ("subject",))


class _State(NamedTuple):
    results: Rows[PublicResult]
    drafts: Rows[_Draft]
    names: Rows[_Name]


def _begin(batch: Batch, events: Sequence[Recorded]) -> _State:
    drafts = batch.rows(DRAFTS).load(streams(events, Inspection.Event))
    visits = {draft.inspection: draft.visit for draft in drafts.loaded()}
    visits |= {
        one.event.originator_id: one.event.visit for one in events if isinstance(one.event, Inspection.Opened)
    }
    published = streams(events, Inspection.Published)
    wanted = [visits[id] for id in published if id in visits]
    names = batch.rows(NAMES)
    names.load(subject for visit in wanted for subject in (visit.site, _task(visit)))
    return _State(batch.rows(RESULTS), drafts, names)


def _task(visit: Visit) -> str:
    return f"{visit.plan}/{visit.row}"


def _site_named(state: _State, event: Site.Registered | Site.Changed, recorded: Recorded) -> None:
    state.names.add(_Name(event.originator_id, event.facts.name))


def _row_named(state: _State, event: Plan.RowSet, recorded: Recorded) -> None:
    state.names.add(_Name(f"{event.originator_id}/{event.row.no}", event.row.task))


def _opened(state: _State, event: Inspection.Opened, recorded: Recorded) -> None:
    state.drafts.add(_Draft(event.originator_id, event.visit, "", (), 0, None, None))


def _found(state: _State, event: Inspection.FindingRecorded, recorded: Recorded) -> None:
    state.drafts.edit(event.originator_id).findings += 1


def _withdrawn(state: _State, event: Inspection.FindingWithdrawn, recorded: Recorded) -> None:
    state.drafts.edit(event.originator_id).findings -= 1


def _concluded(state: _State, event: Inspection.Concluded, recorded: Recorded) -> None:
    draft, record = state.drafts.edit(event.originator_id), event.record
    draft.primary, draft.lines = record.primary, record.lines
    draft.ended_at, draft.due = record.ended_at, event.publication.due


def _published(state: _State, event: Inspection.Published, recorded: Recorded) -> None:
    draft = state.drafts.edit(event.originator_id)
    visit, ended, due = draft.visit, draft.ended_at, draft.due
    if ended is None or due is None:
        raise ValueError(f"published without a record: {event.originator_id}")
    state.results.add(
        PublicResult(
            inspection=event.originator_id,
            idx=recorded.idx,
            uscc=visit.uscc,
            site=visit.site,
            site_name=_name(state, visit.site),
            region=visit.region,
            period=visit.period,
            draw_no=visit.draw_no,
            task=_name(state, _task(visit)),
            mode=visit.mode,
            primary=draft.primary,
            lines=draft.lines,
            findings=draft.findings,
            inspected_on=ended.astimezone(CHINA).date(),
            published_on=event.published_on,
            due=due,
            channels=event.channels,
        )
    )
    state.drafts.drop(event.originator_id)


def _withheld(state: _State, event: DomainEvent, recorded: Recorded) -> None:
    state.drafts.drop(event.originator_id)


def _name(state: _State, subject: str) -> str:
    found = state.names.get(subject)
    return found.name if found else ""


_HANDLERS: Final[Handlers] = {
    Site.Registered: _site_named,
    Site.Changed: _site_named,
    Plan.RowSet: _row_named,
    Inspection.Opened: _opened,
    Inspection.FindingRecorded: _found,
    Inspection.FindingWithdrawn: _withdrawn,
    Inspection.Concluded: _concluded,
    Inspection.Published: _published,
    Inspection.Withheld: _withheld,
}

PROJECTION: Final = Projection("public_results", (RESULTS, DRAFTS, NAMES), _HANDLERS, _begin)


def list_results(
    connection: Connection,
    regions: Regions = None,
    *,
    period: str = "",
    uscc: str = "",
    site: str = "",
    primary: str = "",
    published_from: date | None = None,
    published_to: date | None = None,
    text: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[PublicResult]:
    """Published results, the latest first. `text` is looked for in sites' names; days are inclusive."""
    c = RESULTS.table.c
    filters = {"period": period, "uscc": uscc, "site": site, "primary": primary}
    conditions = [within(c.region, regions), *(equal(c[name], value) for name, value in filters.items())]
    if published_from is not None:
        conditions.append(c.published_on >= published_from)
    if published_to is not None:
        conditions.append(c.published_on <= published_to)
    if text:
        conditions.append(contains(c.site_name, text))
    return read(connection, RESULTS, *conditions, after=after, newest_first=True, limit=limit)


def get_result(connection: Connection, inspection: str) -> PublicResult | None:
    """The published result of an inspection, or None."""
    return one(connection, RESULTS, inspection)
