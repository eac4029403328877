"""What every request passes before a route sees it, and every answer before it leaves.

From outside in: the correlation id, the log line and the catch for what nobody foresaw, security headers,
the host check, the limit and digest of the body.
"""

import re
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import structlog
from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.i18n import choose_language
from api.problems import BodyTooLarge, HostRefused, Internal, RequestRefused, problem_response

CORRELATION_HEADER: Final = "X-Correlation-ID"
BODY: Final = "sunlot.body"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_CORRELATION: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger(__name__)

LimitOf = Callable[[str], int]
"""The most bytes of a request's body, by its path."""
Count = Callable[[Scope, int, float], None]
"""Told of every request that was answered: its status and how many seconds it took."""


def guards(hosts: Sequence[str], limit_of: LimitOf, count: Count) -> list[Middleware]:
    """The middleware of the app, the outermost first."""
    return [
        Middleware(
            CorrelationIdMiddleware,
            header_name=CORRELATION_HEADER,
            validator=lambda given: _CORRELATION.fullmatch(given) is not None,
        ),
        Middleware(Record, count=count),
        Middleware(Shield),
        Middleware(Hosts, hosts=hosts),
        Middleware(Bodies, limit_of=limit_of),
    ]


class Record:
    """Writes a log line for each request, without query and headers, and answers what nobody foresaw."""

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:  # noqa: BLE001 (the outermost catch: logged whole, told as a problem)
            _log.exception("request.crashed", method=scope["method"], path=scope["path"], exc_info=error)
            if not status:
                await _shielded(scope, receive, watch, Internal(correlation_id=correlation_id.get() or ""))
        finally:
            seconds = time.perf_counter() - started
            self._count(scope, status, seconds)
            _log.info(
                "request.done",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


class Shield:
    """Adds the security headers to every answer that does not have its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS:
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, add)


class Hosts:
    """Refuses requests that name another host, so that no name that resolves to us reaches a route.

    And those whose address holds the character U+0000, which no database keeps.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app, self._hosts = app, frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and "*" not in self._hosts:
            host = re.sub(r":\d+$", "", Headers(scope=scope).get("host", "")).lower()
            if host not in self._hosts:
                await _refuse(scope, receive, send, HostRefused(host=host))
                return
        if scope["type"] == "http" and ("\0" in scope["path"] or b"%00" in scope["query_string"]):
            await _refuse(scope, receive, send, RequestRefused())
            return
        await self._app(scope, receive, send)


class Body:
    """The body of a request as far as it has been received."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size, self._digest = limit, 0, sha256()

    def take(self, piece: bytes) -> None:
        """Count a piece; an HTTPException beyond the limit, which is told as `BodyTooLarge`."""
        self._size += len(piece)
        if self._size > self._limit:
            # Only an HTTPException comes through the framework's reading of the body as it is.
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(self._limit))
        self._digest.update(piece)

    def digest(self) -> str:
        """The SHA-256 of what was received."""
        return self._digest.hexdigest()


class Bodies:
    """Counts and digests the body as it comes in; what is declared too large is refused unread."""

    def __init__(self, app: ASGIApp, limit_of: LimitOf) -> None:
        self._app, self._limit_of = app, limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        if _declared(scope) > limit:
            await _refuse(scope, receive, send, BodyTooLarge(limit=limit))
            return
        body = scope[BODY] = Body(limit)

        async def count() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                body.take(message.get("body", b""))
            return message

        await self._app(scope, count, send)


def _declared(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "0")
    return int(declared) if declared.isdecimal() else 0


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: RequestRefused) -> None:
    language = choose_language(Headers(scope=scope).get("accept-language", ""))
    await problem_response(refusal, language)(scope, receive, send)


async def _shielded(scope: Scope, receive: Receive, send: Send, refusal: RequestRefused) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await _refuse(scope, receive, send, refusal)

    await Shield(answer)(scope, receive, send)


def body_digest(scope: "Scope | dict[str, Any]") -> str:
    """The SHA-256 of the request's body; complete once the route's arguments are known."""
    body: Body = scope[BODY]
    return body.digest()
