"""Two people change the key, and two people give up what was published: each event, each refusal."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import DomainError
from domain.installation import (
    GivenUpAlready,
    GivenUpWrong,
    Installation,
    LedgerAskingDiffers,
    LedgerAskingMissing,
    LedgerAskingOpen,
    LedgerKeyRefused,
    LedgerReasonMissing,
    LedgerSecondPersonNeeded,
)
from domain.ledger.note import SigningKey
from tests.builders import DEPUTY, DISCIPLINE, LEADER, ORIGIN, PLANNER, VKEYS, act, digest
from tests.scenario import given, happened

FIRST, SECOND, THIRD = VKEYS
ROOT = digest(50)
Step = Callable[[Installation], None]


def founded() -> Installation:
    """A log under its first key."""
    return Installation.found(act(), id="installation-1", origin=ORIGIN, verifier_key=FIRST)


def asking(key: str = SECOND, reason: str = "例行更换", **who: Any) -> Step:
    """Somebody asks for another key."""
    return lambda log: log.ask_key_change(act(**who), verifier_key=key, reason=reason)


def changing(key: str = SECOND, by: str = DISCIPLINE, **who: Any) -> Step:
    """Somebody confirms the key."""
    return lambda log: log.change_key(act(by, **who), verifier_key=key)


def keeping(log: Installation) -> None:
    """The change is withdrawn by who would have had to confirm."""
    log.withdraw_key_change(act(DISCIPLINE), reason="另行生成")


def giving_up(size: int = 812, root: str = ROOT, reason: str = "备份恢复", **who: Any) -> Step:
    """Somebody asks to give up a checkpoint."""
    return lambda log: log.ask_resume(act(**who), size=size, root=root, reason=reason)


def resuming(size: int = 812, root: str = ROOT, by: str = DISCIPLINE, **who: Any) -> Step:
    """Somebody confirms that it is given up."""
    return lambda log: log.resume(act(by, **who), size=size, root=root)


def holding_on(log: Installation) -> None:
    """Giving up is withdrawn."""
    log.withdraw_resume(act(), reason="已找到完整备份")


# --- the key ---------------------------------------------------------------------------------


def test_two_people_change_the_key() -> None:
    given(founded).when(asking()).then(
        happened(Installation.KeyChangeAsked, verifier_key=SECOND, reason="例行更换")
    )
    log = (
        given(founded, asking())
        .when(changing())
        .then(happened(Installation.KeyChanged, verifier_key=SECOND, former=FIRST, reason="例行更换"))
    )
    assert (log.verifier_key, log.former_keys) == (SECOND, (FIRST,))


def test_keys_change_again_and_former_ones_stay_in_order() -> None:
    steps = (asking(), changing(), asking(THIRD))
    log = (
        given(founded, *steps)
        .when(changing(THIRD))
        .then(happened(Installation.KeyChanged, verifier_key=THIRD, former=SECOND, reason="例行更换"))
    )
    assert log.former_keys == (FIRST, SECOND)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"by": PLANNER}),
        ({}, {"by": DEPUTY, "on_behalf_of": PLANNER}),
        ({"by": DEPUTY, "on_behalf_of": LEADER}, {"by": LEADER}),
        ({"by": DEPUTY, "on_behalf_of": LEADER}, {"by": DEPUTY}),
    ],
)
def test_nobody_is_both_people(first: dict[str, Any], second: dict[str, Any]) -> None:
    given(founded, asking(**first)).when(changing(**second)).refused(
        LedgerSecondPersonNeeded, kind="key-change"
    )
    given(founded, giving_up(**first)).when(resuming(**second)).refused(
        LedgerSecondPersonNeeded, kind="resumption"
    )


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("", "malformed"),
        (SECOND[:-1] + "A", "malformed"),
        (f"{SECOND}\n", "malformed"),
        (SECOND.replace("140100", "140200"), "malformed"),
        (SigningKey("sunlot.example/140200", b"2" * 32).verifier.encode(), "other-origin"),
        (FIRST, "used-before"),
    ],
)
def test_a_key_that_cannot_sign_this_log_is_refused(key: str, why: str) -> None:
    given(founded).when(asking(key)).refused(LedgerKeyRefused, "/verifier_key", reason=why)


def test_a_key_that_signed_before_never_comes_back() -> None:
    given(founded, asking(), changing()).when(asking(FIRST)).refused(
        LedgerKeyRefused, "/verifier_key", reason="used-before"
    )


def test_one_change_is_open_at_a_time_until_it_is_withdrawn() -> None:
    given(founded, asking()).when(asking(THIRD)).refused(LedgerAskingOpen, kind="key-change")
    given(founded, asking()).when(keeping).then(
        happened(Installation.KeyChangeWithdrawn, verifier_key=SECOND, reason="另行生成")
    )
    given(founded, asking(), keeping).when(changing()).refused(LedgerAskingMissing, kind="key-change")
    given(founded, asking(), keeping).when(asking(THIRD)).then(
        happened(Installation.KeyChangeAsked, verifier_key=THIRD, reason="例行更换")
    )


def test_the_second_person_names_the_key_that_was_asked_for() -> None:
    given(founded, asking()).when(changing(THIRD)).refused(
        LedgerAskingDiffers, kind="key-change", asked=SECOND, named=THIRD
    )


# --- what was published ----------------------------------------------------------------------


def test_two_people_give_up_a_published_checkpoint() -> None:
    given(founded).when(giving_up()).then(
        happened(Installation.ResumeAsked, size=812, root=ROOT, reason="备份恢复")
    )
    log = (
        given(founded, giving_up())
        .when(resuming())
        .then(happened(Installation.Resumed, size=812, root=ROOT, reason="备份恢复"))
    )
    assert [(one.size, one.root) for one in log.given_up] == [(812, ROOT)]


def test_one_checkpoint_is_given_up_once_and_another_may_follow() -> None:
    steps = (giving_up(), resuming())
    given(founded, *steps).when(giving_up()).refused(GivenUpAlready, size=812, root=ROOT)
    log = given(founded, *steps, giving_up(root=digest(51))).when(resuming(root=digest(51)))
    assert log.after is not None
    assert len(log.after.given_up) == 2


@pytest.mark.parametrize(
    ("size", "root"),
    [(0, ROOT), (-1, ROOT), (2**63, ROOT), (812, ""), (812, ROOT[:-1]), (812, "A" * 64), (812, f"{ROOT}\n")],
)
def test_what_is_no_checkpoint_cannot_be_given_up(size: int, root: str) -> None:
    given(founded).when(giving_up(size, root)).refused(GivenUpWrong, "/root", size=size, root=root)


@pytest.mark.parametrize(("size", "root"), [(813, ROOT), (812, digest(51))])
def test_the_second_person_names_the_same_size_and_root(size: int, root: str) -> None:
    given(founded, giving_up()).when(resuming(size, root)).refused(
        LedgerAskingDiffers, kind="resumption", asked=f"812 {ROOT}", named=f"{size} {root}"
    )


def test_giving_up_may_be_withdrawn() -> None:
    given(founded, giving_up()).when(giving_up(813)).refused(LedgerAskingOpen, kind="resumption")
    given(founded, giving_up()).when(holding_on).then(
        happened(Installation.ResumeWithdrawn, size=812, root=ROOT, reason="已找到完整备份")
    )
    given(founded, giving_up(), holding_on).when(resuming()).refused(LedgerAskingMissing, kind="resumption")


@pytest.mark.parametrize(
    "step", [changing(), keeping, resuming(), holding_on], ids=["change", "keep", "resume", "hold on"]
)
def test_what_nobody_asked_for_is_not_decided(step: Step) -> None:
    outcome = given(founded).when(step)
    assert isinstance(outcome.refusal, LedgerAskingMissing)


@pytest.mark.parametrize(
    "step",
    [
        asking(reason=" "),
        giving_up(reason=""),
        lambda log: log.withdraw_key_change(act(), reason=""),
        lambda log: log.withdraw_resume(act(), reason="\t"),
    ],
    ids=["key", "checkpoint", "keep", "hold on"],
)
def test_a_reason_is_given(step: Step) -> None:
    refusal: DomainError | None = given(founded, asking(), giving_up()).when(step).refusal
    assert isinstance(refusal, LedgerReasonMissing)
    assert refusal.pointer == "/reason"


def test_a_change_of_the_key_and_a_resumption_do_not_wait_for_each_other() -> None:
    log = given(founded, asking(), giving_up(), changing()).when(resuming()).after
    assert log is not None
    assert (log.verifier_key, len(log.given_up)) == (SECOND, 1)
