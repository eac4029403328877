"""Accounts: what was taken away is gone at once, and nobody guesses a password."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from application import accounts, inspectors
from application.accounts import AccountLocked, AlreadyFounded, Authenticator, SignInRefused, TokenRefused
from application.authorisation import ADMINISTRATOR, CITY_OFFICER, LEADER, PermissionMissing, may
from domain.account import Account
from domain.act import Act
from domain.errors import ClaimTaken
from tests.journey import officer_facts, provenance
from tests.office import DATONG, PASSWORD, TAIYUAN, Agency, actor


def opened(agency: Agency, login: str = "chen") -> str:
    """An account that may sign in."""
    call = agency.call(agency.people.administrator)
    person = {"name": "陈"}
    return accounts.open_account(agency.office, call, person=person, login=login, password=PASSWORD).id


def signed_in(agency: Agency, login: str = "chen", password: str = PASSWORD) -> str:
    """A fresh token."""
    issued = accounts.sign_in(
        agency.office,
        login=login,
        password=password,
        label="test",
        lifetime=timedelta(hours=1),
        correlation_id="",
    )
    return issued.token


def given(agency: Agency, account: str, role: str) -> None:
    """A role in Taiyuan."""
    call = agency.call(agency.people.administrator)
    accounts.give_role(agency.office, call, account, role=role, region=TAIYUAN, until=None)


@pytest.fixture
def authenticator(sqlite_agency: Agency) -> Authenticator:
    return Authenticator(sqlite_agency.office, sqlite_agency.office.workflow)


def test_a_log_is_founded_once(agency: Agency) -> None:
    now = agency.clock.now()
    with pytest.raises(AlreadyFounded):
        accounts.found(
            agency.office,
            Act(by="", at=now, occurred_at=now),
            origin="x",
            verifier_key="",
            rulebook=None,  # type: ignore[arg-type]
            region=TAIYUAN,
            login="second",
            password=PASSWORD,
            name="",
        )


def test_a_token_stands_for_its_account(sqlite_agency: Agency, authenticator: Authenticator) -> None:
    account = opened(sqlite_agency)
    given(sqlite_agency, account, CITY_OFFICER)
    actor = authenticator.actor(signed_in(sqlite_agency))
    assert actor.account == account
    assert may(actor, "plan.draft", "140105", on=sqlite_agency.clock.now().date())


def test_a_role_taken_back_is_gone_at_once(sqlite_agency: Agency, authenticator: Authenticator) -> None:
    account = opened(sqlite_agency)
    given(sqlite_agency, account, LEADER)
    token = signed_in(sqlite_agency)
    assert authenticator.actor(token).grants
    call = sqlite_agency.call(sqlite_agency.people.administrator)
    accounts.take_role(sqlite_agency.office, call, account, role=LEADER, region=TAIYUAN, reason="调离")
    assert not authenticator.actor(token).grants


def test_a_closed_account_s_tokens_end_with_it(sqlite_agency: Agency, authenticator: Authenticator) -> None:
    account = opened(sqlite_agency)
    token = signed_in(sqlite_agency)
    call = sqlite_agency.call(sqlite_agency.people.administrator)
    accounts.close_account(sqlite_agency.office, call, account, reason="退休")
    with pytest.raises(TokenRefused):
        authenticator.actor(token)
    with pytest.raises(SignInRefused):
        signed_in(sqlite_agency)


def test_tokens_expire_and_can_be_revoked(sqlite_agency: Agency, authenticator: Authenticator) -> None:
    account = opened(sqlite_agency)
    token = signed_in(sqlite_agency)
    own = sqlite_agency.call(authenticator.actor(token))
    held = sqlite_agency.office.credentials.token(accounts.token_digest(token))
    assert held is not None
    accounts.revoke_token(sqlite_agency.office, own, account, token=held.id)
    with pytest.raises(TokenRefused):
        authenticator.actor(token)
    other = signed_in(sqlite_agency)
    sqlite_agency.clock.advance(hours=2)
    with pytest.raises(TokenRefused):
        authenticator.actor(other)


def test_a_token_is_not_kept_anywhere(sqlite_agency: Agency) -> None:
    opened(sqlite_agency)
    token = signed_in(sqlite_agency)
    stored = b"".join(row.state for row in sqlite_agency.store.recorder.rows())
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored


def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(agency: Agency) -> None:
    opened(agency)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            signed_in(agency, password="guess")
    with pytest.raises(AccountLocked):
        signed_in(agency)
    agency.clock.advance(minutes=15, seconds=1)
    assert signed_in(agency)


def test_an_unknown_login_is_refused_like_a_wrong_password(agency: Agency) -> None:
    with pytest.raises(SignInRefused):
        signed_in(agency, login="nobody")


def test_a_login_name_belongs_to_one_account(agency: Agency) -> None:
    opened(agency)
    with pytest.raises(ClaimTaken):
        opened(agency)


def test_a_machine_has_no_password(sqlite_agency: Agency, authenticator: Authenticator) -> None:
    call = sqlite_agency.call(sqlite_agency.people.administrator)
    account = accounts.open_account(
        sqlite_agency.office, call, person={"name": "报送程序"}, login="", password=""
    ).id
    issued = accounts.issue_token(
        sqlite_agency.office, call, account, label="nightly", lifetime=timedelta(days=30)
    )
    assert authenticator.actor(issued.token).account == account


def test_only_an_administrator_opens_accounts(sqlite_agency: Agency) -> None:
    call = sqlite_agency.call(sqlite_agency.people.officer)
    with pytest.raises(PermissionMissing):
        accounts.open_account(sqlite_agency.office, call, person={}, login="x", password=PASSWORD)


TAKING_OVER: dict[str, Callable[[Agency, Any, str], object]] = {
    "issue a token": lambda agency, call, account: accounts.issue_token(
        agency.office, call, account, label="x", lifetime=timedelta(hours=1)
    ),
    "reset the password": lambda agency, call, account: accounts.reset_password(
        agency.office, call, account, login="chen", password=PASSWORD
    ),
    "close it": lambda agency, call, account: accounts.close_account(
        agency.office, call, account, reason="x"
    ),
    "revoke a token": lambda agency, call, account: accounts.revoke_token(
        agency.office, call, account, token=next(iter(agency.office.workflow.load(Account, account).tokens))
    ),
    "link an inspector": lambda agency, call, account: accounts.link_inspector(
        agency.office, call, account, inspector=in_datong(agency)
    ),
}


def in_datong(agency: Agency) -> str:
    """An inspector of Datong's registry."""
    return inspectors.register_inspector(
        agency.office,
        agency.call(agency.people.elsewhere),
        region=DATONG,
        person={"name": "大同执法"},
        facts=officer_facts(1),
        provenance=provenance(),
    ).id


@pytest.mark.parametrize("deed", TAKING_OVER)
def test_an_administrator_of_one_region_takes_no_account_of_another_over(
    deed: str, sqlite_agency: Agency
) -> None:
    account = opened(sqlite_agency)
    given(sqlite_agency, account, LEADER)
    signed_in(sqlite_agency)
    before = sqlite_agency.size()
    administrator = actor("datong-admin", ADMINISTRATOR, DATONG)
    with pytest.raises(PermissionMissing) as refused:
        TAKING_OVER[deed](sqlite_agency, sqlite_agency.call(administrator), account)
    assert refused.value.facts["region"] == TAIYUAN
    added = sqlite_agency.topics(before)
    assert not [topic for topic in added if topic.startswith("account.")]
    TAKING_OVER[deed](sqlite_agency, sqlite_agency.call(sqlite_agency.people.administrator), account)
