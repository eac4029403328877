"""A service for tests: the real app over a real system, and people who speak HTTP to it.

def test_something(service: Service) -> None:
    answer = service.officer.post("/plans", {...})
    assert answer.status_code == 201
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from api.app import create_app
from api.bootstrap import Settings, System, build, make_key, newest_rulebook
from application.accounts import found
from domain.act import CHINA, Act
from tests.fakes import FakeClock, SeededChance
from tests.office import PASSWORD, SHANXI, TAIYUAN, PlainPasswords

API: Final = "/api/v1"
ADMINISTRATOR: Final = "administrator"


class Person:
    """Somebody with a bearer token, or nobody in particular without one."""

    def __init__(self, http: TestClient, token: str = "", account: str = "") -> None:
        self.http, self.token, self.account = http, token, account

    def get(self, path: str, **params: Any) -> Response:
        """Ask."""
        return self.send("GET", path, params=params)

    def post(self, path: str, body: Any = None, *, match: str = "", key: str = "", **more: Any) -> Response:
        """Do something; `match` is the ETag, `key` the Idempotency-Key."""
        return self.send("POST", path, json=body, headers=_headers(match, key), **more)

    def put(self, path: str, body: Any, *, match: str = "", key: str = "") -> Response:
        """Set something."""
        return self.send("PUT", path, json=body, headers=_headers(match, key))

    def delete(self, path: str, *, match: str = "", **params: Any) -> Response:
        """Take something away."""
        return self.send("DELETE", path, headers=_headers(match, ""), params=params)

    def etag(self, path: str) -> str:
        """The ETag of a thing as it stands."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.headers["etag"]

    def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
        """Any request to the interface."""
        return self.page(f"{API}{path}", method, headers=headers, **more)

    def page(
        self, path: str, method: str = "GET", *, headers: dict[str, str] | None = None, **more: Any
    ) -> Response:
        """Any request to any address."""
        token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(method, path, headers={**token, **(headers or {})}, **more)


class Service:
    """The app, its system, and one person for each role."""

    def __init__(self, app: FastAPI, system: System, clock: FakeClock) -> None:
        self.app, self.system, self.clock = app, system, clock
        self.http = TestClient(app, raise_server_exceptions=True)
        self.nobody = Person(self.http)

    def hire(self, role: str, *, login: str = "", region: str = TAIYUAN, inspector: str = "") -> Person:
        """Open an account with a role, by HTTP, and sign in."""
        login, admin = login or role, self.administrator
        opened = admin.post("/accounts", {"login": login, "password": PASSWORD, "name": login})
        assert opened.status_code == 201, opened.text
        path, tag = f"/accounts/{opened.json()['id']}", opened.headers["etag"]
        given = admin.post(f"{path}/grants", {"role": role, "region": region}, match=tag)
        assert given.status_code == 200, given.text
        if inspector:
            linked = admin.put(f"{path}/inspector", {"inspector": inspector}, match=given.headers["etag"])
            assert linked.status_code == 200, linked.text
        return self.sign_in(login)

    def sign_in(self, login: str, password: str = PASSWORD) -> Person:
        """Somebody signed in."""
        answer = self.nobody.post("/sessions", {"login": login, "password": password})
        assert answer.status_code == 201, answer.text
        return Person(self.http, answer.json()["token"], answer.json()["account"])

    @cached_property
    def administrator(self) -> Person:
        """The first administrator."""
        return self.sign_in(ADMINISTRATOR)

    @cached_property
    def officer(self) -> Person:
        """A city officer of Taiyuan."""
        return self.hire("city-officer")

    @cached_property
    def second_officer(self) -> Person:
        """Another city officer of Taiyuan."""
        return self.hire("city-officer", login="second-officer")

    @cached_property
    def elsewhere(self) -> Person:
        """A city officer of Datong."""
        return self.hire("city-officer", login="elsewhere", region="140200")

    @cached_property
    def leader(self) -> Person:
        """A leader of Taiyuan."""
        return self.hire("leader")

    @cached_property
    def discipline(self) -> Person:
        """A disciplinary officer of Taiyuan."""
        return self.hire("discipline")

    @cached_property
    def auditor(self) -> Person:
        """An auditor of the province."""
        return self.hire("auditor", region=SHANXI)

    @cached_property
    def reporting(self) -> Person:
        """A machine that reports."""
        return self.hire("reporting", region=SHANXI)

    def size(self) -> int:
        """How many events the log holds."""
        head = self.system.store.recorder.head()
        return 0 if head is None else head + 1

    def topics(self, start: int = 0) -> list[str]:
        """The topics of the log's events."""
        return [row.topic for row in self.system.store.recorder.rows(start)]


@contextmanager
def serving(
    store_url: str, folder: Path, clock: FakeClock, *, argon: bool = False, **more: Any
) -> Iterator[Service]:
    """A founded service, its workers running; real password hashing if asked for; `more` are settings."""
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, data_dir=folder, database_url=store_url, **more
    )
    key = make_key(settings)
    system = build(settings, clock=clock, chance=SeededChance(7))
    if not argon:
        office = replace(system.office, passwords=PlainPasswords())
        system = replace(system, office=office)
    now = clock.now()
    found(
        system.office,
        Act(by="", at=now, occurred_at=now),
        origin=settings.origin,
        verifier_key=key,
        rulebook=newest_rulebook(system, now.astimezone(CHINA).date()),
        region=SHANXI,
        login=ADMINISTRATOR,
        password=PASSWORD,
        name="管理员",
    )
    system.start()
    try:
        yield Service(create_app(system), system, clock)
    finally:
        system.close()


def _headers(match: str, key: str) -> dict[str, str]:
    return {**({"If-Match": match} if match else {}), **({"Idempotency-Key": key} if key else {})}
