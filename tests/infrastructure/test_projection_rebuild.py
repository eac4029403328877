"""Read models are built anew beside the live ones, which serve until the swap."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import inspect

from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_rebuild import RebuildFailed
from infrastructure.projection_runner import ProjectionRunner, ProjectionUnknown
from projections import sites
from projections.projection import Projection, Recorded
from projections.sites import list_sites
from tests.builders import ORIGIN
from tests.fakes import SeededChance
from tests.journey import Journey
from tests.office import Agency

MAPPER = EventMapper(SeededChance())


@pytest.fixture
def journey(agency: Agency) -> Journey:
    """An agency with five sites."""
    walked = Journey(agency, sites=5, officers=2)
    walked.registries()
    return walked


@pytest.fixture
def runner(agency: Agency) -> Iterator[ProjectionRunner]:
    """A runner with small batches."""
    made = ProjectionRunner(agency.store, MAPPER, log=ORIGIN, batch=4)
    yield made
    made.close()


def names_of(runner: ProjectionRunner) -> list[str]:
    """The names of the sites that a reader finds."""
    with runner.views.reading() as connection:
        return [site.name for site in list_sites(connection)]


def tables_of(runner: ProjectionRunner) -> set[str]:
    """The tables that are there."""
    with runner.views.reading() as connection:
        return set(inspect(connection).get_table_names())


def test_the_live_one_serves_and_moves_on_while_the_new_one_is_built(
    journey: Journey, runner: ProjectionRunner
) -> None:
    runner.catch_up()
    served: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        if len(served) < 3:
            journey.site(10 + len(served), "key")
            runner.catch_up()
        served.append(len(names_of(runner)))
        assert 0 < done <= total

    runner.rebuild(["sites"], meanwhile)
    assert served[:3] == [6, 7, 8]
    assert len(names_of(runner)) == 8
    assert {one.lag for one in runner.status()} == {0}


def test_a_rebuild_mends_what_somebody_spoiled(journey: Journey, runner: ProjectionRunner) -> None:
    runner.catch_up()
    good = names_of(runner)
    with runner.views.writing() as connection:
        connection.exec_driver_sql("UPDATE sites_v2 SET name = 'spoiled'")
    assert names_of(runner) == ["spoiled"] * 5
    runner.rebuild(["sites"])
    assert names_of(runner) == good


def test_rebuilding_again_and_again_leaves_nothing_behind(journey: Journey, runner: ProjectionRunner) -> None:
    runner.catch_up()
    before = tables_of(runner)
    for _ in range(3):
        runner.rebuild()
    assert tables_of(runner) == before
    with runner.views.reading() as connection:
        indexes = inspect(connection).get_indexes("sites_v2")
    assert {tuple(index["column_names"]) for index in indexes} == {("idx",), ("region", "stratum"), ("uscc",)}


class Broken(Projection):
    """Cannot fold beside the live one."""

    def apply(self, connection: Any, events: Sequence[Recorded]) -> None:
        """Fail in a rebuild."""
        if self.suffix:
            raise ValueError("not twice")
        super().apply(connection, events)


def test_a_rebuild_that_fails_leaves_the_live_one_as_it_was(agency: Agency, journey: Journey) -> None:
    model = sites.PROJECTION
    broken = Broken(model.name, model.views, model.handlers, model.begin)
    runner = ProjectionRunner(agency.store, MAPPER, log=ORIGIN, projections=[broken])
    runner.catch_up()
    before = tables_of(runner)
    with pytest.raises(RebuildFailed) as refusal:
        runner.rebuild()
    assert "not twice" in refusal.value.facts["reason"]
    assert len(names_of(runner)) == 5
    assert tables_of(runner) == before
    assert [(one.status, one.lag) for one in runner.status()] == [("live", 0)]
    runner.close()


class Killed(BaseException):
    """The process ends here."""


def test_what_a_killed_rebuild_left_is_cleared_by_the_next(
    journey: Journey, runner: ProjectionRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.catch_up()
    before = tables_of(runner)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("infrastructure.projection_rebuild.Rebuild._clear", lambda *_: None)
        with pytest.raises(Killed):
            runner.rebuild(["sites"], die)
    assert tables_of(runner) - before == {"sites_v2__g1"}
    runner.rebuild(["sites"])
    assert tables_of(runner) == before
    assert len(names_of(runner)) == 5


def test_a_reader_who_named_its_models_is_not_swapped_away_under(
    journey: Journey, runner: ProjectionRunner
) -> None:
    runner.catch_up()
    rebuild = threading.Thread(target=runner.rebuild, args=(["sites"],))
    with runner.views.reading(sites.PROJECTION) as connection:
        rebuild.start()
        time.sleep(0.3)
        assert len(list_sites(connection)) == 5
    rebuild.join(30)
    assert not rebuild.is_alive()
    assert len(names_of(runner)) == 5


def test_a_name_that_is_unknown_is_refused(runner: ProjectionRunner) -> None:
    with pytest.raises(ProjectionUnknown) as refusal:
        runner.rebuild(["sitess"])
    assert refusal.value.facts["name"] == "sitess"
    assert "sites" in refusal.value.facts["known"]
