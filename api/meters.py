"""Figures about the running service, for Prometheus: a registry of its own for each app."""

from collections.abc import Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Standing(Protocol):
    """One thing that must be well, and how many events it is behind."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def lag(self) -> int: ...


class Looked(Protocol):
    """The state of everything that must be well."""

    @property
    def ready(self) -> bool: ...

    @property
    def head(self) -> int: ...

    @property
    def published(self) -> int: ...

    @property
    def checks(self) -> Sequence[Standing]: ...


class Meters:
    """Counts requests as they end; the rest is looked up when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("sunlot_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "sunlot_request_seconds",
            "How long requests took.",
            ("method", "route"),
            registry=self.registry,
        )
        self._ready = Gauge("sunlot_ready", "1 if everything is well.", registry=self.registry)
        self._lag = Gauge("sunlot_lag", "Events behind the log.", ("part",), registry=self.registry)
        self._well = Gauge("sunlot_well", "1 if the part is well.", ("part",), registry=self.registry)
        self._size = Gauge("sunlot_log_events", "Events in the log.", registry=self.registry)
        self._published = Gauge("sunlot_published_events", "Events published.", registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note an answered request; `route` is its pattern, never the path itself."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def observe(self, looked: Looked) -> None:
        """Note how everything stands."""
        self._ready.set(looked.ready)
        self._size.set(looked.head + 1)
        self._published.set(looked.published)
        for check in looked.checks:
            self._lag.labels(check.name).set(check.lag)
            self._well.labels(check.name).set(check.state == "ok")
