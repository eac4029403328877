"""The empty place of a person whose data was erased, in every list whose rows refer to the vault."""

from collections.abc import Callable, Sequence
from typing import Any

from domain.person import Person
from projections.projection import Batch, Recorded, Rows, streams
from projections.view import R, View


def with_slots(view: View[R]) -> Callable[[Batch, Sequence[Recorded]], Rows[R]]:
    """The beginning of a read model with one table, its key the stream, its rows with a field `person`."""

    def begin(batch: Batch, events: Sequence[Recorded]) -> Rows[R]:
        erased = {one.event.originator_id for one in events if isinstance(one.event, Person.Erased)}
        return batch.rows(view).load(streams(events) - erased).load(erased, by="person")

    return begin


def empty_slot(rows: Rows[Any], event: Person.Erased, recorded: Recorded) -> None:
    """Mark the row that refers to the person, if this list has one; its version stays its own stream's."""
    for row in rows.loaded():
        if row.person == event.originator_id:
            shown = rows.edit(row.id)
            shown.erased, shown.erased_on, shown.erased_ground = True, event.erased_on, event.ground
