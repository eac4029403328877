"""The OpenAPI document: what the framework knows of the routes, completed with answers, errors, examples.

Answers are described by the types that they are written from; errors follow from a route's gate.
"""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from api.access import PUBLIC, SIGNED_IN, Gate, gate_of
from api.problems import (
    MEDIA_TYPE,
    BodyTooLarge,
    PreconditionMalformed,
    PreconditionMissing,
    RequestInvalid,
    RequestRefused,
    SignInNeeded,
    problem_of,
)
from api.rest.commands import POSITION, PROJECTED, Changing, ChangingOrCreating, Creating
from api.rest.description import TAGS, Shown, shown_by
from api.rest.examples import example_of, stream
from api.rest.guide import GUIDE
from api.rest.schemas import REFERENCE, schemas_of
from application.authorisation import PERMISSIONS, PermissionMissing
from domain.errors import Conflict, DomainError, KeyReused, NotFound, Stale, StoreUnavailable

PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "A refusal (RFC 9457). `code` is what machines compare; sentences are for people.",
    "required": ["type", "title", "status", "detail", "code", "correlation_id"],
    "properties": {
        "type": {"type": "string", "description": "/problems/<code>, which explains it."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, where, and what to do."},
        "code": {"type": "string"},
        "rule": {"type": "string", "description": "The rule of the rulebook, if there is one."},
        "source": {"type": "string", "description": "The law or standard it comes from, if any."},
        "facts": {"type": "object", "description": "What the sentence was filled with."},
        "errors": {
            "type": "array",
            "description": "Single things, each with a JSON pointer into the request, or sheet, row, column.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "correlation_id": {"type": "string"},
    },
}
DONE: Final[Mapping[str, Any]] = {
    "type": "object",
    "title": "Done",
    "description": "What a command did: the thing, its version now, the log position of its last event.",
    "required": ["id", "version", "position"],
    "properties": {
        "id": {"type": "string"},
        "version": {"type": "integer"},
        "position": {"type": "integer"},
    },
    "additionalProperties": True,
}
MISSING: Final[Mapping[str, str]] = {
    "in": "body",
    "pointer": "/region",
    "code": "missing",
    "detail": "缺少这一项",
}
_ETAG: Final = {"schema": {"type": "string"}, "description": 'The version, such as `"v17"`, for If-Match.'}


def describe(app: FastAPI) -> dict[str, Any]:
    """The whole document of the app, made anew."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=GUIDE,
        routes=app.routes,
        tags=[{"name": name, "description": told} for name, told in TAGS],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    routes = list(operations(app))
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components.pop("HTTPValidationError", None)
    components.pop("ValidationError", None)
    components.update({"Problem": dict(PROBLEM), "Done": dict(DONE)})
    kinds = [shown.kind for route in routes if (shown := shown_by(route.endpoint or describe)) and shown.kind]
    schemas = schemas_of(list(dict.fromkeys(kinds)))
    components.update(schemas.components)
    for route in routes:
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _Operation(operation, route, components, schemas.kinds).complete()
    return document


def operations(app: FastAPI) -> Iterator[RouteContext]:
    """The routes of the app that the document tells of."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema:
            yield context


class _Operation:
    """One operation of the document, being completed."""

    def __init__(
        self,
        operation: dict[str, Any],
        route: RouteContext,
        components: Mapping[str, Any],
        kinds: Mapping[Any, Mapping[str, Any]],
    ) -> None:
        self._operation, self._components, self._kinds = operation, components, kinds
        self._path = str(route.path_format)
        self._method = next(iter(route.methods or ()))
        self._gate: Gate | None = gate_of(route.dependant)
        self._shown = shown_by(route.endpoint) if route.endpoint else None
        self._created = route.status_code == HTTPStatus.CREATED

    def complete(self) -> None:
        """Add permission, examples, answers and errors."""
        self._tell_permission()
        for content in self._operation.get("requestBody", {}).get("content", {}).values():
            content["example"] = example_of(content["schema"], self._components)
        for parameter in self._operation.get("parameters", ()):
            if parameter.get("required"):
                parameter["example"] = self._parameter(parameter)
        self._operation["responses"] = {**self._answers(), **self._errors()}

    def _tell_permission(self) -> None:
        permission = self._gate.permission if self._gate else PUBLIC
        self._operation["x-permission"] = permission
        roles = ", ".join(f"`{role}`" for role in PERMISSIONS.get(permission, ()))
        told = {PUBLIC: "公开 Public.", SIGNED_IN: "任何账号 Any account."}.get(
            permission, f"权限 Permission `{permission}`: {roles}."
        )
        self._operation["description"] = f"{self._operation.get('description', '')}\n\n{told}"

    def _parameter(self, parameter: Mapping[str, Any]) -> Any:
        if parameter["name"] == "id":
            kind = self._path.split("/")[3] if self._path.startswith("/api/v1/public/") else ""
            return stream((kind or self._path.split("/")[3]).rstrip("s"))
        return example_of(parameter["schema"], self._components, parameter["name"])

    def _answers(self) -> dict[str, Any]:
        shown = self._shown or Shown()
        status = str(int(HTTPStatus.CREATED if self._created else HTTPStatus.OK))
        answer: dict[str, Any] = {"description": "成功 Done." if shown.command else "成功 Found."}
        answer["content"] = {shown.media: self._content(shown)}
        headers = self._headers(shown)
        if headers:
            answer["headers"] = headers
        answers = {status: answer}
        if shown.etag:
            answers["304"] = {"description": "未变 Not modified: the caller has it (If-None-Match)."}
        return answers

    def _content(self, shown: Shown) -> dict[str, Any]:
        if shown.command:
            example = {"id": self._subject(), "version": 18, "position": 1841, **shown.also}
            return {"schema": {"$ref": REFERENCE.format(name="Done")}, "example": example}
        if shown.kind is None:
            return {"schema": {"type": "string", "format": "binary"}}
        schema = self._kinds[shown.kind]
        example = example_of(schema, self._components)
        if not shown.page:
            return {"schema": schema, "example": example}
        properties = {
            "items": {"type": "array", "items": schema},
            "next": {"type": ["string", "null"], "description": "Cursor of the next page, for `after`."},
        }
        page = {"type": "object", "required": ["items", "next"], "properties": properties}
        return {"schema": page, "example": {"items": [example], "next": "aTE4NDA"}}

    def _subject(self) -> str:
        return stream(self._path.split("/")[3].rstrip("s"))

    def _headers(self, shown: Shown) -> dict[str, Any]:
        text = {"schema": {"type": "string"}}
        if shown.command:
            headers = {
                "ETag": _ETAG,
                POSITION: {**text, "description": "Log and position of the last event."},
                PROJECTED: {**text, "description": "`true` if lists and GET show it already."},
            }
            return {**headers, "Location": text} if self._created else headers
        if shown.page:
            return {"Link": {**text, "description": 'The next page, `rel="next"`.'}}
        return {"ETag": _ETAG} if shown.etag else {}

    def _errors(self) -> dict[str, Any]:
        refusals = list(self._refusals())
        return {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": REFERENCE.format(name="Problem")},
                        "examples": {
                            problem["code"]: {"value": problem}
                            for problem in refusals
                            if problem["status"] == status
                        },
                    }
                },
            }
            for status in sorted({problem["status"] for problem in refusals})
        }

    def _refusals(self) -> Iterator[dict[str, Any]]:
        gate, made = self._gate, isinstance(self._gate, Creating | Changing | ChangingOrCreating)
        if gate is not None and gate.permission != PUBLIC:
            yield _told(SignInNeeded())
        if gate is not None and gate.permission in PERMISSIONS:
            roles = PERMISSIONS[gate.permission]
            yield _told(PermissionMissing(permission=gate.permission, region="140100", roles=roles))
        if "{" in self._path:
            yield _told(NotFound(kind=self._path.split("/")[3].rstrip("s"), id=self._subject()))
        if isinstance(gate, Changing | ChangingOrCreating):
            yield _told(PreconditionMalformed(value="17"))
            yield _told(Stale(id=self._subject(), expected=17, actual=18))
            yield _told(PreconditionMissing())
        if made:
            yield _told(Conflict())
            yield _told(KeyReused(key="8f14e45f"))
            yield _told(BodyTooLarge(limit=1_000_000))
        if made or self._operation.get("parameters") or self._operation.get("requestBody"):
            yield _told(
                RequestInvalid(count=1), [{"pointer": "/region", "code": "missing", "detail": "缺少这一项"}]
            )
        yield _told(StoreUnavailable(reason="unreachable"))


def _told(refusal: DomainError | RequestRefused, errors: Any = ()) -> dict[str, Any]:
    told = problem_of(refusal, "zh", errors=errors)
    told["correlation_id"] = "6b1f3a52c0de4d0f9a77"
    problem: dict[str, Any] = msgspec.to_builtins(told, enc_hook=str)
    return problem
