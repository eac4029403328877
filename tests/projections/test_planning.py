"""Catalogue, plans, draws: what was decided before anybody went."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.draw import Draw
from domain.item import Item
from domain.plan import PlanRow
from projections import catalogue, draws, plans
from projections.catalogue import (
    current_edition,
    get_catalogue,
    get_edition,
    get_item,
    item_versions,
    list_editions,
    list_items,
)
from projections.draws import DrawEntry, get_draw, list_draws
from projections.plans import get_plan, get_row, list_plans, list_rows, plan_rows
from tests import stages
from tests.builders import (
    AGENCY,
    BEACON,
    CITY,
    DISCIPLINE,
    LEADER,
    ROLLED,
    SECRETS,
    TODAY,
    act,
    digest,
    item_facts,
    later,
    plan_row,
    seal,
    stream,
)
from tests.projections.tale import Shelf, Tale


def test_an_item_keeps_all_its_versions(tale: Tale, shelf: Shelf) -> None:
    item = tale.tell(stages.drafted_item())
    facts = item_facts(content="是否按证排污，是否按期报告")
    item.revise(act(), facts=facts, reason="条例修订")
    item.repeal(act(), effective_from=date(2025, 1, 1), reason="取消")
    tale.tell(item)
    tale.tell(stages.drafted_item("SX-02", name="噪声检查", category="general"))
    with shelf.after(catalogue.PROJECTION, tale, batch=1) as connection:
        row = get_item(connection, item.id)
        assert row is not None
        assert (row.number, row.content, row.version) == (2, facts.content, 3)
        assert (row.repealed_from, row.bases) == (date(2025, 1, 1), facts.bases)
        versions = item_versions(connection, item.id)
        assert [(one.number, one.reason, one.facts) for one in versions] == [
            (1, "", item_facts()),
            (2, "条例修订", facts),
        ]
        assert [one.code for one in list_items(connection, category="general")] == ["SX-02"]
        assert [one.code for one in list_items(connection, text="噪声")] == ["SX-02"]
        assert [one.code for one in list_items(connection, code="SX-01")] == ["SX-01"]


def test_an_edition_stands_as_it_was_published(tale: Tale, shelf: Shelf) -> None:
    region = tale.tell(stages.opened_catalogue())
    items: list[Item] = [stages.drafted_item()]
    region.publish(act(), published_on=TODAY, items=items)
    items.append(stages.drafted_item("SX-02"))
    region.publish(act(), published_on=date(2024, 5, 1), items=items)
    tale.tell(region)
    with shelf.after(catalogue.PROJECTION, tale, batch=1) as connection:
        latest, first = list_editions(connection)
        assert (first.edition, first.published_on, first.version) == (1, TODAY, 2)
        assert [line.code for line in first.lines] == ["SX-01"]
        assert [line.code for line in latest.lines] == ["SX-01", "SX-02"]
        assert current_edition(connection, CITY) == latest
        assert get_edition(connection, region.id, 1) == first
        assert current_edition(connection, "140200") is None
        found = get_catalogue(connection, CITY)
        assert found is not None
        assert (found.id, found.edition, found.version) == (region.id, 2, 3)


def test_a_plan_shows_where_it_stands_and_its_rows(tale: Tale, shelf: Shelf) -> None:
    plan = tale.tell(stages.drafted_plan(), stages.row_set)
    plan.set_row(act(), row=plan_row(no="02", task="噪声"), catalogue=stages.published_catalogue())
    plan.drop_row(act(), no="02")
    plan.set_row(act(), row=plan_row(task="排污许可执法检查（改）"), catalogue=stages.published_catalogue())
    plan.submit(act())
    plan.send_back(act(LEADER), reason="比例过低")
    tale.tell(plan)
    with shelf.after(plans.PROJECTION, tale, batch=1) as connection:
        row = get_plan(connection, plan.id)
        assert row is not None
        assert (row.status, row.return_reason, row.decided_by) == ("draft", "比例过低", LEADER)
        assert (row.version, row.published_on) == (plan.version, None)
        (kept,) = plan_rows(connection, plan.id)
        assert (kept.no, kept.task, kept.idx, kept.position) == ("01", "排污许可执法检查（改）", 1, 4)
        assert list_plans(connection, status="published") == []


def test_a_published_plan_is_public_with_all_that_its_rows_say(tale: Tale, shelf: Shelf) -> None:
    plan = tale.tell(stages.published_plan())
    with shelf.after(plans.PROJECTION, tale) as connection:
        (row,) = list_plans(connection, [CITY], year=2024, status="published")
        assert (row.published_on, row.decided_by, row.title) == (plan_day(tale), LEADER, plan.title)
        (found,) = list_rows(connection, period="2024Q2", status="published")
        same = {name: getattr(found, name) for name in PlanRow.__struct_fields__}
        assert PlanRow(**same) == plan.rows["01"]
        assert get_row(connection, plan.id, "01") == found
        assert list_rows(connection, period="2024Q3") == []
        assert list_plans(connection, year=2023) == []


def plan_day(tale: Tale) -> Any:
    """The day on which the plan was published."""
    return getattr(tale.recorded[-1].event, "published_on")  # noqa: B009


def drawn(tale: Tale, shelf: Shelf, id: str, **options: Any) -> DrawEntry:
    """The draw after the tale."""
    with shelf.after(draws.PROJECTION, tale) as connection:
        found = get_draw(connection, id, **options)
    assert found is not None
    return found


def test_a_completed_draw_tells_hashes_but_no_blobs_before_it_is_opened(tale: Tale, shelf: Shelf) -> None:
    draw = tale.tell(
        stages.announcing()(),
        stages.committed,
        stages.sealed,
        stages.revealed,
        stages.observed,
        stages.completed,
    )
    row = drawn(tale, shelf, draw.id)
    assert (row.status, row.draw_no, row.period, row.region) == ("completed", 1, "2024Q2", CITY)
    assert (row.contributors, row.custodians) == (("agency", "discipline"), (AGENCY, DISCIPLINE))
    assert row.committed == row.revealed == row.typed == row.contributors
    assert (row.rules_hash, row.sums, row.public_value) == (digest(1), digest(14), ROLLED)
    assert (row.as_of, row.strata) == (41, ())
    assert row.rules == row.frame == row.pool == row.seed == row.sample == row.teams == ""
    assert (row.reports, row.warnings) == ({}, ())
    assert row.announced_at < row.sealed_at < row.revealed_at < row.observed_at < row.completed_at  # type: ignore[operator]
    with shelf.views.reading() as connection:
        told = get_draw(connection, draw.id, sealed=True)
        assert told is not None
        assert (told.sample, told.teams, told.frame) == (digest(12), digest(13), digest(3))
        assert told.strata == seal().strata
        assert [one.sample for one in list_draws(connection)] == [""]


def test_an_opened_draw_tells_its_blobs(tale: Tale, shelf: Shelf) -> None:
    draw = tale.tell(
        stages.announcing()(),
        stages.committed,
        stages.sealed,
        stages.revealed,
        stages.observed,
        stages.completed,
    )
    draw.open(later(days=30), changes=digest(15))
    tale.tell(draw)
    row = drawn(tale, shelf, draw.id)
    assert (row.status, row.sample, row.changes) == ("opened", digest(12), digest(15))
    assert row.reports == {"registry-changes": digest(5)}
    assert row.opened_at is not None


@pytest.mark.parametrize("after_value", [False, True])
def test_a_void_after_the_source_s_time_is_warned_of_for_ever(
    tale: Tale, shelf: Shelf, after_value: bool
) -> None:
    steps = [stages.committed, stages.sealed, *([stages.revealed] if after_value else [])]
    draw = tale.tell(stages.announcing()(), *steps)
    draw.ask_void(later(hours=1), ground="名单有误")
    draw.void(later(LEADER, hours=2))
    tale.tell(draw)
    row = drawn(tale, shelf, draw.id)
    assert (row.status, row.void_ground) == ("voided", "名单有误")
    assert row.warnings == (("re-roll",) if after_value else ())
    with shelf.views.reading() as connection:
        assert len(list_draws(connection, warning="re-roll")) == int(after_value)


def test_an_attempt_that_a_party_let_die_names_it(tale: Tale, shelf: Shelf) -> None:
    draw: Draw = stages.announcing(public_source=BEACON)()
    tale.tell(draw, stages.committed)
    draw.seal(act(), seal=replace(seal(), frame_reason="名录更正"), frame_key="")
    draw.reveal(act(AGENCY), party="agency", secret=SECRETS["agency"], receipt=digest(20))
    time = draw.source_instant
    assert time is not None
    draw.end_attempt(act(at=time + timedelta(minutes=1)))
    tale.tell(draw)
    row = drawn(tale, shelf, draw.id)
    assert (row.status, row.missing, row.source_time) == ("ended", ("discipline",), time)
    assert row.warnings == ("frame-changed", "missing-reveal")
    assert row.ended_at == datetime(2024, 4, 1, 1, 0, len(tale.recorded) - 1, tzinfo=UTC)


def test_draws_are_listed_latest_first(tale: Tale, shelf: Shelf) -> None:
    for number in (1, 2, 3):
        made = stages.announcing(draw_no=number)
        draw = made()
        tale.tell(draw)
        tale.recorded[-1] = replace(
            tale.recorded[-1], event=replace(tale.recorded[-1].event, originator_id=stream("draw", number))
        )
    with shelf.after(draws.PROJECTION, tale) as connection:
        assert [one.draw_no for one in list_draws(connection, limit=2)] == [3, 2]
        assert [one.draw_no for one in list_draws(connection, after=1)] == [1]
        assert list_draws(connection, ["140200"]) == []
        assert list_draws(connection, period="2024Q1") == []
