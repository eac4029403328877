"""The desk at which a command works: the open system, and the call of whoever holds the token."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import typer
from asgi_correlation_id import correlation_id
from sqlalchemy import Connection

from api.bootstrap import Settings, System, Tools, build, configure_logging, tools
from api.cli.files import read_text
from api.cli.refusals import Cannot
from api.cli.terminal import Terminal
from application.authorisation import regions
from application.office import Office
from application.ports import Answer, Chance, Clock, RetryKey
from application.workflow import Call
from domain.act import Act
from domain.errors import DomainError

_UNHASHED: Final = ("password_file",)
"""Files whose content must not enter the hash of a request, which is kept: it could be guessed from it."""


@dataclass(frozen=True)
class Machine:
    """The machine's clock and chance, unless a test gives others."""

    clock: Clock | None = None
    chance: Chance | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """What every command is told beside its own options."""

    language: str
    json: bool
    data: Path | None
    token_file: Path | None
    bearer: str
    key: str
    expected: int | None
    occurred_at: datetime | None


@dataclass(frozen=True)
class Desk:
    """An open system and the terminal."""

    system: System
    terminal: Terminal

    @property
    def office(self) -> Office:
        """What the verbs of the application work with."""
        return self.system.office

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to the read models, brought up to the head of the log first."""
        self.system.projections.catch_up()
        with self.system.projections.views.reading() as connection:
            yield connection

    def regions(self, call: Call, permission: str, region: str | None) -> tuple[str, ...]:
        """The regions that a list may show: the one asked for, or all in which the caller may read."""
        call.require(permission, region)
        return (region,) if region else regions(call.actor, permission, on=call.act.day)

    def settle(self) -> None:
        """Publish what was just recorded. What was recorded stays so, whatever the ledger says to it."""
        try:
            self.system.publisher.publish_once()
        except DomainError as error:
            reason = error.facts.get("reason", "")
            if reason != "superseded":  # by the command itself, which has published with the next key
                self.terminal.warn("not-published", code=error.code, reason=reason)


@dataclass(frozen=True)
class Bench:
    """What a command has before anything is open: the terminal, the settings and the machine."""

    terminal: Terminal
    settings: Settings
    machine: Machine
    given: Given

    def build(self) -> System:
        """The system, which the caller closes."""
        return build(self.settings, clock=self.machine.clock, chance=self.machine.chance)

    @contextmanager
    def open(self) -> Iterator[Desk]:
        """Open the system, and close it whatever happens."""
        system = self.build()
        try:
            yield Desk(system, self.terminal)
        finally:
            system.close()

    @contextmanager
    def signed_in(self, command: str) -> Iterator[tuple[Desk, Call]]:
        """Open the system for the account whose token was given; `TokenRefused`, `Cannot` without one."""
        with self.open() as desk:
            yield desk, call_of(desk, self.given, command, {})

    def at(self, host: str | None, port: int | None) -> "Bench":
        """The same to be served at another address."""
        given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        return replace(self, settings=self.settings.model_copy(update=given))

    @property
    def tools(self) -> Tools:
        """What works without the store or the ledger's key."""
        return tools(self.settings, clock=self.machine.clock)


def bench_of(context: typer.Context, terminal: Terminal, given: Given) -> Bench:
    """The settings of the environment, with the data folder that was named; logs go to standard error."""
    settings = Settings(data_dir=given.data) if given.data else Settings()
    configure_logging(settings.log_level, settings.log_format, sys.stderr)
    machine = context.obj if isinstance(context.obj, Machine) else Machine()
    return Bench(terminal, settings, machine, given)


def call_of(desk: Desk, given: Given, command: str, options: Mapping[str, Any]) -> Call:
    """The call of the token's account; `TokenRefused`, and `Cannot` where there is no token."""
    actor = desk.system.authenticator.actor(_secret(given))
    now = desk.system.clock.now()
    request = desk.office.chance.id("cli")
    correlation_id.set(request)
    act = Act(
        by=actor.account,
        at=now,
        occurred_at=given.occurred_at or now,
        correlation_id=request,
        causation_id=cause_of(command),
    )
    retry = _retry(actor.account, given, command, options) if given.key else None
    return Call(actor=actor, act=act, expected=given.expected, retry=retry)


def cause_of(command: str) -> str:
    """The command as events name it that it led to, such as `sunlot draw seal`."""
    return f"sunlot {command}"


def present(desk: Desk, answer: Answer) -> None:
    """What was recorded, and which other ids the caller needs."""
    if desk.terminal.json:
        desk.terminal.give(answer)
        return
    desk.terminal.say("recorded", id=answer.id, version=answer.version, position=answer.position)
    desk.terminal.facts(answer.also)


def _secret(given: Given) -> str:
    if given.token_file is None and not given.bearer:
        raise Cannot("token-missing")
    secret = given.bearer if given.token_file is None else read_text(given.token_file)
    return secret.strip()


def _retry(account: str, given: Given, command: str, options: Mapping[str, Any]) -> RetryKey:
    """The same key with other options, or the same options over other files, is another request."""
    request = {name: _hashed(value) for name, value in options.items() if name not in _UNHASHED}
    request |= {"": [command, given.expected, str(given.occurred_at or "")]}
    content = json.dumps(request, sort_keys=True, ensure_ascii=False, default=str)
    return RetryKey(account=account, key=given.key, request=sha256(content.encode()).hexdigest())


def _hashed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_hashed(one) for one in value]
    if isinstance(value, Path) and value.is_file():
        return sha256(value.read_bytes()).hexdigest()
    return value
