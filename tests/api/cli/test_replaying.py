"""Replay in words: both times, the actor, what was late, and the story as of any moment."""

from datetime import timedelta

import msgspec

from domain.act import CHINA
from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import site
from tests.builders import site_facts


def _site(made: Installation, *, days_late: int = 0) -> str:
    facts = made.file("site.json", msgspec.to_builtins(site_facts()))
    origin = ("--source", "排污许可平台", "--reason", "新建", "--effective-from", "2024-04-01")
    happened = (made.clock.now() - timedelta(days=days_late)).astimezone(CHINA).isoformat()
    words = ("site", "register", "--facts", facts, *origin, "--occurred-at", happened)
    return str(made.done(*words, by="officer")["id"])


def _assess(made: Installation, id: str) -> None:
    words = ("site", "assess", id, "--class", "B", "--on", "2024-04-08", "--source", "风险评估")
    made.done(*words, by="officer")


def test_a_story_tells_who_did_what_when_and_when_it_was_known(staffed: Installation) -> None:
    id = _site(staffed)
    result = staffed.run("replay", id, by="auditor")
    assert result.exit_code == 0
    for said in ("Site entered: 晴川化工有限公司", "happened 2024-04-08", "recorded 2024-04-08"):
        assert said in result.stdout
    assert staffed.accounts["officer"] in result.stdout
    assert "late" not in result.stdout


def test_the_same_story_in_chinese(staffed: Installation) -> None:
    id = _site(staffed)
    result = staffed.run("replay", id, "--lang", "zh", by="auditor")
    assert "检查对象入库：晴川化工有限公司" in result.stdout
    assert "发生 2024-04-08" in result.stdout


def test_what_was_recorded_late_is_flagged(staffed: Installation) -> None:
    id = _site(staffed, days_late=3)
    assert "recorded late: 3 d 0 h" in staffed.run("replay", id, by="auditor").stdout
    (event,) = staffed.done("replay", id, by="auditor")["events"]
    assert event["late"]


def test_a_story_ends_at_the_moment_that_was_asked_for(staffed: Installation) -> None:
    id = _site(staffed, days_late=3)
    staffed.clock.advance(days=1)
    _assess(staffed, id)

    def versions(*words: str) -> list[int]:
        return [event["version"] for event in staffed.done("replay", id, *words, by="auditor")["events"]]

    assert versions() == [1, 2]
    assert versions("--at", "2024-04-08") == [1]
    assert versions("--as-recorded-at", "2024-04-08T23:00:00+08:00") == [1]
    refusal = staffed.refused("replay", id, "--as-recorded-at", "2024-04-06", by="auditor")
    assert refusal["code"] == "not-found"
    assert versions("--at", "2024-04-06") == [1]


def test_the_full_story_has_every_fact_and_the_state(staffed: Installation) -> None:
    id = _site(staffed)
    _assess(staffed, id)
    told = staffed.run("replay", id, "--full", by="auditor").stdout
    assert '"risk_class": "B"' in told
    assert "The state then:" in told
    story = staffed.done("replay", id, by="auditor")
    assert (story["kind"], story["state"]["risk_class"]) == ("site", "B")
    assert all(event["told"] for event in story["events"])


def test_every_kind_of_stream_can_be_told(staffed: Installation) -> None:
    file = staffed.table("sites", site(1))
    intake = staffed.done("import", "sites", file, "--region", TAIYUAN, by="officer")["id"]
    for stream in (intake, staffed.accounts["leader"]):
        assert staffed.run("replay", stream, by="auditor").exit_code == 0


def test_only_auditors_replay(staffed: Installation) -> None:
    id = _site(staffed)
    assert staffed.refused("replay", id, by="officer")["code"] == "permission-missing"


def test_a_time_without_a_zone_is_wrong_usage(staffed: Installation) -> None:
    result = staffed.run("replay", "site-x", "--at", "2024-04-08T10:00:00", by="auditor")
    assert result.exit_code == 2
    assert "time-naive" in result.stderr


def test_what_happens_tomorrow_is_not_recorded_today(staffed: Installation) -> None:
    words = ("account", "close", staffed.accounts["leader"], "--reason", "离职")
    tomorrow = ("--occurred-at", "2024-05-09T00:00:00+08:00")
    assert staffed.refused(*words, *tomorrow, by="admin")["code"] == "occurred-later"
