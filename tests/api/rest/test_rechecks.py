"""A re-check over HTTP: announced, drawn, seen by its team alone, recorded, opened, verified as a bundle."""

from datetime import date
from typing import Any

from tests.api.rest.service import Service
from tests.api.rest.story import SECRETS, Story, done
from tests.office import TAIYUAN

ROLLED = "98765432109876543210"


def closed(small: Service, story: Story) -> str:
    """A violation of the second quarter, carried to its closing."""
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    inspection = story.visited(assignment, team, finding=True)
    reviewed = story.step(small.second_officer, inspection, "review", {"opinion": "属实"})
    [violation] = done(reviewed)["violations"]
    path = f"/violations/{violation}"
    photo = story.evidence(small.officer)

    def step(who: Any, name: str, body: dict[str, Any]) -> None:
        done(who.post(f"{path}/{name}", body, match=who.etag(path)))

    step(small.officer, "order", {"number": "晋环责改 1", "requirements": "恢复运行"})
    body = {"note": "已改", "evidence": [photo], "for_enterprise": True}
    step(small.officer, "submission", body)
    step(small.second_officer, "verification", {"note": "属实", "evidence": [photo]})
    step(small.leader, "closing", {"note": "闭环", "evidence": [photo]})
    return str(violation)


def announced(small: Service, story: Story, **fields: Any) -> Any:
    contributors = [{"party": party, "account": story.custodian(party).account} for party in sorted(SECRETS)]
    body = {
        "region": TAIYUAN,
        "period": "2024Q2",
        "contributors": contributors,
        "public_source": {"kind": "dice", "rolls": 20},
        **fields,
    }
    return small.officer.post("/draws/rechecks", body)


def drawn(small: Service, story: Story) -> str:
    """The re-check up to its completion."""
    draw = str(done(announced(small, story))["id"])
    for step in (story.commit, story.seal, story.reveal):
        step(draw)
    for party in SECRETS:
        custodian = story.custodian(party)
        body = {"party": party, "value": ROLLED}
        done(custodian.post(f"/draws/{draw}/typed-values", body, match=custodian.etag(f"/draws/{draw}")))
    story.complete(draw)
    return draw


def next_quarter(small: Service, story: Story) -> None:
    """It is July; tokens have expired meanwhile, and everybody signs in again."""
    small.clock.advance(days=(date(2024, 7, 2) - small.clock.now().date()).days)
    people = {
        "city-officer": small.officer,
        "leader": small.leader,
        "discipline": small.discipline,
        **{f"inspector-{number}": one for number, one in enumerate(story.inspectors.values())},
    }
    for login, person in people.items():
        person.token = small.sign_in(login).token
    del small.__dict__["administrator"]


def test_a_recheck_from_its_announcement_to_a_violation_that_is_open_again(service: Service) -> None:
    story = Story(service, sites=2, inspectors=5)
    violation = closed(service, story)
    early = announced(service, story)
    assert (early.status_code, early.json()["code"]) == (409, "recheck-period-running")
    next_quarter(service, story)
    draw = drawn(service, story)
    team = [one for one in story.inspectors.values() if one.get("/rechecks", mine=True).json()["items"]]
    [mine] = team[0].get("/rechecks", mine=True).json()["items"]
    path = f"/rechecks/{mine['id']}"
    assert (mine["violation"], mine["outcome"]) == (violation, "")
    for person in (service.officer, service.leader, service.auditor):
        assert person.get("/rechecks").json()["items"] == []
        assert person.get(path).json()["code"] == "draw-sealed"
    shown = service.auditor.post(f"{path}/readings", {"reason": "专项检查"})
    assert shown.json()["violation"] == violation
    photo = story.evidence(team[0])
    body = {"outcome": "reopened", "note": "设施又停", "evidence": [photo], "due_on": "2024-08-01"}
    refused = service.officer.post(f"{path}/outcome", body, match=shown.headers["etag"])
    assert (refused.status_code, refused.json()["code"]) == (403, "recheck-not-yours")
    answer = team[0].post(f"{path}/outcome", body, match=team[0].etag(path))
    assert done(answer)["violation_status"] == "ordered"
    found = service.officer.get(f"/violations/{violation}").json()
    assert (found["state"], found["failed_closings"], found["closed_on"]) == ("ordered", 1, None)
    done(service.officer.post(f"/draws/{draw}/opening", match=service.officer.etag(f"/draws/{draw}")))
    [entry] = service.officer.get("/rechecks", draw=draw).json()["items"]
    assert (entry["outcome"], entry["version"]) == ("reopened", 2)
    assert service.officer.get(path).status_code == 200
