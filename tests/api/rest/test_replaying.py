"""Replay over HTTP: of subjects and requests, as of either time, in the caller's regions, nothing sealed."""

from typing import Any

import pytest

from tests.api.rest.service import Person, Service
from tests.api.rest.story import SECRETS, Story, done, site
from tests.api.rest.test_sealing import secrets_of
from tests.api.rest.test_transcript import refused
from tests.office import SHANXI, TAIYUAN

USCC = site(1)["uscc"]


def items(person: Person, path: str, **params: Any) -> list[dict[str, Any]]:
    """A page that must be shown."""
    answer = person.get(path, **params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def settle(service: Service) -> None:
    """Wait until the read models know all that is recorded."""
    assert service.system.projections.wait_for(service.size() - 1, timeout=5)


def assessed(service: Service, stream: str, grade: str, occurred_at: str = "") -> None:
    """The site gets a class, by who is signed in anew."""
    officer = service.sign_in("city-officer")
    body = {"risk_class": grade, "assessed_on": "2024-04-01", "source": "风险评估"}
    happened = {"occurred_at": occurred_at} if occurred_at else {}
    path = f"/sites/{stream}"
    done(officer.post(f"{path}/assessments", {**body, **happened}, match=officer.etag(path)))


def test_an_enterprise_is_replayed_in_both_orders_and_as_of_both_times(service: Service) -> None:
    stream = done(service.officer.post("/sites", site(1)))["id"]
    assert service.auditor.account
    service.clock.advance(days=3)
    assessed(service, stream, "B")
    assessed(service, stream, "C", "2024-04-02T10:00:00+08:00")
    auditor, path = service.sign_in("auditor"), f"/replay/{USCC}"

    told = items(auditor, path)
    assert [(one["version"], one["late"], one["delay_words"]) for one in told] == [
        (1, False, ""),
        (2, False, ""),
        (3, True, "1 天 23 小时"),
    ]
    assert {"words", "by", "occurred_at", "recorded_at"} < told[0].keys()
    assert not {"facts", "changes", "command"} & told[0].keys()
    assert [one["version"] for one in items(auditor, path, by_happened=True)] == [1, 3, 2]
    assert [one["version"] for one in items(auditor, path, at="2024-04-03T00:00:00Z")] == [1, 3]
    assert [one["version"] for one in items(auditor, path, as_recorded_at="2024-04-03T00:00:00Z")] == [1]
    both = {"at": "2024-04-02T00:00:00Z", "as_recorded_at": "2024-04-09T00:00:00Z"}
    assert [one["version"] for one in items(auditor, path, **both)] == [1]
    first = auditor.get(path, by_happened=True, limit=2)
    rest = auditor.page(first.links["next"]["url"])
    assert [one["version"] for one in (*first.json()["items"], *rest.json()["items"])] == [1, 3, 2]

    (stand,) = items(auditor, f"/states/{USCC}", at="2024-04-03T00:00:00Z")
    assert (stand["stream"], stand["version"], stand["state"]["risk_class"]) == (stream, 3, "C")
    (stand,) = items(auditor, f"/states/{USCC}", as_recorded_at="2024-04-03T00:00:00Z")
    assert (stand["version"], stand["state"]["risk_class"]) == (1, "")


def test_in_full_an_event_tells_command_request_changes_siblings_and_receipt(service: Service) -> None:
    headers = {"X-Correlation-ID": "case-2024.0408"}
    officer = service.officer
    created = officer.send("POST", "/sites", json=site(1), headers=headers)
    stream = done(created)["id"]
    (told,) = items(service.auditor, f"/replay/{stream}", full=True)
    assert (told["command"], told["by"]) == ("POST /sites", officer.account)
    assert (told["correlation_id"], told["request"]) == ("case-2024.0408", "/api/v1/requests/case-2024.0408")
    assert told["receipt"] == f"/ledger/receipts/{told['idx']}"
    assert {"field": "status", "before": None, "after": "listed"} in told["changes"]
    assert told["facts"]["facts"]["uscc"] == USCC
    assert (told["siblings"], told.get("more", False)) == ([], False)
    (same,) = service.auditor.page(told["request"]).json()["items"]
    assert same == told
    refused(service.auditor.get("/requests/nobody-asked-this"), 404, "not-found")


def test_one_request_tells_all_that_it_caused(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    for one, team in story.tasks().items():
        story.published(one, team)
    done(small.officer.post(f"/draws/{draw}/opening", match=small.officer.etag(f"/draws/{draw}")))
    completed = next(
        one
        for one in items(small.auditor, f"/replay/{draw}", full=True, limit=200)
        if one["topic"] == "draw.completed.v1"
    )
    assert completed["command"] == "POST /draws/{id}/completion"
    assert {one["topic"] for one in completed["siblings"]} == {"assignment.made.v1"}
    caused = small.auditor.page(completed["request"]).json()["items"]
    assert sorted(one["topic"] for one in caused) == ["assignment.made.v1"] * 2 + ["draw.completed.v1"]
    assert {one["command"] for one in caused} == {"POST /draws/{id}/completion"}
    assert {one["by"] for one in caused} == {small.officer.account}


def test_a_plan_row_a_draw_and_an_inspector_are_replayed(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    plan = small.officer.get(f"/draws/{draw}").json()["plan"]
    for one, team in story.tasks().items():
        story.published(one, team)
    done(small.officer.post(f"/draws/{draw}/opening", match=small.officer.etag(f"/draws/{draw}")))
    kinds = {"plan", "draw", "assignment", "inspection"}
    row = items(small.auditor, f"/replay/{plan}/01", limit=200)
    assert {one["stream"].rsplit("-", 1)[0] for one in row} == kinds
    assert row[0]["topic"] == "plan.row-set.v1"
    stands = items(small.auditor, f"/states/{plan}/01", limit=200)
    assert {one["kind"] for one in stands} == kinds
    inspector = next(iter(story.inspectors))
    rows = items(small.auditor, f"/replay/{inspector}", limit=200)
    kinds = {"inspector", "account", "assignment", "inspection"}
    assert {one["stream"].rsplit("-", 1)[0] for one in rows} >= kinds
    refused(small.auditor.get(f"/replay/{plan}/99"), 404, "not-found")
    deeds = items(small.auditor, f"/replay/{small.leader.account}", limit=200)
    assert "plan.approved.v1" in {one["topic"] for one in deeds}


def test_what_a_sealed_draw_decided_is_left_out_until_a_reason_is_recorded(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    plan = small.officer.get(f"/draws/{draw}").json()["plan"]
    known = [*secrets_of(small, draw), *SECRETS.values()]
    auditor = small.auditor
    drawn = [site(number)["uscc"] for number in range(4)]
    subjects = [draw, f"{plan}/01", *drawn, *story.inspectors, small.officer.account, small.leader.account]
    size = small.size()
    for subject in subjects:
        for path in ("replay", "states"):
            text = auditor.get(f"/{path}/{subject}", full=True, limit=200).text
            own = {word for word in known if word in text and word != subject}
            assert own <= _own_words(small, subject), (path, subject)
            assert "assignment." not in text
    requests = {one["request"] for one in items(auditor, f"/replay/{draw}", full=True, limit=200)}
    for request in sorted(requests):
        caused = auditor.page(request).text
        assert not any(word in caused for word in SECRETS.values()), request
        assert "assignment.made" not in caused
    assert small.size() == size

    told = items(auditor, f"/replay/{draw}", reason="专项检查", full=True, limit=200)
    assert small.topics(size) == ["access.recorded.v1"]
    assert sum(one["topic"] == "assignment.made.v1" for one in told) == 2
    secrets = [one["facts"]["secret"] for one in told if one["topic"] == "draw.revealed.v1"]
    assert secrets == [*SECRETS.values()]
    settle(small)
    reading = auditor.get("/accesses", subject=draw).json()["items"][0]
    assert (reading["by"], reading["reason"], reading["subjects"]) == (auditor.account, "专项检查", [draw])


def test_that_nothing_sealed_was_found_is_recorded_as_well(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assert small.auditor.account
    size = small.size()
    for number in range(4):
        uscc = site(number)["uscc"]
        assert small.auditor.get(f"/replay/{uscc}", reason="核查举报").status_code == 200
        assert small.topics(size + number) == ["access.recorded.v1"]
        settle(small)
        (reading,) = small.auditor.get("/accesses", subject=uscc).json()["items"]
        assert (reading["by"], reading["reason"]) == (small.auditor.account, "核查举报")
        # Nobody else sees from the enterprise's timeline that somebody asked, nor what he was told.
        assert {one["topic"] for one in small.officer.get(f"/timeline/{uscc}").json()["items"]} == {
            "site.registered.v1"
        }


@pytest.mark.parametrize("kind", ["assignment", "inspection"])
def test_a_sealed_stream_is_a_subject_only_with_a_reason(small: Service, kind: str) -> None:
    story = Story(small)
    story.completed_draw()
    stream, team = next(iter(story.tasks().items()))
    if kind == "inspection":
        stream = story.opened_inspection(stream, team)
    for path in ("replay", "states"):
        refused(small.auditor.get(f"/{path}/{stream}"), 422, "reading-reason-missing")
        assert items(small.auditor, f"/{path}/{stream}", reason="专项检查")


def test_an_auditor_replays_his_own_region_alone(small: Service) -> None:
    here = done(small.officer.post("/sites", site(1)))["id"]
    second = site(2, region="140211", uscc=USCC, code=f"{USCC}002P")
    there = done(small.elsewhere.post("/sites", second))["id"]
    taiyuan = small.hire("auditor", login="auditor-taiyuan", region=TAIYUAN)
    datong = small.hire("auditor", login="auditor-datong", region="140200")
    for auditor, own, other in ((taiyuan, here, there), (datong, there, here)):
        assert {one["stream"] for one in items(auditor, f"/replay/{USCC}")} == {own}
        assert {one["stream"] for one in items(auditor, f"/states/{USCC}")} == {own}
        assert auditor.get(f"/streams/{own}").status_code == 200
        for path in (f"/streams/{other}", f"/replay/{other}", f"/states/{other}"):
            told = refused(auditor.get(path), 403, "permission-missing")
            assert told["facts"]["region"] in ("140105", "140211")
        request = items(small.auditor, f"/replay/{other}", full=True)[0]["request"]
        refused(auditor.page(request), 404, "not-found")
        for path in (f"/streams/{auditor.account}", f"/replay/{auditor.account}", "/replay/system"):
            assert refused(auditor.get(path), 403, "permission-missing")["facts"]["region"] == SHANXI
    assert len(items(small.auditor, f"/replay/{USCC}")) == 2
    assert {one["stream"] for one in items(small.officer, f"/timeline/{USCC}")} == {here}


def test_only_auditors_replay_and_only_what_there_is(small: Service) -> None:
    done(small.officer.post("/sites", site(1)))
    for path in (f"/replay/{USCC}", f"/states/{USCC}", "/requests/x"):
        refused(small.officer.get(path), 403, "permission-missing")
        refused(small.nobody.get(path), 401, "sign-in-needed")
    for subject, status, code in (
        ("abc", 422, "subject-wrong"),
        (f"{USCC[:-1]}I", 422, "uscc-wrong"),
        ("site-0", 422, "stream-id-wrong"),
        ("plan-0/01", 422, "stream-id-wrong"),
        (site(2)["uscc"], 404, "not-found"),
        (f"site-{'0' * 32}", 404, "not-found"),
        (f"plan-{'0' * 32}/01", 404, "not-found"),
    ):
        refused(small.auditor.get(f"/replay/{subject}"), status, code)
    early = {"at": "2020-01-01T00:00:00Z"}
    refused(small.auditor.get(f"/replay/{USCC}", **early), 404, "not-found")


def _own_words(small: Service, subject: str) -> set[str]:
    """Of what a sealed draw decided, what the registries say of the subject anyway."""
    sites = small.officer.get("/sites", limit=200).json()["items"]
    people = small.officer.get("/inspectors", limit=200).json()["items"]
    rows = [one for one in (*sites, *people) if subject in one.values()]
    told = {str(value) for one in rows for value in one.values()}
    if subject == small.officer.account:
        told |= {str(value) for one in (*sites, *people) for value in one.values()}
    return told
