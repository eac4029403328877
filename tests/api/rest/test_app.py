"""Every route names its permission, or the app does not start."""

from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from api.access import PUBLIC, SIGNED_IN, Asking, Gate, gate_of
from api.app import PREFIX, GateMissing, require_gates
from api.rest.commands import Changing, ChangingOrCreating, Creating
from application.authorisation import PERMISSIONS
from tests.api.rest.service import Person, Service
from tests.api.rest.test_transcript import refused

OPEN_PATHS = ("/api/v1/public/", "/ledger/", "/docs", "/problems", "/assets/", "/openapi.json")


def test_a_route_without_a_gate_keeps_the_app_from_starting() -> None:
    app, router = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter()

    @router.get("/open")
    def leak() -> None:
        """Forgotten."""

    app.include_router(router)
    with pytest.raises(GateMissing, match="/open"):
        require_gates(app)


def test_a_gate_names_a_permission_of_the_table() -> None:
    with pytest.raises(ValueError, match="no such permission"):
        Asking("site.admire")


def test_a_route_has_one_gate() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/two")
    def two(
        one: Annotated[object, Depends(Asking("site.read"))],
        other: Annotated[object, Depends(Asking("plan.read"))],
    ) -> None:
        """Which of them counts?"""

    with pytest.raises(ValueError, match="several gates"):
        require_gates(app)


def test_only_what_is_meant_to_be_is_public(small: Service) -> None:
    public = {path for path, gate, _ in routes(small) if gate.permission == PUBLIC}
    others = {path for path in public if not path.startswith(OPEN_PATHS)}
    assert others == {"/", "/livez", "/readyz", "/metrics", "/api/v1/sessions"}


def test_whatever_is_not_public_asks_for_a_token(small: Service) -> None:
    for path, gate, methods in routes(small):
        if gate.permission != PUBLIC:
            for method in methods:
                answer = small.nobody.page(filled(path), method)
                refused(answer, 401, "sign-in-needed")
                assert answer.headers["www-authenticate"] == "Bearer"


def test_whoever_lacks_the_permission_everywhere_is_refused(small: Service) -> None:
    bystander = small.hire("enterprise")
    for path, gate, methods in routes(small):
        if gate.permission in PERMISSIONS and "enterprise" not in PERMISSIONS[gate.permission]:
            for method in methods:
                refused(bystander.page(filled(path), method), 403, "permission-missing")


def test_whatever_changes_something_needs_a_version(small: Service) -> None:
    changing = [one for one in routes(small) if isinstance(one[1], Changing)]
    assert len(changing) > 40
    for path, gate, methods in changing:
        person = somebody(small, gate)
        for method in methods:
            refused(person.page(filled(path) + "?reason=x", method), 428, "precondition-missing")


def test_every_command_is_a_post_put_or_delete_and_takes_a_key(small: Service) -> None:
    for path, gate, methods in routes(small):
        command = isinstance(gate, Creating | Changing | ChangingOrCreating)
        assert command == (not methods <= {"GET", "HEAD"}) or path == f"{PREFIX}/sessions", path


def somebody(service: Service, gate: Gate) -> Person:
    """Somebody with the gate's permission."""
    role = PERMISSIONS[gate.permission][0]
    if role == "administrator":
        return service.administrator
    hired: dict[str, Person] = service.__dict__.setdefault("hired", {})
    return hired.setdefault(role, hired.get(role) or service.hire(role, login=f"some-{role}"))


def routes(service: Service) -> list[tuple[str, Gate, set[str]]]:
    """Every route with its gate and methods."""
    found = []
    for context in iter_route_contexts(service.app.routes):
        gate = gate_of(context.dependant)
        assert gate is not None
        assert gate.permission in (*PERMISSIONS, PUBLIC, SIGNED_IN)
        found.append((str(context.path_format), gate, set(context.methods or ())))
    return found


def filled(path: str) -> str:
    """The path with something in its places."""
    return path.replace("{no}", "1").replace("{", "").replace("}", "")


def test_the_app_answers_in_a_client_of_its_own(small: Service) -> None:
    assert TestClient(small.app).get("/livez").json() == {"alive": True}
