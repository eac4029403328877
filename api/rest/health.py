"""Whether the service is alive and ready, and how it is doing."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.access import Asked, everybody
from api.meters import Meters
from api.rest.description import gives, shows
from api.rest.presenting import show
from domain.errors import ClockBehind, DomainError, StoreUnavailable
from domain.ledger.checkpoint import Checkpoint
from domain.ledger.entry import CLOCK_TOLERANCE, parse_at
from domain.ledger.note import Note

router = APIRouter(tags=["health"])
FAR_BEHIND: Final = 5_000
"""A read model with more events than this to go is not ready to be asked."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must be well; `state` is `ok` or a word for what is not, `lag` counts events behind."""

    name: str
    state: str
    lag: int = 0


class Alive(msgspec.Struct, frozen=True, kw_only=True):
    """That the process answers."""

    alive: bool


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can do its work, and what of it is well."""

    ready: bool
    log: str
    head: int
    published: int
    checks: list[Check]


@router.get("/livez", summary="存活 Alive")
@shows(Alive)
def read_alive(asked: Asked = everybody()) -> Response:
    """The process answers."""
    return show(Alive(alive=True))


@router.get("/readyz", summary="就绪 Ready")
@shows(Readiness)
def read_ready(asked: Asked = everybody()) -> Response:
    """Store, migrations, read models and ledger; 503 if one of them is not well.

    Witnesses and time-stamps are shown as well: one that is away does not make the service unready.
    """
    readiness = look(asked)
    status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
    return show(readiness, status=status)


@router.get("/metrics", summary="指标 Metrics")
@gives("text/plain; version=0.0.4; charset=utf-8")
def read_metrics(request: Request, asked: Asked = everybody()) -> Response:
    """For Prometheus: requests by route and status, read models' lag, the ledger's size."""
    meters: Meters = request.app.state.meters
    meters.observe(look(asked))
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


def look(asked: Asked) -> Readiness:
    """The state of everything that must be well."""
    store = _store(asked)
    head, others = -1, [Check(name="projections", state="unknown")]
    if store.state == "ok":
        found = asked.system.store.recorder.head()
        head = -1 if found is None else found
        others = [_clock(asked, head), *_projections(asked)]
    published = _published(asked)
    ledger = _ledger(asked, head, published)
    checks = [store, *others, ledger]
    ready = all(check.state == "ok" for check in checks)
    # A witness that is away is no reason to send people away: what depends on it says so itself.
    checks += _outside(asked)
    return Readiness(
        ready=ready,
        log=asked.office.ledger.origin,
        head=head,
        published=published,
        checks=checks,
    )


def _store(asked: Asked) -> Check:
    try:
        asked.system.store.check()
    except StoreUnavailable as error:
        return Check(name="store", state=str(error.facts.get("reason", "unavailable")))
    return Check(name="store", state="ok")


def _clock(asked: Asked, head: int) -> Check:
    last = next(iter(asked.system.store.recorder.rows(head, 1)), None) if head >= 0 else None
    behind = last is not None and asked.now < parse_at(last.at) - CLOCK_TOLERANCE
    return Check(name="clock", state=ClockBehind.code if behind else "ok")


def _projections(asked: Asked) -> list[Check]:
    try:
        standing = asked.system.projections.status()
    except DomainError as error:
        return [Check(name="projections", state=error.code)]
    return [
        Check(
            name=f"projection {one.name}",
            state=one.status if one.status != "live" else "behind" if one.lag > FAR_BEHIND else "ok",
            lag=one.lag,
        )
        for one in standing
    ]


def _outside(asked: Asked) -> Iterator[Check]:
    """Each witness that was asked, and the time-stamp authority once it refused."""
    attestation = asked.system.publisher.attestation
    for name, said in attestation.told.items():
        state = "ok" if said.signature is not None else said.state
        yield Check(name=f"witness {name}", state=state)
    if attestation.stamping:
        yield Check(name="time-stamps", state=attestation.stamping)


def _published(asked: Asked) -> int:
    note = asked.system.published.checkpoint()
    return Checkpoint.parse(Note.parse(note).text).size if note else 0


def _ledger(asked: Asked, head: int, published: int) -> Check:
    failure = asked.system.publisher.failure
    state = failure.split(":", 1)[0] if failure else "ok"
    return Check(name="ledger", state=state, lag=max(0, head + 1 - published))
