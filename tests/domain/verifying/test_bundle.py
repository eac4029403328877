"""Each cheat with a draw's proofs: what the log's owner can do, key in hand, and what gives it away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.drawing.verify import Verdict
from domain.ledger.policy import TrustPolicy
from domain.verifying.bundle import verify_draw
from tests.domain.drawing.vectors import NAMES
from tests.domain.verifying.story import Story

NOW = datetime(2024, 6, 1, tzinfo=UTC)
Cheat = Callable[[Story], None]


def verdict(story: Story, policy: TrustPolicy | None = None) -> Verdict:
    return verify_draw(story, story.files.keys(), now=NOW, policy=policy or story.policy)


def broken(cheat: Cheat) -> tuple[str, str]:
    story = Story()
    cheat(story)
    found = verdict(story).broken
    assert found is not None, "the cheat was not found"
    return found.rule, found.file


@pytest.mark.parametrize("name", NAMES)
def test_a_good_bundle_is_proved(name: str) -> None:
    found = verdict(Story(name))
    assert found.broken is None
    assert found.checked[-3:] == ("proofs", "kept-receipts", "sealed-before-chance: discipline")
    assert ("log", "no-ledger") in found.unchecked


def test_a_public_bundle_is_proved() -> None:
    story = Story()
    story.make_public()
    found = verdict(story)
    assert found.broken is None
    assert "proofs" in found.checked


def test_without_a_policy_nothing_shows_who_signed() -> None:
    story = Story()
    found = verify_draw(story, story.files.keys(), now=NOW)
    assert found.broken is None
    assert ("signatures", "no-trust-policy") in found.unchecked
    assert ("sealed-before-chance", "not-proved") in found.unchecked


def test_a_bundle_without_proofs_says_so() -> None:
    story = Story()
    files = {name: data for name, data in story.files.items() if "/" not in name}
    found = verify_draw(files.__getitem__, files.keys(), now=NOW, policy=story.policy)
    assert found.broken is None
    assert ("proofs", "no-proofs") in found.unchecked


@pytest.mark.parametrize("minutes", [None, 5, 60])
def test_a_seal_that_no_witness_saw_before_chance_is_not_proved(minutes: int | None) -> None:
    story = Story()
    story.cosigned_after = minutes
    story.publish()
    found = verdict(story)
    assert found.broken is None
    assert ("sealed-before-chance", "not-proved") in found.unchecked


def test_a_strict_policy_wants_the_witness() -> None:
    story = Story()
    assert verdict(story, story.strict_policy).broken is None
    story.cosigned_after = None
    story.publish()
    refused = verdict(story, story.strict_policy).broken
    assert refused is not None
    assert refused.rule == "too-few-cosigned"


def flip(name: str, at: int = -5) -> Cheat:
    def change(story: Story) -> None:
        data = bytearray(story.files[name])
        data[at] ^= 1
        story.files[name] = bytes(data)

    return change


def dropping(topic: str) -> Cheat:
    def drop(story: Story) -> None:
        idx = story.events.index(story.event(topic))
        for ending in ("entry", "state", "tlog-proof"):
            del story.files[f"proofs/{idx}.{ending}"]

    return drop


def exchanging(one: str, other: str) -> Cheat:
    def exchange(story: Story) -> None:
        story.files[one], story.files[other] = story.files[other], story.files[one]

    return exchange


PROOFS = [
    (flip("proofs/3.state"), "state-differs", "proofs/3.state"),
    (flip("proofs/3.entry"), "entry-malformed", "proofs/3.entry"),
    (flip("proofs/3.entry", 30), "receipt-does-not-prove", "proofs/3.tlog-proof"),
    (flip("proofs/3.tlog-proof", 40), "receipt-does-not-prove", "proofs/3.tlog-proof"),
    (
        exchanging("proofs/1.tlog-proof", "proofs/2.tlog-proof"),
        "receipt-does-not-prove",
        "proofs/1.tlog-proof",
    ),
    (exchanging("proofs/1.entry", "proofs/2.entry"), "entry-of-another-event", "proofs/1.entry"),
    (dropping("draw.committed.v1"), "version-missing", "proofs/2.entry"),
    (dropping("draw.announced.v1"), "version-missing", "proofs/1.entry"),
    (
        lambda story: story.files.pop("kept/agency.tlog-proof"),
        "kept-receipt-missing",
        "kept/agency.tlog-proof",
    ),
    (flip("kept/agency.tlog-proof"), "kept-receipt-differs", "kept/agency.tlog-proof"),
]


@pytest.mark.parametrize(("cheat", "rule", "file"), PROOFS)
def test_a_proof_that_does_not_prove(cheat: Cheat, rule: str, file: str) -> None:
    assert broken(cheat) == (rule, file)


def telling(topic: str, number: int = 0, **facts: Any) -> Cheat:
    """The owner tells an event otherwise and makes the whole log anew."""

    def tell(story: Story) -> None:
        story.event(topic, number).facts |= facts
        story.publish()

    return tell


def sealing(**facts: Any) -> Cheat:
    def seal(story: Story) -> None:
        story.event("draw.sealed.v1").facts["seal"] |= facts
        story.publish()

    return seal


def at_minute(topic: str, minute: int, number: int = 0) -> Cheat:
    def move(story: Story) -> None:
        story.event(topic, number).minute = minute
        story.publish()

    return move


def leaving_out(topic: str) -> Cheat:
    def leave_out(story: Story) -> None:
        story.events.remove(story.event(topic))
        story.publish()

    return leave_out


def twice(topic: str) -> Cheat:
    def repeat(story: Story) -> None:
        event = story.event(topic)
        story.events.insert(story.events.index(event), event)
        story.publish()

    return repeat


STEPS = [
    (telling("draw.announced.v1", draw_no=242), "step-differs-draw_no"),
    (telling("draw.announced.v1", attempt=2), "step-differs-attempt"),
    (telling("draw.announced.v1", plan_row="another/01"), "step-differs-plan_row"),
    (telling("draw.announced.v1", public_source={"kind": "dice", "rolls": 21}), "step-differs-public_source"),
    (telling("draw.announced.v1", contributors=[]), "step-differs-contributors"),
    (telling("draw.announced.v1", contributors="agency"), "state-malformed"),
    (telling("draw.committed.v1", commitment="00" * 32), "step-differs-commitment"),
    (telling("draw.committed.v1", party="enterprises"), "parties-differ"),
    (sealing(rules_hash="00" * 32), "step-differs-rules_hash"),
    (sealing(as_of=1), "step-differs-as_of"),
    (sealing(frame="00" * 32), "step-differs-frame"),
    (sealing(pool="00" * 32), "step-differs-pool"),
    (telling("draw.revealed.v1", secret="00" * 32), "step-differs-secret"),
    (telling("draw.public-value-observed.v1", value="0" * 20), "step-differs-value"),
    (telling("draw.public-value-observed.v1", evidence={"witnesses": 3}), "step-differs-evidence"),
    (telling("draw.completed.v1", result={}), "state-malformed"),
    (telling("draw.changed.v1", change={"kind": "recusal"}), "step-differs-changes"),
    (telling("draw.opened.v1", changes="00" * 32), "step-differs-changes"),
    (leaving_out("draw.completed.v1"), "step-missing"),
    (leaving_out("draw.revealed.v1"), "parties-differ"),
    (leaving_out("draw.changed.v1"), "step-differs-changes"),
    (twice("draw.announced.v1"), "step-repeated"),
    (twice("draw.sealed.v1"), "step-repeated"),
    (at_minute("draw.public-value-observed.v1", 4), "value-before-source"),
]


@pytest.mark.parametrize(("cheat", "rule"), STEPS)
def test_a_log_made_anew_that_does_not_fit_the_files(cheat: Cheat, rule: str) -> None:
    assert broken(cheat)[0] == rule


def test_steps_in_another_order() -> None:
    def seal_first(story: Story) -> None:
        seal = story.event("draw.sealed.v1")
        story.events.remove(seal)
        story.events.insert(1, seal)
        story.kept_size = 2
        story.publish()

    assert broken(seal_first)[0] == "step-out-of-order"


def test_a_voided_draw_has_no_result() -> None:
    def void(story: Story) -> None:
        story.event("draw.value-typed.v1").topic = "draw.voided.v1"
        story.publish()

    assert broken(void)[0] == "draw-ended"


def test_a_kept_receipt_of_a_log_that_was_made_anew_afterwards() -> None:
    """The seal is told otherwise after the receipts were given out: they do not fit what is shown now."""
    story = Story()
    kept = {name: data for name, data in story.files.items() if name.startswith("kept/")}
    story.event("draw.sealed.v1").facts["frame_key"] = "140100/2024"
    story.publish()
    story.files |= kept
    found = verdict(story).broken
    assert found is not None
    assert found.rule == "kept-receipt-differs"


def test_a_log_under_another_key() -> None:
    story, other = Story(), Story()
    other.key = type(other.key)(other.origin, b"x" * 32)
    other.publish()
    found = verdict(other, story.policy).broken
    assert found is not None
    assert (found.rule, found.file) == ("not-signed", "proofs/0.tlog-proof")
