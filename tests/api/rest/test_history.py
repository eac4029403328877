"""Timelines, replay in two languages, the feed, and the ledger's files."""

import json
from concurrent.futures import ThreadPoolExecutor

from domain.ledger.checkpoint import open_checkpoint
from domain.ledger.note import VerifierKey
from domain.ledger.proof import Receipt
from domain.ledger.tiles import parse_bundle
from tests.api.rest.service import Service
from tests.api.rest.story import Story, done, item, site
from tests.api.rest.test_transcript import refused


def test_a_stream_is_told_in_words_with_both_times_and_the_actor(service: Service) -> None:
    created = service.officer.post("/sites", site(1))
    path = f"/sites/{created.json()['id']}"
    assert service.auditor.account
    service.clock.advance(days=3)
    officer, auditor = service.sign_in("city-officer"), service.sign_in("auditor")
    changed = {**site(1, name="改后"), "occurred_at": "2024-04-02T09:00:00+08:00"}
    done(officer.put(path, changed, match=created.headers["etag"]))
    stream = created.json()["id"]
    told = auditor.get(f"/streams/{stream}").json()
    assert [one["version"] for one in told["events"]] == [1, 2]
    assert [one["late"] for one in told["events"]] == [False, True]
    assert told["events"][1]["occurred_at"] == "2024-04-02T01:00:00Z"
    assert told["events"][1]["recorded_at"] == "2024-04-04T01:00:00Z"
    assert all(one["by"] == officer.account for one in told["events"])
    assert "检查对象" in told["events"][0]["words"]
    assert told["state"]["facts"]["name"] == "改后"
    english = auditor.send("GET", f"/streams/{stream}", headers={"Accept-Language": "en"}).json()
    assert "site" in english["events"][0]["words"].lower()
    then = auditor.get(f"/streams/{stream}", at="2024-04-01T12:00:00+08:00").json()
    assert then["state"]["facts"]["name"] == site(1)["name"]
    known = auditor.get(f"/streams/{stream}", as_recorded_at="2024-04-03T00:00:00+08:00").json()
    assert len(known["events"]) == 1
    refused(auditor.get("/streams/site-0"), 404, "not-found")
    refused(officer.get(f"/streams/{stream}"), 403, "permission-missing")


def test_a_time_without_a_zone_is_refused(small: Service) -> None:
    told = refused(small.auditor.get("/streams/x", at="2024-04-01T12:00:00"), 422, "request-invalid")
    assert (told["errors"][0]["in"], told["errors"][0]["pointer"]) == ("query", "/at")


def test_a_timeline_is_for_whoever_may_read_its_subject(small: Service) -> None:
    id = done(small.officer.post("/sites", site(1)))["id"]
    for subject in (id, site(1)["uscc"]):
        rows = small.officer.get(f"/timeline/{subject}").json()["items"]
        assert [one["topic"] for one in rows] == ["site.registered.v1"]
        assert small.elsewhere.get(f"/timeline/{subject}").status_code in (403, 404)
        refused(small.nobody.get(f"/timeline/{subject}"), 401, "sign-in-needed")
    refused(small.officer.get(f"/timeline/{small.officer.account}"), 403, "permission-missing")
    assert small.auditor.get(f"/timeline/{small.officer.account}").json()["items"]


def test_a_plan_row_has_a_timeline(small: Service) -> None:
    story = Story(small)
    story.catalogue()
    plan = story.plan()
    rows = small.officer.get(f"/timeline/{plan}/01").json()["items"]
    assert [one["topic"] for one in rows] == ["plan.row-set.v1"]


def test_the_feed_goes_on_from_any_position_without_gaps(service: Service) -> None:
    for number in range(3):
        done(service.officer.post("/sites", site(number)))
    size = service.size()
    seen: list[int] = []
    after = -1
    reporting = service.reporting
    size = service.size()
    while len(seen) < size:
        answer = reporting.get("/events", after=after, limit=2)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert 0 < len(lines) <= 2
        seen += [line["idx"] for line in lines]
        after = seen[-1]
        assert answer.headers["sunlot-position"] == f"sunlot.example/140100/{after}"
    assert seen == list(range(size))
    assert reporting.get("/events", after=after).text == ""


def test_the_feed_waits_for_what_comes(small: Service) -> None:
    reporting, officer = small.reporting, small.officer
    after = small.size() - 1
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: reporting.get("/events", after=after, wait=20))
        done(officer.post("/sites", site(1)))
        [line] = waiting.result().text.splitlines()
    assert json.loads(line)["topic"] == "site.registered.v1"
    assert json.loads(line)["idx"] == after + 1


def test_the_feed_is_for_machines_that_may(small: Service) -> None:
    refused(small.officer.get("/events"), 403, "permission-missing")
    refused(small.reporting.get("/events", wait=31), 422, "request-invalid")


def test_the_published_files_prove_an_event(small: Service) -> None:
    told = done(small.officer.post("/items", item("TY-01")))
    small.system.publisher.publish_once()
    nobody = small.nobody
    checkpoint = nobody.page("/ledger/checkpoint")
    key = VerifierKey.parse(nobody.page("/ledger/vkey").text.strip())
    head = open_checkpoint(checkpoint.content, [key])
    assert head.size == small.size()
    assert checkpoint.headers["cache-control"] == "public, max-age=2"
    same = nobody.page("/ledger/checkpoint", headers={"If-None-Match": checkpoint.headers["etag"]})
    assert same.status_code == 304
    receipt = nobody.page(f"/ledger/receipts/{told['position']}")
    row = next(small.system.store.recorder.rows(told["position"], 1))
    entry, _ = Receipt.parse(receipt.content).verify(row.entry, [key])
    assert (entry.stream, entry.ver) == (told["id"], 1)
    bundle = nobody.page(f"/ledger/tile/entries/000.p/{head.size}")
    assert parse_bundle(bundle.content, head.size)[told["position"]] == row.entry
    assert "immutable" not in bundle.headers["cache-control"]


def test_a_receipt_of_what_is_not_published_yet_says_so(small: Service) -> None:
    small.system.publisher.publish_once()
    refused(small.nobody.page("/ledger/receipts/100000"), 409, "receipt-ahead")
    refused(small.nobody.page("/ledger/receipts/-1"), 404, "not-found")
    refused(small.nobody.page("/ledger/receipts/x"), 422, "request-invalid")


def test_no_path_leads_out_of_the_ledger(small: Service) -> None:
    small.system.publisher.publish_once()
    for path in ("../ledger.key", "..%2f..%2fledger.key", "0/../../../ledger.key", "0//000", ""):
        answer = small.nobody.page(f"/ledger/tile/{path}")
        assert answer.status_code == 404, (path, answer.text)
        assert "PRIVATE" not in answer.text
    assert small.nobody.page("/ledger/ledger.key").status_code == 404
    refused(small.nobody.page("/ledger/tile/0/000%00"), 400, "request-malformed")


def test_full_tiles_may_be_kept_for_ever(small: Service) -> None:
    recorder = small.system.store.recorder
    officer = small.officer
    number = 0
    while small.size() <= 256:
        number += 1
        done(officer.post("/sites", site(number)))
    small.system.publisher.publish_once()
    answer = small.nobody.page("/ledger/tile/entries/000")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert parse_bundle(answer.content, 256)[0] == next(recorder.rows(0, 1)).entry
