"""The witness over HTTP: C2SP tlog-witness `add-checkpoint` for logs, and what its own office reads.

An app of its own, without the service: `POST /add-checkpoint`, then `/`, `/vkey` and `/checkpoint/<log>` for
everybody, `/history/<log>` and `/evidence` for this machine alone.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final, Protocol

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from api.witness_rate import Rate
from domain.errors import DomainError
from domain.ledger.errors import (
    KeyUnknown,
    LedgerError,
    OriginDiffers,
    OriginUnknown,
    ProofRefused,
    RootConflict,
    SignatureInvalid,
    SignatureMissing,
    SizeConflict,
)
from domain.ledger.submission import SIZE_TYPE

BODY_LIMIT: Final = 64 * 1024
"""The most bytes of a submission: 63 hashes and a checkpoint need a tenth of it."""

BODY_SECONDS: Final = 10.0
"""In this time a body must be here."""

STATUSES: Final[Mapping[type[LedgerError], int]] = {
    LedgerError: 400,
    KeyUnknown: 403,
    OriginDiffers: 403,
    SignatureInvalid: 403,
    SignatureMissing: 403,
    OriginUnknown: 404,
    RootConflict: 409,
    SizeConflict: 409,
    ProofRefused: 422,
}
_log = structlog.get_logger(__name__)


class Watching(Protocol):
    """What the app needs of a witness, such as `infrastructure.witness.Witness`."""

    vkey: str
    logs: Mapping[str, Any]
    state: Any
    evidence: Any

    def add_checkpoint(self, body: bytes) -> bytes:
        """The signature lines."""
        ...


def create_witness_app(
    witness: Watching, *, rate: Rate | None = None, body_seconds: float = BODY_SECONDS
) -> Starlette:
    """The app over a witness."""
    desk = _Desk(witness, rate or Rate(), body_seconds)
    routes = [
        Route("/add-checkpoint", desk.add_checkpoint, methods=["POST"]),
        Route("/", desk.overview),
        Route("/vkey", desk.vkey),
        Route("/checkpoint/{log}", desk.checkpoint),
        Route("/history/{log}", desk.history),
        Route("/evidence", desk.evidence),
        Route("/evidence/{kind}/{name}", desk.one_evidence),
    ]
    return Starlette(routes=routes, exception_handlers={DomainError: _unavailable, LedgerError: _refused})


class _Desk:
    """The routes."""

    def __init__(self, witness: Watching, rate: Rate, body_seconds: float) -> None:
        self._witness, self._rate, self._seconds = witness, rate, body_seconds

    async def add_checkpoint(self, request: Request) -> Response:
        source = request.client.host if request.client else ""
        wait = self._rate.wait(source)
        if wait:
            return _text("too many requests", 429, {"Retry-After": str(wait)})
        body = await self._body(request)
        return Response(
            await run_in_threadpool(self._witness.add_checkpoint, body),
            media_type="text/plain; charset=utf-8",
            headers={"Cache-Control": "no-store"},
        )

    def overview(self, request: Request) -> Response:
        """The witness's key and, for each log, how it is called here and what was cosigned last."""
        logs = [self._told(origin) for origin in self._witness.logs]
        return _json({"vkey": self._witness.vkey, "logs": logs})

    def vkey(self, request: Request) -> Response:
        return _text(f"{self._witness.vkey}\n")

    def checkpoint(self, request: Request) -> Response:
        held = self._witness.state.held(self._origin(request))
        if held is None:
            raise HTTPException(404)
        return Response(
            held.note, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    def history(self, request: Request) -> Response:
        _require_local(request)
        file = self._witness.state.history(self._origin(request))
        if not file.is_file():
            raise HTTPException(404)
        return FileResponse(file, media_type="application/x-ndjson")

    def evidence(self, request: Request) -> Response:
        _require_local(request)
        return _json(
            [
                {"name": name, "kind": one.kind, "origin": one.origin, "at": one.at}
                for name, one in self._witness.evidence.all()
            ]
        )

    def one_evidence(self, request: Request) -> Response:
        _require_local(request)
        wanted = f"{request.path_params['kind']}/{request.path_params['name']}"
        found = dict(self._witness.evidence.all()).get(wanted)
        if found is None:
            raise HTTPException(404)
        return _json(found)

    async def _body(self, request: Request) -> bytes:
        """The body, no longer and no later than it may be."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > BODY_LIMIT:
                        raise HTTPException(413, headers={"Connection": "close"})
        except TimeoutError as error:
            raise HTTPException(408, headers={"Connection": "close"}) from error
        except ClientDisconnect as error:
            raise HTTPException(400) from error
        return bytes(body)

    def _told(self, origin: str) -> dict[str, Any]:
        held = self._witness.state.held(origin)
        told: dict[str, Any] = {"origin": origin, "log": self._witness.state.place(origin).name}
        if held is not None:
            told |= {"size": held.checkpoint.size, "root": held.checkpoint.root.hex(), "at": held.at}
        return told

    def _origin(self, request: Request) -> str:
        for origin in self._witness.logs:
            if self._witness.state.place(origin).name == request.path_params["log"]:
                return origin
        raise HTTPException(404)


def _refused(request: Request, error: Exception) -> Response:
    """What the standard says to each refusal; a log that starts elsewhere is told the size that is held."""
    if isinstance(error, SizeConflict | RootConflict):
        size = error.params["held" if isinstance(error, SizeConflict) else "size"]
        # Named as a header: a media type of text would be given a charset, which the standard's has not.
        return Response(f"{size}\n", 409, {"Content-Type": SIZE_TYPE, "Cache-Control": "no-store"})
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return _text(f"{error}\n", status)


def _unavailable(request: Request, error: Exception) -> Response:
    """Nothing was signed; why is told to the log, not to whoever asks."""
    if isinstance(error, DomainError):
        _log.error("witness.unavailable", code=error.code, **error.facts)
    return _text("not now\n", HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "60"})


def _require_local(request: Request) -> None:
    """For this machine alone; what a proxy passes on comes from elsewhere."""
    client = request.client.host if request.client else ""
    proxied = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "via"))
    try:
        local = ip_address(client).is_loopback and not proxied
    except ValueError:
        local = False
    if not local:
        raise HTTPException(403)


def _text(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store", **(headers or {})})


def _json(value: Any) -> Response:
    content = msgspec.json.format(msgspec.json.encode(value), indent=1)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})
