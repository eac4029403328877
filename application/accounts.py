"""Accounts: the first administrator, opening, granting, signing in, tokens, closing."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec
from eventsourcing.application import AggregateNotFoundError, Repository

from application.authorisation import ADMINISTRATOR, ROLES, Actor, Grant
from application.office import Office
from application.persons import entrust
from application.ports import Answer, CredentialWrite, TokenWrite
from application.workflow import Beside, Call, Workflow
from domain.account import Account
from domain.act import CHINA, Act
from domain.errors import Conflict, DomainError, Forbidden, Invalid
from domain.inspector import Inspector
from domain.installation import Adopted, Installation

FAILURES: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
PASSWORD_LENGTH: Final = (12, 256)
LOGIN_LENGTH: Final = 64
TOKEN_PREFIX: Final = "sunlot_"  # noqa: S105 (a prefix by which a leaked token is found, no secret)


class AlreadyFounded(Conflict):
    """The log has its first administrator already."""

    code = "already-founded"


class PasswordWeak(Invalid):
    """A password has 12 to 256 characters; facts: `least`, `most`."""

    code = "password-weak"


class LoginWrong(Invalid):
    """A login name has 1 to 64 characters; facts: `most`."""

    code = "login-wrong"


class SignInRefused(DomainError):
    """Login name or password is wrong, or the account is closed; it is not said which."""

    code = "sign-in-refused"


class AccountLocked(Forbidden):
    """Too many failed sign-ins; facts: `until`."""

    code = "account-locked"


class TokenRefused(DomainError):
    """The bearer token is unknown, expired or revoked."""

    code = "token-refused"


class TokenAlreadyIssued(Conflict):
    """This request issued a token before; a token is shown once. Revoke it and ask for another."""

    code = "token-already-issued"


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A new bearer token, shown once."""

    token: str
    id: str
    account: str
    expires_at: datetime


def found(
    office: Office,
    act: Act,
    *,
    origin: str,
    verifier_key: str,
    rulebook: Adopted,
    region: str,
    login: str,
    password: str,
    name: str,
) -> Answer:
    """Begin the log and open its first administrator, in one append; `AlreadyFounded` the second time.

    The administrator's own id is the `by` of these first events.
    """
    if office.claims.holder("installation", "1") is not None:
        raise AlreadyFounded()
    id = office.chance.id("account")
    act = msgspec.structs.replace(act, by=id)
    installation = Installation.found(
        act, id=office.chance.id("installation"), origin=origin, verifier_key=verifier_key
    )
    installation.adopt(act, rulebook=rulebook)
    write, commitment = entrust(office.chance, {"name": name})
    account = Account.open(act, id=id, person=write.person, commitment=commitment)
    account.give(act, role=ADMINISTRATOR, region=region, until=None, roles=ROLES)
    beside = Beside(vault=(write,), credentials=(_credential(office, id, login, password),))
    return office.workflow.commit(
        Call(actor=Actor(account=id), act=act), account, installation, beside=beside
    )


def adopt_rulebook(office: Office, call: Call, *, rulebook: Adopted) -> Answer:
    """Bring a version of the rules into use."""
    call.require("rulebook.adopt", None)
    stream = office.claims.holder("installation", "1") or ""
    return office.workflow.change(
        call, Installation, stream, lambda installation: installation.adopt(call.act, rulebook=rulebook)
    )


def open_account(
    office: Office, call: Call, *, person: Mapping[str, str], login: str, password: str
) -> Answer:
    """Open an account without any role; `person` (name, phone …) goes to the vault.

    Without login name and password it comes in by tokens only, such as a machine.
    """
    call.require("account.manage", None)
    id = office.chance.id("account")
    write, commitment = entrust(office.chance, person)
    account = Account.open(call.act, id=id, person=write.person, commitment=commitment)
    credentials = (_credential(office, id, login, password),) if login or password else ()
    return office.workflow.commit(call, account, beside=Beside(vault=(write,), credentials=credentials))


def give_role(office: Office, call: Call, id: str, *, role: str, region: str, until: date | None) -> Answer:
    """Give an account a role in a region that the administrator has."""
    call.require("account.manage", region)
    return office.workflow.change(
        call,
        Account,
        id,
        lambda account: account.give(call.act, role=role, region=region, until=until, roles=ROLES),
    )


def take_role(office: Office, call: Call, id: str, *, role: str, region: str, reason: str) -> Answer:
    """Take a role back."""
    call.require("account.manage", region)
    return office.workflow.change(
        call, Account, id, lambda account: account.take(call.act, role=role, region=region, reason=reason)
    )


def link_inspector(office: Office, call: Call, id: str, *, inspector: str) -> Answer:
    """Let an account stand for an inspector of the registry."""
    found = office.workflow.load(Inspector, inspector)
    call.require("account.manage", found.region)
    _require_over(office, call, id)
    return office.workflow.change(
        call, Account, id, lambda account: account.link(call.act, inspector=found.id)
    )


def link_enterprise(office: Office, call: Call, id: str, *, uscc: str) -> Answer:
    """Let an account act for an enterprise."""
    _require_over(office, call, id)
    return office.workflow.change(
        call, Account, id, lambda account: account.link_enterprise(call.act, uscc=uscc)
    )


def reset_password(office: Office, call: Call, id: str, *, login: str, password: str) -> Answer:
    """Set login name and password anew and lift a lock."""
    _require_over(office, call, id)
    beside = Beside(credentials=(_credential(office, id, login, password),))
    return office.workflow.change(
        call, Account, id, lambda account: account.set_password(call.act), beside=beside
    )


def close_account(office: Office, call: Call, id: str, *, reason: str) -> Answer:
    """Close an account; its tokens end with it."""
    _require_over(office, call, id)
    return office.workflow.change(call, Account, id, lambda account: account.close(call.act, reason=reason))


def sign_in(
    office: Office,
    *,
    login: str,
    password: str,
    label: str,
    lifetime: timedelta,
    correlation_id: str,
    causation_id: str = "",
) -> Issued:
    """Check login name and password and issue a bearer token.

    `SignInRefused` says nothing about the cause; five failures in a row lock the account for 15 minutes.
    """
    now = office.clock.now()
    credential = office.credentials.by_login(login)
    if credential is None:
        office.passwords.matches(password, office.passwords.decoy)
        raise SignInRefused()
    if credential.locked_until is not None and now < credential.locked_until:
        raise AccountLocked(until=credential.locked_until)
    if not office.passwords.matches(password, credential.password_hash):
        lock = now + LOCKED_FOR if credential.failures + 1 >= FAILURES else None
        office.credentials.failed(credential.account, locked_until=lock)
        raise SignInRefused()
    account = office.workflow.load(Account, credential.account)
    if account.status != "open":
        raise SignInRefused()
    office.credentials.succeeded(credential.account)
    act = Act(
        by=account.id,
        at=now,
        occurred_at=now,
        correlation_id=correlation_id,
        causation_id=causation_id,
    )
    return _issue(office, Call(actor=Actor(account=account.id), act=act), account, label, lifetime)


def issue_token(office: Office, call: Call, id: str, *, label: str, lifetime: timedelta) -> Issued:
    """Issue a bearer token for another account, such as a machine's."""
    account = _require_over(office, call, id)
    return _issue(office, call, account, label, lifetime)


def revoke_token(office: Office, call: Call, id: str, *, token: str) -> Answer:
    """End a token; one's own, or as an administrator anybody's."""
    if call.actor.account != id:
        _require_over(office, call, id)
    write = TokenWrite(token=token, account=id, digest="", expires_at=call.act.at, revoked=True)
    return office.workflow.change(
        call,
        Account,
        id,
        lambda account: account.revoke_token(call.act, token=token),
        beside=Beside(tokens=(write,)),
    )


def _require_over(office: Office, call: Call, id: str) -> Account:
    """The account, for an administrator of every region in which it has a role.

    Who could sign in as somebody else would have all that this one has, wherever that is.
    """
    account = office.workflow.load(Account, id)
    call.require("account.manage", None)
    for held in account.grants.values():
        call.require("account.manage", held.region)
    return account


def _issue(office: Office, call: Call, account: Account, label: str, lifetime: timedelta) -> Issued:
    secret = TOKEN_PREFIX + office.chance.token(32).hex()
    token = office.chance.id("token")
    expires = call.act.at + lifetime
    account.issue_token(call.act, token=token, label=label, expires_on=expires.astimezone(CHINA).date())
    write = TokenWrite(token=token, account=account.id, digest=token_digest(secret), expires_at=expires)
    office.workflow.commit(call, account, beside=Beside(tokens=(write,)))
    return Issued(token=secret, id=token, account=account.id, expires_at=expires)


def token_digest(secret: str) -> str:
    """What is kept of a bearer token."""
    return sha256(secret.encode()).hexdigest()


def _credential(office: Office, account: str, login: str, password: str) -> CredentialWrite:
    least, most = PASSWORD_LENGTH
    if not 1 <= len(login) <= LOGIN_LENGTH:
        raise LoginWrong("/login", most=LOGIN_LENGTH)
    if not least <= len(password) <= most:
        raise PasswordWeak("/password", least=least, most=most)
    return CredentialWrite(account=account, login=login, password_hash=office.passwords.hash(password))


class Authenticator:
    """Turns a bearer token into an actor.

    Grants are read from the account's own events, never from a projection, so that what was taken
    away is gone at once. Accounts are kept in memory and brought forward by their newer events.
    """

    def __init__(self, office: Office, workflow: Workflow, *, accounts: int = 1000) -> None:
        self._office = office
        self._accounts: Repository[str] = Repository(
            workflow.events, cache_maxsize=accounts, deepcopy_from_cache=False
        )

    def actor(self, secret: str) -> Actor:
        """The actor whose token this is; `TokenRefused`."""
        token = self._office.credentials.token(token_digest(secret))
        if token is None or token.revoked or token.expires_at <= self._office.clock.now():
            raise TokenRefused()
        return self.actor_of(token.account)

    def actor_of(self, id: str) -> Actor:
        """The actor of an open account; `TokenRefused`."""
        try:
            account: object = self._accounts.get(id, deepcopy_from_cache=False)
        except AggregateNotFoundError as error:
            raise TokenRefused() from error
        if not isinstance(account, Account) or account.status != "open":
            raise TokenRefused()
        held = list(account.grants.values())  # at once: another request may bring the account forward
        grants = tuple(Grant(one.role, one.region, one.until) for one in held)
        return Actor(
            account=account.id, grants=grants, inspector=account.inspector, enterprise=account.enterprise
        )
