"""Where a person of the vault stands, from the read models, brought to the head of the log first."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from application.people_ports import Original, Standing
from domain.identifiers import covers
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.registries import read_at_head
from projections import assignments, draws, intakes, persons, violation_ledger, worklist
from projections.assignments import get_assignment
from projections.draws import list_draws
from projections.intakes import list_intakes
from projections.persons import PersonEntry, accounts_of, get_person
from projections.violation_ledger import list_violations
from projections.worklist import tasks_at, tasks_of

MODELS: Final = (
    persons.PROJECTION,
    intakes.PROJECTION,
    draws.PROJECTION,
    assignments.PROJECTION,
    worklist.PROJECTION,
    violation_ledger.PROJECTION,
)
UNOPENED: Final = ("sealed", "revealed", "observed", "completed")
"""The states of a draw between its seal and its opening, in which nobody may learn who is on a team."""

TABLES: Final = {"inspector": "inspectors", "site": "sites"}
"""The kind of import by which people of a kind come."""

ALL: Final = 100_000


class ProjectedPeople:
    """The port `People`."""

    def __init__(self, runner: ProjectionRunner, recorder: EventRecorder) -> None:
        self._runner, self._recorder = runner, recorder

    def standing(self, person: str) -> Standing | None:
        """Where the person stands at the head of the log; None for nobody of the vault."""
        with read_at_head(self._runner, self._recorder, *MODELS) as (connection, as_of):
            row = get_person(connection, person)
            return None if row is None else _standing(connection, row, as_of)


def _standing(connection: Connection, row: PersonEntry, as_of: int) -> Standing:
    own = accounts_of(connection, row)
    return Standing(
        as_of=as_of,
        kind=row.kind,
        holder=row.holder,
        region=row.region,
        left_on=row.left_on,
        version=row.version,
        own=own,
        matters=tuple(dict.fromkeys(_matters(connection, row, own))),
        originals=tuple(_originals(connection, row)),
    )


def _matters(connection: Connection, row: PersonEntry, own: tuple[str, ...]) -> Iterator[str]:
    """Open matters in which the person must be known. Of draws not opened all count that might choose him:

    to name only those that do would tell who is on a team.
    """
    if row.kind == "inspector":
        yield from _unopened(connection, row.region)
        tasks = tasks_of(connection, row.holder, limit=ALL)
    else:
        tasks = tasks_at(connection, row.holder, limit=ALL) if row.kind == "site" else []
    for task in tasks:
        if get_assignment(connection, task.assignment) is not None:
            yield task.inspection or task.assignment
    found = [one for account in own for one in list_violations(connection, None, owner=account, limit=ALL)]
    if row.kind == "site":
        found += list_violations(connection, None, site=row.holder, limit=ALL)
    yield from (one.id for one in found if one.state != "closed")


def _unopened(connection: Connection, region: str) -> Iterator[str]:
    for status in UNOPENED:
        for draw in list_draws(connection, None, status=status, limit=ALL):
            if covers(draw.region, region) or covers(region, draw.region):
                yield draw.id


def _originals(connection: Connection, row: PersonEntry) -> Iterator[Original]:
    """The originals that may name the person, and are not erased."""
    kind = TABLES.get(row.kind)
    found = list_intakes(connection, None, kind=kind, limit=ALL) if kind else []
    yield from (Original(intake=one.id, digest=one.original) for one in found if not one.erased)
