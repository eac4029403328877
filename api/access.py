"""Who stands behind a request, and the gate that every route must have: a permission, or an open word.

A gate is a dependency. It turns the bearer token into an actor and refuses at once whoever has the
permission nowhere; the application decides about the region.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, Final

import msgspec
from asgi_correlation_id import correlation_id
from fastapi import Depends, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from api.bootstrap import System
from api.i18n import Language
from api.problems import SignInNeeded, language_of
from application.authorisation import PERMISSIONS, Actor, authorise, may, regions
from application.office import Office
from application.ports import RetryKey
from application.workflow import Call
from domain.act import CHINA, Act

PUBLIC: Final = "public"
SIGNED_IN: Final = "signed-in"
BEARER: Final = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="令牌由 POST /api/v1/sessions 取得。 A token from POST /api/v1/sessions.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that came through its gate: the system, who asks, in which language.

    `operation` names what was asked for, such as `POST /draws/{id}/seal`: events name it as their cause.
    """

    system: System
    actor: Actor
    language: Language
    operation: str = ""

    @property
    def office(self) -> Office:
        """What the verbs of the application work with."""
        return self.system.office

    @property
    def now(self) -> datetime:
        """The present by the system's clock."""
        return self.system.clock.now()

    @property
    def today(self) -> date:
        """The day in China."""
        return self.now.astimezone(CHINA).date()

    def call(
        self,
        *,
        occurred_at: datetime | None = None,
        expected: int | None = None,
        retry: RetryKey | None = None,
    ) -> Call:
        """The request as a command takes it."""
        now = self.now
        act = Act(
            by=self.actor.account,
            at=now,
            occurred_at=occurred_at or now,
            correlation_id=correlation_id.get() or "",
            causation_id=self.operation,
        )
        return Call(actor=self.actor, act=act, expected=expected, retry=retry)

    def require(self, permission: str, region: str | None) -> None:
        """`PermissionMissing` unless the actor may do this there today."""
        authorise(self.actor, permission, region, on=self.today)

    def may(self, permission: str, region: str) -> bool:
        """Whether the actor may do this there today."""
        return may(self.actor, permission, region, on=self.today)

    def regions(self, permission: str, region: str = "") -> Sequence[str]:
        """The regions a list may show: those asked for, if the actor has them, else all that he has."""
        if region:
            self.require(permission, region)
            return (region,)
        return regions(self.actor, permission, on=self.today)

    @contextmanager
    def views(self) -> Iterator[Connection]:
        """A connection to the read models, in one consistent reading."""
        with self.system.projections.views.reading() as connection:
            yield connection


class Gate:
    """What a route asks of whoever calls; `permission` is one of the table, or an open word."""

    def __init__(self, permission: str) -> None:
        if permission not in (*PERMISSIONS, SIGNED_IN, PUBLIC):
            raise ValueError(f"no such permission: {permission}")
        self.permission = permission

    def enter(self, request: Request, credentials: HTTPAuthorizationCredentials | None) -> Asked:
        """The request with its actor. Raises `SignInNeeded`, `TokenRefused`, `PermissionMissing`."""
        system = system_of(request)
        if credentials is None:
            raise SignInNeeded()
        actor = system.authenticator.actor(credentials.credentials)
        asked = Asked(
            system=system, actor=actor, language=language_of(request), operation=operation_of(request)
        )
        if self.permission != SIGNED_IN:
            asked.require(self.permission, None)
        return asked


class Asking(Gate):
    """The gate of a question: lets through who has the permission somewhere."""

    def __call__(self, request: Request, credentials: Credentials) -> Asked:
        """The request with its actor."""
        return self.enter(request, credentials)


class Open(Gate):
    """The gate of what is public: lets everybody through, as nobody in particular."""

    def __call__(self, request: Request) -> Asked:
        """The request without an actor."""
        return Asked(
            system=system_of(request),
            actor=Actor(account=""),
            language=language_of(request),
            operation=operation_of(request),
        )


def ask(permission: str) -> Any:
    """A route's question gate, as the default of its argument."""
    return Depends(Asking(permission))


def everybody() -> Any:
    """A public route's gate, as the default of its argument."""
    return Depends(Open(PUBLIC))


def system_of(request: Request) -> System:
    """The system that the app was made for."""
    system: System = request.app.state.system
    return system


def operation_of(request: Request) -> str:
    """The operation that a request asks for: its method, and its path with the names of what varies."""
    route = request.scope.get("route")
    return f"{request.method} {route.path_format}" if isinstance(route, APIRoute) else ""


def gate_of(dependant: Dependant) -> Gate | None:
    """The gate among the dependencies of a route, or None; ValueError if it has several."""
    gates = {id(found): found for found in _gates(dependant)}
    if len(gates) > 1:
        raise ValueError(f"several gates: {sorted(gate.permission for gate in gates.values())}")
    return next(iter(gates.values()), None)


def _gates(dependant: Dependant) -> Iterator[Gate]:
    for one in dependant.dependencies:
        if isinstance(one.call, Gate):
            yield one.call
        else:
            yield from _gates(one)
