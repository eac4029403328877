"""What every request passes, and every answer carries."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from fastapi import Depends, Response
from starlette.testclient import TestClient

from api.access import PUBLIC, Open
from tests.api.rest.service import Service
from tests.api.rest.story import site
from tests.api.rest.test_transcript import refused
from tests.office import PASSWORD


def test_every_answer_has_the_security_headers(small: Service) -> None:
    for path in ("/", "/docs", "/api/v1/sites", "/nowhere", "/livez"):
        headers = small.nobody.page(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert headers["x-correlation-id"]


def test_what_is_read_with_a_token_is_kept_by_nobody(small: Service) -> None:
    assert small.officer.get("/sites").headers["cache-control"] == "no-store"


def test_a_correlation_id_is_echoed_unless_it_could_not_be_kept(small: Service) -> None:
    def echoed(given: str) -> str:
        return str(
            small.nobody.page("/livez", headers={"X-Correlation-ID": given}).headers["x-correlation-id"]
        )

    assert echoed("ticket-00042") == "ticket-00042"
    for given in ("short", "x" * 65, "with space", "<script>00"):
        assert echoed(given) not in ("", given)


def test_another_host_is_refused(small: Service) -> None:
    for host in ("evil.example", "localhost.evil.example", "", "127.0.0.1.evil"):
        told = small.nobody.page("/livez", headers={"Host": host})
        refused(told, 400, "host-refused")
    for host in ("localhost", "localhost:8000", "127.0.0.1:80", "[::1]:8000", "LOCALHOST"):
        assert small.nobody.page("/livez", headers={"Host": host}).status_code == 200


def test_a_body_that_says_it_is_too_large_is_refused_unread(small: Service) -> None:
    limit = small.system.settings.body_limit
    told = small.officer.send(
        "POST", "/sites", content=b"x" * (limit + 1), headers={"Content-Type": "application/json"}
    )
    assert refused(told, 413, "body-too-large")["facts"]["limit"] == limit


def test_a_body_that_grows_too_large_is_refused_as_well(small: Service) -> None:
    limit = small.system.settings.body_limit

    def pieces() -> Iterator[bytes]:
        for _ in range(limit // 1000 + 2):
            yield b"x" * 1000

    told = small.officer.send(
        "POST", "/sites", content=pieces(), headers={"Content-Type": "application/json"}
    )
    assert refused(told, 413, "body-too-large")["facts"]["limit"] == str(limit)


def test_a_body_that_is_no_json_is_refused(small: Service) -> None:
    for content in (b"{", b"\xff", b"[1,", b'{"uscc": NaN'):
        told = small.officer.send(
            "POST", "/sites", content=content, headers={"Content-Type": "application/json"}
        )
        assert told.status_code in (400, 422), told.text
        assert told.json()["code"] in ("request-malformed", "request-invalid")


def test_fields_that_are_wrong_are_named_by_pointer_in_the_language_asked_for(small: Service) -> None:
    body = {**site(1), "uscc": 5, "nonsense": True}
    del body["name"]
    answer = small.officer.send("POST", "/sites", json=body, headers={"Accept-Language": "en"})
    told = refused(answer, 422, "request-invalid")
    assert answer.headers["content-language"] == "en"
    assert {(one["pointer"], one["detail"]) for one in told["errors"]} == {
        ("/uscc", "must be text"),
        ("/name", "is missing"),
        ("/nonsense", "is not known here"),
    }
    chinese = small.officer.post("/sites", body).json()
    assert {one["detail"] for one in chinese["errors"]} == {"应为文本", "缺少这一项", "没有这一项"}


def test_an_address_or_method_that_is_none_is_a_problem_as_well(small: Service) -> None:
    refused(small.officer.get("/nowhere"), 404, "path-unknown")
    answer = small.officer.send("PATCH", "/sites")
    assert refused(answer, 405, "method-refused")["facts"]["method"] == "PATCH"
    assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST"}


def test_what_nobody_foresaw_is_told_without_a_trace(small: Service) -> None:
    @small.app.get("/crash")
    def crash(_: Any = Depends(Open(PUBLIC))) -> Response:  # noqa: B008
        raise RuntimeError("SELECT secret FROM vault")

    with structlog.testing.capture_logs() as lines:
        answer = TestClient(small.app).get("/crash")
    told = refused(answer, 500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert told["correlation_id"] == answer.headers["x-correlation-id"]
    assert "vault" not in answer.text
    assert "Traceback" not in answer.text
    assert any(line["event"] == "request.crashed" for line in lines)


def test_no_log_line_tells_a_secret(small: Service) -> None:
    token = small.officer.token
    with structlog.testing.capture_logs() as lines:
        small.nobody.post("/sessions", {"login": "administrator", "password": PASSWORD})
        small.nobody.post("/sessions", {"login": "administrator", "password": "wrong but secret"})
        small.officer.get("/sites", text="某人的名字")
        small.officer.post("/sites", site(1))
    written = json.dumps(lines, default=str, ensure_ascii=False)
    for secret in (token, PASSWORD, "wrong but secret", "某人的名字", "Bearer"):
        assert secret not in written
    done = [line for line in lines if line["event"] == "request.done"]
    assert [line["status"] for line in done] == [201, 401, 200, 201]
    assert all(line["path"].startswith("/api/v1/") for line in done)


@pytest.mark.parametrize("path", ["/api/v1/blobs", "/api/v1/imports/sites"])
def test_uploads_may_be_larger_than_bodies(small: Service, path: str) -> None:
    content = b"\xff\xd8\xff" + b"x" * (small.system.settings.body_limit + 1)
    answer = small.officer.page(
        path, "POST", files={"file": ("a.jpg", content, "image/jpeg")}, data={"region": "140100"}
    )
    assert answer.status_code in (201, 422), answer.text
    assert answer.json().get("code") != "body-too-large"
