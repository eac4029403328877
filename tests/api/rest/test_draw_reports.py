"""The reports of a seal over HTTP, and the second person's word on narrow seats."""

from io import BytesIO
from zipfile import ZipFile

from tests.api.rest.service import Service
from tests.api.rest.story import Story, done
from tests.api.rest.test_transcript import refused

WHY = {"reason": "季度核查"}


def sealed(service: Service) -> tuple[Story, str]:
    """A draw with two inspectors, sealed and not approved."""
    story = Story(service, sites=4, inspectors=2)
    draw = story.announced_draw()
    story.commit(draw)
    officer = service.officer
    done(officer.post(f"/draws/{draw}/seal", match=officer.etag(f"/draws/{draw}")))
    return story, draw


def test_narrow_seats_wait_for_a_second_person(small: Service) -> None:
    story, draw = sealed(small)
    path = f"/draws/{draw}"
    shown = small.officer.get(path).json()
    assert shown["narrow_seats"] >= shown["narrow_sites"] > 0
    assert not shown["narrow_approved"]
    [waiting] = small.leader.get("/draws/narrow").json()["items"]
    assert waiting["id"] == draw
    tag = small.leader.etag(path)
    refused(small.officer.post(f"{path}/narrow-seats/approval", WHY, match=tag), 403, "permission-missing")
    refused(small.officer.get("/draws/narrow"), 403, "permission-missing")
    story.approve_narrow(draw)
    assert small.leader.get("/draws/narrow").json()["items"] == []
    assert small.officer.get(path).json()["narrow_approved"]


def test_reports_are_read_page_by_page_and_each_reading_is_recorded(small: Service) -> None:
    _, draw = sealed(small)
    path = f"/draws/{draw}/reports/registry-changes/readings"
    counts = small.officer.get(f"/draws/{draw}").json()["registry_changes"]
    small.auditor.get("/sites")
    size = small.size()
    found, after = [], ""
    while after is not None:
        page = small.auditor.post(path, WHY, params={"limit": 3, "after": after}).json()
        found += page["items"]
        after = page["next"]
    assert [one["idx"] for one in found] == list(range(1, counts["changes"] + 1))
    assert set(small.topics(size)) == {"access.recorded.v1"}
    refused(small.officer.post(path, WHY), 403, "permission-missing")
    refused(small.auditor.post(path, {"reason": " "}), 422, "reading-reason-missing")
    refused(small.auditor.post(f"/draws/{draw}/reports/frame/readings", WHY), 404, "not-found")


def test_a_report_is_given_as_a_table(small: Service) -> None:
    _, draw = sealed(small)
    for kind in ("registry-changes", "narrow-seats"):
        table = small.discipline.post(f"/draws/{draw}/reports/{kind}/table", WHY)
        assert table.status_code == 200
        sheet = ZipFile(BytesIO(table.content)).read("xl/worksheets/sheet1.xml")
        lines = small.discipline.post(f"/draws/{draw}/reports/{kind}/readings", WHY).json()["items"]
        assert lines
        assert all(one["line"]["id"].encode() in sheet for one in lines)
