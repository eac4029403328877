"""Accounts with their grants, for the administrators' list.

Signing in does not use it: a read model may lag behind a revocation. Whoever authenticates loads the
`Account` aggregate itself (a handful of events) and takes its grants and status from there.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from domain.account import Account, Granted
from domain.person import Person
from projections.projection import Entry, Handlers, Projection, Recorded, Rows, begun, touch
from projections.query import equal, lists, one, read, rows
from projections.slots import empty_slot, with_slots
from projections.view import View


class TokenEntry(msgspec.Struct, frozen=True):
    """A bearer token that was not revoked; it ends after `expires_on`. `token` is its random name."""

    token: str
    label: str
    expires_on: date


class AccountEntry(Entry):
    """An account; `person` refers to the vault and is empty for a machine, `inspector` to the registry.

    `enterprise` is the USCC for which it acts.
    """

    person: str
    inspector: str
    enterprise: str
    status: str
    grants: tuple[Granted, ...]
    tokens: tuple[TokenEntry, ...]
    opened_at: datetime
    closing_reason: str
    erased: bool = False
    erased_on: date | None = None
    erased_ground: str = ""


ACCOUNTS: Final = View("accounts_v3", AccountEntry, ("id",), ("idx",), ("inspector",))


def _opened(accounts: Rows[AccountEntry], event: Account.Opened, recorded: Recorded) -> None:
    accounts.add(
        AccountEntry(
            *begun(recorded),
            person=event.person,
            inspector="",
            enterprise="",
            status="open",
            grants=(),
            tokens=(),
            opened_at=recorded.recorded_at,
            closing_reason="",
        )
    )


def _given(accounts: Rows[AccountEntry], event: Account.GrantGiven, recorded: Recorded) -> None:
    row = touch(accounts, recorded)
    row.grants = (
        *_without(row.grants, event.role, event.region),
        Granted(event.role, event.region, event.until),
    )


def _taken(accounts: Rows[AccountEntry], event: Account.GrantTaken, recorded: Recorded) -> None:
    row = touch(accounts, recorded)
    row.grants = _without(row.grants, event.role, event.region)


def _without(grants: Sequence[Granted], role: str, region: str) -> tuple[Granted, ...]:
    return tuple(grant for grant in grants if (grant.role, grant.region) != (role, region))


def _linked(accounts: Rows[AccountEntry], event: Account.Linked, recorded: Recorded) -> None:
    touch(accounts, recorded).inspector = event.inspector


def _enterprise_linked(
    accounts: Rows[AccountEntry], event: Account.EnterpriseLinked, recorded: Recorded
) -> None:
    touch(accounts, recorded).enterprise = event.uscc


def _password_set(accounts: Rows[AccountEntry], event: Account.PasswordSet, recorded: Recorded) -> None:
    touch(accounts, recorded)


def _issued(accounts: Rows[AccountEntry], event: Account.TokenIssued, recorded: Recorded) -> None:
    row = touch(accounts, recorded)
    row.tokens = (*row.tokens, TokenEntry(event.token, event.label, event.expires_on))


def _revoked(accounts: Rows[AccountEntry], event: Account.TokenRevoked, recorded: Recorded) -> None:
    row = touch(accounts, recorded)
    row.tokens = tuple(token for token in row.tokens if token.token != event.token)


def _closed(accounts: Rows[AccountEntry], event: Account.Closed, recorded: Recorded) -> None:
    row = touch(accounts, recorded)
    row.status, row.closing_reason, row.grants, row.inspector = "closed", event.reason, (), ""
    row.enterprise = ""


_HANDLERS: Final[Handlers] = {
    Account.Opened: _opened,
    Account.GrantGiven: _given,
    Account.GrantTaken: _taken,
    Account.Linked: _linked,
    Account.EnterpriseLinked: _enterprise_linked,
    Account.PasswordSet: _password_set,
    Account.TokenIssued: _issued,
    Account.TokenRevoked: _revoked,
    Account.Closed: _closed,
    Person.Erased: empty_slot,
}

PROJECTION: Final = Projection("accounts", (ACCOUNTS,), _HANDLERS, with_slots(ACCOUNTS), version=3)


def list_accounts(
    connection: Connection,
    *,
    role: str = "",
    status: str = "",
    after: int | None = None,
    limit: int = 50,
) -> list[AccountEntry]:
    """Accounts in the order in which they were opened."""
    c = ACCOUNTS.table.c
    conditions = [equal(c.status, status)]
    if role:
        conditions.append(lists(c.grants, role))
    return read(connection, ACCOUNTS, *conditions, after=after, limit=limit)


def get_account(connection: Connection, id: str) -> AccountEntry | None:
    """The account, or None."""
    return one(connection, ACCOUNTS, id)


def account_of(connection: Connection, inspector: str) -> AccountEntry | None:
    """The account that stands for an inspector now, or None."""
    table = ACCOUNTS.table
    found = rows(connection, ACCOUNTS, select(table).where(table.c.inspector == inspector))
    return found[0] if found else None
