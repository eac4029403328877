"""An account and its grants. Passwords and tokens are not facts about the world and are not here."""

from collections.abc import Iterable
from datetime import date
from typing import Self

import msgspec
from eventsourcing.domain import event

from domain.act import Act
from domain.aggregate import Aggregate, Claim, CreatedEvent
from domain.errors import Conflict, Invalid
from domain.identifiers import check_region, check_uscc


class AccountClosed(Conflict):
    """The account is closed; facts: `account`."""

    code = "account-closed"


class GrantUnknown(Conflict):
    """The account does not have this grant; facts: `role`, `region`."""

    code = "grant-unknown"


class GrantHeld(Conflict):
    """The account has this grant already; facts: `role`, `region`."""

    code = "grant-held"


class LinkHeld(Conflict):
    """The account stands for an inspector already; facts: `inspector`."""

    code = "link-held"


class EnterpriseHeld(Conflict):
    """The account stands for an enterprise already; facts: `uscc`."""

    code = "enterprise-held"


class TokenUnknown(Conflict):
    """The account has no standing token of this name; facts: `token`."""

    code = "token-unknown"


class RoleWrong(Invalid):
    """There is no such role; facts: `role`."""

    code = "role-wrong"


class Granted(msgspec.Struct, frozen=True):
    """A role in a region, until a day inclusive or without end."""

    role: str
    region: str
    until: date | None


class Account(Aggregate):
    """One person's or machine's way in."""

    TOPIC = "account"

    class Opened(CreatedEvent, Aggregate.Event, frozen=True, kw_only=True):
        """The account was opened; `person` refers to the vault, empty for a machine."""

        TOPIC = "account.opened.v1"
        person: str
        commitment: str

    class GrantGiven(Aggregate.Event, frozen=True, kw_only=True):
        """The account was given a role in a region."""

        TOPIC = "account.grant-given.v1"
        role: str
        region: str
        until: date | None

    class GrantTaken(Aggregate.Event, frozen=True, kw_only=True):
        """A role was taken back."""

        TOPIC = "account.grant-taken.v1"
        role: str
        region: str
        reason: str

    class Linked(Aggregate.Event, frozen=True, kw_only=True):
        """The account stands for an inspector of the registry."""

        TOPIC = "account.linked.v1"
        inspector: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("inspector-account", self.inspector),)

    class EnterpriseLinked(Aggregate.Event, frozen=True, kw_only=True):
        """The account acts for an enterprise; several may."""

        TOPIC = "account.enterprise-linked.v1"
        uscc: str

    class PasswordSet(Aggregate.Event, frozen=True, kw_only=True):
        """The password was set anew by an administrator; the event knows nothing of it."""

        TOPIC = "account.password-set.v1"

    class TokenIssued(Aggregate.Event, frozen=True, kw_only=True):
        """A bearer token was issued; only its random name is known here."""

        TOPIC = "account.token-issued.v1"
        token: str
        label: str
        expires_on: date

    class TokenRevoked(Aggregate.Event, frozen=True, kw_only=True):
        """A bearer token was ended before its time."""

        TOPIC = "account.token-revoked.v1"
        token: str

    class Closed(Aggregate.Event, frozen=True, kw_only=True):
        """The account was closed; it never opens again. `inspector` is free for another account."""

        TOPIC = "account.closed.v1"
        reason: str
        inspector: str

        def claims(self) -> Iterable[Claim]:
            return (Claim("inspector-account", self.inspector, released=True),) if self.inspector else ()

    @classmethod
    def open(cls, act: Act, *, id: str, person: str, commitment: str) -> Self:
        """Open an account without any grant."""
        return cls.begin(cls.Opened, id, act, person=person, commitment=commitment)

    @event(Opened)
    def __init__(self, person: str) -> None:
        self.person = person
        self.inspector = ""
        self.enterprise = ""
        self.grants: dict[tuple[str, str], Granted] = {}
        self.tokens: set[str] = set()
        self.status = "open"

    def give(self, act: Act, *, role: str, region: str, until: date | None, roles: tuple[str, ...]) -> None:
        """Give a role of `roles` in a region."""
        self._require_open()
        check_region(region)
        if role not in roles:
            raise RoleWrong("/role", role=role)
        held = self.grants.get((role, region))
        if held is not None and held.until == until:
            raise GrantHeld(role=role, region=region)
        self.record(self.GrantGiven, act, role=role, region=region, until=until)

    @event(GrantGiven)
    def _given(self, role: str, region: str, until: date | None) -> None:
        self.grants[role, region] = Granted(role, region, until)

    def take(self, act: Act, *, role: str, region: str, reason: str) -> None:
        """Take a role back."""
        self._require_open()
        if (role, region) not in self.grants:
            raise GrantUnknown(role=role, region=region)
        self.record(self.GrantTaken, act, role=role, region=region, reason=reason)

    @event(GrantTaken)
    def _taken(self, role: str, region: str) -> None:
        self.grants.pop((role, region), None)

    def link(self, act: Act, *, inspector: str) -> None:
        """Let the account stand for an inspector, for as long as it is open."""
        self._require_open()
        self._require_unlinked()
        self.record(self.Linked, act, inspector=inspector)

    @event(Linked)
    def _linked(self, inspector: str) -> None:
        self.inspector = inspector

    def link_enterprise(self, act: Act, *, uscc: str) -> None:
        """Let the account act for an enterprise, for as long as it is open; never for an inspector too."""
        self._require_open()
        check_uscc(uscc)
        self._require_unlinked()
        self.record(self.EnterpriseLinked, act, uscc=uscc)

    @event(EnterpriseLinked)
    def _enterprise_linked(self, uscc: str) -> None:
        self.enterprise = uscc

    def set_password(self, act: Act) -> None:
        """Note that the password was set anew."""
        self._require_open()
        self.record(self.PasswordSet, act)

    def issue_token(self, act: Act, *, token: str, label: str, expires_on: date) -> None:
        """Note that a token was issued."""
        self._require_open()
        self.record(self.TokenIssued, act, token=token, label=label, expires_on=expires_on)

    @event(TokenIssued)
    def _token_issued(self, token: str) -> None:
        self.tokens.add(token)

    def revoke_token(self, act: Act, *, token: str) -> None:
        """Note that a token was ended."""
        if token not in self.tokens:
            raise TokenUnknown(token=token)
        self.record(self.TokenRevoked, act, token=token)

    @event(TokenRevoked)
    def _token_revoked(self, token: str) -> None:
        self.tokens.discard(token)

    def close(self, act: Act, *, reason: str) -> None:
        """Close the account."""
        self._require_open()
        self.record(self.Closed, act, reason=reason, inspector=self.inspector)

    @event(Closed)
    def _closed(self) -> None:
        self.status = "closed"
        self.grants.clear()

    def _require_unlinked(self) -> None:
        if self.inspector:
            raise LinkHeld(inspector=self.inspector)
        if self.enterprise:
            raise EnterpriseHeld(uscc=self.enterprise)

    def _require_open(self) -> None:
        if self.status != "open":
            raise AccountClosed(account=self.id)
