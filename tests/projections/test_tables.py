"""The tables of the read models: names PostgreSQL can bear, versions, no floats, text that comes back."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData

from infrastructure.views import Views
from projections.projection import POSITIONS, Projection, Rows
from projections.register import PROJECTIONS
from projections.view import View, write_instant
from projections.writing import delete, upsert

POSTGRES_NAME = 63


class Sample(msgspec.Struct):
    """One field of every kind."""

    id: str
    no: int
    flag: bool
    text: str | None
    at: datetime | None
    day: date | None
    tags: tuple[str, ...]


SAMPLES: View[Sample] = View("samples_v1", Sample, ("id", "no"), ("no",))


@pytest.mark.parametrize("model", PROJECTIONS, ids=lambda model: model.name)
def test_table_names_carry_the_version_and_fit_even_beside(model: Projection) -> None:
    for view in model.views:
        assert view.name.endswith(f"_v{model.version}")
        table = view.beside("__g999")
        for name in (table.name, *(str(index.name) for index in table.indexes)):
            assert len(name.encode()) <= POSTGRES_NAME, name


def test_no_two_read_models_share_a_table_or_a_name() -> None:
    names = [view.name for model in PROJECTIONS for view in model.views] + [POSITIONS.name]
    assert len(names) == len(set(names))
    assert len({model.name for model in PROJECTIONS}) == len(PROJECTIONS)


def test_a_read_model_has_no_floats() -> None:
    class Wrong(msgspec.Struct):
        id: str
        share: float

    with pytest.raises(TypeError, match="no floats"):
        View("wrong_v1", Wrong, ("id",))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        write_instant(datetime(2024, 1, 1))
    eight = timezone(timedelta(hours=8))
    assert write_instant(datetime(2024, 1, 1, 8, tzinfo=eight)) == "2024-01-01T00:00:00.000000Z"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))
ROWS = st.lists(
    st.builds(
        Sample,
        TEXTS,
        st.integers(-(2**53), 2**53),
        st.booleans(),
        st.none()
        | TEXTS
        | st.sampled_from(["NULL", "null", "", "{}", '"', "\\", ",", "a\nb", " ", "\x1f", "a\x1eb"]),
        st.none() | TIMES,
        st.none() | st.dates(),
        st.lists(TEXTS, max_size=3).map(tuple),
    ),
    max_size=8,
)


@pytest.fixture
def views(store_url: str) -> Any:
    """An empty database of read models, once for each engine."""
    made = Views(store_url)
    with made.writing() as connection:
        SAMPLES.table.create(connection, checkfirst=True)
    yield made
    made.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_any_row_comes_back_as_it_was_on_both_engines(views: Views, rows: list[Sample]) -> None:
    expected = {SAMPLES.key_of(row): row for row in rows}
    with views.writing() as connection:
        connection.execute(SAMPLES.table.delete())
        upsert(connection, SAMPLES.table, (SAMPLES.values(row) for row in expected.values()))
        upsert(connection, SAMPLES.table, (SAMPLES.values(row) for row in expected.values()))
        assert loaded(connection, {row.id for row in rows}) == expected
        delete(connection, SAMPLES.table, list(expected))
        assert connection.execute(SAMPLES.table.select()).all() == []


def loaded(connection: Connection, ids: set[str]) -> dict[Any, Sample]:
    """The rows with these ids, by key."""
    rows = Rows(connection, SAMPLES, SAMPLES.table).load(ids).loaded()
    return {SAMPLES.key_of(row): row for row in rows}


def test_a_dropped_row_may_come_again_in_the_same_batch(views: Views) -> None:
    row = Sample("a", 1, True, "first", None, None, ())
    with views.writing() as connection:
        upsert(connection, SAMPLES.table, [SAMPLES.values(row)])
        rows = Rows(connection, SAMPLES, SAMPLES.table).load(["a"])
        rows.drop(("a", 1))
        assert rows.get(("a", 1)) is None
        rows.load([1], by="no")
        assert rows.get(("a", 1)) is None
        rows.add(Sample("a", 1, False, "second", None, None, ("x",)))
        rows.flush()
        assert loaded(connection, {"a"})["a", 1].text == "second"


def test_text_is_ordered_by_its_bytes_on_both_engines(views: Views) -> None:
    words = ["b", "a", "B", "é", "晴", "Z", "_", "1"]
    with views.writing() as connection:
        upsert(connection, SAMPLES.table, [(word, 1, True, None, None, None, "[]") for word in words])
        found = connection.execute(SAMPLES.table.select().order_by(SAMPLES.table.c.id)).all()
    assert [row.id for row in found] == sorted(words, key=str.encode)


def test_indexes_are_made_with_their_tables(views: Views) -> None:
    with views.reading() as connection:
        reflected = MetaData()
        reflected.reflect(connection, only=["samples_v1"])
    assert {index.name for index in reflected.tables["samples_v1"].indexes} == {"samples_v1_no"}
