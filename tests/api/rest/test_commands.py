"""Safe retries, versions, both times, and the answer that waits until it can be read."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from threading import Barrier
from typing import Any

import pytest
from httpx2 import Response

from application.intake_templates import template_of
from domain.errors import StoreUnavailable
from infrastructure.event_store.recorder import EventRecorder
from infrastructure.spreadsheet_writer import write_template
from tests.api.rest.service import Person, Service
from tests.api.rest.story import JPEG, PLAN, ROW, Story, done, item, site
from tests.api.rest.test_transcript import refused
from tests.office import TAIYUAN


def test_a_creation_tells_where_it_is_and_which_version(small: Service) -> None:
    answer = small.officer.post("/sites", site(1))
    assert answer.status_code == 201
    told = answer.json()
    assert answer.headers["location"] == f"/api/v1/sites/{told['id']}"
    assert answer.headers["etag"] == '"v1"'
    assert answer.headers["sunlot-position"] == f"sunlot.example/140100/{told['position']}"
    assert answer.headers["sunlot-projected"] == "true"
    shown = small.officer.page(answer.headers["location"])
    assert shown.headers["etag"] == '"v1"'
    assert shown.json()["position"] == told["position"]


def test_the_same_key_and_body_give_the_same_answer_and_do_nothing_twice(service: Service) -> None:
    officer = service.officer
    first = officer.post("/sites", site(1), key="k-1")
    size = service.size()
    again = officer.post("/sites", site(1), key="k-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["location"] == first.headers["location"]
    assert service.size() == size
    refused(officer.post("/sites", site(1)), 409, "claim-taken")


def test_the_same_key_with_another_body_or_path_is_refused(small: Service) -> None:
    officer = small.officer
    done(officer.post("/sites", site(1), key="k-1"))
    size = small.size()
    refused(officer.post("/sites", site(2), key="k-1"), 422, "idempotency-key-reused")
    refused(officer.post("/items", item("TY-01"), key="k-1"), 422, "idempotency-key-reused")
    assert small.size() == size


def test_two_accounts_may_use_the_same_key(small: Service) -> None:
    done(small.officer.post("/sites", site(1), key="k-1"))
    done(small.second_officer.post("/sites", site(2), key="k-1"))


@pytest.mark.parametrize("key", ["", "x" * 129, "two words", "schlüssel".encode()])
def test_a_key_that_is_none_is_refused(small: Service, key: str | bytes) -> None:
    answer = small.officer.send("POST", "/sites", json=site(1), headers={b"Idempotency-Key": key})  # type: ignore[dict-item]
    assert refused(answer, 400, "idempotency-key-malformed")["facts"] == {"most": 128}


def test_a_retried_change_answers_though_its_version_is_stale_by_then(small: Service) -> None:
    officer = small.officer
    created = officer.post("/sites", site(1))
    path = created.headers["location"].removeprefix("/api/v1")
    body = site(1, name="新名字")
    first = officer.put(path, body, match=created.headers["etag"], key="k-2")
    assert officer.put(path, body, match=created.headers["etag"], key="k-2").json() == done(first)
    refused(officer.put(path, body, match=created.headers["etag"]), 412, "stale")


def test_a_retried_upload_is_known_by_its_content_not_by_its_form(small: Service) -> None:
    officer = small.officer
    table = "企业名称\n".encode()

    def send(content: bytes) -> Response:
        files = {"file": ("t.csv", content, "text/csv")}
        return officer.post("/imports/sites", data={"region": TAIYUAN}, files=files, key="k-3")

    workbook = BytesIO()
    template = template_of("sites")
    row = {column.key: column.example for column in template.columns}
    write_template(template, workbook, [row])
    first = send(workbook.getvalue())
    size = small.size()
    assert send(workbook.getvalue()).json() == done(first)
    assert small.size() == size
    refused(send(table), 422, "idempotency-key-reused")


def test_two_twins_at_once_leave_one_event_and_get_one_answer(service: Service) -> None:
    officer = service.officer
    size = service.size()
    answers = at_once(lambda: officer.post("/sites", site(1), key="twin"), 4)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert service.size() == size + 1


def test_a_connection_lost_at_commit_is_told_and_the_retry_answers_as_the_first(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = service.officer
    with losing_answers(service, monkeypatch):
        refused(officer.post("/sites", site(1), key="lost"), 503, "store-unavailable")
    size = service.size()
    retried = done(officer.post("/sites", site(1), key="lost"))
    assert service.size() == size
    assert retried["position"] == size - 1
    assert officer.get(f"/sites/{retried['id']}").json()["name"] == site(1)["name"]


def test_a_key_answers_by_itself_where_only_the_commit_s_own_answer_was_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = service.officer
    with losing_answers(service, monkeypatch, afterwards=False):
        told = done(officer.post("/sites", site(1), key="lost"))
        problem = refused(officer.post("/sites", site(2)), 503, "store-unavailable")
    assert told["position"] == service.size() - 2
    assert "Idempotency-Key" in problem["detail"]


@contextmanager
def losing_answers(
    service: Service, monkeypatch: pytest.MonkeyPatch, *, afterwards: bool = True
) -> Iterator[None]:
    """Commits happen, but nobody hears of it; `afterwards`: nor can anybody ask."""
    recorder, answers = type(service.system.store.recorder), type(service.system.store.answers)
    insert: Callable[..., Any] = recorder.insert_events

    def unreachable(self: object, *names: str) -> None:
        raise StoreUnavailable(reason="unreachable")

    with monkeypatch.context() as patch:

        def lose(self: EventRecorder, *events: Any, **more: Any) -> Any:
            insert(self, *events, **more)
            if afterwards:
                patch.setattr(answers, "find", unreachable)
            raise StoreUnavailable(reason="outcome-unknown")

        patch.setattr(recorder, "insert_events", lose)
        yield


@pytest.mark.parametrize("match", ["17", 'W/"v1"', '"v0"', '"1"', "*", '"v1", "v2"'])
def test_an_if_match_that_is_no_version_is_refused(small: Service, match: str) -> None:
    path = small.officer.post("/sites", site(1)).headers["location"].removeprefix("/api/v1")
    refused(small.officer.put(path, site(1), match=match), 400, "precondition-malformed")


def test_the_first_edition_needs_no_version_and_every_later_one_does(small: Service) -> None:
    done(small.officer.post("/items", item("TY-01")))
    first = small.leader.post(f"/catalogues/{TAIYUAN}/editions")
    done(first)
    done(small.officer.post("/items", item("TY-02")))
    refused(small.leader.post(f"/catalogues/{TAIYUAN}/editions"), 428, "precondition-missing")
    tag = small.leader.etag(f"/catalogues/{TAIYUAN}")
    assert tag == first.headers["etag"]
    done(small.leader.post(f"/catalogues/{TAIYUAN}/editions", match=tag))
    refused(small.leader.post(f"/catalogues/{TAIYUAN}/editions", match=tag), 412, "stale")


def test_a_step_may_have_happened_before_but_not_after_now(small: Service) -> None:
    earlier = {**site(1), "occurred_at": "2024-03-30T10:00:00+08:00"}
    told = done(small.officer.post("/sites", earlier))
    replay = small.auditor.get(f"/streams/{told['id']}").json()
    [event] = replay["events"]
    assert event["occurred_at"] == "2024-03-30T02:00:00Z"
    assert event["recorded_at"] == "2024-04-01T01:00:00Z"
    assert event["late"]
    later = {**site(2), "occurred_at": "2024-04-02T10:00:00+08:00"}
    refused(small.officer.post("/sites", later), 422, "occurred-later")
    naive = {**site(2), "occurred_at": "2024-03-30T10:00:00"}
    [field] = refused(small.officer.post("/sites", naive), 422, "request-invalid")["errors"]
    assert (field["pointer"], field["code"]) == ("/occurred_at", "timezone_aware")


def test_the_correlation_id_of_the_request_stands_in_its_events(small: Service) -> None:
    answer = small.officer.send(
        "POST", "/sites", json=site(1), headers={"X-Correlation-ID": "case-2024.0408"}
    )
    assert answer.headers["x-correlation-id"] == "case-2024.0408"
    replay = small.auditor.get(f"/streams/{answer.json()['id']}").json()
    assert replay["events"][0]["correlation_id"] == "case-2024.0408"


def test_an_answer_that_cannot_be_read_yet_says_so(small: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = small.officer
    monkeypatch.setattr(small.system.projections, "wait_for", lambda position, timeout: False)
    answer = officer.post("/sites", site(1))
    assert answer.status_code == 201
    assert answer.headers["sunlot-projected"] == "false"


def test_of_two_at_once_for_what_is_unique_exactly_one_wins(service: Service) -> None:
    story = Story(service)
    officer = service.officer
    one_wins(at_once(lambda: officer.post("/sites", site(1)), 3), {"claim-taken"})
    one_wins(at_once(lambda: officer.post("/items", item("TY-01")), 3), {"claim-taken"})
    one_wins(at_once(lambda: service.leader.post(f"/catalogues/{TAIYUAN}/editions"), 3), FIRST)
    one_wins(at_once(lambda: officer.post("/plans", PLAN), 3), {"claim-taken"})
    plan = officer.get("/plans").json()["items"][0]["id"]
    path, tag = f"/plans/{plan}", officer.etag(f"/plans/{plan}")
    one_wins(at_once(lambda: officer.put(f"{path}/rows/01", dict(ROW), match=tag), 3), {"stale"})
    finish_plan(service, path)
    _ = service.discipline
    one_wins(at_once(lambda: story.announce(plan), 3), {"claim-taken"})
    admin = service.administrator
    opening = {"login": "twice", "password": "a long enough one"}
    one_wins(at_once(lambda: admin.post("/accounts", opening), 3), {"claim-taken"})


def test_of_two_officers_who_open_one_task_exactly_one_wins(service: Service) -> None:
    story = Story(service)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    people = iter(team)
    body = {"assignment": assignment, "mode": "on-site"}
    one_wins(at_once(lambda: next(people).post("/inspections", body), 2), {"claim-taken"})


FIRST = {"claim-taken", "precondition-missing", "stale", "catalogue-unchanged"}


def finish_plan(service: Service, path: str) -> None:
    """Submit, approve, publish."""
    officer, leader = service.officer, service.leader
    done(officer.post(f"{path}/submission", match=officer.etag(path)))
    done(leader.post(f"{path}/approval", {"opinion": ""}, match=officer.etag(path)))
    done(officer.post(f"{path}/publication", match=officer.etag(path)))


def one_wins(answers: list[Response], codes: set[str]) -> None:
    """One did it, the others were refused with one of the codes."""
    told = [answer.json() for answer in answers]
    won = [one for one in told if "code" not in one]
    assert len(won) == 1, told
    assert {one["code"] for one in told if "code" in one} <= codes, told


def at_once(request: Callable[[], Response], times: int) -> list[Response]:
    """The same request by several at the same moment."""
    barrier = Barrier(times)

    def send() -> Response:
        barrier.wait()
        return request()

    with ThreadPoolExecutor(times) as pool:
        return [future.result() for future in [pool.submit(send) for _ in range(times)]]


def test_people_without_a_token_do_nothing(small: Service) -> None:
    refused(Person(small.http).post("/sites", site(1)), 401, "sign-in-needed")
    refused(Person(small.http, "sunlot_wrong").post("/sites", site(1)), 401, "token-refused")


def test_a_photo_twice_is_one_blob(small: Service) -> None:
    files = {"file": ("a.jpg", JPEG, "image/jpeg")}
    first, second = (small.officer.post("/blobs", files=files).json() for _ in range(2))
    assert first == second
