"""Assignments, tasks and results: who goes, what is next, and what the public sees."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec.structs import asdict

from domain.assignment import Assignment
from domain.draw import Draw
from domain.inspection import Inspection
from domain.site import Site
from projections import assignments, public_results, worklist
from projections.assignments import get_assignment, list_assignments
from projections.public_results import get_result, list_results
from projections.worklist import get_task, tasks_of, tasks_waiting
from tests import stages
from tests.builders import (
    CHEN,
    CITY,
    EXPERT,
    LEADER,
    RECORDER,
    REVIEWER,
    TEAM,
    USCC,
    WANG,
    ZHAO,
    act,
    assigned_task,
    digest,
    later,
    provenance,
    site_facts,
    stream,
)
from tests.projections.tale import Shelf, Tale

RECUSAL = stream("recusal")
CONDUCT = (stages.visit_approved, stages.notified, stages.identified, stages.evidence_added, stages.found)


def declare(assignment: Assignment, recusal: str = RECUSAL, inspector: str = CHEN) -> None:
    """A tie was declared."""
    assignment.declare_recusal(
        act(RECORDER),
        recusal=recusal,
        inspector=inspector,
        ground="near-relative",
        origin="self",
        detail="兄弟在该厂任职",
    )


def grant(assignment: Assignment, substitute: str | None = ZHAO) -> None:
    """The seat passed on."""
    assignment.grant_recusal(
        act(LEADER), recusal=RECUSAL, decider="", substitute=substitute, reason="属实", decided_as="head"
    )


def refuse(assignment: Assignment) -> None:
    """The inspector stays."""
    assignment.refuse_recusal(act(LEADER), recusal=RECUSAL, decider="", reason="不属实", decided_as="head")


def opened_draw(tale: Tale) -> Draw:
    """A draw whose bundle is public."""
    draw = tale.tell(
        stages.announcing()(),
        stages.committed,
        stages.sealed,
        stages.revealed,
        stages.observed,
        stages.completed,
    )
    draw.open(later(days=30), changes=digest(15))
    return tale.tell(draw)


# --- assignments -----------------------------------------------------------------------------


def test_an_assignment_is_hidden_until_its_draw_is_opened(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment())
    model = assignments.PROJECTION
    with shelf.after(model, tale) as connection:
        assert list_assignments(connection) == []
        assert get_assignment(connection, made.id) is None
        (seen,) = list_assignments(connection, sealed=True)
        assert seen.sealed
        assert seen == get_assignment(connection, made.id, sealed=True)
    opened_draw(tale)
    shelf.fold(model, [one for one in tale.needed(model) if isinstance(one.event, Draw.Opened)])
    with shelf.views.reading() as connection:
        (seen,) = list_assignments(connection)
        assert (seen.sealed, seen.assignment.id, seen.assignment.team) == (False, made.id, TEAM)


def test_a_granted_recusal_passes_the_seat_on(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment(), declare, grant)
    with shelf.after(assignments.PROJECTION, tale, batch=1) as connection:
        (seen,) = list_assignments(connection, sealed=True)
        row = seen.assignment
        assert {holding.seat: holding.inspector for holding in row.team} == made.team
        assert made.team == {"lead": ZHAO, "officer": WANG}
        (recusal,) = row.recusals
        assert (recusal.status, recusal.substitute, recusal.decided_by) == ("granted", ZHAO, LEADER)
        assert (row.pending, row.version) == (0, 3)
        for inspector, seats in ((CHEN, 0), (ZHAO, 1), (WANG, 1)):
            assert len(list_assignments(connection, inspector=inspector, sealed=True)) == seats


def test_a_pending_recusal_is_found_until_it_is_decided(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment(), declare)
    model = assignments.PROJECTION
    with shelf.after(model, tale) as connection:
        assert len(list_assignments(connection, pending_recusal=True, sealed=True)) == 1
    told = len(tale.recorded)
    tale.tell(made, refuse)
    shelf.fold(model, tale.recorded[told:])
    with shelf.views.reading() as connection:
        assert list_assignments(connection, pending_recusal=True, sealed=True) == []
        (seen,) = list_assignments(connection, sealed=True)
        assert [one.status for one in seen.assignment.recusals] == ["refused"]
        assert seen.assignment.team == TEAM


def test_a_void_site_names_its_ground_and_replacement(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment())
    made.ask_void(act(LEADER), ground="merged", evidence=(digest(),))
    made.void_site(act(), replacement=stream("assignment", 2))
    tale.tell(made)
    with shelf.after(assignments.PROJECTION, tale, batch=1) as connection:
        (seen,) = list_assignments(connection, status="void", sealed=True)
        row = seen.assignment
        assert (row.void_ground, row.void_evidence, row.replacement) == (
            "merged",
            (digest(),),
            stream("assignment", 2),
        )
        assert list_assignments(connection, status="assigned", sealed=True) == []


# --- worklist --------------------------------------------------------------------------------

STEPS: list[tuple[Any, str]] = [
    (stages.visit_approved, "notify"),
    (stages.notified, "show-identity"),
    (stages.identified, "inspect"),
    (stages.evidence_added, "inspect"),
    (stages.found, "inspect"),
    (stages.concluded, "review"),
    (lambda it: it.send_back(later(REVIEWER, hours=3), inspector=ZHAO, reason="缺照片"), "correct"),
    (stages.concluded, "review"),
    (stages.reviewed, "publish"),
    (lambda it: it.publish(later(days=1), published_on=date(2024, 4, 2), channels=["网站"]), "done"),
]


def test_each_step_of_an_inspection_tells_the_next(tale: Tale, shelf: Shelf) -> None:
    tale.tell(stages.made_assignment())
    with shelf.after(worklist.PROJECTION, tale) as connection:
        assert [(task.step, task.inspection) for task in tasks_of(connection, CHEN)] == [("open", "")]
    inspection = tale.tell(stages.opened_inspection())
    seen, told = [], 1
    for step, expected in [(None, "approve"), *STEPS]:
        tale.tell(inspection, *([step] if step else []))
        shelf.fold(worklist.PROJECTION, [one for one in tale.needed(worklist.PROJECTION) if one.idx >= told])
        told = len(tale.recorded)
        with shelf.views.reading() as connection:
            task = get_task(connection, stream("assignment"))
            assert task is not None
            seen.append((task.step, task.return_reason))
            assert len(tasks_of(connection, WANG, ended=True)) == int(expected == "done")
            assert len(tasks_waiting(connection, [CITY], step=expected)) == 1
    assert [step for step, _ in seen] == ["approve", *(step for _, step in STEPS)]
    assert [reason for step, reason in seen if step == "correct"] == ["缺照片"]
    assert {reason for step, reason in seen if step != "correct"} == {""}


def test_a_task_counts_standing_findings_and_knows_its_publication_date(tale: Tale, shelf: Shelf) -> None:
    tale.tell(stages.made_assignment())
    inspection = tale.tell(stages.opened_inspection(), *CONDUCT, stages.found)
    inspection.withdraw_finding(act(RECORDER), inspector=CHEN, no=2, reason="重复")
    tale.tell(inspection, stages.concluded)
    with shelf.after(worklist.PROJECTION, tale, batch=1) as connection:
        (task,) = tasks_of(connection, CHEN)
        assert task.findings == 1
        assert task.publication_due == datetime(2024, 4, 29, 15, 59, 59, 999999, UTC)
        assert [one.assignment for one in tasks_of(connection, EXPERT)] == [task.assignment]


def test_a_task_passes_with_the_seat_and_shows_what_is_pending(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment(), declare)
    model = worklist.PROJECTION
    with shelf.after(model, tale) as connection:
        assert [task.recusals for task in tasks_of(connection, CHEN)] == [(CHEN,)]
        assert len(tasks_waiting(connection, recusal_pending=True)) == 1
    told = len(tale.recorded)
    tale.tell(made, grant)
    shelf.fold(model, tale.recorded[told:])
    with shelf.views.reading() as connection:
        assert tasks_of(connection, CHEN) == []
        assert [(task.recusals, task.team) for task in tasks_of(connection, ZHAO)] == [((), (WANG, ZHAO))]
        assert tasks_waiting(connection, recusal_pending=True) == []


def test_a_changed_seat_must_show_identity_again(tale: Tale, shelf: Shelf) -> None:
    tale.tell(stages.made_assignment())
    inspection = tale.tell(stages.opened_inspection(), *CONDUCT)
    inspection.change_seat(act(), seat="lead", inspector=ZHAO)
    tale.tell(inspection)
    assert inspection.status == "notified"
    with shelf.after(worklist.PROJECTION, tale, batch=2) as connection:
        assert [task.step for task in tasks_of(connection, WANG)] == ["show-identity"]


def test_a_void_site_is_nobody_s_task_any_more(tale: Tale, shelf: Shelf) -> None:
    made = tale.tell(stages.made_assignment())
    made.ask_void(act(LEADER), ground="closed", evidence=(digest(),))
    made.void_site(act(), replacement="")
    tale.tell(made)
    with shelf.after(worklist.PROJECTION, tale) as connection:
        assert tasks_of(connection, CHEN) == []
        assert [task.step for task in tasks_of(connection, CHEN, ended=True)] == ["void"]


# --- public results --------------------------------------------------------------------------


def registered(tale: Tale) -> Site:
    """The site of the inspection, with a risk class that nobody may see."""
    site = Site.register(act(), id=stream("site"), facts=site_facts(), provenance=provenance())
    site.assess(act(), risk_class="D", assessed_on=date(2024, 1, 1), source="评定")
    return tale.tell(site)


def published(inspection: Inspection) -> None:
    """The result is public."""
    inspection.publish(later(days=20), published_on=date(2024, 4, 21), channels=["网站", "公示系统"])


def test_a_published_result_shows_enterprise_task_and_lines_and_nothing_else(
    tale: Tale, shelf: Shelf
) -> None:
    registered(tale)
    tale.tell(stages.published_plan())
    tale.tell(stages.opened_inspection(), *CONDUCT, stages.concluded, stages.reviewed, published)
    with shelf.after(public_results.PROJECTION, tale, batch=1) as connection:
        (result,) = list_results(connection)
        assert get_result(connection, result.inspection) == result
    shown = asdict(result)
    assert shown == {
        "inspection": stream("inspection"),
        "idx": len(tale.recorded) - 1,
        "uscc": USCC,
        "site": stream("site"),
        "site_name": "晴川化工有限公司",
        "region": CITY,
        "period": "2024Q2",
        "draw_no": 1,
        "task": "排污许可执法检查",
        "mode": "on-site",
        "primary": "corrected",
        "lines": result.lines,
        "findings": 1,
        "inspected_on": date(2024, 4, 1),
        "published_on": date(2024, 4, 21),
        "due": datetime(2024, 4, 29, 15, 59, 59, 999999, UTC),
        "channels": ("网站", "公示系统"),
    }
    assert [(line.item, line.code) for line in result.lines] == [("SX-01", "corrected"), ("SX-02", "none")]


@pytest.mark.parametrize("upto", range(len(CONDUCT) + 3))
def test_nothing_is_public_before_publication(tale: Tale, shelf: Shelf, upto: int) -> None:
    registered(tale)
    steps = (*CONDUCT, stages.concluded, stages.reviewed)[:upto]
    tale.tell(stages.opened_inspection(), *steps)
    with shelf.after(public_results.PROJECTION, tale) as connection:
        assert list_results(connection) == []
        assert get_result(connection, stream("inspection")) is None


def test_a_withheld_result_is_never_public(tale: Tale, shelf: Shelf) -> None:
    inspection = tale.tell(stages.opened_inspection(), *CONDUCT, stages.concluded, stages.reviewed)
    inspection.withhold(later(LEADER, days=1), ground="trade-secret", reason="商业秘密")
    tale.tell(inspection)
    with shelf.after(public_results.PROJECTION, tale, batch=1) as connection:
        assert list_results(connection) == []
        assert connection.execute(public_results.DRAFTS.table.select()).all() == []


def test_results_are_found_by_what_the_public_asks_for(tale: Tale, shelf: Shelf) -> None:
    registered(tale)
    tale.tell(stages.opened_inspection(), *CONDUCT, stages.concluded, stages.reviewed, published)
    with shelf.after(public_results.PROJECTION, tale) as connection:
        for found in (
            {"uscc": USCC},
            {"site": stream("site")},
            {"period": "2024Q2"},
            {"primary": "corrected"},
            {"text": "晴川"},
            {"regions": ["140000"]},
            {"published_from": date(2024, 4, 21), "published_to": date(2024, 4, 21)},
        ):
            assert len(list_results(connection, **found)) == 1, found
        for missed in (
            {"uscc": "x"},
            {"primary": "none"},
            {"text": "晴山"},
            {"regions": ["140200"]},
            {"published_from": date(2024, 4, 22)},
            {"published_to": date(2024, 4, 20)},
        ):
            assert list_results(connection, **missed) == [], missed


def test_the_task_of_another_assignment_is_another_task(tale: Tale, shelf: Shelf) -> None:
    other = Assignment.make(
        act(), id=stream("assignment", 2), task=assigned_task(site=stream("site", 2)), team=TEAM
    )
    first = tale.tell(stages.made_assignment())
    tale.tell(other)
    with shelf.after(worklist.PROJECTION, tale) as connection:
        (task,) = tasks_of(connection, CHEN, limit=1)
        (rest,) = tasks_of(connection, CHEN, after=task.idx)
        assert (task.assignment, rest.assignment) == (first.id, other.id)
