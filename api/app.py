"""The app: routes, guards and refusals put together for one system, and every route's gate checked."""

from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.types import Scope

from api.access import gate_of
from api.bootstrap import Settings, System
from api.guards import guards
from api.meters import Meters
from api.problems import add_handlers
from api.rest import (
    accesses,
    accounts,
    assignments,
    auditing,
    blobs,
    bundles,
    catalogues,
    documents,
    draw_reports,
    draws,
    erasures,
    events,
    health,
    history,
    imports,
    inspections,
    inspectors,
    items,
    ledger,
    ledger_keys,
    persons,
    plans,
    public,
    rechecks,
    recusals,
    referrals,
    replaying,
    rulebook,
    sessions,
    sites,
    statistics,
    violations,
    worklist,
)

PREFIX: Final = "/api/v1"
UPLOADS: Final = (f"{PREFIX}/blobs", f"{PREFIX}/imports")
ENVELOPE: Final = 100_000
"""What a form adds to the file in it."""

RESOURCES: Final[tuple[APIRouter, ...]] = (
    sessions.router,
    accounts.router,
    rulebook.router,
    items.router,
    catalogues.router,
    sites.router,
    inspectors.router,
    persons.router,
    erasures.router,
    accesses.router,
    blobs.router,
    imports.router,
    plans.router,
    draw_reports.router,
    rechecks.router,
    draws.router,
    bundles.router,
    assignments.router,
    inspections.router,
    violations.router,
    referrals.router,
    recusals.router,
    worklist.router,
    statistics.router,
    history.router,
    ledger_keys.router,
    replaying.router,
    auditing.router,
    events.router,
    public.router,
    bundles.public,
)
BESIDE: Final[tuple[APIRouter, ...]] = (ledger.router, auditing.public, health.router, documents.router)


class GateMissing(Exception):
    """A route does not say who may use it: the app must not start."""


def create_app(system: System) -> FastAPI:
    """The app over a system whose workers the caller runs. Raises `GateMissing`."""
    meters = Meters()
    places: dict[Any, str] = {}
    app = FastAPI(
        title="Sunlot 晴签",
        version=version("sunlot"),
        summary="双随机、一公开 Double random, one public: inspections by lot with an audit ledger.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=guards(_hosts(system.settings), _limits(system.settings), _counting(meters, places)),
    )
    app.state.system, app.state.meters, app.state.pages = system, meters, {}
    for router in RESOURCES:
        app.include_router(router, prefix=PREFIX)
    for router in BESIDE:
        app.include_router(router)
    add_handlers(app)
    require_gates(app)
    places.update({one.endpoint: str(one.path_format) for one in iter_route_contexts(app.routes)})
    return app


def require_gates(app: FastAPI) -> None:
    """Raise `GateMissing` unless every route names its permission, or says that it is open."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or gate_of(context.dependant) is None:
            raise GateMissing(f"{context.methods} {context.path}")


def _hosts(settings: Settings) -> list[str]:
    return [host.strip() for host in settings.allowed_hosts.split(",") if host.strip()]


def _limits(settings: Settings) -> Callable[[str], int]:
    def limit_of(path: str) -> int:
        upload = path.startswith(UPLOADS)
        return settings.upload_limit + ENVELOPE if upload else settings.body_limit

    return limit_of


def _counting(meters: Meters, places: dict[Any, str]) -> Callable[[Scope, int, float], None]:
    def count(scope: Scope, status: int, seconds: float) -> None:
        place = places.get(scope.get("endpoint"), "unknown")
        meters.count(scope["method"], place, status or HTTPStatus.INTERNAL_SERVER_ERROR, seconds)

    return count
