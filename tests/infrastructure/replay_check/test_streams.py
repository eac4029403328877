"""Every stream plays to its aggregate, from bytes that the code would write again."""

from collections.abc import Callable

import msgspec
import pytest

from domain.ledger.finding import Finding
from domain.plan import Plan
from infrastructure.replay_check.streams import check_streams
from tests.infrastructure.replay_check.conftest import Case
from tests.infrastructure.replay_check.owner import Event, rewrite, with_state


def found(case: Case) -> list[Finding]:
    size = (case.store.recorder.head() or 0) + 1
    return check_streams(case.store, case.mapper, size, lambda done: None).kept


def changed(place: int, change: Callable[[Event], Event]) -> Callable[[list[Event]], list[Event]]:
    return lambda events: [*events[:place], change(events[place]), *events[place + 1 :]]


def test_an_honest_log_plays(case: Case) -> None:
    assert found(case) == []


def test_a_topic_that_the_code_does_not_know(case: Case) -> None:
    place = case.idx("inspection.reviewed.v1")
    rewrite(case.store, changed(place, lambda event: event | {"topic": "inspection.praised.v1"}))
    [finding] = found(case)
    assert (finding.code, finding.idx) == ("event.unreadable", place)
    assert finding.params["topic"] == "inspection.praised.v1"


def test_a_state_that_lacks_a_fact(case: Case) -> None:
    place = case.idx("plan.approved.v1")
    rewrite(case.store, changed(place, without("opinion")))
    assert [(one.code, one.idx) for one in found(case)] == [("event.unreadable", place)]


def without(field: str) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        state = msgspec.json.decode(event["state"])
        del state[field]
        return {**event, "state": msgspec.json.encode(state, order="sorted")}

    return change


def test_a_fact_that_the_event_does_not_have(case: Case) -> None:
    place = case.idx("plan.approved.v1")
    rewrite(case.store, changed(place, lambda event: with_state(event, bribe=1)))
    assert [(one.code, one.idx) for one in found(case)] == [("event.not-canonical", place)]


def test_the_same_facts_in_other_bytes(case: Case) -> None:
    place = case.idx("site.registered.v1")

    def spaced(event: Event) -> Event:
        return {**event, "state": event["state"].replace(b'":', b'": ', 1)}

    rewrite(case.store, changed(place, spaced))
    assert [(one.code, one.idx) for one in found(case)] == [("event.not-canonical", place)]


def test_a_salt_that_is_gone(case: Case) -> None:
    place = case.idx("site.registered.v1")
    rewrite(case.store, changed(place, without("salt")))
    assert [(one.code, one.idx) for one in found(case)] == [("event.not-canonical", place)]


def test_a_stream_whose_beginning_is_gone_is_named_once(case: Case) -> None:
    place = case.idx("plan.drafted.v1")
    rewrite(case.store, lambda events: [*events[:place], *events[place + 1 :]])
    first = case.idx("plan.row-set.v1")
    assert [(one.code, one.idx) for one in found(case)] == [("event.unfit", first)]


def test_an_event_of_another_kind_of_aggregate(case: Case) -> None:
    place = case.idx("site.removed.v1")
    plan = case.told.plan
    rewrite(case.store, changed(place, lambda event: event | {"stream": plan}))
    [finding] = found(case)
    assert (finding.code, finding.idx) == ("event.unfit", place)
    assert finding.params["stream"] == plan
    assert finding.params["reason"] == "not an event of Plan"


def test_a_stream_that_begins_twice(case: Case) -> None:
    first, second = [row for row in case.store.recorder.rows() if row.topic == "site.registered.v1"][:2]
    rewrite(case.store, changed(second.idx, lambda event: event | {"stream": first.stream}))
    [finding] = [one for one in found(case) if one.idx == second.idx]
    assert (finding.code, finding.params["reason"]) == ("event.unfit", "begun already")


def test_an_event_that_its_aggregate_cannot_take_in(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a state machine of today raises about yesterday's event is told, and nothing stops."""

    def mutate(event: object, aggregate: object) -> object:
        raise KeyError("77")

    monkeypatch.setattr(Plan.Submitted, "mutate", mutate)
    [finding] = found(case)
    assert (finding.code, finding.idx) == ("event.unfit", case.idx("plan.submitted.v1"))
    assert finding.params["reason"] == "KeyError: '77'"
