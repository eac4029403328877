"""Signing in and out."""

from datetime import timedelta

import msgspec
from asgi_correlation_id import correlation_id
from fastapi import APIRouter, Response
from pydantic import Field

from api.access import SIGNED_IN, Asked, Credentials, ask, everybody
from api.rest.commands import Body, Command, create, head_of, projected
from api.rest.description import does, shows
from api.rest.presenting import show
from application.accounts import Issued, revoke_token, sign_in, token_digest
from application.authorisation import Grant
from application.ports import Answer
from application.workflow import Call
from domain.errors import NotFound

router = APIRouter(prefix="/sessions", tags=["sessions"])


class SignIn(Body):
    """Login name and password."""

    login: str = Field(description="登录名 Login name.", min_length=1, max_length=256)
    password: str = Field(description="口令 Password.", min_length=1, max_length=256)
    label: str = Field(default="", description="令牌用途，便于辨认 What the token is for.", max_length=100)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The account that the request's token stands for."""

    account: str
    inspector: str
    enterprise: str
    grants: tuple[Grant, ...]


@router.post("", status_code=201, summary="登录 Sign in")
@shows(Issued)
def open_session(body: SignIn, asked: Asked = everybody()) -> Response:
    """Gives a bearer token, which is shown once. Five failures in a row lock the account for 15 minutes."""
    issued = sign_in(
        asked.office,
        login=body.login,
        password=body.password,
        label=body.label or "session",
        lifetime=timedelta(hours=asked.system.settings.session_hours),
        correlation_id=correlation_id.get() or "",
        causation_id=asked.operation,
    )
    return show(issued, status=201, headers=projected(asked, head_of(asked)))


@router.get("/current", summary="当前账号 Who am I")
@shows(Session)
def read_session(asked: Asked = ask(SIGNED_IN)) -> Response:
    """The account of the token, its grants and the inspector it stands for."""
    actor = asked.actor
    return show(
        Session(
            account=actor.account,
            inspector=actor.inspector,
            enterprise=actor.enterprise,
            grants=actor.grants,
        )
    )


@router.delete("/current", summary="退出 Sign out")
@does()
def close_session(credentials: Credentials, command: Command = create(SIGNED_IN)) -> Response:
    """Revokes the token with which the request came."""
    secret = credentials.credentials if credentials else ""

    def revoke(call: Call) -> Answer:
        token = asked_token(command, secret)
        return revoke_token(command.office, call, command.actor.account, token=token)

    return command.run(None, revoke)


def asked_token(asked: Asked, secret: str) -> str:
    """The name of the token that the secret is; `NotFound`."""
    token = asked.office.credentials.token(token_digest(secret))
    if token is None:
        raise NotFound(kind="token", id="")
    return token.id
