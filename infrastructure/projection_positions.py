"""How far each read model has come: the table whose rows move with the rows they speak of."""

from collections.abc import Iterable
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, select, update

from projections.projection import POSITIONS, Position

LIVE: Final = "live"
BUILDING: Final = "building"
FAILED: Final = "failed"
ERROR_LENGTH: Final = 2_000

_TABLE: Final = POSITIONS.table


class Positions:
    """The positions of one log's read models, in the caller's transaction."""

    def __init__(self, connection: Connection, log: str) -> None:
        self._connection, self._log = connection, log

    def all(self) -> dict[str, Position]:
        """Every position by its name."""
        found = self._connection.execute(select(_TABLE).where(_TABLE.c.log == self._log))
        return {row.name: Position(*row) for row in found}

    def begin(self, names: Iterable[str], status: str = LIVE) -> None:
        """Begin those that are not there; let failed ones of the same status try again."""
        known = self.all()
        for name in names:
            if name not in known:
                fresh = Position(name, self._log, -1, status, "", 0)
                self._connection.execute(_TABLE.insert().values(msgspec.structs.asdict(fresh)))
            elif known[name].status == FAILED:
                self._set(name, status=status, error="")

    def move(self, name: str, old: int, new: int) -> bool:
        """Move a position if it stands at `old` and has not failed; False if somebody else moved it."""
        statement = update(_TABLE).where(*self._is(name), _TABLE.c.position == old, _TABLE.c.status != FAILED)
        return self._connection.execute(statement.values(position=new)).rowcount == 1

    def lock(self, names: Iterable[str]) -> dict[str, Position]:
        """The positions of these names, which nobody else moves until the transaction ends.

        Locked in one order, so that two runners never wait for each other in a circle.
        """
        chosen = select(_TABLE).where(_TABLE.c.log == self._log, _TABLE.c.name.in_(sorted(names)))
        found = self._connection.execute(chosen.order_by(_TABLE.c.name).with_for_update())
        return {row.name: Position(*row) for row in found}

    def put(self, names: Iterable[str], position: int) -> None:
        """Give positions that were locked a new place."""
        chosen = update(_TABLE).where(_TABLE.c.log == self._log, _TABLE.c.name.in_(sorted(names)))
        self._connection.execute(chosen.values(position=position))

    def fail(self, name: str, position: int, error: str) -> None:
        """Stop a read model where it stands, unless somebody else moved it on meanwhile."""
        statement = update(_TABLE).where(*self._is(name), _TABLE.c.position == position)
        self._connection.execute(statement.values(status=FAILED, error=error[:ERROR_LENGTH]))

    def drop(self, name: str) -> None:
        """Forget a position."""
        self._connection.execute(delete(_TABLE).where(*self._is(name)))

    def replace(self, live: Position, built: Position) -> None:
        """Give a live read model the position of the one built beside it, and forget that one."""
        self.drop(built.name)
        self._set(
            live.name,
            position=built.position,
            status=LIVE,
            error="",
            generation=live.generation + 1,
        )

    def _set(self, name: str, **values: str | int) -> None:
        self._connection.execute(update(_TABLE).where(*self._is(name)).values(**values))

    def _is(self, name: str) -> tuple[ColumnElement[bool], ...]:
        return _TABLE.c.name == name, _TABLE.c.log == self._log
