"""Every refusal as problem+json (RFC 9457): the one table that turns errors into HTTP statuses.

`type` is `/problems/<code>` and never changes; `title` and `detail` are Chinese or English. Facts of what is
the service's own trouble are logged, not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

import msgspec
import structlog
from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.i18n import Language, choose_language, tell_error, tell_field, tell_row
from application.accounts import SignInRefused, TokenRefused
from domain.errors import (
    BlobErased,
    BlobTooLarge,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    MediaRefused,
    NotFound,
    NotWitnessed,
    Stale,
    Unavailable,
)
from projections.identities import IdentityBroken

MEDIA_TYPE: Final = "application/problem+json"
STATUSES: Final[Mapping[type[DomainError], int]] = {
    DomainError: 500,
    Invalid: 422,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    Unavailable: 503,
    SignInRefused: 401,
    TokenRefused: 401,
    BlobErased: 410,
    BlobTooLarge: 413,
    MediaRefused: 415,
    IdentityBroken: 409,
}
"""A class has the status of the nearest of its ancestors in this table."""

TOLD: Final = (NotWitnessed,)
"""What stands in the caller's way here is outside the service, and the caller may know all of it."""

_log = structlog.get_logger(__name__)


class RequestRefused(Exception):
    """A request that does not come as far as the application. `facts` fill the sentence in `api/locale`."""

    code: ClassVar[str] = "request-malformed"
    status: ClassVar[int] = 400

    def __init__(self, pointer: str = "", **facts: Any) -> None:
        super().__init__(self.code, facts)
        self.pointer = pointer
        self.facts = facts


class SignInNeeded(RequestRefused):
    """The route is for accounts, and the request names none."""

    code = "sign-in-needed"
    status = 401


class PreconditionMissing(RequestRefused):
    """A change of something that exists came without If-Match."""

    code = "precondition-missing"
    status = 428


class PreconditionMalformed(RequestRefused):
    """The If-Match is no version; facts: `value`."""

    code = "precondition-malformed"


class IdempotencyKeyMalformed(RequestRefused):
    """The Idempotency-Key is empty, too long or not printable ASCII; facts: `most`."""

    code = "idempotency-key-malformed"


class CursorWrong(RequestRefused):
    """The cursor was not made by this list; facts: `value`."""

    code = "cursor-wrong"


class BodyTooLarge(RequestRefused):
    """The body is larger than it may be; facts: `limit` in bytes."""

    code = "body-too-large"
    status = 413


class RequestInvalid(RequestRefused):
    """The request's fields are not as they must be; facts: `count`."""

    code = "request-invalid"
    status = 422


class PathUnknown(RequestRefused):
    """There is no such address; facts: `path`."""

    code = "path-unknown"
    status = 404


class MethodRefused(RequestRefused):
    """The address does not take this method; facts: `method`, `allowed`."""

    code = "method-refused"
    status = 405


class HostRefused(RequestRefused):
    """The request names a host that this service is not; facts: `host`."""

    code = "host-refused"


class Internal(RequestRefused):
    """The service failed; facts: `correlation_id`."""

    code = "internal"
    status = 500


def request_refusals() -> list[type[RequestRefused]]:
    """All refusals of requests, the base (what cannot be parsed) first."""
    return [RequestRefused, *RequestRefused.__subclasses__()]


def status_of(refusal: type[DomainError] | type[RequestRefused]) -> int:
    """The HTTP status of a class of refusals."""
    if issubclass(refusal, RequestRefused):
        return refusal.status
    return next(STATUSES[ancestor] for ancestor in refusal.__mro__ if ancestor in STATUSES)


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every refusal as a problem."""
    app.add_exception_handler(DomainError, _handle)
    app.add_exception_handler(RequestRefused, _handle)
    app.add_exception_handler(RequestValidationError, _handle_validation)
    app.add_exception_handler(HTTPException, _handle_http)


def problem_response(
    refusal: DomainError | RequestRefused,
    language: Language,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The refusal as an answer."""
    status = status_of(type(refusal))
    content = problem_of(refusal, language, errors=errors)
    return Response(
        msgspec.json.encode(content, enc_hook=str),
        status,
        {"Content-Language": language, **_headers(status), **(headers or {})},
        MEDIA_TYPE,
    )


def problem_of(
    refusal: DomainError | RequestRefused, language: Language, *, errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The members of the problem: those of RFC 9457, `code`, the law's `rule` and `source`, `errors`."""
    said = tell_error(refusal.code, refusal.facts, language)
    status = status_of(type(refusal))
    is_told = status < HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(refusal, TOLD)
    law = {name: value for name in ("rule", "source") if (value := getattr(refusal, name, ""))}
    listed = list(errors) or list(_errors_of(refusal, said.detail, language))
    return {
        "type": f"/problems/{refusal.code}",
        "title": said.title,
        "status": status,
        "detail": said.detail,
        "code": refusal.code,
        **law,
        **({"facts": _facts(refusal)} if is_told and refusal.facts else {}),
        **({"errors": listed} if listed else {}),
        "correlation_id": correlation_id.get() or "",
    }


def language_of(request: Request) -> Language:
    """The language that the request asks for."""
    return choose_language(request.headers.get("accept-language", ""))


def _errors_of(
    refusal: DomainError | RequestRefused, detail: str, language: Language
) -> Iterator[dict[str, Any]]:
    for row in msgspec.to_builtins(refusal.facts.get("errors", ()), enc_hook=str):
        told = tell_row(row["code"], {**row, **row["facts"]}, language)
        yield {"pointer": refusal.pointer or "/file", **row, "detail": told}
    if refusal.pointer and "errors" not in refusal.facts:
        yield {"pointer": refusal.pointer, "code": refusal.code, "detail": detail}


def _facts(refusal: DomainError | RequestRefused) -> dict[str, Any]:
    return {name: value for name, value in refusal.facts.items() if name != "errors"}


def _headers(status: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": "2"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def _handle(request: Request, error: Exception) -> Response:
    if not isinstance(error, DomainError | RequestRefused):
        raise error
    if status_of(type(error)) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request.failed", code=error.code, facts=error.facts, exc_info=error)
    return problem_response(error, language_of(request))


def _handle_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    language, found = language_of(request), error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem_response(RequestRefused(), language)
    errors = [_field_error(one, language) for one in found]
    return problem_response(RequestInvalid(count=len(errors)), language, errors=errors)


def _field_error(found: Mapping[str, Any], language: Language) -> dict[str, Any]:
    where, *path = found["loc"]
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    told = tell_field(found["type"], found.get("ctx", {}), language)
    return {"in": where, "pointer": pointer, "code": found["type"], "detail": told}


def _handle_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    language = language_of(request)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_response(PathUnknown(path=request.url.path), language)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        refusal = MethodRefused(method=request.method, allowed=allowed)
        return problem_response(refusal, language, headers={"Allow": allowed})
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(BodyTooLarge(limit=error.detail), language)
    return problem_response(RequestRefused(), language)
