"""An account: grants, tokens, whom it stands for; closed for ever."""

from datetime import date
from typing import Any

import pytest

from domain.account import (
    Account,
    AccountClosed,
    Granted,
    GrantHeld,
    GrantUnknown,
    LinkHeld,
    RoleWrong,
    TokenUnknown,
)
from domain.identifiers import RegionWrong
from tests.builders import CHEN, CITY, WANG, act, digest, stream
from tests.scenario import given, happened, when_begun
from tests.stages import opened_account

ROLES = ("leader", "inspector")
TOKEN = stream("token")
NEXT_YEAR = date(2025, 1, 1)


def giving(role: str = "leader", region: str = CITY, until: date | None = None) -> Any:
    """A role is given."""
    return lambda account: account.give(act(), role=role, region=region, until=until, roles=ROLES)


def taking(role: str = "leader") -> Any:
    """A role is taken back."""
    return lambda account: account.take(act(), role=role, region=CITY, reason="调岗")


def linking(inspector: str = CHEN) -> Any:
    """The account stands for an inspector."""
    return lambda account: account.link(act(), inspector=inspector)


def issued(account: Account) -> None:
    """A token was issued."""
    account.issue_token(act(), token=TOKEN, label="报表", expires_on=NEXT_YEAR)


def revoked(account: Account) -> None:
    """The token was ended."""
    account.revoke_token(act(), token=TOKEN)


def closed(account: Account) -> None:
    """The account was closed."""
    account.close(act(), reason="离职")


def test_an_account_is_opened_without_grants() -> None:
    account = when_begun(opened_account).then(
        happened(Account.Opened, person=stream("person", 20), commitment=digest(20))
    )
    assert (account.status, account.grants) == ("open", {})


def test_a_role_is_given_in_a_region_and_prolonged() -> None:
    account = (
        given(opened_account)
        .when(giving())
        .then(happened(Account.GrantGiven, role="leader", region=CITY, until=None))
    )
    assert account.grants == {("leader", CITY): Granted("leader", CITY, None)}
    prolonged = given(opened_account, giving()).when(giving(until=NEXT_YEAR))
    assert prolonged.after is not None
    assert prolonged.after.grants == {("leader", CITY): Granted("leader", CITY, NEXT_YEAR)}


def test_a_role_is_one_of_those_there_are_in_a_region_that_is_one() -> None:
    given(opened_account).when(giving("emperor")).refused(RoleWrong, "/role", role="emperor")
    given(opened_account).when(giving(region="here")).refused(RegionWrong, value="here")


def test_a_role_that_is_held_is_not_given_again() -> None:
    given(opened_account, giving()).when(giving()).refused(GrantHeld, role="leader", region=CITY)


def test_a_role_is_taken_back() -> None:
    account = (
        given(opened_account, giving())
        .when(taking())
        .then(happened(Account.GrantTaken, role="leader", region=CITY, reason="调岗"))
    )
    assert account.grants == {}


def test_a_role_that_is_not_held_is_not_taken() -> None:
    given(opened_account).when(taking()).refused(GrantUnknown, role="leader", region=CITY)


def test_an_account_stands_for_one_inspector() -> None:
    account = given(opened_account).when(linking()).then(happened(Account.Linked, inspector=CHEN))
    assert account.inspector == CHEN
    given(opened_account, linking()).when(linking(WANG)).refused(LinkHeld, inspector=CHEN)


def test_a_password_is_set_without_the_event_knowing_it() -> None:
    given(opened_account).when(lambda account: account.set_password(act())).then(
        happened(Account.PasswordSet)
    )


def test_a_token_is_issued_and_ended() -> None:
    account = (
        given(opened_account)
        .when(issued)
        .then(happened(Account.TokenIssued, token=TOKEN, label="报表", expires_on=NEXT_YEAR))
    )
    assert account.tokens == {TOKEN}
    account = given(opened_account, issued).when(revoked).then(happened(Account.TokenRevoked, token=TOKEN))
    assert account.tokens == set()


def test_a_token_ends_once() -> None:
    given(opened_account).when(revoked).refused(TokenUnknown, token=TOKEN)
    given(opened_account, issued, revoked).when(revoked).refused(TokenUnknown, token=TOKEN)


@pytest.mark.parametrize(("steps", "inspector"), [((), ""), ((linking(),), CHEN)])
def test_an_account_is_closed_and_frees_its_inspector(steps: Any, inspector: str) -> None:
    account = (
        given(opened_account, giving(), *steps)
        .when(closed)
        .then(happened(Account.Closed, reason="离职", inspector=inspector))
    )
    assert (account.status, account.grants) == ("closed", {})


@pytest.mark.parametrize(
    "decide",
    [giving(), taking(), linking(), issued, closed, lambda account: account.set_password(act())],
)
def test_a_closed_account_does_nothing_any_more(decide: Any) -> None:
    given(opened_account, giving(), closed).when(decide).refused(AccountClosed, account=stream("account", 20))


def test_tokens_of_a_closed_account_can_still_be_ended() -> None:
    given(opened_account, issued, closed).when(revoked).then(happened(Account.TokenRevoked, token=TOKEN))
