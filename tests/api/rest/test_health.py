"""Alive, ready, and measured: what is not well is named, without what only operators should know."""

import pytest

from domain.errors import StoreUnavailable
from tests.api.rest.service import Service
from tests.api.rest.story import done, site
from tests.api.rest.test_transcript import refused


def test_a_service_that_is_well_is_ready(service: Service) -> None:
    answer = service.nobody.page("/readyz")
    told = answer.json()
    assert (answer.status_code, told["ready"]) == (200, True)
    names = {check["name"] for check in told["checks"]}
    assert {"store", "ledger", "projection sites", "projection timeline"} <= names
    assert told["head"] == service.size() - 1


def test_a_store_that_is_gone_is_named_and_life_goes_on(
    small: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(store: object) -> None:
        raise StoreUnavailable(reason="unreachable", detail="host 10.1.2.3")

    monkeypatch.setattr(type(small.system.store), "check", gone)
    answer = small.nobody.page("/readyz")
    assert answer.status_code == 503
    assert {"name": "store", "state": "unreachable", "lag": 0} in answer.json()["checks"]
    assert "10.1.2.3" not in answer.text
    assert small.nobody.page("/livez").json() == {"alive": True}
    assert small.nobody.page("/metrics").status_code == 200


def test_a_ledger_that_diverged_is_not_ready(small: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    small.system.stop()
    monkeypatch.setattr(small.system.publisher, "failure", "ledger-diverged: root-differs")
    answer = small.nobody.page("/readyz")
    assert answer.status_code == 503
    [ledger] = [check for check in answer.json()["checks"] if check["name"] == "ledger"]
    assert ledger["state"] == "ledger-diverged"


def test_a_read_model_that_failed_is_not_ready(small: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    done(small.officer.post("/sites", site(1)))
    standing = small.system.projections.status()
    failed = [type(one)(one.name, 3, 9, 6, "failed", "KeyError: secret") for one in standing]
    monkeypatch.setattr(small.system.projections, "status", lambda: failed)
    answer = small.nobody.page("/readyz")
    assert answer.status_code == 503
    assert "secret" not in answer.text
    assert {check["state"] for check in answer.json()["checks"]} == {"ok", "failed"}


def test_metrics_count_requests_by_route_and_never_by_path(small: Service) -> None:
    id = done(small.officer.post("/sites", site(1)))["id"]
    small.officer.get(f"/sites/{id}")
    refused(small.officer.get("/sites/none"), 404, "not-found")
    told = small.nobody.page("/metrics").text
    assert 'sunlot_requests_total{method="GET",route="/api/v1/sites/{id}",status="200"} 1.0' in told
    assert 'sunlot_requests_total{method="GET",route="/api/v1/sites/{id}",status="404"} 1.0' in told
    assert id not in told
    assert "sunlot_ready 1.0" in told
    assert f"sunlot_log_events {small.size()}.0" in told
    assert 'sunlot_lag{part="projection sites"}' in told
