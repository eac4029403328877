"""A stranger drives one inspection from draw to publication, over HTTP alone, and wrong steps say why."""

from typing import Any

from httpx2 import Response

from tests.api.rest.service import Service
from tests.api.rest.story import ROW, Story, done
from tests.office import TAIYUAN


def test_from_the_draw_to_the_published_result_and_the_closed_violation(service: Service) -> None:
    story = Story(service)
    draw = story.completed_draw()
    tasks = story.tasks()
    assert len(tasks) == 2
    inspections = [story.published(one, team, finding=n == 0) for n, (one, team) in enumerate(tasks.items())]
    officer = service.officer
    done(officer.post(f"/draws/{draw}/opening", match=officer.etag(f"/draws/{draw}")))

    results = service.nobody.get("/public/results", region=TAIYUAN).json()["items"]
    assert {one["inspection"] for one in results} == set(inspections)
    assert sorted(one["primary"] for one in results) == ["corrected", "none"]
    files = service.nobody.get(f"/public/draws/{draw}/files").json()["files"]
    assert sorted(files) == ["SHA256SUMS", "frame.jsonl", "rules.json", "sample.jsonl", "seed.json"]
    sample = service.nobody.page(files["sample.jsonl"])
    assert len(sample.text.splitlines()) == 2

    close_violation(story)
    report = officer.get("/statistics/2024Q2", region=TAIYUAN).json()
    figures = report["total"]["figures"]
    assert (figures["drawn"], figures["inspected"], figures["findings"]) == (2, 2, 1)
    assert (figures["published_on_time"], figures["orders_closed"]) == (2, 1)
    behind = officer.page(report["lists"]["inspected"]).json()["items"]
    assert {one["id"] for one in behind} == set(inspections)


def close_violation(story: Story) -> None:
    """Order, submission, verification by another, closing on evidence."""
    officer, second = story.service.officer, story.service.second_officer
    [violation] = officer.get("/violations", region=TAIYUAN).json()["items"]
    path = f"/violations/{violation['id']}"
    order = {"number": "晋环责改〔2024〕1号", "requirements": "修复设施"}
    done(officer.post(f"{path}/order", order, match=officer.etag(path)))
    done(officer.post(f"{path}/submission", {"note": "已修复"}, match=officer.etag(path)))
    refused(officer.post(f"{path}/verification", {}, match=officer.etag(path)), 403, "closer-submitted")
    done(second.post(f"{path}/verification", {"note": "属实"}, match=officer.etag(path)))
    digest = story.evidence(second)
    done(second.post(f"{path}/closing", {"evidence": [digest]}, match=officer.etag(path)))
    assert officer.get(path).json()["state"] == "closed"


def test_wrong_steps_say_what_is_missing(small: Service) -> None:
    story = Story(small)
    officer = small.officer
    draw = story.announced_draw()
    path = f"/draws/{draw}"
    stale = officer.etag(path)

    refused(officer.post(f"{path}/seal"), 428, "precondition-missing")
    refused(officer.post(f"{path}/seal", match="17"), 400, "precondition-malformed")
    early = refused(officer.post(f"{path}/seal", match=stale), 409, "draw-status-wrong")
    assert early["facts"] == {"status": "announced", "needed": "committed"}
    assert "announced" in early["detail"]
    story.commit(draw)
    behind = refused(officer.post(f"{path}/seal", match=stale), 412, "stale")
    assert behind["facts"]["actual"] == 3
    assert behind["facts"]["expected"] == 1

    story.seal(draw)
    wrong = {"party": "agency", "secret": "00" * 32, "receipt": receipt(story, draw)}
    leader = small.leader
    told = refused(leader.post(f"{path}/reveals", wrong, match=leader.etag(path)), 422, "secret-wrong")
    assert [one["pointer"] for one in told["errors"]] == ["/secret"]
    foreign = {"party": "discipline", "secret": "d1" * 32, "receipt": receipt(story, draw)}
    refused(leader.post(f"{path}/reveals", foreign, match=leader.etag(path)), 403, "not-contributor")
    unlike = {"party": "agency", "secret": "a1" * 32, "receipt": "not a receipt"}
    refused(leader.post(f"{path}/reveals", unlike, match=leader.etag(path)), 422, "receipt-wrong")


def test_an_inspection_refuses_steps_out_of_order_and_by_the_wrong_person(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    outsider = next(one for one in story.inspectors.values() if one not in team)
    body = {"assignment": assignment, "mode": "on-site"}
    refused(outsider.post("/inspections", body), 403, "not-in-team")
    refused(small.officer.post("/inspections", body), 403, "permission-missing")
    inspection = story.opened_inspection(assignment, team)
    refused(team[0].post("/inspections", body), 409, "claim-taken")
    shown = {"rights_told": True, "purpose_told": True}
    refused(story.step(team[0], inspection, "identity", shown), 409, "inspection-status-wrong")
    story.approve(inspection)
    done(story.step(team[0], inspection, "notice", {}))
    finding = {"item": "TY-01", "category": "c", "description": "d", "disposal": "corrected"}
    early = refused(story.step(team[0], inspection, "findings", finding), 409, "identity-not-shown")
    assert early["source"] == "行政处罚法 §55"
    done(story.step(team[0], inspection, "identity", shown))
    unlike = refused(
        story.step(team[0], inspection, "conclusion", story.record(team, "corrected")),
        422,
        "result-disagrees",
    )
    assert unlike["errors"][0]["pointer"] == "/lines"
    done(story.step(team[0], inspection, "conclusion", story.record(team, "none")))
    refused(team_review(story, team[0], inspection), 403, "reviewer-on-team")


def team_review(story: Story, member: Any, inspection: str) -> Response:
    """A review by a member of the team."""
    return story.step(member, inspection, "review", {"opinion": "好"})


def test_who_plans_does_not_approve(small: Service) -> None:
    both = small.hire("leader", login="both")
    tag = small.administrator.etag(f"/accounts/{both.account}")
    path = f"/accounts/{both.account}/grants"
    done(small.administrator.post(path, {"role": "city-officer", "region": TAIYUAN}, match=tag))
    story = Story(small)
    story.catalogue()
    drafted = both.post("/plans", {"region": TAIYUAN, "year": 2024, "department": "d", "title": "t"})
    plan = f"/plans/{drafted.json()['id']}"
    written = both.put(f"{plan}/rows/01", dict(ROW), match=drafted.headers["etag"])
    submitted = both.post(f"{plan}/submission", match=written.headers["etag"])
    told = refused(
        both.post(f"{plan}/approval", {"opinion": "好"}, match=submitted.headers["etag"]),
        403,
        "planner-approves",
    )
    assert told["rule"] == "separation.planner-approver"


def receipt(story: Story, draw: str) -> str:
    """The receipt of the seal."""
    return str(story.service.leader.get(f"/draws/{draw}/seal/receipt").text)


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The problem with which a step was refused."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    return problem
