"""What queries share: regions as ranges, pages by key, rows as structs."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Text, and_, or_, select, true, type_coerce

from projections.view import View

R = TypeVar("R", bound=msgspec.Struct)

Regions = Sequence[str] | None
"""Region codes (GB/T 2260) whose parts count as well; None for everywhere, empty for nowhere."""


def within(column: ColumnElement[str], regions: Regions) -> ColumnElement[bool]:
    """Whether a region code lies in one of the regions, as ranges that an index can answer."""
    if regions is None:
        return true()
    return or_(*(_range(column, region) for region in regions)) if regions else ~true()


def contains(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether the column holds the text, taken literally."""
    return column.contains(text, autoescape=True)


def lists(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """Whether a JSON list of words holds the word."""
    return contains(type_coerce(column, Text()), f'"{word}"')


def empty(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a JSON list has nothing in it."""
    return type_coerce(column, Text()) == "[]"


def read(
    connection: Connection,
    view: View[R],
    *conditions: ColumnElement[bool],
    after: int | None = None,
    newest_first: bool = False,
    limit: int = 50,
) -> list[R]:
    """A page of rows in the order of their `idx`, after the row with the idx `after`."""
    idx = view.table.c.idx
    if after is not None:
        conditions = (*conditions, idx < after if newest_first else idx > after)
    order = idx.desc() if newest_first else idx
    return rows(connection, view, select(view.table).where(*conditions).order_by(order).limit(limit))


def rows(connection: Connection, view: View[R], statement: Select[Any]) -> list[R]:
    """The rows of a statement that selects the view's columns first, in their order."""
    width = len(view.fields)
    return [view.row(*values[:width]) for values in connection.execute(statement)]


def one(connection: Connection, view: View[R], *key: Any) -> R | None:
    """The row with this key, or None."""
    wanted = and_(*(view.table.c[field] == value for field, value in zip(view.key, key, strict=True)))
    found = rows(connection, view, select(view.table).where(wanted))
    return found[0] if found else None


def equal(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """A filter that the caller may leave open: an empty value or None asks for nothing."""
    return true() if value is None or value == "" else column == value


def _range(column: ColumnElement[str], region: str) -> ColumnElement[bool]:
    stem = region[:2] if region.endswith("0000") else region[:4] if region.endswith("00") else region
    # Not BETWEEN: its upper bound may not carry the collation that SQLAlchemy gives it.
    return and_(column >= stem.ljust(6, "0"), column <= stem.ljust(6, "9"))
