"""Claims against the events that make them: what an owner of the database deletes, adds or gives away."""

from domain.ledger.finding import Finding
from domain.site import Site
from infrastructure.replay_check.beside import check_claims
from tests.infrastructure.replay_check.conftest import ACT, Case
from tests.infrastructure.replay_check.owner import Event, inserted, rewrite, tamper, tidy
from tests.journey import provenance, site_facts


def found(case: Case) -> list[Finding]:
    return check_claims(case.store, case.mapper, lambda done: None).kept


def test_honest_claims_are_what_the_events_give(case: Case) -> None:
    assert found(case) == []


def test_a_claim_deleted(case: Case) -> None:
    tamper(case.store, ("DELETE FROM claims WHERE kind = 'attempt' AND stream = ?", (case.told.completed,)))
    params = {"kind": "attempt", "key": f"{case.told.plan}/01/1", "expected": case.told.completed}
    assert case.only() == Finding("claim.missing", case.idx("draw.announced.v1"), params)


def test_a_claim_added(case: Case) -> None:
    added = "visit", "2024/nobody/1", "inspection-0"
    tamper(case.store, ("INSERT INTO claims (kind, key, stream) VALUES (?, ?, ?)", added))
    params = {"kind": "visit", "key": "2024/nobody/1", "holder": "inspection-0"}
    assert case.only() == Finding("claim.unknown", None, params)


def test_a_claim_that_was_given_back_and_is_there_again(case: Case) -> None:
    key = site_facts(2).key()
    added = "site", key, case.told.removed
    tamper(case.store, ("INSERT INTO claims (kind, key, stream) VALUES (?, ?, ?)", added))
    params = {"kind": "site", "key": key, "holder": case.told.removed}
    assert case.only() == Finding("claim.unknown", case.idx("site.removed.v1"), params)


def test_a_claim_with_another_holder(case: Case) -> None:
    change = "UPDATE claims SET stream = 'draw-0' WHERE kind = 'draw-no' AND key = '1'"
    tamper(case.store, (change, ()))
    params = {"kind": "draw-no", "key": "1", "expected": case.told.completed, "holder": "draw-0"}
    assert case.only() == Finding("claim.differs", case.idx("draw.announced.v1"), params)


def test_a_name_taken_twice_because_its_claim_was_deleted_in_between(case: Case) -> None:
    first = case.idx("site.registered.v1", case.told.site)
    place = case.idx("plan.drafted.v1")
    twin = Site.register(ACT, id="site-" + "0" * 32, facts=site_facts(1), provenance=provenance())
    rewrite(case.store, lambda events: inserted(events, place, twin))
    tidy(case.store)
    [finding] = [one for one in found(case) if one.code == "claim.taken-twice"]
    assert finding.idx == place
    assert (finding.params["holder"], finding.params["first"]) == (case.told.site, first)


def test_a_name_given_back_by_a_stream_that_does_not_hold_it(case: Case) -> None:
    place = case.idx("site.removed.v1")

    def moved(events: list[Event]) -> list[Event]:
        return [*events[:place], {**events[place], "stream": "site-x"}, *events[place + 1 :]]

    rewrite(case.store, moved)
    assert [(one.code, one.idx) for one in found(case)][:1] == [("claim.not-held", place)]
