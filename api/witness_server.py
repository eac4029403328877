"""Serving a witness: a small server that nobody can hold up by being slow."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.listening import address_of, listen
from api.witness_rate import network_of

HEAD_SECONDS: Final = 10.0
"""In this time the head of a request must be here."""

LIFE_SECONDS: Final = 600.0
"""So long a connection lasts at most."""

CONNECTIONS: Final = 200
CONNECTIONS_OF_ONE: Final = 20
HEAD_LIMIT: Final = 16 * 1024
GRACE_SECONDS: Final = 10


class ImpatientProtocol(H11Protocol):
    """Ends connections that do not get on with a request, that last too long, or of which one source has
    too many.
    """

    head_seconds = HEAD_SECONDS
    life_seconds = LIFE_SECONDS
    of_one = CONNECTIONS_OF_ONE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time."""
        super().connection_made(transport)
        self._life = self.loop.call_later(self.life_seconds, transport.abort)
        self._head: asyncio.TimerHandle | None = self._hurry()
        if self.client and self._others() > self.of_one:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Let a head take its time once, however many pieces it comes in."""
        if self._head is None and self._is_idle():
            self._head = self._hurry()
        super().data_received(data)
        if not self._is_idle():
            self._relax()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._life.cancel()
        self._relax()
        super().connection_lost(exc)

    def _hurry(self) -> asyncio.TimerHandle:
        return self.loop.call_later(self.head_seconds, self.transport.abort)

    def _relax(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _others(self) -> int:
        network = network_of(self.client[0] if self.client else "")
        known: set[Any] = self.connections
        return sum(1 for one in known if one.client and network_of(one.client[0]) == network)


def witness_config(app: Starlette, protocol: type[H11Protocol] = ImpatientProtocol) -> uvicorn.Config:
    """How uvicorn serves it."""
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_LIMIT,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def serve_witness(app: Starlette, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until the process is asked to end. `ready` is told the address; OSError where it is taken."""
    with listen(host, port) as listening:
        ready(address_of(host, listening))
        uvicorn.Server(witness_config(app)).run(sockets=[listening])
