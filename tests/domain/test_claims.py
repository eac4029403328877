"""Which names events take and give back: what keeps aggregates from contradicting each other."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from domain.aggregate import Claim, DomainEvent
from tests.builders import (
    BEACON,
    CHEN,
    CITY,
    DICE,
    OTHER_USCC,
    ROLLED,
    USCC,
    act,
    commitment_of,
    digest,
    provenance,
    site_facts,
    stream,
)
from tests.examples_of_events import examples
from tests.scenario import collected
from tests.stages import announcing, registered_site

PLAN_ROW = f"{stream('plan')}/01"
FRAME = Claim("open-frame", f"{CITY}/2024")
FREE_FRAME = Claim("open-frame", f"{CITY}/2024", released=True)
FREE_ROW = Claim("live-draw", PLAN_ROW, released=True)

CLAIMS: dict[str, Sequence[Claim]] = {
    "installation.founded.v1": [Claim("installation", "1")],
    "account.linked.v1": [Claim("inspector-account", CHEN)],
    "account.closed.v1": [Claim("inspector-account", CHEN, released=True)],
    "item.drafted.v1": [Claim("item-code", f"{CITY}/SX-01")],
    "catalogue.opened.v1": [Claim("catalogue", CITY)],
    "site.registered.v1": [Claim("site", f"{USCC}001P")],
    "site.changed.v1": [Claim("site", USCC, released=True), Claim("site", f"{USCC}001P")],
    "site.removed.v1": [Claim("site", USCC, released=True)],
    "intake.original-erased.v1": [Claim("erased-blob", f"{digest()}/{stream('intake')}")],
    "inspector.registered.v1": [Claim("inspector-person", stream("person"))],
    "plan.drafted.v1": [Claim("plan", f"{CITY}/2024/生态环境")],
    "draw.announced.v1": [
        Claim("draw-no", "2"),
        Claim("attempt", f"{PLAN_ROW}/2"),
        Claim("live-draw", PLAN_ROW),
        Claim("public-source", "lottery/双色球/2024040"),
    ],
    "draw.recheck-announced.v1": [
        Claim("draw-no", "3"),
        Claim("attempt", "recheck/140100/2024Q1/2"),
        Claim("live-draw", "recheck/140100/2024Q1"),
        Claim("public-source", "lottery/双色球/2024040"),
    ],
    "draw.supplement-announced.v1": [
        Claim("draw-no", "3"),
        Claim("attempt", f"{stream('plan')}/01+2.1+officer/2"),
        Claim("live-draw", f"{stream('plan')}/01+2.1+officer"),
        Claim("public-source", "lottery/双色球/2024040"),
    ],
    "recheck.drawn.v1": [
        Claim("recheck", f"{stream('violation')}/1"),
        Claim("recheck-of-draw", f"3/{stream('violation')}"),
    ],
    "draw.committed.v1": [Claim("commitment", commitment_of("agency"))],
    "draw.sealed.v1": [FRAME],
    "draw.completed.v1": [FREE_FRAME],
    "draw.voided.v1": [FREE_ROW, FREE_FRAME],
    "draw.attempt-ended.v1": [FREE_ROW, FREE_FRAME],
    "assignment.made.v1": [Claim("drawn", f"2024/{stream('site')}/1")],
    "inspection.opened.v1": [Claim("inspection", stream("assignment"))],
    "inspection.notified.v1": [Claim("visit", f"2024/{USCC}/1")],
    "violation.opened.v1": [Claim("violation", f"{stream('inspection')}/1")],
    "violation.rectification-ordered.v1": [Claim("document-no", "并环责改〔2024〕1号")],
    "referral.sent.v1": [
        Claim("document-no", "并环移〔2024〕1号"),
        Claim("referral", stream("violation")),
    ],
    "referral.replied.v1": [Claim("referral", stream("violation"), released=True)],
}


@pytest.mark.parametrize("topic", sorted(examples()))
def test_every_event_claims_what_it_must_and_nothing_else(topic: str) -> None:
    made = set(examples()[topic].claims())
    assert made == set(CLAIMS.get(topic, ()))


def changed(topic: str, **facts: Any) -> DomainEvent:
    """The example of the topic with some facts set."""
    return msgspec.structs.replace(examples()[topic], **facts)


def test_a_change_that_keeps_the_key_claims_nothing() -> None:
    site = registered_site()
    collected(site)
    site.change(act(), facts=site_facts(credit="red"), provenance=provenance())
    (event,) = collected(site)
    assert list(event.claims()) == []


def test_the_key_of_a_site_without_licence_is_its_enterprise() -> None:
    assert site_facts(code="").key() == USCC
    assert site_facts(code="", uscc=OTHER_USCC).key() == OTHER_USCC


def test_dice_are_new_in_every_draw_but_the_same_digits_never_count_twice() -> None:
    announced = collected(announcing(public_source=DICE)())[0]
    assert not [claim for claim in announced.claims() if claim.kind == "public-source"]
    observed = changed("draw.public-value-observed.v1", value=ROLLED, evidence={"witnesses": 2})
    assert list(observed.claims()) == [Claim("dice", ROLLED)]


def test_a_round_of_the_beacon_serves_one_draw() -> None:
    announced = collected(announcing(public_source=BEACON)())[0]
    assert Claim("public-source", f"drand-quicknet/{BEACON['round']}") in announced.claims()


def test_a_row_that_allows_repeats_holds_no_frame() -> None:
    for kind in ("draw.completed.v1", "draw.voided.v1", "draw.attempt-ended.v1", "draw.sealed.v1"):
        assert FRAME.kind not in {claim.kind for claim in changed(kind, frame_key="").claims()}


def test_what_is_not_counted_takes_no_slot() -> None:
    assert list(changed("inspection.notified.v1", visit_slot="").claims()) == []


def test_an_account_without_inspector_frees_none() -> None:
    assert list(changed("account.closed.v1", inspector="").claims()) == []


def test_an_accepted_referral_stays_the_only_one() -> None:
    assert list(changed("referral.replied.v1", accepted=True).claims()) == []
