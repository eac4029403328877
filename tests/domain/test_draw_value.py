"""The public value of a draw: typed by everybody alone, or a beacon's; and the way out before it."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from domain.draw import Draw
from domain.draw_refusals import (
    BeaconForged,
    DrawGroundMissing,
    DrawStatusWrong,
    NotContributor,
    SecondPersonNeeded,
    SourceEarly,
    SourceWrong,
    ValueExists,
    ValuesDiffer,
)
from tests.builders import (
    AGENCY,
    BEACON,
    CITY,
    CUSTODIANS,
    DEPUTY,
    DISCIPLINE,
    LEADER,
    LOTTERY,
    NOW,
    PLANNER,
    ROLLED,
    act,
    later,
    stream,
)
from tests.scenario import given, happened
from tests.stages import announcing, committed, completed, observed, revealed, sealed

LOTTERY_TIME = datetime.fromisoformat(LOTTERY["at"])
BEACON_TIME = datetime.fromtimestamp(1692803367 + 3 * (BEACON["round"] - 1), UTC)
SIGNATURE = "ab" * 48
BEACON_VALUE = sha256(bytes.fromhex(SIGNATURE)).hexdigest()
READY = (committed, sealed, revealed)
DIGITS = "010203040506"


def typed(party: str, value: str, at: datetime = LOTTERY_TIME) -> Any:
    """A custodian types a value after the source's time."""
    return lambda draw: draw.type_value(act(CUSTODIANS[party], at=at), party=party, value=value)


LOTTERY_TYPED = tuple(typed(party, DIGITS) for party in CUSTODIANS)

# --- dice ------------------------------------------------------------------------------------


def test_dice_count_when_every_custodian_typed_the_same() -> None:
    first = typed("agency", ROLLED)
    given(announcing(), *READY).when(first).then(happened(Draw.ValueTyped, party="agency", value=ROLLED))
    draw = (
        given(announcing(), *READY, first)
        .when(typed("discipline", ROLLED))
        .then(
            happened(Draw.ValueTyped, party="discipline", value=ROLLED),
            happened(Draw.PublicValueObserved, value=ROLLED, evidence={"witnesses": 2}),
        )
    )
    assert (draw.status, draw.public_value) == ("observed", ROLLED)


def test_dice_that_were_typed_differently_do_not_count_until_they_agree() -> None:
    other = "0" * 20
    draw = (
        given(announcing(), *READY, typed("agency", other))
        .when(typed("discipline", ROLLED))
        .then(happened(Draw.ValueTyped, party="discipline", value=ROLLED))
    )
    assert draw.status == "revealed"
    draw = (
        given(announcing(), *READY, typed("agency", other), typed("discipline", ROLLED))
        .when(typed("agency", ROLLED))
        .then(
            happened(Draw.ValueTyped, party="agency", value=ROLLED),
            happened(Draw.PublicValueObserved, value=ROLLED, evidence={"witnesses": 2}),
        )
    )
    assert draw.status == "observed"


def test_only_the_custodian_types_for_a_party() -> None:
    given(announcing(), *READY).when(
        lambda draw: draw.type_value(act(DISCIPLINE), party="agency", value=ROLLED)
    ).refused(NotContributor, "/party", party="agency")


@pytest.mark.parametrize("value", ["", "1" * 19, "1" * 21, "x" * 20])
def test_what_dice_cannot_show_is_refused(value: str) -> None:
    outcome = given(announcing(), *READY).when(typed("agency", value))
    assert isinstance(outcome.refusal, SourceWrong)
    assert outcome.refusal.pointer == "/value"


def test_the_time_of_dice_is_when_the_last_secret_was_revealed() -> None:
    early = act(AGENCY, at=datetime(2024, 4, 1, 0, 59, 59, tzinfo=UTC))
    given(announcing(), *READY).when(
        lambda draw: draw.type_value(early, party="agency", value=ROLLED)
    ).refused(SourceEarly, time=NOW)


# --- lottery ---------------------------------------------------------------------------------


def observing(value: str, evidence: dict[str, Any], at: datetime = LOTTERY_TIME) -> Any:
    """Somebody hands the value in with its evidence."""
    return lambda draw: draw.observe(act(at=at), value=value, evidence=evidence)


def test_a_lottery_is_typed_by_everybody_and_observed_with_its_reference() -> None:
    steps = (*READY, typed("agency", DIGITS), typed("discipline", DIGITS))
    draw = (
        given(announcing(public_source=LOTTERY), *steps)
        .when(observing(DIGITS, {"reference": "公告"}))
        .then(happened(Draw.PublicValueObserved, value=DIGITS, evidence={"reference": "公告"}))
    )
    assert draw.status == "observed"


def test_a_lottery_that_not_everybody_typed_alike_is_refused() -> None:
    given(announcing(public_source=LOTTERY), *READY, typed("agency", DIGITS)).when(
        observing(DIGITS, {"reference": "公告"})
    ).refused(ValuesDiffer, "/value", parties=["agency"])
    steps = (*READY, typed("agency", DIGITS), typed("discipline", "11"))
    given(announcing(public_source=LOTTERY), *steps).when(observing(DIGITS, {"reference": "公告"})).refused(
        ValuesDiffer, "/value", parties=["agency", "discipline"]
    )


def test_a_value_is_not_taken_before_the_time_of_its_source() -> None:
    given(announcing(public_source=LOTTERY), *READY).when(
        lambda draw: draw.type_value(act(AGENCY), party="agency", value=DIGITS)
    ).refused(SourceEarly, time=LOTTERY_TIME)
    given(announcing(public_source=LOTTERY), *READY).when(
        observing(DIGITS, {"reference": "公告"}, at=NOW)
    ).refused(SourceEarly, time=LOTTERY_TIME)


def test_evidence_of_another_kind_is_refused() -> None:
    steps = (*READY, typed("agency", DIGITS), typed("discipline", DIGITS))
    outcome = given(announcing(public_source=LOTTERY), *steps).when(observing(DIGITS, {"witnesses": 2}))
    assert isinstance(outcome.refusal, SourceWrong)


# --- beacon ----------------------------------------------------------------------------------


def handing_in(value: str = BEACON_VALUE, *, genuine: bool = True, at: datetime = BEACON_TIME) -> Any:
    """Somebody hands in a beacon's value with its signature, which the caller has verified or not."""
    evidence = {"signature": SIGNATURE}
    return lambda draw: draw.observe(act(at=at), value=value, evidence=evidence, genuine=genuine)


def test_a_genuine_beacon_is_handed_in_by_anybody() -> None:
    draw = (
        given(announcing(public_source=BEACON), *READY)
        .when(handing_in())
        .then(happened(Draw.PublicValueObserved, value=BEACON_VALUE, evidence={"signature": SIGNATURE}))
    )
    assert draw.status == "observed"


def test_a_forged_beacon_is_refused() -> None:
    """Whoever could hand one in would choose the seed: forty-eight bytes of anybody's fancy."""
    given(announcing(public_source=BEACON), *READY).when(handing_in(genuine=False)).refused(
        BeaconForged, "/evidence/signature", round=BEACON["round"]
    )


def test_a_beacon_is_not_taken_before_its_round() -> None:
    early = BEACON_TIME - timedelta(microseconds=1)
    given(announcing(public_source=BEACON), *READY).when(handing_in(at=early)).refused(
        SourceEarly, time=BEACON_TIME
    )


def test_a_beacon_is_not_typed() -> None:
    outcome = given(announcing(public_source=BEACON), *READY).when(typed("agency", BEACON_VALUE, BEACON_TIME))
    assert isinstance(outcome.refusal, SourceWrong)


def test_a_beacon_value_that_is_not_its_signature_is_refused() -> None:
    outcome = given(announcing(public_source=BEACON), *READY).when(handing_in("00" * 32))
    assert isinstance(outcome.refusal, SourceWrong)


def test_nothing_is_observed_before_all_have_revealed() -> None:
    given(announcing(public_source=BEACON), committed, sealed).when(handing_in()).refused(
        DrawStatusWrong, status="sealed", needed="revealed"
    )


# --- void ------------------------------------------------------------------------------------


def asked(draw: Draw) -> None:
    """The leader asks to void the draw."""
    draw.ask_void(act(LEADER), ground="名录有误")


def voided(draw: Draw) -> None:
    """Discipline voids it."""
    draw.void(act(DISCIPLINE))


def test_two_people_void_a_draw_whose_value_does_not_exist() -> None:
    given(announcing()).when(asked).then(happened(Draw.VoidAsked, ground="名录有误"))
    draw = (
        given(announcing(), committed, sealed, asked)
        .when(voided)
        .then(
            happened(
                Draw.Voided,
                ground="名录有误",
                plan_row=f"{stream('plan')}/01",
                frame_key=f"{CITY}/2024",
                reroll_warning=False,
            )
        )
    )
    assert draw.status == "voided"


def test_a_void_needs_a_ground() -> None:
    given(announcing()).when(lambda draw: draw.ask_void(act(LEADER), ground="")).refused(
        DrawGroundMissing, "/ground"
    )


@pytest.mark.parametrize(
    "second", [act(LEADER), act(DEPUTY, on_behalf_of=LEADER), act(LEADER, on_behalf_of=PLANNER)]
)
def test_the_second_person_is_another(second: Any) -> None:
    given(announcing(), asked).when(lambda draw: draw.void(second)).refused(SecondPersonNeeded)


def test_whom_a_deputy_asked_for_is_not_a_second_person() -> None:
    given(announcing(), lambda draw: draw.ask_void(act(DEPUTY, on_behalf_of=LEADER), ground="误")).when(
        lambda draw: draw.void(act(LEADER))
    ).refused(SecondPersonNeeded)


def test_a_void_that_nobody_asked_for_is_refused() -> None:
    given(announcing()).when(voided).refused(SecondPersonNeeded)


@pytest.mark.parametrize(
    ("source", "steps", "moment", "warning"),
    [
        (LOTTERY, (committed, sealed), NOW, False),
        (LOTTERY, (committed, sealed), LOTTERY_TIME, True),
        (LOTTERY, READY, LOTTERY_TIME, True),
        ({"kind": "dice", "rolls": 20}, READY, NOW, True),
    ],
)
def test_a_void_at_the_time_of_the_source_or_after_warns_of_a_re_roll(
    source: dict[str, Any], steps: Any, moment: datetime, warning: bool
) -> None:
    outcome = given(announcing(public_source=source), *steps, asked).when(
        lambda draw: draw.void(act(DISCIPLINE, at=moment))
    )
    outcome.then(
        happened(
            Draw.Voided,
            ground="名录有误",
            plan_row=f"{stream('plan')}/01",
            frame_key=f"{CITY}/2024",
            reroll_warning=warning,
        )
    )


@pytest.mark.parametrize("steps", [(*READY, observed), (*READY, observed, completed)])
def test_a_draw_whose_value_exists_cannot_be_voided(steps: Any) -> None:
    given(announcing(), *steps).when(asked).refused(ValueExists)
    given(announcing(), *READY, asked, *steps[len(READY) :]).when(voided).refused(ValueExists)


def test_a_value_that_everybody_typed_exists() -> None:
    source, typing = LOTTERY, LOTTERY_TYPED
    late = act(DISCIPLINE, at=BEACON_TIME)
    given(announcing(public_source=source), *READY, *typing).when(asked).refused(ValueExists)
    given(announcing(public_source=source), *READY, asked, *typing).when(
        lambda draw: draw.void(late)
    ).refused(ValueExists)
    given(announcing(public_source=source), *READY, asked, typing[0]).when(lambda draw: draw.void(late)).then(
        happened(
            Draw.Voided,
            ground="名录有误",
            plan_row=f"{stream('plan')}/01",
            frame_key=f"{CITY}/2024",
            reroll_warning=True,
        )
    )


def test_a_voided_draw_stays_voided() -> None:
    given(announcing(), asked, voided).when(asked).refused(
        DrawStatusWrong, status="voided", needed="announced"
    )
    given(announcing(), asked, voided).when(committed).refused(
        DrawStatusWrong, status="voided", needed="announced"
    )


def test_typing_on_stays_with_the_parties_until_observed() -> None:
    given(announcing(), *READY, observed).when(
        lambda draw: draw.type_value(later(AGENCY, hours=1), party="agency", value=ROLLED)
    ).refused(DrawStatusWrong, status="observed", needed="revealed")
