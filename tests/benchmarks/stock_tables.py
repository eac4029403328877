"""The same read models in the terms of the library's own runner: one transaction for each event."""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection as StockProjection
from eventsourcing.sqlite import SQLiteTrackingRecorder

from domain.aggregate import DomainEvent
from domain.site import Site, SiteFacts
from domain.violation import Matter, Violation
from projections import sites, violation_ledger


class StockTable(StockProjection[Any]):
    """A read model in the library's terms: one transaction for each event."""

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Write the columns that the event sets."""
        self.view.write(domain_event, self.columns(domain_event), tracking)

    def columns(self, event: Any) -> dict[str, Any]:
        """The columns that the event sets, as they are stored."""
        raise NotImplementedError


class SiteTable(StockTable):
    """The table of sites."""

    topics = tuple(sites.PROJECTION.topics)

    def columns(self, event: Any) -> dict[str, Any]:
        """What a site event sets."""
        columns: dict[str, Any] = {"version": event.originator_version}
        if isinstance(event, Site.Registered | Site.Changed):
            facts, why = event.facts, event.provenance
            columns |= {name: getattr(facts, name) for name in SiteFacts.__struct_fields__}
            columns |= {"needs": ",".join(facts.needs), "source": why.source, "reason": why.reason}
            columns["effective_from"] = why.effective_from.isoformat()
        elif isinstance(event, Site.Assessed):
            columns["risk_class"] = event.risk_class
        return columns


class ViolationTable(StockTable):
    """The violation ledger."""

    topics = tuple(violation_ledger.PROJECTION.topics)

    def columns(self, event: Any) -> dict[str, Any]:
        """What a violation event sets."""
        at = event.occurred_at.isoformat()
        match event:
            case Violation.Opened():
                about = {name: getattr(event.matter, name) for name in event.matter.__struct_fields__}
                return {**about, "disposal": event.disposal, "owner": event.owner, "state": "open"}
            case Violation.RectificationOrdered():
                due = event.order.deadline.due.isoformat()
                return {"order_no": event.order.number, "due": due, "ordered_at": at, "state": "ordered"}
            case Violation.RectificationSubmitted():
                return {"submitted_at": at, "submitted_by": event.by, "state": "submitted"}
            case Violation.RectificationReturned():
                due = event.deadline.due.isoformat()
                return {"due": due, "return_reason": event.reason, "state": "ordered"}
            case Violation.RectificationVerified():
                return {"verified_at": at, "verified_by": event.by, "state": "verified"}
            case _:
                return {"closed_on": event.closed_on.isoformat(), "closed_by": event.by, "state": "closed"}


SITE_COLUMNS = (
    *SiteFacts.__struct_fields__,
    "source",
    "reason",
    "effective_from",
    "risk_class",
    "version bigint",
)
VIOLATION_COLUMNS = (
    *(f"{name} bigint" if name == "finding" else name for name in Matter.__struct_fields__),
    *("disposal", "owner", "state", "order_no", "due", "ordered_at", "submitted_at", "submitted_by"),
    *("return_reason", "verified_at", "verified_by", "closed_on", "closed_by"),
)


def table_statement(columns: Sequence[str]) -> str:
    """How a table of these columns is made."""
    typed = (column if " " in column else f"{column} text" for column in columns)
    return f"CREATE TABLE IF NOT EXISTS read_model (id text PRIMARY KEY, {', '.join(typed)})"


@cache
def _statements(columns: tuple[str, ...], mark: str) -> tuple[str, str]:
    marks = ", ".join([mark] * (len(columns) + 1))
    insert = f"INSERT INTO read_model ({', '.join((*columns, 'id'))}) VALUES ({marks})"  # noqa: S608
    changes = ", ".join(f"{name} = {mark}" for name in columns)
    return insert, f"UPDATE read_model SET {changes} WHERE id = {mark}"  # noqa: S608


class SqliteTable(SQLiteTrackingRecorder):
    """A table on SQLite."""

    table = ""

    def _create_table(self, c: Any) -> None:
        super()._create_table(c)
        c.execute(self.table)

    def write(self, event: DomainEvent, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        insert, update = _statements(tuple(columns), "?")
        statement = insert if event.originator_version == 1 else update
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, (*columns.values(), event.originator_id))
            self._insert_tracking(cursor, tracking)


class PostgresTable(PostgresTrackingRecorder):
    """A table on PostgreSQL."""

    table = ""

    def _create_table(self, curs: Any) -> None:
        super()._create_table(curs)
        curs.execute(self.table)

    def write(self, event: DomainEvent, columns: dict[str, Any], tracking: Tracking) -> None:
        """One event's columns and its tracking record."""
        insert, update = _statements(tuple(columns), "%s")
        statement = cast(Any, insert if event.originator_version == 1 else update)
        with self.datastore.transaction(commit=True) as cursor:
            cursor.execute(statement, (*columns.values(), event.originator_id), prepare=True)
            self._insert_tracking(cursor, tracking)
