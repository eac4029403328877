"""Loading many aggregates at once is loading each of them."""

from collections.abc import Sequence

import pytest
from eventsourcing.persistence import StoredEvent

from domain.errors import NotFound
from domain.inspector import Inspector
from domain.site import Site
from infrastructure.event_store.recorder import EventRecorder
from tests.application.intake_files import site, take_in
from tests.office import Agency


def _sites(agency: Agency, count: int) -> list[str]:
    take_in(agency, "sites", *(site(number) for number in range(count)))
    take_in(agency, "sites", site(0, name="改名"), site(1, credit="红牌"))
    return [stream for _, stream in agency.office.claims.keys("site")]


def test_they_come_in_the_order_asked_for_as_their_events_made_them(agency: Agency) -> None:
    ids = sorted(_sites(agency, 12))
    many = list(agency.office.workflow.load_many(Site, ids[::-1]))
    each = [agency.office.workflow.load(Site, id) for id in ids[::-1]]
    assert [vars(one) for one in many] == [vars(one) for one in each]
    assert sorted(one.version for one in many) == [1] * 10 + [2] * 2


def test_more_than_a_page_come_with_a_few_statements(
    sqlite_agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _sites(sqlite_agency, 1100)
    asked: list[int] = []
    select = EventRecorder.select_streams

    def counting(recorder: EventRecorder, streams: Sequence[str]) -> Sequence[StoredEvent]:
        asked.append(len(streams))
        return select(recorder, streams)

    monkeypatch.setattr(EventRecorder, "select_streams", counting)
    many = list(sqlite_agency.office.workflow.load_many(Site, ids))
    assert [one.id for one in many] == ids
    assert asked == [500, 500, 100]


def test_none_asked_for_is_none(agency: Agency) -> None:
    assert list(agency.office.workflow.load_many(Site, [])) == []
    assert list(agency.store.recorder.select_streams([])) == []


def test_what_is_not_there_or_of_another_class_is_not_found(agency: Agency) -> None:
    ids = _sites(agency, 3)
    with pytest.raises(NotFound):
        list(agency.office.workflow.load_many(Site, [*ids, f"site-{'0' * 32}"]))
    with pytest.raises(NotFound):
        list(agency.office.workflow.load_many(Inspector, ids))
