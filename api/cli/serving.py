"""Serving a built system over HTTP until it is told to stop."""

import gc
from collections.abc import Callable
from typing import Final

import uvicorn

from api.app import create_app
from api.bootstrap import System
from api.listening import address_of, listen

GRACE_SECONDS: Final = 10
"""How long requests that are under way may take to end when the service is told to stop."""


def quiet(address: str) -> None:
    """Nobody wants to be told the address."""


def serve_system(system: System, *, host: str, port: int, ready: Callable[[str], None] = quiet) -> None:
    """Serve with the workers in the same process; returns when the process is asked to end.

    `ready` is told the address once connections are taken there; port 0 takes a free one. Workers and
    connections are closed before it returns. OSError for an address that is taken.
    """
    try:
        config = uvicorn.Config(
            create_app(system),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        with listen(host, port) as listening:
            system.start()
            # What is there by now stays: looking through all of it for cycles stops every request for 0.1 s.
            gc.collect()
            gc.freeze()
            ready(address_of(host, listening))
            uvicorn.Server(config).run(sockets=[listening])
    finally:
        system.close()
