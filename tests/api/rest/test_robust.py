"""No request makes the service fail: whatever comes in, what goes out is an answer or a refusal in words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from api.problems import MEDIA_TYPE
from application.authorisation import ROLES
from tests.api.rest.service import Person, Service
from tests.api.rest.story import done
from tests.api.rest.test_transcript import refused
from tests.office import TAIYUAN

PLACES = (
    "x",
    "%00",
    "%ff",
    "..%2f..",
    "9" * 30,
    "-1",
    "site-" + "0" * 32,
    "汉字",
    "a%20b",
    "'; DROP TABLE events",
)
QUERIES = (
    "region=%00&text=%00&uscc=%00&status=%00&at=%00",
    "region=1&year=99999999999999999999999&after=aTE&limit=1&day=9999-12-31",
    "text=%25_%5C'%22&limit=200&overdue=maybe&mine=true&ended=true",
    "after=-1&wait=0&published_from=0001-01-01&published_to=9999-12-31",
    "at=0001-01-01T00:00:00%2B23:59&as_recorded_at=9999-12-31T23:59:59-23:59&reason=x",
)
VALUES: tuple[Any, ...] = (
    None,
    "",
    "x\x00y",
    "\ud800",
    "𠮷" * 50,
    2**70,
    -1,
    1.5,
    True,
    [],
    {},
    [None],
    [[]],
)
ODD: tuple[Any, ...] = ("x\x00y", "\ud800", 2**70, [None])


@pytest.fixture
def master(service: Service) -> Person:
    """Somebody with every role, whom only the request itself can stop."""
    person, admin = service.hire("administrator", login="master"), service.administrator
    path = f"/accounts/{person.account}"
    for role in ROLES:
        if role != "administrator":
            done(admin.post(f"{path}/grants", {"role": role, "region": TAIYUAN}, match=admin.etag(path)))
    return person


def test_odd_places_in_paths_are_refused_in_words(service: Service, master: Person) -> None:
    for path, method in routes(service):
        if "{" in path:
            for place in PLACES:
                check(master, method, filled(path, place))


def test_odd_questions_are_refused_in_words(service: Service, master: Person) -> None:
    for path, method in routes(service):
        if method == "GET":
            for query in QUERIES:
                check(master, method, f"{filled(path, 'x')}?{query}")


def test_odd_bodies_are_refused_in_words(service: Service, master: Person) -> None:
    document = service.nobody.page("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is not None:
                for body in bodies(content["example"], schemas):
                    check(master, method.upper(), filled(path, "x"), content=json.dumps(body))


def test_text_that_no_database_keeps_is_named_by_its_field(service: Service, master: Person) -> None:
    body = {"login": "a\x00b", "password": "a long enough one", "name": "x"}
    told = refused(master.post("/accounts", body), 422, "request-invalid")
    assert [one["pointer"] for one in told["errors"]] == ["/login"]


def bodies(example: Any, schemas: dict[str, Any]) -> Iterator[Any]:
    """The example, with each of its fields made odd in turn."""
    yield from VALUES
    if isinstance(example, dict):
        for field in example:
            for value in ODD:
                yield {**example, field: value}


def check(who: Person, method: str, path: str, **more: Any) -> None:
    """Send it: an answer, or a problem that is not the service's own."""
    headers = {"If-Match": '"v1"', "Idempotency-Key": "odd", "Content-Type": "application/json"}
    answer = who.page(path, method, headers=headers, **more)
    assert answer.status_code < 500, (method, path, more, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == MEDIA_TYPE, (method, path, answer.text)


def routes(service: Service) -> list[tuple[str, str]]:
    """Every path with its methods."""
    found = []
    for context in iter_route_contexts(service.app.routes):
        found += [(str(context.path_format), method) for method in context.methods or ()]
    return found


def filled(path: str, place: str) -> str:
    """The path with the same thing in all of its places."""
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + place + path[end + 1 :]
    return path
