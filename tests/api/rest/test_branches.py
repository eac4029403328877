"""Beside the main path: a referral, a void site, a void draw, what the public sees of plan and catalogue."""

from tests.api.rest.service import Service
from tests.api.rest.story import PLAN, ROW, Story, done, item
from tests.api.rest.test_transcript import refused
from tests.office import TAIYUAN

PDF = b"%PDF-1.7 a letter"


def test_a_violation_of_another_department_is_referred_received_and_answered(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    story.published(assignment, team, finding=True)
    officer, leader = small.officer, small.leader
    [violation] = officer.get("/violations").json()["items"]
    letter = leader.post("/blobs", files={"file": ("letter.pdf", PDF, "application/pdf")}).json()["digest"]
    body = {
        "violation": violation["id"],
        "number": "晋环移〔2024〕1号",
        "document": letter,
        "addressee": "太原市水务局",
        "reason": "属水行政主管部门职责",
    }
    refused(leader.post("/referrals", {**body, "document": "0" * 64}), 422, "blob-unknown")
    refused(officer.post("/referrals", body), 403, "permission-missing")
    sent = leader.post("/referrals", body)
    path = f"/referrals/{done(sent)['id']}"
    assert officer.get(f"/violations/{violation['id']}").json()["disposal"] == "referred"
    refused(leader.post("/referrals", body), 409, "claim-taken")
    early = {"accepted": True, "note": "受理"}
    refused(officer.post(f"{path}/reply", early, match=officer.etag(path)), 409, "referral-status-wrong")
    receipt = officer.post("/blobs", files={"file": ("r.pdf", PDF + b"2", "application/pdf")}).json()[
        "digest"
    ]
    done(officer.post(f"{path}/receipt", {"receipt": receipt}, match=officer.etag(path)))
    done(officer.post(f"{path}/reply", early, match=officer.etag(path)))
    shown = officer.get(path).json()
    assert (shown["status"], shown["document"]) == ("accepted", letter)
    assert officer.get(f"/blobs/{letter}", of=shown["id"]).content == PDF
    [listed] = officer.get("/referrals", status="accepted").json()["items"]
    assert listed == shown


def test_a_void_site_is_followed_by_the_next_of_its_reserve(small: Service) -> None:
    story = Story(small)
    story.completed_draw()
    assignment, team = next(iter(story.tasks().items()))
    officer = small.officer
    body = {"ground": "closed", "evidence": [story.evidence(team[0])]}
    path = f"/assignments/{assignment}"
    tag = team[0].etag(path)
    ask = f"{path}/void-request"
    refused(officer.post(ask, {**body, "evidence": []}, match=tag), 422, "void-ground-wrong")
    refused(team[0].post(ask, body, match=tag), 403, "permission-missing")
    refused(small.leader.post(f"{path}/void", match=tag), 409, "void-not-asked")
    done(officer.post(ask, body, match=tag))
    refused(officer.post(f"{path}/void", match=team[0].etag(path)), 403, "void-needs-two")
    done(small.leader.post(f"{path}/void-refusal", {"reason": "仍在生产"}, match=team[0].etag(path)))
    done(officer.post(ask, body, match=team[0].etag(path)))
    told = done(small.leader.post(f"{path}/void", match=team[0].etag(path)))
    assert told["replacement"] in story.tasks()
    assert not told["reserve_spent"]
    assert assignment not in story.tasks()
    body = {"assignment": assignment, "mode": "on-site"}
    refused(team[0].post("/inspections", body), 409, "assignment-ended")


def test_a_draw_is_voided_by_two_people_and_stays_public(small: Service) -> None:
    story = Story(small)
    draw = story.announced_draw()
    path, leader, discipline = f"/draws/{draw}", small.leader, small.discipline
    refused(discipline.post(f"{path}/void", match=discipline.etag(path)), 403, "second-person-needed")
    done(leader.post(f"{path}/void-request", {"ground": "保管人更换"}, match=leader.etag(path)))
    refused(leader.post(f"{path}/void", match=leader.etag(path)), 403, "second-person-needed")
    done(discipline.post(f"{path}/void", match=discipline.etag(path)))
    shown = small.nobody.get(f"/public/draws/{draw}").json()
    assert (shown["status"], shown["draw_no"], shown["void_ground"]) == ("voided", 1, "保管人更换")
    assert (shown["custodians"], shown["void_asked_by"]) == ([], "")
    plan = leader.get(path).json()["plan"]
    again = done(story.announce(plan))
    assert (again["draw_no"], again["attempt"]) == (2, 2)
    assert [one["draw_no"] for one in small.nobody.get("/public/draws").json()["items"]] == [2, 1]


def test_the_public_sees_plans_and_items_once_they_are_published(small: Service) -> None:
    story, nobody = Story(small), small.nobody
    done(small.officer.post("/items", item("TY-01")))
    refused(nobody.get(f"/public/catalogues/{TAIYUAN}"), 404, "not-found")
    done(small.leader.post(f"/catalogues/{TAIYUAN}/editions"))
    shown = nobody.get(f"/public/catalogues/{TAIYUAN}/items/TY-01").json()
    assert (shown["edition"], shown["facts"]["bases"][0]["article"]) == (1, "第二十四条")
    refused(nobody.get(f"/public/catalogues/{TAIYUAN}/items/TY-99"), 404, "not-found")
    assert nobody.get(f"/public/catalogues/{TAIYUAN}/editions/1").json()["lines"][0]["code"] == "TY-01"
    draft = done(
        small.officer.post("/plans", {"region": TAIYUAN, "year": 2025, "department": "d", "title": "t"})
    )
    refused(nobody.get(f"/public/plans/{draft['id']}"), 404, "not-found")
    plan = story.plan()
    listed = nobody.get("/public/plans", region="140000").json()["items"]
    assert [one["id"] for one in listed] == [plan]
    told = nobody.get(f"/public/plans/{plan}")
    assert told.json()["rows"][0]["task"] == "排污单位日常监管"
    assert "drafted_by" not in told.text
    assert small.officer.account not in told.text


def test_an_item_is_revised_and_repealed_with_its_history(small: Service) -> None:
    created = small.officer.post("/items", item("TY-01"))
    path = f"/items/{done(created)['id']}"
    revision = {**item("TY-01"), "name": "改名", "reason": "法律修订"}
    del revision["region"], revision["code"]
    revised = small.officer.put(path, revision, match=created.headers["etag"])
    repeal = {"effective_from": "2024-12-31", "reason": "废止"}
    done(small.officer.post(f"{path}/repeal", repeal, match=revised.headers["etag"]))
    shown = small.officer.get(path).json()
    assert [one["number"] for one in shown["versions"]] == [1, 2]
    assert (shown["item"]["name"], shown["item"]["repealed_from"]) == ("改名", "2024-12-31")


def test_an_approved_plan_can_be_returned_before_and_rows_dropped(small: Service) -> None:
    story = Story(small)
    story.catalogue()
    officer, leader = small.officer, small.leader
    drafted = officer.post("/plans", PLAN)
    path = f"/plans/{done(drafted)['id']}"
    for no in ("01", "02"):
        done(officer.put(f"{path}/rows/{no}", dict(ROW), match=officer.etag(path)))
    done(officer.delete(f"{path}/rows/02", match=officer.etag(path)))
    refused(officer.delete(f"{path}/rows/02", match=officer.etag(path)), 404, "plan-row-missing")
    done(officer.post(f"{path}/submission", match=officer.etag(path)))
    done(leader.post(f"{path}/return", {"reason": "比例偏低"}, match=leader.etag(path)))
    shown = officer.get(path).json()
    assert (shown["plan"]["status"], shown["plan"]["return_reason"]) == ("draft", "比例偏低")
    assert [one["no"] for one in shown["rows"]] == ["01"]
    assert len(officer.get("/plans/rows", period="2024Q2").json()["items"]) == 1
