"""Log lines: one JSON object each, joined by a correlation id, without secrets at any depth."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from asgi_correlation_id import correlation_id

from infrastructure.telemetry import HIDDEN, configure_logging


@pytest.fixture
def stream() -> Iterator[StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    token = correlation_id.set(None)
    yield StringIO()
    correlation_id.reset(token)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_when_and_for_which_request(stream: StringIO) -> None:
    configure_logging("INFO", "json", stream)
    token = correlation_id.set("c-1")
    structlog.get_logger().info("ledger.published", size=7, 名="晴签")
    correlation_id.reset(token)
    structlog.get_logger().info("later")
    first, second = lines(stream)
    assert first.items() >= {"event": "ledger.published", "size": 7, "名": "晴签", "level": "info"}.items()
    assert first["correlation_id"] == "c-1"
    assert first["timestamp"].endswith("Z")
    assert "correlation_id" not in second


def test_the_standard_librarys_lines_look_the_same(stream: StringIO) -> None:
    configure_logging("INFO", "json", stream)
    logging.getLogger("uvicorn.error").warning("Started %s", "it")
    (line,) = lines(stream)
    assert line.items() >= {"event": "Started it", "level": "warning"}.items()


def test_no_line_tells_a_secret(stream: StringIO) -> None:
    configure_logging("INFO", "json", stream)
    structlog.get_logger().info(
        "request",
        headers={"Authorization": "Bearer s3cret", "Accept": "*/*", "Cookie": "s3cret"},
        body=[{"password": "s3cret", "login": "wang"}],
        token="s3cret",
        person_salt="s3cret",
    )
    (line,) = lines(stream)
    assert "s3cret" not in stream.getvalue()
    assert line["headers"] == {"Authorization": HIDDEN, "Accept": "*/*", "Cookie": HIDDEN}
    assert line["body"] == [{"password": HIDDEN, "login": "wang"}]


def test_an_exception_is_told_on_the_same_line(stream: StringIO) -> None:
    configure_logging("INFO", "json", stream)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("failed")
    (line,) = lines(stream)
    assert "ValueError: broken" in line["exception"]


def test_lines_below_the_level_are_left_out_and_people_get_text(stream: StringIO) -> None:
    configure_logging("WARNING", "console", stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud", size=3)
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
    assert "size=3" in stream.getvalue()
