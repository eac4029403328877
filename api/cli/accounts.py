"""`account`: the first administrator, accounts and their roles, tokens."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.bootstrap import make_key, migrate_store, newest_rulebook
from api.cli.commands import acts, asks, operates
from api.cli.desk import Bench, Desk, cause_of
from api.cli.files import read_password, write_private
from api.cli.options import After, Limit, Out, Reason, Region, argument, option, read_day
from api.cli.refusals import Cannot
from api.cli.terminal import row_of
from application.accounts import (
    AlreadyFounded,
    Issued,
    close_account,
    found,
    give_role,
    issue_token,
    link_enterprise,
    link_inspector,
    open_account,
    reset_password,
    revoke_token,
    sign_in,
    take_role,
)
from application.ports import Answer
from application.workflow import Call
from domain.act import Act
from projections.accounts import list_accounts

account = typer.Typer(name="account", help="Accounts, roles, tokens 账号.", no_args_is_help=True)

Id = Annotated[str, argument("The account's id 账号编号.")]
Login = Annotated[str, option("--login", help="Login name 登录名.")]
Role = Annotated[str, argument("The role 角色.")]
PasswordFile = Annotated[
    Path | None,
    option("--password-file", help="File with the password; else it is asked for 口令文件.", exists=True),
]
Until = Annotated[
    date | None, option("--until", parser=read_day, metavar="YYYY-MM-DD", help="Last day 截止日.")
]
Days = Annotated[int | None, option("--days", min=1, help="How long it lasts 有效天数.")]
Label = Annotated[str, option("--label", help="What the token is for 用途.")]


@operates(account, "init")
def init(
    bench: Bench,
    login: Login,
    name: Annotated[str, option("--name", help="The administrator's name 姓名.")],
    region: Annotated[str | None, option("--region", help="The administrator's region 地区.")] = None,
    password_file: PasswordFile = None,
) -> None:
    """Make store, signing key and the first administrator; what is there already stays 初始化."""
    migrate_store(bench.settings)
    if bench.settings.key_secret is None and not bench.settings.key_file.exists():
        bench.terminal.warn("key-keep", file=str(bench.settings.key_file))
    vkey = make_key(bench.settings)
    with bench.open() as desk:
        if desk.office.claims.holder("installation", "1") is not None:
            _found_already(desk, login)
            return
        password = read_password(password_file, bench.terminal.text("password"))
        answer = found(
            desk.office,
            _beginning(desk),
            origin=bench.settings.origin,
            verifier_key=vkey,
            rulebook=newest_rulebook(desk.system, desk.system.clock.now().date()),
            region=region or bench.settings.region,
            login=login,
            password=password,
            name=name,
        )
        desk.settle()
        bench.terminal.facts({"account": answer.id, "vkey": vkey, "position": answer.position})
        bench.terminal.say("sign-in-next", login=login)


@operates(account, "sign-in")
def enter(
    bench: Bench,
    login: Login,
    password_file: PasswordFile = None,
    label: Label = "sunlot",
    out: Out = None,
) -> None:
    """Get a bearer token for login name and password 登录取令牌."""
    password = read_password(password_file, bench.terminal.text("password"))
    with bench.open() as desk:
        issued = sign_in(
            desk.office,
            login=login,
            password=password,
            label=label,
            lifetime=timedelta(hours=bench.settings.session_hours),
            correlation_id=desk.office.chance.id("cli"),
            causation_id=cause_of("account sign-in"),
        )
        desk.settle()
        _hand_over(desk, issued, out)


@acts(account, "add")
def add(
    desk: Desk,
    call: Call,
    name: Annotated[str, option("--name", help="The person's name, kept in the vault 姓名.")],
    login: Annotated[str, option("--login", help="Login name; none for a machine 登录名.")] = "",
    phone: Annotated[str, option("--phone", help="Phone, kept in the vault 电话.")] = "",
    password_file: PasswordFile = None,
) -> Answer:
    """Open an account without any role 开立账号."""
    password = read_password(password_file, desk.terminal.text("password")) if login else ""
    person = {"name": name, "phone": phone}
    return open_account(desk.office, call, person=person, login=login, password=password)


@acts(account, "grant")
def grant(desk: Desk, call: Call, id: Id, role: Role, region: Region, until: Until = None) -> Answer:
    """Give a role in a region 授予角色."""
    return give_role(desk.office, call, id, role=role, region=region, until=until)


@acts(account, "revoke")
def revoke(desk: Desk, call: Call, id: Id, role: Role, region: Region, reason: Reason) -> Answer:
    """Take a role back 收回角色."""
    return take_role(desk.office, call, id, role=role, region=region, reason=reason)


@acts(account, "link")
def link(
    desk: Desk, call: Call, id: Id, inspector: Annotated[str, argument("The inspector's id 执法人员编号.")]
) -> Answer:
    """Let an account stand for an inspector 关联执法人员."""
    return link_inspector(desk.office, call, id, inspector=inspector)


@acts(account, "link-enterprise")
def link_firm(
    desk: Desk, call: Call, id: Id, uscc: Annotated[str, argument("Its USCC 统一社会信用代码.")]
) -> Answer:
    """Let an account act for an enterprise 关联企业."""
    return link_enterprise(desk.office, call, id, uscc=uscc)


@asks(account, "token")
def token(
    desk: Desk, call: Call, id: Id, label: Label = "sunlot", days: Days = None, out: Out = None
) -> None:
    """Issue a bearer token for an account; it is shown once 签发令牌."""
    most = desk.system.settings.token_days
    if days is not None and days > most:
        raise typer.BadParameter(f"{days} > {most} (SUNLOT_TOKEN_DAYS)", param_hint="--days")
    issued = issue_token(desk.office, call, id, label=label, lifetime=timedelta(days=days or most))
    desk.settle()
    _hand_over(desk, issued, out)


@acts(account, "revoke-token")
def end_token(
    desk: Desk, call: Call, id: Id, token: Annotated[str, argument("The token's id 令牌编号.")]
) -> Answer:
    """End a token 吊销令牌."""
    return revoke_token(desk.office, call, id, token=token)


@acts(account, "reset")
def reset(desk: Desk, call: Call, id: Id, login: Login, password_file: PasswordFile = None) -> Answer:
    """Set login name and password anew and lift a lock 重设口令."""
    password = read_password(password_file, desk.terminal.text("password"))
    return reset_password(desk.office, call, id, login=login, password=password)


@acts(account, "close")
def close(desk: Desk, call: Call, id: Id, reason: Reason) -> Answer:
    """Close an account for ever 关闭账号."""
    return close_account(desk.office, call, id, reason=reason)


@asks(account, "list")
def show(
    desk: Desk,
    call: Call,
    role: Annotated[str, option("--role", help="Only with this role 角色.")] = "",
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List accounts with their roles; names stay in the vault 列出账号."""
    call.require("account.read", None)
    with desk.reading() as connection:
        found = list_accounts(connection, role=role, after=after, limit=limit)
    rows = [row_of(one) for one in found]
    desk.terminal.rows(rows, ("idx", "id", "status", "grants", "inspector"), told=_told)


def _found_already(desk: Desk, login: str) -> None:
    """Who asks again for the administrator that exists has what he wants; another one is refused."""
    if desk.office.credentials.by_login(login) is None:
        raise AlreadyFounded()
    desk.settle()
    desk.terminal.facts({"login": login, "founded": True})
    desk.terminal.say("founded-already")


def _beginning(desk: Desk) -> Act:
    now = desk.system.clock.now()
    request, cause = desk.office.chance.id("cli"), cause_of("account init")
    return Act(by="system", at=now, occurred_at=now, correlation_id=request, causation_id=cause)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    held = [" ".join(filter(None, (one["role"], one["region"], one["until"]))) for one in row["grants"]]
    return {**row, "grants": held}


def _hand_over(desk: Desk, issued: Issued, out: Path | None) -> None:
    shown: dict[str, Any] = msgspec.structs.asdict(issued)
    if out is not None:
        _write_token(out, shown.pop("token"))
        shown["file"] = str(out)
    desk.terminal.facts(shown)


def _write_token(out: Path, token: str) -> None:
    try:
        write_private(out, f"{token}\n".encode())
    except FileExistsError as error:
        raise Cannot("file-exists", file=str(out)) from error
