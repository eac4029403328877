"""An assignment: a drawn site, its team, recusals, and a site that is no longer there."""

from typing import Any

import pytest

from domain.assignment import (
    Assignment,
    AssignmentEnded,
    NotOnTeam,
)
from domain.recusal import (
    DeciderInvolved,
    MinutesMissing,
    NotDeclarer,
    RecusalDecided,
    RecusalGroundWrong,
    RecusalPending,
    RecusalReasonMissing,
    RecusalUnknown,
)
from domain.voiding import VoidGroundWrong, VoidNeedsTwo, VoidNotAsked, VoidPending, VoidReasonMissing
from tests.builders import (
    CHEN,
    DEPUTY,
    LEADER,
    RECORDER,
    TEAM,
    WANG,
    ZHAO,
    act,
    assigned_task,
    digest,
    stream,
)
from tests.scenario import given, happened, when_begun
from tests.stages import made_assignment

RECUSAL = stream("recusal")


def declaring(inspector: str = CHEN, *, id: str = RECUSAL, by: Any = None, **fields: str) -> Any:
    """Somebody says that the inspector must not go."""
    facts = {"ground": "near-relative", "origin": "self", "detail": "配偶在该单位任职", **fields}
    return lambda assignment: assignment.declare_recusal(
        by or act(RECORDER), recusal=id, inspector=inspector, **facts
    )


def granting(by: Any = None, *, recusal: str = RECUSAL, decider: str = "", **fields: Any) -> Any:
    """The head frees the seat, and Zhao follows."""
    facts = {"substitute": ZHAO, "reason": "情况属实", "decided_as": "head", **fields}
    return lambda assignment: assignment.grant_recusal(
        by or act(LEADER), recusal=recusal, decider=decider, **facts
    )


def refusing(by: Any = None, *, recusal: str = RECUSAL, decider: str = "", reason: str = "不影响") -> Any:
    """The head leaves the inspector on the team."""
    return lambda assignment: assignment.refuse_recusal(
        by or act(LEADER), recusal=recusal, decider=decider, reason=reason, decided_as="head"
    )


def void_asked(assignment: Assignment) -> None:
    """An officer says that the site is closed."""
    assignment.ask_void(act(RECORDER), ground="closed", evidence=(digest(),))


def voided(assignment: Assignment) -> None:
    """Another found the same; the next of the reserve took the site's place."""
    assignment.void_site(act(LEADER), replacement=stream("assignment", 2))


def test_the_lot_gives_a_site_its_team() -> None:
    assignment = when_begun(made_assignment).then(happened(Assignment.Made, task=assigned_task(), team=TEAM))
    assert assignment.team == {"lead": CHEN, "officer": WANG}


def test_a_recusal_is_declared_for_the_seat_that_the_inspector_holds() -> None:
    assignment = (
        given(made_assignment)
        .when(declaring(WANG))
        .then(
            happened(
                Assignment.RecusalDeclared,
                recusal=RECUSAL,
                inspector=WANG,
                seat="officer",
                ground="near-relative",
                origin="self",
                detail="配偶在该单位任职",
            )
        )
    )
    assert assignment.recusals[RECUSAL].status == "pending"
    assert assignment.team["officer"] == WANG, "the check goes on until it is decided"


@pytest.mark.parametrize("field", ["ground", "origin"])
def test_a_recusal_needs_a_ground_and_an_origin_of_the_law(field: str) -> None:
    change = {field: "dislike"}
    told = change.get("ground", "near-relative")
    given(made_assignment).when(declaring(**change)).refused(RecusalGroundWrong, "/ground", ground=told)


def test_who_is_not_on_the_team_cannot_be_recused() -> None:
    given(made_assignment).when(declaring(ZHAO)).refused(NotOnTeam, inspector=ZHAO)


def test_one_recusal_at_a_time_of_an_inspector() -> None:
    second = stream("recusal", 2)
    given(made_assignment, declaring()).when(declaring(id=second)).refused(RecusalPending, recusal=RECUSAL)
    both = given(made_assignment, declaring()).when(declaring(WANG, id=second))
    assert set(both.after.recusals if both.after else ()) == {RECUSAL, second}


def test_after_a_refusal_a_new_ground_may_be_declared() -> None:
    again = given(made_assignment, declaring(), refusing()).when(
        declaring(id=stream("recusal", 2), ground="direct-interest")
    )
    assert again.refusal is None


def test_a_granted_recusal_gives_the_seat_to_the_next() -> None:
    assignment = (
        given(made_assignment, declaring())
        .when(granting())
        .then(
            happened(
                Assignment.RecusalGranted,
                recusal=RECUSAL,
                seat="lead",
                substitute=ZHAO,
                reason="情况属实",
                decided_as="head",
                minutes="",
            )
        )
    )
    assert assignment.team == {"lead": ZHAO, "officer": WANG}
    assert assignment.recusals[RECUSAL].status == "granted"


def test_a_seat_stays_empty_when_nobody_follows() -> None:
    outcome = given(made_assignment, declaring()).when(granting(substitute=None))
    assert outcome.after is not None
    assert outcome.after.team == {"lead": None, "officer": WANG}


def test_a_refused_recusal_leaves_the_team_as_it_was() -> None:
    assignment = (
        given(made_assignment, declaring())
        .when(refusing())
        .then(
            happened(
                Assignment.RecusalRefused, recusal=RECUSAL, reason="不影响", decided_as="head", minutes=""
            )
        )
    )
    assert assignment.team == {"lead": CHEN, "officer": WANG}
    assert assignment.recusals[RECUSAL].status == "refused"


@pytest.mark.parametrize("deciding", [granting, refusing])
def test_a_recusal_is_decided_with_reasons(deciding: Any) -> None:
    given(made_assignment, declaring()).when(deciding(reason="")).refused(RecusalReasonMissing, "/reason")


@pytest.mark.parametrize("deciding", [granting, refusing])
def test_a_recusal_that_nobody_declared_is_unknown(deciding: Any) -> None:
    given(made_assignment).when(deciding()).refused(RecusalUnknown, recusal=RECUSAL)


@pytest.mark.parametrize(("first", "status"), [(granting(), "granted"), (refusing(), "refused")])
@pytest.mark.parametrize("deciding", [granting, refusing])
def test_a_recusal_is_decided_once(first: Any, status: str, deciding: Any) -> None:
    given(made_assignment, declaring(), first).when(deciding()).refused(
        RecusalDecided, recusal=RECUSAL, status=status
    )


@pytest.mark.parametrize("deciding", [granting, refusing])
@pytest.mark.parametrize(
    ("declared", "decided"),
    [
        (act(LEADER), act(LEADER)),
        (act(LEADER), act(DEPUTY, on_behalf_of=LEADER)),
        (act(DEPUTY, on_behalf_of=LEADER), act(LEADER)),
        (act(DEPUTY, on_behalf_of=RECORDER), act(DEPUTY, on_behalf_of=LEADER)),
    ],
)
def test_who_declared_does_not_decide(deciding: Any, declared: Any, decided: Any) -> None:
    given(made_assignment, declaring(by=declared)).when(deciding(decided)).refused(DeciderInvolved)


@pytest.mark.parametrize("deciding", [granting, refusing])
def test_nobody_decides_on_his_own_recusal(deciding: Any) -> None:
    given(made_assignment, declaring()).when(deciding(decider=CHEN)).refused(DeciderInvolved)


def test_a_site_that_is_no_longer_there_is_void() -> None:
    assignment = (
        given(made_assignment, void_asked)
        .when(voided)
        .then(
            happened(
                Assignment.SiteVoided,
                ground="closed",
                evidence=(digest(),),
                replacement=stream("assignment", 2),
            )
        )
    )
    assert assignment.status == "void"


@pytest.mark.parametrize(("ground", "evidence"), [("busy", (digest(),)), ("closed", ())])
def test_a_void_needs_a_ground_and_evidence(ground: str, evidence: tuple[str, ...]) -> None:
    given(made_assignment).when(
        lambda assignment: assignment.ask_void(act(), ground=ground, evidence=evidence)
    ).refused(VoidGroundWrong, "/ground", ground=ground)


@pytest.mark.parametrize("by", [act(RECORDER), act(DEPUTY, on_behalf_of=RECORDER)])
def test_one_person_alone_drops_no_site(by: Any) -> None:
    outcome = given(made_assignment, void_asked)
    outcome.when(lambda one: one.void_site(by, replacement="")).refused(VoidNeedsTwo)
    outcome.when(lambda one: one.refuse_void(by, reason="仍在生产")).refused(VoidNeedsTwo)


def test_a_void_is_asked_once_and_never_decided_unasked() -> None:
    given(made_assignment, void_asked).when(void_asked).refused(VoidPending)
    given(made_assignment).when(voided).refused(VoidNotAsked)


def test_a_refused_void_leaves_the_site_and_may_be_asked_again() -> None:
    def refused(assignment: Assignment) -> None:
        assignment.refuse_void(act(LEADER), reason="仍在生产")

    assignment = (
        given(made_assignment, void_asked)
        .when(refused)
        .then(happened(Assignment.VoidRefused, reason="仍在生产"))
    )
    assert (assignment.status, assignment.void_request) == ("assigned", None)
    given(made_assignment, void_asked, refused).when(void_asked).then(
        happened(Assignment.VoidAsked, ground="closed", evidence=(digest(),))
    )
    given(made_assignment, void_asked).when(lambda one: one.refuse_void(act(LEADER), reason=" ")).refused(
        VoidReasonMissing, "/reason"
    )


def withdrawing(by: Any = None, reason: str = "情况有误") -> Any:
    """Who declared it takes it back."""
    return lambda one: one.withdraw_recusal(by or act(RECORDER), recusal=RECUSAL, reason=reason)


def test_a_withdrawn_recusal_stays_in_the_history() -> None:
    assignment = (
        given(made_assignment, declaring())
        .when(withdrawing())
        .then(happened(Assignment.RecusalWithdrawn, recusal=RECUSAL, reason="情况有误"))
    )
    assert assignment.team == {"lead": CHEN, "officer": WANG}
    assert assignment.recusals[RECUSAL].status == "withdrawn"
    assert assignment.recused == frozenset()


def test_only_who_declared_it_withdraws_it_with_reasons_while_it_is_pending() -> None:
    given(made_assignment, declaring()).when(withdrawing(act(LEADER))).refused(NotDeclarer, recusal=RECUSAL)
    given(made_assignment, declaring()).when(withdrawing(reason="")).refused(RecusalReasonMissing, "/reason")
    for end, status in ((granting(), "granted"), (refusing(), "refused"), (withdrawing(), "withdrawn")):
        given(made_assignment, declaring(), end).when(withdrawing()).refused(
            RecusalDecided, recusal=RECUSAL, status=status
        )


def test_after_a_withdrawal_another_may_be_declared() -> None:
    outcome = given(made_assignment, declaring(), withdrawing()).when(declaring(id=stream("recusal", 2)))
    assert outcome.refusal is None


@pytest.mark.parametrize("deciding", [granting, refusing])
def test_a_collective_decides_with_its_minutes(deciding: Any) -> None:
    def by_collective(minutes: str) -> Any:
        def decide(one: Assignment) -> None:
            facts = {"recusal": RECUSAL, "decider": "", "reason": "情况属实", "decided_as": "collective"}
            more = {"substitute": ZHAO} if deciding is granting else {}
            verb = one.grant_recusal if deciding is granting else one.refuse_recusal
            verb(act(LEADER), **facts, **more, minutes=minutes)

        return decide

    given(made_assignment, declaring()).when(by_collective("")).refused(MinutesMissing, "/minutes")
    outcome = given(made_assignment, declaring()).when(by_collective(digest()))
    assert outcome.refusal is None


@pytest.mark.parametrize("decide", [void_asked, voided, declaring(), granting(), refusing(), withdrawing()])
def test_nothing_more_happens_to_a_void_assignment(decide: Any) -> None:
    given(made_assignment, void_asked, voided).when(decide).refused(
        AssignmentEnded, assignment=stream("assignment")
    )
