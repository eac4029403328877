"""What an event changed in a state, field by field."""

from typing import cast

from application.unfolding import Change, Unfolding, changes, plain_state
from domain.aggregate import DomainEvent
from domain.site import Site
from tests import stages
from tests.builders import later, site_facts


def events_of(site: Site) -> list[DomainEvent]:
    """What was decided of it."""
    return [cast(DomainEvent, one) for one in site.collect_events()]


def test_changes_are_named_by_their_path_and_nothing_else_is() -> None:
    before = {"status": "draft", "rows": {"01": {"no": "01", "areas": ["a"]}}, "same": [1]}
    after = {"status": "draft", "rows": {"01": {"no": "01", "areas": ["a", "b"]}, "02": {}}, "same": [1]}
    assert changes(before, after) == (
        Change(field="rows.01.areas", before=["a"], after=["a", "b"]),
        Change(field="rows.02", before=None, after={}),
    )
    assert changes(after, after) == ()
    assert changes({"x": 1}, {}) == (Change(field="x", before=1, after=None),)


def test_an_event_is_observed_with_what_it_changed() -> None:
    site = stages.registered_site()
    site.assess(later(), risk_class="C", assessed_on=later().day, source="x")
    registered, assessed = events_of(site)
    unfolding = Unfolding()
    first = {one.field: (one.before, one.after) for one in unfolding.observe(registered)}
    assert first["status"] == (None, "listed")
    assert unfolding.observe(assessed) == (Change(field="risk_class", before="", after="C"),)
    assert unfolding.state == plain_state(site)


def test_what_is_said_to_have_happened_before_the_beginning_makes_no_state() -> None:
    site = stages.registered_site()
    site.assess(later(), risk_class="C", assessed_on=later().day, source="x")
    registered, assessed = events_of(site)
    unfolding = Unfolding()
    assert unfolding.observe(assessed) == ()
    assert (unfolding.state, unfolding.aggregate) == ({}, None)
    unfolding.apply(registered)
    unfolding.apply(assessed)
    assert unfolding.state["risk_class"] == "C"
    assert unfolding.state["facts"]["name"] == site_facts().name
