"""Accounts, their roles in regions, and tokens for machines."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from api.access import SIGNED_IN, Asked, ask
from api.rest.commands import Command, Step, change, create, head_of
from api.rest.description import does, lists, shows
from api.rest.fields import Reasoned, Region, Uscc, choice
from api.rest.presenting import Page, found, show_one
from application import accounts
from application.accounts import Issued, TokenAlreadyIssued
from application.authorisation import ROLES
from application.ports import Answer
from application.workflow import Call
from domain.account import Account
from projections.accounts import AccountEntry, get_account, list_accounts

router = APIRouter(prefix="/accounts", tags=["accounts"])
PLACE = "/api/v1/accounts/{id}"


class AccountOpening(Step):
    """A new account. What is said of the person goes to the vault; a machine's account says nothing.

    Without login name and password the account comes in by tokens only, such as a machine's.
    """

    login: str = Field(default="", description="登录名 Login name.", max_length=64)
    password: str = Field(
        default="", description="口令，12 至 256 字符 Password, 12 to 256 characters.", max_length=256
    )
    name: str = Field(default="", description="姓名 The person's name; goes to the vault.", max_length=100)
    phone: str = Field(default="", description="电话 Phone; goes to the vault.", max_length=50)


class Granting(Step):
    """A role in a region, until a day inclusive or without end."""

    role: str = choice(ROLES, "角色 The role.")
    region: Region
    until: date | None = Field(default=None, description="截止日期 The last day; none: without end.")


class EnterpriseLinking(Step):
    """The enterprise for which the account acts."""

    uscc: Uscc


class Linking(Step):
    """The inspector for whom the account stands."""

    inspector: str = Field(description="执法检查人员编号 Id of the inspector.", max_length=100)


class PasswordReset(Step):
    """Login name and password anew; a lock is lifted."""

    login: str = Field(description="登录名 Login name.", min_length=1, max_length=256)
    password: str = Field(description="口令，12 至 256 字符 Password, 12 to 256 characters.", max_length=256)


class TokenIssue(Step):
    """A bearer token for an account, such as a machine's."""

    label: str = Field(description="用途 What it is for.", min_length=1, max_length=100)
    days: int = Field(default=30, description="有效天数 For how many days.", ge=1, le=366)


@router.post("", status_code=201, summary="开立账号 Open an account")
@does()
def open_account(body: AccountOpening, command: Command = create("account.manage")) -> Response:
    """Opens an account without any role."""
    person = {"name": body.name, "phone": body.phone}

    def verb(call: Call) -> Answer:
        return accounts.open_account(
            command.office, call, person=person, login=body.login, password=body.password
        )

    return command.run(body, verb, place=PLACE)


@router.get("", summary="账号列表 List accounts")
@lists(AccountEntry)
def read_accounts(
    page: Annotated[Page, Depends()],
    role: str = "",
    status: str = "",
    asked: Asked = ask("account.read"),
) -> Response:
    """Accounts in the order in which they were opened."""
    with asked.views() as views:
        rows = list_accounts(views, role=role, status=status, after=page.after, limit=page.one_more)
    return page.show(rows)


@router.get("/{id}", summary="账号 One account")
@shows(AccountEntry, etag=True)
def read_account(id: str, request: Request, asked: Asked = ask("account.read")) -> Response:
    """The account with its grants and standing tokens."""
    with asked.views() as views:
        account = found(get_account(views, id), "account", id)
    return show_one(request, account, account.version)


@router.post("/{id}/grants", summary="授予角色 Give a role")
@does()
def give_role(id: str, body: Granting, command: Command = change("account.manage")) -> Response:
    """Gives the account a role in a region that the administrator has."""
    return command.run(
        body,
        lambda call: accounts.give_role(
            command.office, call, id, role=body.role, region=body.region, until=body.until
        ),
    )


@router.delete("/{id}/grants/{role}/{region}", summary="收回角色 Take a role back")
@does()
def take_role(
    id: str,
    role: str,
    region: str,
    reason: Annotated[str, Query(description="理由 The reason.", min_length=1, max_length=2000)],
    command: Command = change("account.manage"),
) -> Response:
    """Takes a role in a region back, at once."""
    return command.run(
        None,
        lambda call: accounts.take_role(command.office, call, id, role=role, region=region, reason=reason),
    )


@router.put("/{id}/inspector", summary="对应执法人员 Stand for an inspector")
@does()
def link_inspector(id: str, body: Linking, command: Command = change("account.manage")) -> Response:
    """Lets the account stand for an inspector of the registry, for as long as it is open."""
    return command.run(
        body, lambda call: accounts.link_inspector(command.office, call, id, inspector=body.inspector)
    )


@router.put("/{id}/enterprise", summary="对应企业 Act for an enterprise")
@does()
def link_enterprise(
    id: str, body: EnterpriseLinking, command: Command = change("account.manage")
) -> Response:
    """Lets the account act for an enterprise, for as long as it is open; never for an inspector as well."""
    return command.run(body, lambda call: accounts.link_enterprise(command.office, call, id, uscc=body.uscc))


@router.put("/{id}/password", summary="重设口令 Reset the password")
@does()
def reset_password(id: str, body: PasswordReset, command: Command = change("account.manage")) -> Response:
    """Sets login name and password anew and lifts a lock."""
    return command.run(
        body,
        lambda call: accounts.reset_password(
            command.office, call, id, login=body.login, password=body.password
        ),
    )


@router.post("/{id}/closing", summary="关闭账号 Close an account")
@does()
def close_account(id: str, body: Reasoned, command: Command = change("account.manage")) -> Response:
    """Closes the account for ever; its tokens end with it."""
    return command.run(
        body, lambda call: accounts.close_account(command.office, call, id, reason=body.reason)
    )


@router.post("/{id}/tokens", status_code=201, summary="签发令牌 Issue a token")
@does(token="sunlot_6f1d…", token_id="token-0f1e2d3c4b5a69788796a5b4c3d2e1f0")  # noqa: S106
def issue_token(id: str, body: TokenIssue, command: Command = create("account.manage")) -> Response:
    """Issues a bearer token, shown once: a retry with the same key is told that it was issued."""
    days = min(body.days, command.system.settings.token_days)
    issued: list[Issued] = []

    def verb(call: Call) -> Answer:
        issued.append(
            accounts.issue_token(command.office, call, id, label=body.label, lifetime=timedelta(days=days))
        )
        account = command.office.workflow.load(Account, id)
        return Answer(id=id, version=account.version, position=head_of(command))

    answer = command.decide(body, verb)
    if not issued:
        raise TokenAlreadyIssued()
    token = {"token": issued[0].token, "token_id": issued[0].id, "expires_at": issued[0].expires_at}
    return command.answer(answer, place=PLACE, more=token)


@router.delete("/{id}/tokens/{token}", summary="吊销令牌 Revoke a token")
@does()
def revoke_token(id: str, token: str, command: Command = create(SIGNED_IN)) -> Response:
    """Ends a token at once; one's own, or as an administrator anybody's."""
    return command.run(None, lambda call: accounts.revoke_token(command.office, call, id, token=token))
