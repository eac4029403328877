"""Read models follow the log: in any batches, by any number of runners, whatever breaks in between."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_fields

from application.sites import register_site
from domain.errors import EventUnreadable
from domain.site import Site
from infrastructure.event_store.mapper import EventMapper
from infrastructure.projection_runner import ProjectionRunner, ProjectionUnknown
from projections import sites
from projections.projection import Batch, Projection, Recorded
from projections.register import PROJECTIONS
from projections.sites import list_sites
from tests.builders import ORIGIN
from tests.fakes import SeededChance
from tests.journey import Journey, plan_row, provenance, site_facts
from tests.office import Agency
from tests.projections.tale import Shelf, Tale, dump

MAPPER = EventMapper(SeededChance())


def runner_of(
    agency: Agency, *, batch: int = 1000, models: Sequence[Projection] = PROJECTIONS
) -> ProjectionRunner:
    """A runner over the agency's store."""
    return ProjectionRunner(agency.store, MAPPER, log=ORIGIN, projections=models, batch=batch)


@pytest.fixture
def runner(agency: Agency) -> Iterator[ProjectionRunner]:
    """A runner with small batches."""
    made = runner_of(agency, batch=7)
    yield made
    made.close()


def carried_on(journey: Journey) -> Iterator[None]:
    """A quarter's work, step by step: draw, recusal, inspections, violation."""
    draw = journey.completed_draw(plan_row(seats_each=9))
    yield
    first, second, third, *_ = journey.assignments(draw)
    journey.recusal(third)
    journey.published(first, finding="rectifying")
    yield
    journey.violation(second)
    yield


def rows_of(runner: ProjectionRunner) -> dict[str, list[tuple[object, ...]]]:
    """Everything the runner's read models hold."""
    with runner.views.reading(*runner.projections) as connection:
        return dump(connection, runner.projections)


def positions_of(runner: ProjectionRunner) -> set[int]:
    """Where the read models stand."""
    return {one.position for one in runner.status()}


def test_what_was_followed_step_by_step_equals_a_rebuild(agency: Agency, runner: ProjectionRunner) -> None:
    for _ in carried_on(Journey(agency)):
        runner.catch_up()
    live = rows_of(runner)
    assert positions_of(runner) == {agency.size() - 1}
    assert sum(len(rows) for rows in live.values()) > agency.size()
    runner.rebuild()
    assert rows_of(runner) == live
    assert positions_of(runner) == {agency.size() - 1}
    assert runner.catch_up() == 0


def test_the_rows_are_those_that_one_fold_without_an_engine_of_its_own_gives(
    agency: Agency, runner: ProjectionRunner, shelf: Shelf
) -> None:
    for _ in carried_on(Journey(agency)):
        runner.catch_up()
    tale = Tale()
    for row, event in zip(agency.store.recorder.rows(), agency.events(), strict=True):
        tale.recorded.append(Recorded(row.idx, datetime.fromisoformat(row.at), event))
    for model in PROJECTIONS:
        shelf.fold(model, tale.needed(model))
    with shelf.views.reading() as connection:
        assert dump(connection, PROJECTIONS) == rows_of(runner)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    """An embedded database of read models without a log."""
    made = Shelf(tmp_path / "shelf")
    yield made
    made.views.close()


def test_two_runners_at_once_count_everything_once(agency: Agency) -> None:
    runners = [runner_of(agency, batch=3) for _ in range(2)]
    for runner in runners:
        runner.prepare()
    for _ in carried_on(Journey(agency)):
        threads = [threading.Thread(target=runner.catch_up) for runner in runners]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert {one.status for one in runners[0].status()} == {"live"}
    assert positions_of(runners[0]) == {agency.size() - 1}
    live = rows_of(runners[0])
    runners[0].rebuild()
    assert rows_of(runners[0]) == live
    for runner in runners:
        runner.close()


class Killed(BaseException):
    """The process ends here."""


class Fragile(Projection):
    """Ends the process after its rows were written, before they are committed."""

    def apply(self, connection: Any, events: Sequence[Recorded]) -> None:
        """Write, then die."""
        super().apply(connection, events)
        raise Killed


def test_a_crash_between_rows_and_commit_leaves_neither_rows_nor_position(agency: Agency) -> None:
    Journey(agency, sites=3).registries()
    model = sites.PROJECTION
    fragile = Fragile(model.name, model.views, model.handlers, model.begin)
    dying = runner_of(agency, models=[fragile])
    with pytest.raises(Killed):
        dying.catch_up()
    assert positions_of(dying) == {-1}
    with dying.views.reading() as connection:
        assert list_sites(connection) == []
    dying.close()
    runner = runner_of(agency, models=[model])
    runner.catch_up()
    with runner.views.reading() as connection:
        assert len(list_sites(connection)) == 3
    runner.close()


def refuse(state: Any, event: Site.Registered, recorded: Recorded) -> None:
    """A handler that cannot bear the second site."""
    if event.facts.stratum == "general":
        raise ValueError("the second site is too much")


def nothing(batch: Batch, events: Sequence[Recorded]) -> None:
    """No rows are needed."""


def test_a_failing_read_model_stops_alone_says_so_and_resumes_where_it_was(agency: Agency) -> None:
    journey = Journey(agency, sites=0)
    first = journey.site(0, "key")
    failing = Projection("failing", (), {Site.Registered: refuse}, nothing)
    runner = runner_of(agency, models=[failing, sites.PROJECTION])
    runner.catch_up()
    stood = agency.size() - 1
    journey.site(1, "general")
    runner.catch_up()
    runner.catch_up()
    broken, live = runner.status()
    assert (broken.name, broken.status, broken.position) == ("failing", "failed", stood)
    assert "the second site is too much" in broken.error
    assert f"event {agency.size() - 1}" in broken.error
    assert (live.status, live.lag, broken.lag) == ("live", 0, 1)
    with runner.views.reading() as connection:
        assert list_sites(connection)[0].id == first
    assert not runner.wait_for(agency.size() - 1, timeout=5.0)
    runner.close()
    seen: list[int] = []
    mended = replace(failing, handlers={Site.Registered: lambda state, event, one: seen.append(one.idx)})
    again = runner_of(agency, models=[mended, sites.PROJECTION])
    again.catch_up()
    assert [one.status for one in again.status()] == ["live", "live"]
    assert seen == [agency.size() - 1]
    again.close()


def test_an_event_that_cannot_be_read_stops_only_who_needs_it(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = Journey(agency, sites=2)
    journey.registries()
    mapper = EventMapper(SeededChance())
    read = mapper.to_domain_event

    def unreadable(stored: Any) -> Any:
        if stored.topic == Site.Registered.TOPIC:
            raise EventUnreadable(topic=stored.topic)
        return read(stored)

    monkeypatch.setattr(mapper, "to_domain_event", unreadable)
    runner = ProjectionRunner(agency.store, mapper, log=ORIGIN)
    runner.catch_up()
    failed = {one.name for one in runner.status() if one.status == "failed"}
    assert failed == {"sites", "persons", "public_results", "timeline"}
    assert {one.lag for one in runner.status() if one.status == "live"} == {0}
    runner.close()


def test_who_wrote_reads_what_he_wrote(agency: Agency, runner: ProjectionRunner) -> None:
    journey = Journey(agency)
    stop = threading.Event()
    worker = threading.Thread(target=runner.run, args=(stop, 5.0))
    worker.start()
    try:
        for number in range(3):
            site = journey.site(number, "key")
            assert runner.wait_for(agency.size() - 1, timeout=20.0)
            with runner.views.reading() as connection:
                assert list_sites(connection)[-1].id == site
    finally:
        stop.set()
        runner.nudge()
        worker.join(20)
    assert not worker.is_alive()
    journey.site(9, "key")
    assert not runner.wait_for(agency.size() - 1, timeout=0.05)


@contextmanager
def following(*runners: ProjectionRunner) -> Iterator[None]:
    """All of them run until the end of the block."""
    stop = threading.Event()
    workers = [threading.Thread(target=runner.run, args=(stop, 5.0)) for runner in runners]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        stop.set()
        for runner, worker in zip(runners, workers, strict=True):
            runner.nudge()
            worker.join(20)
    assert not any(worker.is_alive() for worker in workers)


def test_runners_that_follow_the_same_log_count_everything_once(agency: Agency) -> None:
    runners = [runner_of(agency) for _ in range(3)]
    with following(*runners):
        for _ in carried_on(Journey(agency)):
            for runner in runners:
                runner.nudge()
            assert all(runner.wait_for(agency.size() - 1, timeout=20.0) for runner in runners)
    assert {one.status for one in runners[0].status()} == {"live"}
    live = rows_of(runners[0])
    runners[0].rebuild()
    assert rows_of(runners[0]) == live
    for runner in runners:
        runner.close()


def test_a_process_without_a_runner_of_its_own_sees_what_another_has_done(
    agency: Agency, runner: ProjectionRunner
) -> None:
    asking = runner_of(agency)
    with following(runner):
        Journey(agency).site(1, "key")
        runner.nudge()
        assert asking.wait_for(agency.size() - 1, timeout=20.0)
    with asking.views.reading() as connection:
        assert len(list_sites(connection)) == 1
    asking.close()


def test_a_runner_outlives_what_nobody_foresaw(
    agency: Agency, runner: ProjectionRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()

    def fail(*_: object) -> int:
        failed.set()
        raise RuntimeError("not foreseen")

    with following(runner):
        with monkeypatch.context() as patch:
            patch.setattr(agency.store.recorder, "head", fail)
            runner.nudge()
            assert failed.wait(20)
        Journey(agency).site(1, "key")
        assert runner.wait_for(agency.size() - 1, timeout=20.0)


def test_catching_up_ends_where_it_is_told(agency: Agency, runner: ProjectionRunner) -> None:
    journey = Journey(agency, sites=5)
    journey.registries()
    assert runner.catch_up(until=3) == 4
    assert positions_of(runner) == {3}
    runner.catch_up(names=["sites"])
    assert {one.name for one in runner.status() if one.lag == 0} == {"sites"}
    with pytest.raises(ProjectionUnknown):
        runner.catch_up(names=["nosuch"])


@pytest.mark.parametrize("name", ["晴川\0化工", "a\\\0", "\\u0000", "\\\\u0000\0"])
def test_a_zero_character_is_shown_as_a_replacement_and_stops_nothing(
    agency: Agency, runner: ProjectionRunner, name: str
) -> None:
    call = agency.call(agency.people.officer)
    register_site(
        agency.office, call, facts=replace_fields(site_facts(1), name=name), provenance=provenance()
    )
    runner.catch_up()
    assert {one.status for one in runner.status()} == {"live"}
    with runner.views.reading() as connection:
        assert [site.name for site in list_sites(connection)] == [name.replace("\0", "\ufffd")]
