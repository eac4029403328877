"""What a sealed draw decided stays with those it concerns, until the visit is over or the draw opened."""

import json
from typing import Any

from tests.api.rest.service import Service
from tests.api.rest.story import SECRETS, Story, done, site
from tests.api.rest.test_transcript import refused
from tests.office import TAIYUAN


def test_nobody_outside_learns_which_sites_were_drawn_before_the_opening(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    known = secrets_of(small, draw)
    public = ["results", "violations", "plans", "draws"]
    for person in (small.nobody, small.officer, small.reporting, small.auditor):
        told = [person.get(f"/public/{one}").text for one in public]
        told += [person.get(f"/public/draws/{draw}").text, person.page("/metrics").text]
        if person is not small.nobody:
            told += [person.get(f"/draws/{draw}").text, person.get("/draws").text]
            told += [person.get(f"/timeline/{draw}").text]
        leaks = [word for word in known for text in told if word in text]
        assert leaks == []
    refused(small.nobody.get(f"/public/draws/{draw}/files"), 403, "draw-sealed")
    refused(small.nobody.get(f"/public/draws/{draw}/files/sample.jsonl"), 403, "draw-sealed")


def test_a_sealed_assignment_is_seen_by_its_own_team_alone(small: Service) -> None:
    story = Story(small, sites=4, inspectors=3)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    path = f"/assignments/{assignment}"
    outsiders = [one for one in story.inspectors.values() if one not in team]
    assert len(outsiders) == 1
    for person in team:
        assert person.get(path).json()["sealed"] is True
        assert assignment in ids(person.get("/assignments", mine=True).json())
    for person in (*outsiders, small.officer, small.leader, small.auditor):
        refused(person.get(path), 403, "draw-sealed")
        refused(person.get(f"/timeline/{assignment}"), 403, "draw-sealed")
        assert ids(person.get("/assignments").json()) == []
        if person is not small.officer:
            assert assignment not in ids(person.get("/assignments", mine=True).json())


def test_who_may_read_sealed_draws_gives_a_reason_and_is_recorded(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    assignment, _ = next(iter(story.tasks().items()))
    small.auditor.get("/sites")
    size = small.size()
    for path in (f"/draws/{draw}/readings", f"/assignments/{assignment}/readings"):
        refused(small.officer.post(path, {"reason": "好奇"}), 403, "permission-missing")
        refused(small.auditor.post(path, {"reason": " "}), 422, "reading-reason-missing")
    assert small.size() == size
    files = small.auditor.post(f"/draws/{draw}/readings", {"reason": "专项检查"}).json()["files"]
    assert len(files["sample.jsonl"].splitlines()) == 2
    shown = small.auditor.post(f"/assignments/{assignment}/readings", {"reason": "专项检查"})
    assert shown.json()["id"] == assignment
    assert small.topics(size) == ["access.recorded.v1", "access.recorded.v1"]
    log = small.auditor.get("/accesses", subject=draw).json()["items"]
    assert [(one["by"], one["reason"]) for one in log] == [(small.auditor.account, "专项检查")] * 2


def test_replaying_what_is_sealed_needs_a_reason_as_well(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    assignment, _ = next(iter(story.tasks().items()))
    small.auditor.get("/sites")
    size = small.size()
    for stream in (draw, assignment):
        refused(small.auditor.get(f"/streams/{stream}"), 422, "reading-reason-missing")
        told = small.auditor.get(f"/streams/{stream}", reason="专项检查")
        assert told.json()["stream"] == stream
    assert small.topics(size) == ["access.recorded.v1", "access.recorded.v1"]


def test_the_feed_of_events_tells_no_state(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    lines = [json.loads(line) for line in small.reporting.get("/events").text.splitlines()]
    decided = [line for line in lines if line["topic"] == "assignment.made.v1"]
    assert len(decided) == 2
    told = json.dumps(decided)
    assert [word for word in secrets_of(small, draw, streams=False) if word in told] == []
    assert not any(secret in json.dumps(lines) for secret in SECRETS.values())


def test_an_inspection_before_its_visit_is_seen_by_its_team_alone(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    inspection = story.opened_inspection(assignment, team)
    path = f"/inspections/{inspection}"
    outsider = next(one for one in story.inspectors.values() if one not in team)
    for person in (outsider, small.officer, small.leader, small.auditor, small.reporting):
        refused(person.get(path), 403, "draw-sealed")
    for member in team:
        assert member.get(path).json()["status"] == "opened"
    refused(small.officer.post(f"{path}/readings", {"reason": "x"}), 403, "permission-missing")
    shown = small.leader.post(f"{path}/readings", {"reason": "审批检查"})
    assert shown.json()["visit"]["assignment"] == assignment
    assert shown.headers["etag"] == '"v1"'
    assert small.officer.get("/worklist/after-visit").json()["items"] == []
    for step in ("open", "approve", "notify", "show-identity", "inspect"):
        assert small.officer.get("/worklist/after-visit", step=step).json()["items"] == []


def test_a_visit_that_is_over_is_no_secret_for_those_who_review(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    inspection = story.visited(assignment, team)
    assert small.officer.get(f"/inspections/{inspection}").json()["status"] == "concluded"
    [waiting] = small.officer.get("/worklist/after-visit", region=TAIYUAN).json()["items"]
    assert waiting["inspection"] == inspection
    assert f'"v{waiting["inspection_version"]}"' == small.officer.etag(f"/inspections/{inspection}")
    refused(small.nobody.get(f"/public/results/{inspection}"), 404, "not-found")
    refused(small.officer.get(f"/assignments/{assignment}"), 403, "draw-sealed")
    assert small.officer.get(f"/draws/{draw}").json()["status"] == "completed"


def test_evidence_goes_to_whoever_may_see_the_inspection(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    inspection = story.visited(assignment, team, finding=True)
    [evidence] = small.officer.get(f"/inspections/{inspection}").json()["evidence"]
    path = f"/blobs/{evidence['digest']}"
    answer = small.officer.get(path, of=inspection)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["content-disposition"].startswith("attachment")
    refused(small.elsewhere.get(path, of=inspection), 403, "permission-missing")
    refused(small.officer.get(f"/blobs/{'0' * 64}", of=inspection), 404, "not-found")
    refused(small.nobody.get(path, of=inspection), 401, "sign-in-needed")


def test_a_recusal_is_decided_by_the_leader_and_the_next_in_line_sits(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    path, member = f"/assignments/{assignment}", team[0]
    me = member.get("/sessions/current").json()["inspector"]
    body = {"inspector": me, "ground": "near-relative", "origin": "self"}
    refused(team[1].post(f"{path}/recusals", body, match=team[1].etag(path)), 403, "recusal-not-own")
    recusal = done(member.post(f"{path}/recusals", body, match=member.etag(path)))["recusal"]
    reading = {"region": TAIYUAN, "recusal_pending": True, "reason": "决定回避"}
    [waiting] = small.leader.post("/worklist/readings", reading).json()["items"]
    assert waiting["recusals"] == [me]
    decision = {"reason": "近亲属", "decided_as": "head"}
    tag = f'"v{waiting["assignment_version"]}"'
    told = done(small.leader.post(f"{path}/recusals/{recusal}/grant", decision, match=tag))
    assert told["filled"] is True
    refused(member.get(path), 403, "draw-sealed")
    assert len([one for one in story.inspectors.values() if one.get(path).status_code == 200]) == 2


def test_a_risk_class_is_public_nowhere(small: Service) -> None:
    id = done(small.officer.post("/sites", site(1)))["id"]
    body = {"risk_class": "D", "assessed_on": "2024-03-01", "source": "省平台"}
    done(small.officer.post(f"/sites/{id}/assessments", body, match='"v1"'))
    assert small.officer.get(f"/sites/{id}").json()["risk_class"] == "D"
    document = json.dumps(small.nobody.page("/openapi.json").json()["paths"])
    public = [path for path in json.loads(document) if path.startswith("/api/v1/public/")]
    assert public
    for path in public:
        if "{" not in path:
            assert "risk_class" not in small.nobody.page(path).text


def test_an_inspector_s_name_is_read_with_a_reason_and_stands_in_no_event(small: Service) -> None:
    story = Story(small, sites=1, inspectors=2)
    story.registries()
    id = next(iter(story.inspectors))
    listed = small.officer.get("/inspectors").text + small.officer.get(f"/inspectors/{id}").text
    assert "王0" not in listed
    assert "晋A00000" not in listed
    refused(small.officer.post(f"/inspectors/{id}/readings", {"reason": ""}), 422, "reading-reason-missing")
    refused(small.elsewhere.post(f"/inspectors/{id}/readings", {"reason": "x"}), 403, "permission-missing")
    size = small.size()
    key = {"key": "every-showing-is-recorded"}
    told = small.officer.post(f"/inspectors/{id}/readings", {"reason": "制作文书"}, **key).json()
    assert told["value"] == {"name": "王0", "certificate_no": "晋A00000"}
    assert small.officer.post(f"/inspectors/{id}/readings", {"reason": "制作文书"}, **key).json() == told
    assert small.topics(size) == ["access.recorded.v1", "access.recorded.v1"]
    states = b"".join(row.state for row in small.system.store.recorder.rows())
    assert "王0".encode() not in states


def test_a_key_used_before_the_draw_shows_nothing_unrecorded_after_it(small: Service) -> None:
    story = Story(small)
    draw = story.announced_draw()
    reading = {"reason": "专项检查"}
    early = small.auditor.post(f"/draws/{draw}/readings", reading, key="kept").json()
    story.commit(draw)
    story.seal(draw)
    story.reveal(draw)
    story.roll(draw)
    story.complete(draw)
    size = small.size()
    later = small.auditor.post(f"/draws/{draw}/readings", reading, key="kept").json()
    assert early["files"].keys() != later["files"].keys()
    assert small.topics(size) == ["access.recorded.v1"]


def secrets_of(service: Service, draw: str, *, streams: bool = True) -> set[str]:
    """Words by which an assignment, its site or its team would be known."""
    found: set[str] = set()
    for row in service.system.store.recorder.rows():
        if row.topic == "assignment.made.v1":
            state: dict[str, Any] = json.loads(row.state)
            found |= {state["task"]["site"], *(one["inspector"] for one in state["team"])}
            found |= {row.stream} if streams else set()
    loaded = service.system.office.claims
    assert found
    assert loaded.holder("draw-no", "1") == draw
    return found


def ids(page: dict[str, Any]) -> list[str]:
    """The ids of a page's rows."""
    return [one["id"] for one in page["items"]]
