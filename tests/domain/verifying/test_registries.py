"""A frame and a pool from raw events: what the service sealed from its tables, and lines that are not so."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace

from application import inspectors, sites
from domain import site as registry
from domain.draw import Draw
from domain.drawing.lines import Inspector, Site, read_frame, read_pool
from domain.ledger.entry import parse_entry
from domain.verifying.errors import WrongHistory
from domain.verifying.log import Logged, draws_of
from domain.verifying.registries import RegistryFold
from tests.journey import Journey, officer_facts, plan_row, provenance, site_facts
from tests.office import Agency

Told = tuple[Draw, list[Site], list[Inspector], bytes]


def logged(agency: Agency) -> Iterator[Logged]:
    """The log as an export with states tells it."""
    for row in agency.store.recorder.rows():
        yield Logged(parse_entry(row.entry), json.loads(row.state))


def fold_of(agency: Agency, draw: Draw) -> RegistryFold:
    """The registries as of the draw's seal."""
    assert draw.frozen is not None
    fold = RegistryFold(draw.draw_no, draw.frozen.as_of)
    for _ in fold.follow(draws_of(logged(agency))):
        pass
    return fold


def lived(agency: Agency) -> tuple[Journey, str]:
    """Registries with a history, a first draw and a visit; a second draw of the year, sealed."""
    journey = Journey(agency, sites=14, officers=9)
    plan = journey.prepared(plan_row(visits_a_year=1), plan_row(no="02", visits_a_year=1))
    _change_registries(journey)
    first = journey.drawn(plan)
    journey.reviewed(journey.assignments(first)[0])
    for assignment in journey.assignments(first)[1:]:
        journey.voided(assignment)
    second = journey.announced(plan, "02")
    journey.committed(second)
    journey.sealed(second)
    journey.site(70, "key")
    return journey, second


def _change_registries(journey: Journey) -> None:
    office, people = journey.office, journey.people

    def call() -> Any:
        return journey.call(people.officer)

    journey.officer(20, related=[site_facts(2).uscc])
    facts = replace(site_facts(1, stratum="general"), credit="red", needs=("air", "water"))
    sites.change_site(office, call(), journey.sites[1], facts=facts, provenance=provenance())
    away = replace(site_facts(4, stratum="general"), region="140200")
    moved: registry.Site = journey.load(registry.Site, journey.sites[4])
    moved.change(call().act, facts=away, provenance=provenance())
    office.workflow.save(moved)
    sites.remove_site(office, call(), journey.sites[2], ground="closed", provenance=provenance())
    changed = replace(officer_facts(0), areas=("140105", "140200"), lead=False)
    inspectors.change_inspector(office, call(), journey.officers[0], facts=changed, provenance=provenance())
    inspectors.remove_inspector(office, call(), journey.officers[1], provenance=provenance())


def read(journey: Journey, draw: str) -> Told:
    found: Draw = journey.load(Draw, draw)
    assert found.frozen is not None
    frame, pool = (journey.office.blobs.read(one) for one in (found.frozen.frame, found.frozen.pool))
    return found, read_frame(frame), read_pool(pool), pool


def test_raw_events_give_what_the_service_sealed(agency: Agency) -> None:
    journey, draw = lived(agency)
    found, frame, pool, raw = read(journey, draw)
    assert {site.reason for site in frame} == {"", "drawn"}
    fold = fold_of(agency, found)
    assert fold.applies
    assert not fold.untold
    fold.check_frame(frame)
    fold.check_pool(frame, pool, raw)


def without_third(lines: list[Any]) -> None:
    del lines[2]


def again_with_another_id(lines: list[Any]) -> None:
    lines.append(lines[-1]._replace(**{lines[-1]._fields[0]: "zzz"}))


@pytest.fixture(name="told")
def _told(sqlite_agency: Agency) -> tuple[RegistryFold, Told]:
    journey, draw = lived(sqlite_agency)
    found = read(journey, draw)
    return fold_of(sqlite_agency, found[0]), found


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (without_third, 3),
        (again_with_another_id, None),
        (lambda lines: lines.__setitem__(0, lines[0]._replace(weight=77)), 1),
        (lambda lines: lines.__setitem__(1, lines[1]._replace(stratum="other")), 2),
        (lambda lines: lines.__setitem__(1, lines[1]._replace(needs=("soil",))), 2),
        (lambda lines: lines.__setitem__(0, lines[0]._replace(eligible=False, reason="capped")), 1),
    ],
)
def test_a_frame_that_the_registries_do_not_give(
    told: tuple[RegistryFold, Told], change: Callable[[list[Any]], None], line: int | None
) -> None:
    fold, (_, frame, _, _) = told
    change(frame)
    with pytest.raises(WrongHistory) as wrong:
        fold.check_frame(frame)
    assert (wrong.value.rule, wrong.value.file) == ("frame-not-of-registry", "frame.jsonl")
    assert wrong.value.line == (line or len(frame))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (without_third, 3),
        (lambda lines: lines.__setitem__(0, lines[0]._replace(conflicts=("site-1",))), 1),
        (lambda lines: lines.__setitem__(1, lines[1]._replace(lead=not lines[1].lead)), 2),
        (lambda lines: lines.__setitem__(1, lines[1]._replace(areas=())), 2),
    ],
)
def test_a_pool_that_the_registries_do_not_give(
    told: tuple[RegistryFold, Told], change: Callable[[list[Any]], None], line: int
) -> None:
    fold, (_, frame, pool, raw) = told
    change(pool)
    with pytest.raises(WrongHistory) as wrong:
        fold.check_pool(frame, pool, raw)
    assert (wrong.value.rule, wrong.value.line) == ("pool-not-of-registry", line)


def test_a_pool_that_no_seal_names(told: tuple[RegistryFold, Told]) -> None:
    fold, (_, frame, pool, raw) = told
    with pytest.raises(WrongHistory) as wrong:
        fold.check_pool(frame, pool, raw + b"\n")
    assert (wrong.value.rule, wrong.value.line) == ("pool-not-of-registry", 0)
    assert sha256(raw).hexdigest() in str(fold)


def test_states_that_are_not_at_hand_are_said_to_be_missing(sqlite_agency: Agency) -> None:
    journey, draw = lived(sqlite_agency)
    found = read(journey, draw)[0]
    assert found.frozen is not None
    fold = RegistryFold(found.draw_no, found.frozen.as_of)
    for event in logged(sqlite_agency):
        fold.take(event._replace(state=None))
    assert fold.untold
