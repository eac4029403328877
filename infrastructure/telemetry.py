"""Log lines: structured, with the request's correlation id, and never with a secret in them."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog
from asgi_correlation_id import correlation_id

SECRET_WORDS: Final = (
    "authorization",
    "cookie",
    "password",
    "secret",
    "token",
    "credential",
    "private",
    "salt",
)
HIDDEN: Final = "***"


def configure_logging(level: str, format: str, stream: TextIO = sys.stderr) -> None:
    """Set up structlog and the standard library's logging alike; `format` is `json` or `console`."""
    json = format == "json"
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_correlation_id,
        drop_secrets,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What a migration does step by step is for those who look for a fault.
    logging.getLogger("alembic").setLevel(logging.NOTSET if level == "DEBUG" else logging.WARNING)


def add_correlation_id(
    _logger: Any, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Add the id that joins all lines and events of one request."""
    current = correlation_id.get()
    if current:
        line.setdefault("correlation_id", current)
    return line


def drop_secrets(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide the value of every key that names a secret, at any depth."""
    for key, value in line.items():
        line[key] = _without_secrets(key, value)
    return line


def _without_secrets(key: str, value: Any) -> Any:
    if any(word in key.lower() for word in SECRET_WORDS):
        return HIDDEN
    if isinstance(value, Mapping):
        return {name: _without_secrets(str(name), one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(key, one) for one in value]
    return value
