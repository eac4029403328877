"""What all commands share: safe retries, the version the caller saw, and the form of their answers.

A POST may carry an `Idempotency-Key`. Whatever changes something that exists must carry `If-Match` with the
ETag it was read with. The answer waits up to a second until what it did can be read.
"""

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final

import msgspec
from fastapi import Depends, Header, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from api.access import Asked, Credentials, Gate
from api.guards import body_digest
from api.problems import IdempotencyKeyMalformed, PreconditionMalformed, PreconditionMissing
from application.ports import Answer, RetryKey
from application.workflow import Call

KEY_LENGTH: Final = 128
PROJECTED: Final = "Sunlot-Projected"
POSITION: Final = "Sunlot-Position"
WAIT_SECONDS: Final = 1.0
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
_KEY: Final = re.compile(rf"[!-~]{{1,{KEY_LENGTH}}}")
_ETAG: Final = re.compile(r'"v([1-9][0-9]{0,9})"')

RetryHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description=(
            "Any text of your own, 1 to 128 printable ASCII characters: the same key with the same request "
            "gives the same answer and does nothing twice."
        ),
        examples=["8f14e45f-ceea-467f-9f0a-2f2d6e1c9a01"],
    ),
]
MatchHeader = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag with which the thing was read. Absent: 428; not the present one: 412.",
        examples=['"v17"'],
    ),
]


class Body(BaseModel):
    """The body of a request: nothing unknown, no endless text, none that a database could not keep."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", str_max_length=4000, frozen=True)

    @field_validator("*")
    @classmethod
    def _check_text(cls, value: Any) -> Any:
        if _has_nul(value):
            raise PydanticCustomError("text_refused", "holds a character that no text has")
        return value


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, BaseModel):
        return any(_has_nul(one) for _, one in value)
    if isinstance(value, dict):
        return any(_has_nul(one) for pair in value.items() for one in pair)
    return isinstance(value, list | tuple) and any(_has_nul(one) for one in value)


class Step(Body):
    """What every command may say: when it happened, if that was before now (with a time zone)."""

    occurred_at: AwareDatetime | None = Field(
        default=None,
        description="发生时间，晚录时填写。 When it happened, if earlier than now; with a time zone.",
    )

    def facts(self, *without: str) -> dict[str, Any]:
        """The fields of the command itself."""
        return self.model_dump(exclude={"occurred_at", *without})


class Command(Asked, frozen=True, kw_only=True):
    """A command that came through its gate, with its retry key and the version that the caller saw."""

    request: str
    key: str | None
    expected: int | None

    def run(
        self,
        body: Step | None,
        verb: Callable[[Call], Answer],
        *,
        place: str | None = None,
        content: str = "",
    ) -> Response:
        """Do it once, and answer: 201 with Location where `place` is given, else 200.

        `place` holds `{id}`. `content` is the digest of a file that came in a form: forms differ from
        try to try in their boundaries, so their bytes cannot tell a retry.
        """
        return self.answer(self.decide(body, verb, content=content), place=place)

    def decide(self, body: Step | None, verb: Callable[[Call], Answer], *, content: str = "") -> Answer:
        """Do it once; the kept answer if it was done."""
        call = self.command(body, content=content)
        return self.office.workflow.once(call, lambda: verb(call))

    def reading(self, body: Step) -> Call:
        """A reading that is recorded, each time anew: a kept answer must not show the present unrecorded."""
        return self.call(occurred_at=body.occurred_at)

    def command(self, body: Step | None, *, content: str = "") -> Call:
        """The command as the application takes it."""
        retry = None
        if self.key is not None:
            request = sha256(f"{self.request}\n{content}".encode()).hexdigest()
            retry = RetryKey(account=self.actor.account, key=self.key, request=request)
        occurred_at = body.occurred_at if body is not None else None
        return self.call(occurred_at=occurred_at, expected=self.expected, retry=retry)

    def answer(
        self, answer: Answer, *, place: str | None = None, more: Mapping[str, Any] = EMPTY
    ) -> Response:
        """Present an answer, once it can be read or after a second."""
        headers = {"ETag": etag(answer.version), **projected(self, answer.position)}
        if place is not None:
            headers["Location"] = place.format(id=answer.id)
        content = {
            "id": answer.id,
            "version": answer.version,
            "position": answer.position,
            **answer.also,
            **more,
        }
        return Response(
            msgspec.json.encode(content), 201 if place is not None else 200, headers, "application/json"
        )


def projected(asked: Asked, position: int) -> dict[str, str]:
    """Wait up to a second until the read models have the position; the headers that say so."""
    reached = asked.system.projections.wait_for(position, timeout=WAIT_SECONDS)
    log = asked.office.ledger.origin
    return {PROJECTED: "true" if reached else "false", POSITION: f"{log}/{position}"}


def head_of(asked: Asked) -> int:
    """The last position of the log, -1 for none: of a command that does not tell its own."""
    head = asked.system.store.recorder.head()
    return -1 if head is None else head


class Creating(Gate):
    """The gate of a command that makes something new, or that compares no version."""

    def __call__(
        self, request: Request, credentials: Credentials, idempotency_key: RetryHeader = None
    ) -> Command:
        """The command."""
        asked = self.enter(request, credentials)
        return _command(request, asked, idempotency_key, None)


class Changing(Gate):
    """The gate of a command that changes something that exists: it needs `If-Match`."""

    def __call__(
        self,
        request: Request,
        credentials: Credentials,
        if_match: MatchHeader = None,
        idempotency_key: RetryHeader = None,
    ) -> Command:
        """The command. Raises `PreconditionMissing`, `PreconditionMalformed`."""
        asked = self.enter(request, credentials)
        if if_match is None:
            raise PreconditionMissing()
        return _command(request, asked, idempotency_key, read_etag(if_match))


class ChangingOrCreating(Gate):
    """The gate of a command that may be the first: `If-Match` is needed if the thing exists."""

    def __call__(
        self,
        request: Request,
        credentials: Credentials,
        if_match: MatchHeader = None,
        idempotency_key: RetryHeader = None,
    ) -> Command:
        """The command; the route asks `require_match` when it finds the thing."""
        asked = self.enter(request, credentials)
        expected = read_etag(if_match) if if_match is not None else None
        return _command(request, asked, idempotency_key, expected)


def create(permission: str) -> Any:
    """The gate of a creation, as the default of a route's argument."""
    return Depends(Creating(permission))


def change(permission: str) -> Any:
    """The gate of a change, as the default of a route's argument."""
    return Depends(Changing(permission))


def create_or_change(permission: str) -> Any:
    """The gate of what may be the first, as the default of a route's argument."""
    return Depends(ChangingOrCreating(permission))


def require_match(command: Command) -> None:
    """`PreconditionMissing` unless the caller said which version it saw."""
    if command.expected is None:
        raise PreconditionMissing()


def etag(version: int) -> str:
    """The ETag of a version of an aggregate."""
    return f'"v{version}"'


def read_etag(value: str) -> int:
    """The version in an If-Match; `PreconditionMalformed`."""
    found = _ETAG.fullmatch(value.strip())
    if found is None:
        raise PreconditionMalformed(value=value[:100])
    return int(found[1])


def _command(request: Request, asked: Asked, key: str | None, expected: int | None) -> Command:
    if key is not None and not _KEY.fullmatch(key):
        raise IdempotencyKeyMalformed(most=KEY_LENGTH)
    # A form's bytes hold a random boundary: its route names the content instead.
    form = request.headers.get("content-type", "").startswith("multipart/")
    body = "" if form else body_digest(request.scope)
    parts = (request.method, request.url.path, request.url.query, asked.actor.account, body)
    return Command(
        system=asked.system,
        actor=asked.actor,
        language=asked.language,
        operation=asked.operation,
        request="\n".join(parts),
        key=key,
        expected=expected,
    )
