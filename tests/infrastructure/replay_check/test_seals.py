"""Finding 13: a sealed frame or pool that is not what the registry events up to its `as_of` give.

The owner recomputes every hash of the ledger, the claims and the read models: nothing else can find it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from application.sealing import counts_of, sealed_files
from domain.draw import Draw
from domain.draw_values import Seal
from domain.drawing.bundle import SealedFiles
from domain.drawing.lines import Inspector as PoolLine
from domain.drawing.lines import Site as FrameLine
from domain.drawing.lines import read_frame, read_pool
from domain.inspector import Inspector, Relation
from domain.ledger.finding import Finding
from domain.plan import Plan
from domain.site import Site
from infrastructure.replay_check.histories import Histories
from tests.infrastructure.replay_check.conftest import ACT, END, Case
from tests.infrastructure.replay_check.owner import Event, inserted, rewrite, tidy, with_state
from tests.journey import officer_facts, provenance, site_facts

Lines = tuple[list[FrameLine], list[PoolLine]]


def sealed_at(case: Case, draw: str) -> int:
    return case.idx(Draw.Sealed.TOPIC, draw)


def fresh(case: Case) -> list[str]:
    """The draws whose frame was not kept from an earlier attempt."""
    return [case.told.completed, case.told.voided, case.told.refreshed]


def load(case: Case, kind: Any, stream: str, until: int = END) -> Any:
    return Histories(case.store.recorder, case.mapper).load(kind, stream, until)


def slip_in(case: Case, place: int, decided: Any) -> list[Finding]:
    """What is found once an event stands at a place as if it had always been there."""
    rewrite(case.store, lambda events: inserted(events, place, decided))
    tidy(case.store)
    return list(case.findings())


def reseal(case: Case, draw: str, change: Callable[[list[FrameLine], list[PoolLine]], None]) -> list[Finding]:
    """What is found once other lines were sealed than there were, with rules and all hashes to fit."""
    frozen: Seal = load(case, Draw, draw, sealed_at(case, draw)).frozen
    frame, pool = read_frame(case.blobs.read(frozen.frame)), read_pool(case.blobs.read(frozen.pool))
    change(frame, pool)
    return put_seal(case, draw, files_of(case, draw, frozen.as_of, frame, pool))


def files_of(
    case: Case, draw: str, as_of: int, frame: Sequence[FrameLine], pool: Sequence[PoolLine]
) -> SealedFiles:
    sealing = load(case, Draw, draw, sealed_at(case, draw))
    plan: Plan = load(case, Plan, sealing.plan)
    return sealed_files(sealing, plan.row(sealing.row), as_of, frame, pool)


def put_seal(case: Case, draw: str, files: SealedFiles, **other: Any) -> list[Finding]:
    place = sealed_at(case, draw)
    named = {
        "rules_hash": files.rules_hash.hex(),
        "rules": case.blobs.put(files.rules_json),
        "frame": case.blobs.put(files.frame_jsonl),
        "pool": case.blobs.put(files.pool_jsonl),
        "strata": msgspec.to_builtins(counts_of(files)),
        **other,
    }

    def change(events: list[Event]) -> list[Event]:
        seal = msgspec.json.decode(events[place]["state"])["seal"] | named
        return [*events[:place], with_state(events[place], seal=seal), *events[place + 1 :]]

    rewrite(case.store, change)
    tidy(case.store)
    return list(case.findings())


def test_a_site_registered_after_the_fact_under_an_earlier_date(case: Case) -> None:
    place = case.idx("plan.drafted.v1")
    facts = site_facts(501, stratum="key")
    twin = Site.register(ACT, id="site-" + "a" * 32, facts=facts, provenance=provenance())
    found = slip_in(case, place, twin)
    assert {(one.code, one.idx, one.params["row"], one.params["id"]) for one in found} == {
        ("frame.differs", place, "missing", twin.id)
    }
    assert [one.params["draw"] for one in found] == fresh(case)
    assert [one.params["seal"] for one in found] == [sealed_at(case, draw) for draw in fresh(case)]


def test_a_site_that_left_before_the_draw_only_after_it(case: Case) -> None:
    """A site is taken off the registry under an earlier date, as if it had been drawn without right."""
    place, frozen = case.idx("plan.drafted.v1"), load(case, Draw, case.told.completed).frozen
    line = read_frame(case.blobs.read(frozen.frame))[4]
    site = load(case, Site, line.id, place)
    site.remove(ACT, ground="closed", provenance=provenance())
    found = slip_in(case, place, site)
    first = found[0]
    assert first.code == "frame.differs"
    assert (first.idx, first.params["line"], first.params["id"]) == (place, 5, line.id)
    assert (first.params["row"], first.params["draw"]) == ("unknown", case.told.completed)


def test_a_site_re_classed_under_an_earlier_date(case: Case) -> None:
    place = case.idx("plan.drafted.v1")
    site: Site = load(case, Site, case.told.site, place)
    assert site.facts.stratum == "general"
    site.change(ACT, facts=replace(site.facts, stratum="key"), provenance=provenance())
    found = slip_in(case, place, site)
    [finding] = [one for one in found if one.params.get("draw") == case.told.completed]
    assert (finding.code, finding.idx, finding.params["columns"]) == ("frame.differs", place, "stratum")


def test_a_relation_declared_under_an_earlier_date(case: Case) -> None:
    place = case.idx("plan.drafted.v1")
    officer: Inspector = load(case, Inspector, case.told.officer, place)
    relations = (Relation(site_facts(4).uscc, "party"),)
    facts = replace(officer_facts(0), relations=relations)
    officer.change(ACT, facts=facts, provenance=provenance())
    found = slip_in(case, place, officer)
    [finding] = [one for one in found if one.params.get("draw") == case.told.completed]
    assert (finding.code, finding.params["columns"]) == ("pool.differs", "conflicts")
    assert finding.params["id"] == case.told.officer


def test_an_officer_registered_under_an_earlier_date(case: Case) -> None:
    place = case.idx("plan.drafted.v1")
    officer = Inspector.register(
        ACT,
        id="inspector-" + "a" * 32,
        region="140100",
        person="",
        commitment="",
        facts=officer_facts(2),
        provenance=provenance(),
    )
    found = [one for one in slip_in(case, place, officer) if one.code != "person.unknown"]
    assert {(one.code, one.idx, one.params["row"]) for one in found} == {("pool.differs", place, "missing")}
    assert [one.params["draw"] for one in found] == fresh(case)


def test_a_registry_that_moved_between_the_reading_and_the_seal(case: Case) -> None:
    place = sealed_at(case, case.told.refreshed)
    twin = Site.register(ACT, id="site-" + "b" * 32, facts=site_facts(502), provenance=provenance())
    [finding] = slip_in(case, place, twin)
    assert (finding.code, finding.idx) == ("frame.outdated", place)
    assert (finding.params["draw"], finding.params["seal"]) == (case.told.refreshed, place + 1)


@pytest.mark.parametrize("behind", [0, 7])
def test_a_position_that_is_not_before_the_seal(case: Case, behind: int) -> None:
    place = sealed_at(case, case.told.refreshed)
    frozen: Seal = load(case, Draw, case.told.refreshed).frozen
    frame, pool = read_frame(case.blobs.read(frozen.frame)), read_pool(case.blobs.read(frozen.pool))
    files = files_of(case, case.told.refreshed, place + behind, frame, pool)
    [finding] = put_seal(case, case.told.refreshed, files, as_of=place + behind)
    assert (finding.code, finding.idx) == ("frame.outdated", place)


def test_a_site_left_out_of_the_drum(case: Case) -> None:
    gone: list[FrameLine] = []
    [finding] = reseal(case, case.told.refreshed, lambda frame, pool: gone.append(frame.pop(3)))
    registered = case.store.recorder.recorded(gone[0].id)[-1].idx
    params = {
        "draw": case.told.refreshed,
        "line": 4,
        "id": gone[0].id,
        "row": "missing",
        "columns": "",
        "seal": sealed_at(case, case.told.refreshed),
    }
    assert (finding.code, finding.params) == ("frame.differs", params)
    assert finding.idx is not None
    assert finding.idx <= registered


def test_a_site_that_was_drawn_this_year_put_into_the_drum_again(case: Case) -> None:
    drawn: list[str] = []

    def change(frame: list[FrameLine], pool: list[PoolLine]) -> None:
        number = next(number for number, line in enumerate(frame) if line.reason == "drawn")
        drawn.append(frame[number].id)
        frame[number] = frame[number]._replace(eligible=True, reason="")

    [finding] = reseal(case, case.told.refreshed, change)
    [row] = case.store.recorder.rows(finding.idx or 0, 1)
    assert (finding.code, finding.params["columns"]) == ("frame.differs", "eligible, reason")
    assert row.topic == "assignment.made.v1"
    assert msgspec.json.decode(row.state)["task"]["site"] == drawn[0]


def test_a_weight_that_the_plan_does_not_give(case: Case) -> None:
    def change(frame: list[FrameLine], pool: list[PoolLine]) -> None:
        frame[0] = frame[0]._replace(weight=99)

    [finding] = reseal(case, case.told.refreshed, change)
    assert (finding.code, finding.params["line"], finding.params["columns"]) == ("frame.differs", 1, "weight")


def test_an_officer_left_out_of_the_pool(case: Case) -> None:
    gone: list[PoolLine] = []
    [finding] = reseal(case, case.told.voided, lambda frame, pool: gone.append(pool.pop(2)))[:1]
    assert (finding.code, finding.params["id"]) == ("pool.differs", gone[0].ref)
    assert (finding.params["line"], finding.params["row"]) == (3, "missing")


def test_a_repeated_attempt_with_another_frame(case: Case) -> None:
    def change(frame: list[FrameLine], pool: list[PoolLine]) -> None:
        frame[0] = frame[0]._replace(salt="0" * 32)

    [finding] = reseal(case, case.told.repeated, change)
    assert (finding.code, finding.idx) == ("frame.differs", sealed_at(case, case.told.repeated))
    assert finding.params["earlier"] == case.told.voided


def test_rules_that_the_plan_does_not_give(case: Case) -> None:
    draw = case.told.refreshed
    frozen: Seal = load(case, Draw, draw).frozen
    frame, pool = read_frame(case.blobs.read(frozen.frame)), read_pool(case.blobs.read(frozen.pool))
    sealing = load(case, Draw, draw, sealed_at(case, draw))
    row = load(case, Plan, sealing.plan).row(sealing.row)
    strata = (replace(row.strata[0], num=1, den=1), *row.strata[1:])
    files = sealed_files(sealing, replace(row, strata=strata), frozen.as_of, frame, pool)
    [finding] = put_seal(case, draw, files)
    assert (finding.code, finding.idx) == ("rules.differs", sealed_at(case, draw))
    assert finding.params["columns"] == "rules, strata, rules_hash"


def test_a_frame_that_is_none(case: Case) -> None:
    draw = case.told.refreshed
    frozen: Seal = load(case, Draw, draw).frozen
    frame, pool = read_frame(case.blobs.read(frozen.frame)), read_pool(case.blobs.read(frozen.pool))
    files = files_of(case, draw, frozen.as_of, frame, pool)
    found = put_seal(case, draw, files, frame=case.blobs.put(files.frame_jsonl + b"\n"))
    assert [one.code for one in found] == ["frame.differs", "rules.differs"]
    assert all(one.params["reason"] for one in found)


def test_a_draw_whose_plan_is_not_there(case: Case) -> None:
    place = case.idx("plan.published.v1")
    rewrite(case.store, lambda events: [*events[:place], *events[place + 1 :]])
    found = [one for one in case.findings() if one.code == "frame.unformed"]
    assert len(found) == 4
    assert {str(one.params["reason"]).split(":")[0] for one in found} == {"PlanStatusWrong"}
