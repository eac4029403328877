"""Every subject's events in order, with both times; nothing of a sealed draw, no secret ever."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from domain.draw import Draw
from domain.events import topics
from projections import timeline
from projections.projection import Recorded
from projections.timeline import list_timeline
from tests import stages
from tests.builders import CHEN, CITY, NOW, SECRETS, USCC, WANG, digest, later, stream
from tests.examples_of_events import FACTS
from tests.projections.tale import Shelf, Tale

PLAN_ROW = f"{stream('plan')}/01"


@pytest.fixture
def told(tale: Tale) -> Tale:
    """A site, its draw, its inspection and what was found there; the draw is not opened."""
    tale.tell(stages.registered_site())
    tale.tell(stages.published_plan())
    tale.tell(
        stages.announcing()(),
        stages.committed,
        stages.sealed,
        stages.revealed,
        stages.observed,
        stages.completed,
    )
    tale.tell(stages.made_assignment())
    tale.tell(
        stages.opened_inspection(),
        stages.visit_approved,
        stages.notified,
        stages.identified,
        stages.evidence_added,
        stages.found,
        stages.concluded,
        stages.reviewed,
    )
    tale.tell(stages.opened_violation(), stages.ordered)
    tale.tell(stages.sent_referral())
    return tale


def kinds(tale: Tale, *prefixes: str) -> list[str]:
    """The topics of the tale that start so."""
    return [one.event.TOPIC for one in tale.recorded if one.event.TOPIC.startswith(prefixes)]


SUBJECTS = [
    (stream("site"), ("site.", "assignment.", "inspection.", "violation.", "referral.")),
    (USCC, ("site.", "assignment.", "inspection.", "violation.", "referral.")),
    (CHEN, ("assignment.", "inspection.", "violation.", "referral.")),
    (WANG, ("assignment.", "inspection.", "violation.", "referral.")),
    (stream("draw"), ("draw.", "assignment.", "inspection.", "violation.", "referral.")),
    (PLAN_ROW, ("plan.row-set", "draw.", "assignment.", "inspection.", "violation.", "referral.")),
    (stream("plan"), ("plan.", "draw.")),
    (stream("inspection"), ("inspection.", "violation.", "referral.")),
    (stream("violation"), ("violation.", "referral.")),
    (stream("referral"), ("referral.",)),
]


@pytest.mark.parametrize(("subject", "prefixes"), SUBJECTS)
@pytest.mark.parametrize("batch", [1, 1000])
def test_a_subject_has_all_its_events_in_order(
    told: Tale, shelf: Shelf, subject: str, prefixes: tuple[str, ...], batch: int
) -> None:
    with shelf.after(timeline.PROJECTION, told, batch=batch) as connection:
        found = list_timeline(connection, subject, sealed=True, limit=1000)
    assert [one.topic for one in found] == kinds(told, *prefixes)
    assert [one.idx for one in found] == sorted({one.idx for one in found})


def test_an_entry_tells_when_it_happened_when_it_was_recorded_and_by_whom(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        first, *_ = list_timeline(connection, stream("site"))
    event = told.recorded[0].event
    assert (first.occurred_at, first.recorded_at) == (event.occurred_at, NOW)
    assert (first.by, first.version, first.correlation_id) == (event.by, 1, "request-1")
    assert first.facts["region"] == CITY


def test_what_belongs_to_a_sealed_draw_is_hidden_until_it_is_opened(told: Tale, shelf: Shelf) -> None:
    model = timeline.PROJECTION
    with shelf.after(model, told) as connection:
        for subject, public in ((stream("site"), ("site.",)), (USCC, ("site.",)), (CHEN, ("-",))):
            found = list_timeline(connection, subject)
            assert [one.topic for one in found] == kinds(told, *public)
        seen = {one.topic for one in list_timeline(connection, stream("draw"))}
        assert seen == set(kinds(told, "draw."))
    opening = Draw.Opened(
        originator_id=stream("draw"),
        originator_version=99,
        changes=digest(),
        **later(days=1).stamp(),
    )
    idx = len(told.recorded)
    shelf.fold(model, [Recorded(idx, NOW + timedelta(days=1), opening)])
    with shelf.views.reading() as connection:
        assert len(list_timeline(connection, USCC)) == len(list_timeline(connection, USCC, sealed=True))


def test_pages_run_both_ways(told: Tale, shelf: Shelf) -> None:
    with shelf.after(timeline.PROJECTION, told) as connection:
        whole = list_timeline(connection, USCC, sealed=True, limit=1000)
        first = list_timeline(connection, USCC, sealed=True, limit=2)
        assert whole[:2] == first
        assert whole[2:4] == list_timeline(connection, USCC, sealed=True, after=first[-1].idx, limit=2)
        back = list_timeline(connection, USCC, sealed=True, newest_first=True, limit=1000)
        assert back == whole[::-1]
        assert whole[:1] == list_timeline(
            connection, USCC, sealed=True, newest_first=True, after=whole[1].idx
        )


def test_every_event_there_is_can_be_told_and_none_tells_a_secret(shelf: Shelf) -> None:
    recorded = []
    for idx, (kind, facts) in enumerate(FACTS.items()):
        stamp: dict[str, Any] = {"originator_id": f"stream-{idx}", "originator_version": 1}
        stamp |= later().stamp()
        if "originator_topic" in kind.__struct_fields__:
            stamp["originator_topic"] = "x"
        event = kind(**stamp, **facts)
        recorded.append(Recorded(idx, NOW, event))
    assert {one.event.TOPIC for one in recorded} == set(topics())
    shelf.fold(timeline.PROJECTION, recorded)
    with shelf.views.reading() as connection:
        entries = [list_timeline(connection, f"stream-{idx}", sealed=True)[0] for idx in range(len(recorded))]
    assert [one.topic for one in entries] == [one.event.TOPIC for one in recorded]
    text = msgspec.json.encode([one.facts for one in entries]).decode()
    for secret in (*SECRETS.values(), "risk_class", "commitment", stream("person")):
        assert secret not in text
