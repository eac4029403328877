"""Replay in words: both times, the actor, what was late, and the story as of any moment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from domain.act import CHINA
from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import site
from tests.builders import USCC, site_facts

ROOT = Path(__file__).parents[3]


def _site(made: Installation, *, days_late: int = 0) -> str:
    facts = made.file("site.json", msgspec.to_builtins(site_facts()))
    origin = ("--source", "排污许可平台", "--reason", "新建", "--effective-from", "2024-04-01")
    happened = (made.clock.now() - timedelta(days=days_late)).astimezone(CHINA).isoformat()
    words = ("site", "register", "--facts", facts, *origin, "--occurred-at", happened)
    return str(made.done(*words, by="officer")["id"])


def _assess(made: Installation, id: str) -> None:
    words = ("site", "assess", id, "--class", "B", "--on", "2024-04-08", "--source", "风险评估")
    made.done(*words, by="officer")


def _told_late(made: Installation) -> str:
    """A site whose second recorded assessment happened before the first."""
    id = _site(made, days_late=3)
    _assess(made, id)
    made.clock.advance(hours=30)
    happened = (made.clock.now() - timedelta(hours=80)).astimezone(CHINA).isoformat()
    words = ("site", "assess", id, "--class", "B", "--on", "2024-04-08", "--source", "风险评估")
    made.done(*words, "--occurred-at", happened, by="officer")
    return id


def test_a_compact_story_is_a_line_for_each_event(staffed: Installation) -> None:
    id = _site(staffed)
    result = staffed.run("replay", id, by="auditor")
    assert result.exit_code == 0
    _, line = result.stdout.splitlines()
    for said in ("Site entered: 晴川化工有限公司", "2024-04-08 09:00", "+08:00", staffed.accounts["officer"]):
        assert said in line
    assert "late" not in line


def test_a_full_story_tells_who_by_which_command_what_changed_and_when_it_was_known(
    staffed: Installation,
) -> None:
    id = _site(staffed)
    _assess(staffed, id)
    result = staffed.run("replay", id, "--full", by="auditor")
    (first, second) = staffed.done("replay", id, "--full", by="auditor")["events"]
    assert second["command"] == "sunlot site assess"
    for said in (
        "Site entered: 晴川化工有限公司",
        "happened 2024-04-08 09:00",
        "recorded 2024-04-08 09:00",
        f"by {staffed.accounts['officer']} · command sunlot site register",
        f"request {first['correlation_id']}",
        "risk_class: — → B",
        "status: — → listed",
        f"receipt /ledger/receipts/{first['idx']}",
    ):
        assert said in result.stdout
    assert second["changes"] == [{"field": "risk_class", "before": "", "after": "B"}]


def test_the_same_story_in_chinese(staffed: Installation) -> None:
    id = _site(staffed, days_late=3)
    result = staffed.run("replay", id, "--full", "--lang", "zh", by="auditor")
    for said in ("检查对象入库：晴川化工有限公司", "发生 2024-04-05 09:00", "重点", "⚠ 补录，迟 3 天"):
        assert said in result.stdout


def test_what_was_recorded_late_is_flagged(staffed: Installation) -> None:
    id = _site(staffed, days_late=3)
    assert "recorded late by 3 d" in staffed.run("replay", id, by="auditor").stdout
    (event,) = staffed.done("replay", id, by="auditor")["events"]
    assert event["late"]


def test_what_was_told_late_stands_at_its_place_under_either_order(staffed: Installation) -> None:
    id = _told_late(staffed)
    for what in ((id,), (id, "--all"), (USCC,)):
        told = staffed.done("replay", *what, by="auditor")["events"]
        by_happened = staffed.done("replay", *what, "--by-happened", by="auditor")["events"]
        assert [(one["version"], one["late"]) for one in told] == [(1, True), (2, False), (3, True)]
        assert [(one["version"], one["late"]) for one in by_happened] == [(1, True), (3, True), (2, False)]
        early = staffed.done("replay", *what, "--at", "2024-04-07", by="auditor")["events"]
        assert [one["version"] for one in early] == [1, 3]
        known = staffed.done("replay", *what, "--as-recorded-at", "2024-04-08", by="auditor")["events"]
        assert [one["version"] for one in known] == [1, 2]
        both = ("--at", "2024-04-07", "--as-recorded-at", "2024-04-08")
        assert len(staffed.done("replay", *what, *both, by="auditor")["events"]) == 1
    pages = staffed.done("replay", USCC, "--by-happened", "--limit", 1, by="auditor")
    following = ("--by-happened", "--limit", 1, "--after", pages["next"])
    assert [one["version"] for one in staffed.done("replay", USCC, *following, by="auditor")["events"]] == [3]


def test_all_that_concerns_an_enterprise_is_told_page_by_page(staffed: Installation) -> None:
    id = _site(staffed)
    for _ in range(3):
        _assess(staffed, id)
    page = staffed.done("replay", USCC, "--limit", 3, by="auditor")
    assert [one["version"] for one in page["events"]] == [1, 2, 3]
    rest = staffed.done("replay", USCC, "--limit", 3, "--after", page["next"], by="auditor")
    assert ([one["version"] for one in rest["events"]], rest["next"]) == ([4], None)
    assert f"--after {page['next']}" in staffed.run("replay", USCC, "--limit", 3, by="auditor").stdout
    (stand,) = staffed.done("replay", USCC, "--states", by="auditor")["states"]
    assert (stand["stream"], stand["version"], stand["state"]["risk_class"]) == (id, 4, "B")
    assert '"risk_class": "B"' in staffed.run("replay", USCC, "--states", by="auditor").stdout


def test_what_one_command_caused_is_told_by_its_request(staffed: Installation) -> None:
    file = staffed.table("sites", site(1), site(2))
    intake = staffed.done("import", "sites", file, "--region", TAIYUAN, by="officer")["id"]
    (event,) = staffed.done("replay", intake, "--full", by="auditor")["events"]
    told = staffed.done("replay", "--request", event["correlation_id"], "--full", by="auditor")["events"]
    assert sorted(one["topic"] for one in told) == ["intake.completed.v1", *["site.registered.v1"] * 2]
    assert {one["command"] for one in told} == {"sunlot import"}
    assert all(len(one["siblings"]) == 2 for one in told)
    assert (
        "same request"
        in staffed.run("replay", "--request", event["correlation_id"], "--full", by="auditor").stdout
    )


def test_either_a_subject_or_a_request_is_named(staffed: Installation) -> None:
    assert staffed.run("replay", by="auditor").exit_code == 2
    assert staffed.run("replay", USCC, "--request", "x", by="auditor").exit_code == 2


def test_what_is_no_subject_is_refused(staffed: Installation) -> None:
    for what, code in (
        ("abc", "subject-wrong"),
        (f"{USCC[:-1]}0", "uscc-wrong"),
        ("plan-x/01", "stream-id-wrong"),
        (USCC, "not-found"),
    ):
        assert staffed.refused("replay", what, by="auditor")["code"] == code


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
    assert all(event["words"] for event in story["events"])


def test_the_commands_of_the_how_to_work(staffed: Installation) -> None:
    id = _site(staffed)
    request = staffed.done("replay", id, "--full", by="auditor")["events"][0]["correlation_id"]
    meant = {"inspection-0f1e…": id, "91140100MA0K12345Y": USCC, "cli-0f1e…": request}
    page = (ROOT / "docs/how-to/replay-a-history.md").read_text()
    commands = [line for line in page.splitlines() if line.startswith("sunlot replay")]
    assert len(commands) == 5
    staffed.clock.set(datetime(2024, 6, 1, tzinfo=UTC))
    for command in commands:
        words = [meant.get(word, word) for word in command.partition(" --token-file")[0].split()[1:]]
        result = staffed.run(*words, by="auditor")
        assert "晴川化工有限公司" in result.stdout, (command, result.output)


def test_every_kind_of_stream_can_be_told(staffed: Installation) -> None:
    file = staffed.table("sites", site(1))
    intake = staffed.done("import", "sites", file, "--region", TAIYUAN, by="officer")["id"]
    assert staffed.run("replay", intake, by="auditor").exit_code == 0
    leader = staffed.accounts["leader"]
    assert staffed.refused("replay", leader, by="auditor")["code"] == "permission-missing"
    staffed.open_account("inspectorate", "auditor", region="140000")
    assert staffed.run("replay", leader, by="inspectorate").exit_code == 0
    deeds = staffed.done("replay", staffed.accounts["officer"], "--all", by="inspectorate")["events"]
    assert "intake.completed.v1" in {one["topic"] for one in deeds}


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
