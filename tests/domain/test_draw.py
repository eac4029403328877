"""A draw: sealed before chance exists, step by step, by the people who may."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.act import Act
from domain.draw import Draw
from domain.draw_refusals import (
    AlreadyDone,
    CommitmentWrong,
    ContributorsWrong,
    CustodyShared,
    DrawStatusWrong,
    NarrowReasonMissing,
    NarrowSeatsUnapproved,
    NotContributor,
    NothingNarrow,
    ReceiptMissing,
    SealerApproves,
    SecretWrong,
    SourceEarly,
    SourceKnown,
    SourceTimePassed,
    SourceWrong,
)
from domain.draw_values import Contributor, NarrowSeats
from domain.plan import PlanRowMissing, PlanStatusWrong
from tests.builders import (
    AGENCY,
    BEACON,
    CITY,
    DEPUTY,
    DICE,
    DISCIPLINE,
    LOTTERY,
    NOW,
    ORIGIN,
    PLANNER,
    SECRETS,
    act,
    commitment_of,
    contributors,
    digest,
    later,
    result,
    seal,
    stream,
)
from tests.scenario import given, happened, when_begun
from tests.stages import (
    announcing,
    committed,
    completed,
    drafted_plan,
    observed,
    published_plan,
    revealed,
    row_set,
    sealed,
)

LOTTERY_TIME = datetime.fromisoformat(LOTTERY["at"])
FIRST = act(AGENCY)


def after(moment: datetime, by: str = AGENCY) -> Any:
    """A deed a second after the moment."""
    return act(by, at=moment + timedelta(seconds=1))


# --- announce --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [DICE, BEACON, LOTTERY])
def test_a_draw_is_announced_with_its_contributors_and_its_source(source: dict[str, Any]) -> None:
    draw = when_begun(announcing(public_source=source)).then(
        happened(
            Draw.Announced,
            log=ORIGIN,
            draw_no=1,
            attempt=1,
            previous="",
            plan=stream("plan"),
            row="01",
            plan_row=f"{stream('plan')}/01",
            period="2024Q2",
            region=CITY,
            redraw=False,
            contributors=contributors(),
            public_source=source,
            rulebook="2024.1",
        )
    )
    assert draw.status == "announced"


def test_a_draw_starts_only_from_a_published_plan() -> None:
    plan = drafted_plan()
    row_set(plan)
    when_begun(announcing(plan=plan)).refused(PlanStatusWrong, status="draft", needed="published")


def test_a_draw_starts_only_from_a_row_of_the_plan() -> None:
    when_begun(announcing(row="09")).refused(PlanRowMissing, plan=published_plan().id, row="09")


@pytest.mark.parametrize(
    "parties",
    [
        (),
        ("agency",),
        ("agency", "agency", "discipline"),
        ("agency", "discipline", "the public"),
        ("agency", "discipline", ""),
        ("agency", "discipline", "公证处"),
    ],
)
def test_a_draw_needs_both_parties_each_once(parties: tuple[str, ...]) -> None:
    named = [Contributor(party, stream("account", n)) for n, party in enumerate(parties)]
    when_begun(announcing(contributors=named)).refused(
        ContributorsWrong, "/contributors", parties=list(parties)
    )


def test_no_custodian_keeps_two_secrets() -> None:
    shared = [Contributor("agency", AGENCY), Contributor("discipline", AGENCY)]
    when_begun(announcing(contributors=shared)).refused(CustodyShared, "/contributors", account=AGENCY)


@pytest.mark.parametrize("source", [{"kind": "coin"}, {"kind": "dice", "rolls": 19}])
def test_a_source_that_the_rules_do_not_know_is_refused(source: dict[str, Any]) -> None:
    outcome = when_begun(announcing(public_source=source))
    assert isinstance(outcome.refusal, SourceWrong)
    assert outcome.refusal.pointer == "/public_source"


def test_a_source_whose_value_may_be_known_is_refused() -> None:
    known = {**LOTTERY, "at": "2024-04-01T09:00:00+08:00"}
    when_begun(announcing(public_source=known)).refused(SourceKnown, "/public_source", time=NOW)


# --- commit ----------------------------------------------------------------------------------


def test_commitments_are_filed_by_their_custodians() -> None:
    draw = (
        given(announcing())
        .when(lambda draw: draw.commit(FIRST, party="agency", commitment=commitment_of("agency")))
        .then(happened(Draw.Committed, party="agency", commitment=commitment_of("agency")))
    )
    assert draw.status == "announced"
    assert given(announcing(), committed).aggregate.status == "committed"


@pytest.mark.parametrize(
    "somebody", [act(DISCIPLINE), act(DEPUTY, on_behalf_of=AGENCY), act(DISCIPLINE, on_behalf_of=AGENCY)]
)
def test_nobody_but_the_custodian_acts_for_a_party(somebody: Any) -> None:
    given(announcing()).when(
        lambda draw: draw.commit(somebody, party="agency", commitment=commitment_of("agency"))
    ).refused(NotContributor, "/party", party="agency")
    given(announcing(), committed, sealed).when(
        lambda draw: draw.reveal(somebody, party="agency", secret=SECRETS["agency"], receipt=digest())
    ).refused(NotContributor, "/party", party="agency")


def test_a_party_commits_once() -> None:
    def once(draw: Draw) -> None:
        draw.commit(FIRST, party="agency", commitment=commitment_of("agency"))

    given(announcing(), once).when(once).refused(AlreadyDone, party="agency", step="commit")


@pytest.mark.parametrize("commitment", ["", "ab" * 31, "AB" * 32, "gg" * 32])
def test_a_commitment_is_a_hash(commitment: str) -> None:
    given(announcing()).when(lambda draw: draw.commit(FIRST, party="agency", commitment=commitment)).refused(
        CommitmentWrong, "/commitment", party="agency"
    )


# --- seal ------------------------------------------------------------------------------------


def test_frame_pool_and_rules_are_frozen() -> None:
    draw = (
        given(announcing(), committed)
        .when(sealed)
        .then(happened(Draw.Sealed, seal=seal(), frame_key=f"{CITY}/2024"))
    )
    assert (draw.status, draw.frozen) == ("sealed", seal())


def test_nothing_is_sealed_at_the_time_of_the_source_or_after() -> None:
    given(announcing(public_source=LOTTERY), committed).when(
        lambda draw: draw.seal(act(at=LOTTERY_TIME), seal=seal(), frame_key="")
    ).refused(SourceTimePassed, time=LOTTERY_TIME)


# --- reveal ----------------------------------------------------------------------------------


def test_secrets_are_revealed_with_the_receipts_that_were_kept() -> None:
    draw = (
        given(announcing(), committed, sealed)
        .when(lambda draw: draw.reveal(FIRST, party="agency", secret=SECRETS["agency"], receipt=digest(20)))
        .then(happened(Draw.Revealed, party="agency", secret=SECRETS["agency"], receipt=digest(20)))
    )
    assert draw.status == "sealed"
    draw = given(announcing(), committed, sealed, revealed).aggregate
    assert (draw.status, draw.all_revealed_at) == ("revealed", NOW)


def test_a_party_reveals_once() -> None:
    def once(draw: Draw) -> None:
        draw.reveal(FIRST, party="agency", secret=SECRETS["agency"], receipt=digest())

    given(announcing(), committed, sealed, once).when(once).refused(
        AlreadyDone, party="agency", step="reveal"
    )


@pytest.mark.parametrize(
    "secret", ["", "zz" * 32, "11" * 31, "11" * 31 + "12", SECRETS["discipline"], "AA" * 32]
)
def test_a_secret_that_does_not_open_its_commitment_is_refused(secret: str) -> None:
    given(announcing(), committed, sealed).when(
        lambda draw: draw.reveal(FIRST, party="agency", secret=secret, receipt=digest())
    ).refused(SecretWrong, "/secret", party="agency")


def test_a_reveal_without_the_kept_receipt_is_refused() -> None:
    given(announcing(), committed, sealed).when(
        lambda draw: draw.reveal(FIRST, party="agency", secret=SECRETS["agency"], receipt="")
    ).refused(ReceiptMissing, "/receipt", party="agency")


def test_nothing_is_revealed_at_the_time_of_the_source_or_after() -> None:
    given(announcing(public_source=LOTTERY), committed, sealed).when(
        lambda draw: draw.reveal(
            act(AGENCY, at=LOTTERY_TIME), party="agency", secret=SECRETS["agency"], receipt=digest()
        )
    ).refused(SourceTimePassed, time=LOTTERY_TIME)


def one_revealed(draw: Draw) -> None:
    """Only the agency revealed."""
    draw.reveal(FIRST, party="agency", secret=SECRETS["agency"], receipt=digest())


def test_an_attempt_ends_when_somebody_did_not_reveal_in_time() -> None:
    draw = (
        given(announcing(public_source=LOTTERY), committed, sealed, one_revealed)
        .when(lambda draw: draw.end_attempt(act(at=LOTTERY_TIME)))
        .then(
            happened(
                Draw.AttemptEnded,
                missing=("discipline",),
                plan_row=f"{stream('plan')}/01",
                frame_key=f"{CITY}/2024",
            )
        )
    )
    assert draw.status == "ended"


def test_an_attempt_does_not_end_while_there_is_time() -> None:
    given(announcing(public_source=LOTTERY), committed, sealed).when(
        lambda draw: draw.end_attempt(later(hours=1))
    ).refused(SourceEarly, time=LOTTERY_TIME)


def test_an_attempt_with_dice_has_no_time_at_which_it_could_end() -> None:
    given(announcing(), committed, sealed).when(lambda draw: draw.end_attempt(later(days=9))).refused(
        SourceEarly, time=None
    )


# --- complete, change, open ------------------------------------------------------------------


def test_the_result_is_recorded_and_gives_the_frame_back() -> None:
    draw = (
        given(announcing(), committed, sealed, revealed, observed)
        .when(completed)
        .then(happened(Draw.Completed, result=result(), frame_key=f"{CITY}/2024"))
    )
    assert (draw.status, draw.result) == ("completed", result())


CHANGE = {
    "id": stream("site"),
    "kind": "recusal",
    "recused": stream("inspector"),
    "seat": "lead",
    "substitute": None,
}


def changed(draw: Draw) -> None:
    """A seat went to the next in its succession."""
    draw.change(later(hours=1), change=CHANGE)


def opened(draw: Draw) -> None:
    """The bundle is public."""
    draw.open(later(days=80), changes=digest(15))


def test_changes_are_recorded_in_their_order_and_the_bundle_is_opened() -> None:
    whole = (announcing(), committed, sealed, revealed, observed, completed)
    draw = given(*whole).when(changed).then(happened(Draw.Changed, change=CHANGE))
    assert draw.changes == [CHANGE]
    draw = given(*whole, changed).when(opened).then(happened(Draw.Opened, changes=digest(15)))
    assert draw.status == "opened"


STEPS: list[tuple[tuple[Any, ...], Any, str, str]] = [
    ((committed,), committed, "committed", "announced"),
    ((), sealed, "announced", "committed"),
    ((committed, sealed), sealed, "sealed", "committed"),
    ((committed,), revealed, "committed", "sealed"),
    ((committed, sealed, revealed), revealed, "revealed", "sealed"),
    ((committed, sealed), observed, "sealed", "revealed"),
    ((committed, sealed, revealed), lambda draw: draw.end_attempt(FIRST), "revealed", "sealed"),
    ((committed, sealed, revealed), completed, "revealed", "observed"),
    ((committed, sealed, revealed, observed), observed, "observed", "revealed"),
    ((committed, sealed, revealed, observed), changed, "observed", "completed"),
    ((committed, sealed, revealed, observed), opened, "observed", "completed"),
    ((committed, sealed, revealed, observed, completed, opened), changed, "opened", "completed"),
]


@pytest.mark.parametrize(("steps", "decide", "status", "needed"), STEPS)
def test_steps_out_of_order_are_refused(steps: Any, decide: Any, status: str, needed: str) -> None:
    given(announcing(), *steps).when(decide).refused(DrawStatusWrong, status=status, needed=needed)


# --- narrow seats ----------------------------------------------------------------------------

NARROW = NarrowSeats(sites=2, seats=3)


def sealed_narrowly(draw: Draw) -> None:
    """The pool has seats for which fewer than three may sit."""
    draw.seal(act(), seal=seal(), frame_key=f"{CITY}/2024", narrow=NARROW)


def approved(draw: Draw) -> None:
    """Another person lets it go on."""
    draw.approve_narrow_seats(act(DISCIPLINE), reason="全区持证人员仅二人")


def test_narrow_seats_are_an_event_of_the_seal() -> None:
    draw = (
        given(announcing(), committed)
        .when(sealed_narrowly)
        .then(
            happened(Draw.Sealed, seal=seal(), frame_key=f"{CITY}/2024"),
            happened(Draw.NarrowSeatsFound, sites=2, seats=3),
        )
    )
    assert draw.narrow_seats == 3


def test_nobody_reveals_before_a_second_person_approves_of_narrow_seats() -> None:
    given(announcing(), committed, sealed_narrowly).when(revealed).refused(NarrowSeatsUnapproved, seats=3)
    draw = (
        given(announcing(), committed, sealed_narrowly)
        .when(approved)
        .then(happened(Draw.NarrowSeatsApproved, reason="全区持证人员仅二人"))
    )
    revealed(draw)
    assert draw.status == "revealed"


@pytest.mark.parametrize("approver", [act(PLANNER), act(DISCIPLINE, on_behalf_of=PLANNER)])
def test_who_sealed_does_not_approve_nor_a_deputy_for_him(approver: Act) -> None:
    given(announcing(), committed, sealed_narrowly).when(
        lambda draw: draw.approve_narrow_seats(approver, reason="人少")
    ).refused(SealerApproves)


def test_narrow_seats_are_approved_once_and_with_a_reason() -> None:
    given(announcing(), committed, sealed_narrowly).when(
        lambda draw: draw.approve_narrow_seats(act(DISCIPLINE), reason=" ")
    ).refused(NarrowReasonMissing, "/reason")
    given(announcing(), committed, sealed_narrowly, approved).when(approved).refused(
        AlreadyDone, party="", step="approve-narrow-seats"
    )


def test_where_nothing_is_narrow_nothing_is_approved() -> None:
    given(announcing(), committed, sealed).when(approved).refused(NothingNarrow)
    given(announcing(), committed).when(approved).refused(
        DrawStatusWrong, status="committed", needed="sealed"
    )
