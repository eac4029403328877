"""Finding 12: rows of a read model that are not what the events give, with the event where they part."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.ledger.finding import Finding
from domain.site import Site
from infrastructure.addresses import is_sqlite, store_file
from infrastructure.projection_runner import ProjectionRunner
from infrastructure.replay_check import replay
from infrastructure.replay_check.histories import Histories
from infrastructure.views import VIEWS_FILE
from projections import inspectors, plans, quarterly_statistics, referrals, sites, timeline
from projections.projection import Projection, Recorded
from projections.register import PROJECTIONS
from tests.infrastructure.replay_check.conftest import ACT, END, Case
from tests.infrastructure.replay_check.owner import Event, rewrite, tamper, tamper_views
from tests.journey import provenance, site_facts
from tests.ledger import ORIGIN

SITES, INSPECTORS, PLANS = sites.SITES.name, inspectors.INSPECTORS.name, plans.PLANS.name
DRAWS, STRATA = quarterly_statistics.DRAWS.name, quarterly_statistics.STRATA.name
ENTRIES, REFERRALS = timeline.ENTRIES.name, referrals.REFERRALS.name


def differs(idx: int | None, **params: str) -> Finding:
    return Finding("projection.differs", idx, params)


def events_of(case: Case, stream: str) -> list[int]:
    return [moment.idx for moment in case.store.recorder.recorded(stream)]


def test_a_row_that_says_something_no_event_ever_said(case: Case) -> None:
    site = case.told.site
    tamper_views(case.store, (f"UPDATE {SITES} SET stratum = 'special' WHERE id = ?", (site,)))  # noqa: S608
    assert case.only() == differs(
        events_of(case, site)[-1],
        projection="sites",
        table=SITES,
        key=site,
        row="differs",
        columns="stratum",
    )


def test_a_row_that_lacks_what_an_event_did(case: Case) -> None:
    """The row is put back to what it was before its last event, as if that had never been folded."""
    site = case.told.site
    first, last = events_of(case, site)
    old = site_facts(1, stratum="general")
    change = f"UPDATE {SITES} SET stratum = ?, credit = ?, position = ?, version = 1 WHERE id = ?"  # noqa: S608
    tamper_views(case.store, (change, (old.stratum, old.credit, first, site)))
    finding = case.only()
    assert (finding.code, finding.idx) == ("projection.differs", last)
    assert finding.params["columns"] == "position, version, stratum, credit"


def test_a_row_that_lacks_all_but_the_first_of_many_events(case: Case) -> None:
    """It parts at the first event whose effect is missing, not at the last that wrote it."""
    plan = case.told.plan
    first, second, *_ = events_of(case, plan)
    drafted = "status = 'draft', submitted_at = NULL, decided_by = '', decided_at = NULL, opinion = ''"
    change = f"UPDATE {PLANS} SET {drafted}, published_on = NULL, position = ?, version = 1 WHERE id = ?"  # noqa: S608
    tamper_views(case.store, (change, (first, plan)))
    assert case.only().idx == second


def test_a_row_deleted(case: Case) -> None:
    officer = case.told.officer
    tamper_views(case.store, (f"DELETE FROM {INSPECTORS} WHERE id = ?", (officer,)))  # noqa: S608
    finding = case.only()
    assert finding == differs(
        events_of(case, officer)[0],
        projection="inspectors",
        table=INSPECTORS,
        key=officer,
        row="missing",
        columns="",
    )


def test_a_row_that_should_not_be_there(case: Case) -> None:
    insert = f"INSERT INTO {DRAWS} (draw, region, period, completed) VALUES (?, ?, ?, ?)"  # noqa: S608
    tamper_views(case.store, (insert, ("draw-0", "140100", "2024Q2", True)))
    assert case.only() == differs(
        None,
        projection="quarterly_statistics",
        table=DRAWS,
        key="draw-0",
        row="unknown",
        columns="",
    )


def test_a_row_whose_key_has_several_fields(case: Case) -> None:
    draw = case.told.completed
    change = f"UPDATE {STRATA} SET sample = 99 WHERE draw = ? AND stratum = 'key'"  # noqa: S608
    tamper_views(case.store, (change, (draw,)))
    finding = case.only()
    assert (finding.idx, finding.params["key"]) == (case.idx("draw.sealed.v1", draw), f"{draw}/key")
    assert finding.params["columns"] == "sample"


def test_an_entry_of_the_timeline_deleted(case: Case) -> None:
    idx = case.idx("draw.voided.v1")
    tamper_views(case.store, (f"DELETE FROM {ENTRIES} WHERE idx = ?", (idx,)))  # noqa: S608
    finding = case.only()
    assert (finding.idx, finding.params["table"], finding.params["row"]) == (idx, ENTRIES, "missing")


def test_each_of_many_wrong_rows_is_named_with_its_own_event(case: Case) -> None:
    tamper_views(case.store, (f"UPDATE {SITES} SET address = 'elsewhere'", ()))  # noqa: S608
    found = case.findings()
    streams = {row.stream for row in case.store.recorder.rows() if row.topic == "site.registered.v1"}
    assert {str(one.params["key"]): one.idx for one in found} == {
        site: events_of(case, site)[-1] for site in streams
    }


def test_rows_are_watched_across_batches(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of seven events: what is folded before and after a watched row lies in other ones."""
    monkeypatch.setattr(replay, "BATCH", 7)
    test_a_row_that_lacks_what_an_event_did(case)


def test_a_read_model_that_is_behind_is_compared_where_it_stands(case: Case) -> None:
    site = Histories(case.store.recorder, case.mapper).load(Site, case.told.site, END)
    site.remove(ACT, ground="moved", provenance=provenance())
    case.append(site)
    assert case.findings() == []
    tamper_views(case.store, (f"UPDATE {SITES} SET stratum = 'special' WHERE id = ?", (site.id,)))  # noqa: S608
    assert case.only().idx == events_of(case, site.id)[-2]


def test_a_read_model_put_back_alone_lacks_rows_of_nobody_else(case: Case) -> None:
    """One that was put back says less than it holds: its rows are ahead of its position."""
    back = f"UPDATE projection_position_v1 SET position = ? WHERE name = '{sites.PROJECTION.key}'"  # noqa: S608
    first, last = events_of(case, case.told.site)
    tamper_views(case.store, (back, (last - 1,)))
    found = {str(one.params["key"]): one for one in case.findings()}
    assert {one.params["table"] for one in found.values()} == {SITES}
    assert found[case.told.site].idx == first


def test_a_read_model_that_saw_events_the_log_does_not_have(case: Case) -> None:
    """The store was taken back, the read models were not."""
    head = case.store.recorder.head() or 0
    tamper(case.store, ("DELETE FROM events WHERE idx = ?", (head,)))
    found = [one for one in case.findings() if one.code.startswith("projection.")]
    assert {str(one.params["projection"]) for one in found} == {one.name for one in PROJECTIONS}
    assert {(one.code, one.params["position"], one.params["size"]) for one in found} == {
        ("projection.ahead", head, head)
    }


def test_a_table_that_is_gone(case: Case) -> None:
    tamper_views(case.store, (f"DROP TABLE {REFERRALS}", ()))
    params = {"projection": "referrals", "table": REFERRALS}
    assert case.only() == Finding("projection.missing", None, params)


def test_read_models_that_nobody_has_begun_are_left_out(case: Case) -> None:
    tables = [table.name for projection in PROJECTIONS for table in projection.tables]
    drops = [(f"DROP TABLE {name}", ()) for name in (*tables, "projection_position_v1")]
    tamper_views(case.store, *drops)
    assert case.findings() == []


def test_no_file_of_read_models_is_made_where_there_is_none(case: Case) -> None:
    if is_sqlite(case.store.url):
        file = store_file(case.store.url).parent / VIEWS_FILE
        file.unlink()
        assert case.findings() == []
        assert not file.exists()


def test_an_event_that_cannot_be_read_stops_the_comparison_and_is_named(case: Case) -> None:
    place = case.idx("plan.approved.v1")

    def spoilt(events: list[Event]) -> list[Event]:
        events[place]["state"] = events[place]["state"].replace(b'"opinion"', b'"opinian"')
        return events

    rewrite(case.store, spoilt)
    found = [one for one in case.findings() if one.code == "projection.unbuilt"]
    assert {(one.idx, one.params["projection"]) for one in found} == {(place, "plans"), (place, "timeline")}


def test_an_event_that_a_handler_refuses_is_named(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = case.idx("site.removed.v1")
    apply = Projection.apply

    def spoilt(self: Projection, connection: Any, events: Sequence[Recorded]) -> None:
        if self.name == "sites" and any(one.idx == refused for one in events):
            raise LookupError("no such row")
        apply(self, connection, events)

    monkeypatch.setattr(Projection, "apply", spoilt)
    params = {"projection": "sites", "reason": "LookupError: no such row"}
    found = [one for one in case.findings() if one.code == "projection.unbuilt"]
    assert found == [Finding("projection.unbuilt", refused, params)]


def test_nothing_of_the_live_store_is_written(case: Case) -> None:
    def standing() -> list[tuple[str, int]]:
        runner = ProjectionRunner(case.store, case.mapper, log=ORIGIN)
        try:
            return [(one.name, one.position) for one in runner.status()]
        finally:
            runner.close()

    before = standing()
    tamper_views(case.store, (f"DELETE FROM {INSPECTORS} WHERE id = ?", (case.told.officer,)))  # noqa: S608
    assert case.only().code == case.only().code == "projection.differs"
    assert standing() == before
