"""A quarter's supervision by commands alone, and what each step refuses."""

import json
import stat
from pathlib import Path

import pytest

from tests.api.cli import quarter
from tests.api.cli.installation import TAIYUAN, Installation, staffed_installation
from tests.api.cli.quarter import LETTER, PARTIES, assignments, visit


@pytest.fixture(scope="session")
def _planned(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = staffed_installation(tmp_path_factory.mktemp("planned"))
    quarter.import_registries(made)
    quarter.publish_plan(made)
    return made


@pytest.fixture(scope="session")
def _drawn(_planned: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = _planned.copied(tmp_path_factory.mktemp("drawn"))
    quarter.draw_teams(made, _plan(made))
    return made


@pytest.fixture
def planned(_planned: Installation, tmp_path: Path) -> Installation:
    """A published plan of one row."""
    return _planned.copied(tmp_path)


@pytest.fixture
def drawn(_drawn: Installation, tmp_path: Path) -> Installation:
    """A completed draw of two sites."""
    return _drawn.copied(tmp_path)


def _plan(made: Installation) -> str:
    (plan,) = made.done("plan", "list", by="officer")
    return str(plan["id"])


def _draw(made: Installation) -> str:
    (draw,) = made.done("draw", "list", by="officer")
    return str(draw["id"])


def test_a_quarter_goes_from_the_draw_to_the_opened_bundle(drawn: Installation) -> None:
    first, second = assignments(drawn, _draw(drawn))
    reviewed = visit(drawn, first, disposal="rectifying")
    _close(drawn, *reviewed["also"]["violations"])
    for one in (reviewed, visit(drawn, second)):
        drawn.done("inspection", "publish", one["id"], "--channel", "website", by="officer")
    drawn.done("draw", "open", _draw(drawn), by="officer")
    folder = drawn.folder / "bundle"
    files = drawn.done("draw", "bundle", _draw(drawn), folder, by="officer")["files"]
    found = [file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()]
    assert sorted(found) == files
    assert "seed.json" in files
    assert "pool.jsonl" not in files
    _compare_figures(drawn)
    _verify(drawn)


def _close(made: Installation, violation: str) -> None:
    order = ("--number", "并环责改〔2024〕1号", "--requirements", "按频次监测", "--due", "2024-05-08")
    made.done("violation", "order", violation, *order, by="officer")
    proof = ("--note", "已整改", "--evidence", made.file("done.pdf", LETTER))
    made.done("violation", "submit", violation, *proof, "--for-enterprise", by="officer")
    assert made.refused("violation", "verify", violation, *proof, by="officer")["code"] == "closer-submitted"
    made.done("violation", "return", violation, "--reason", "缺少数据", "--due", "2024-05-20", by="reviewer")
    made.done("violation", "submit", violation, *proof, "--for-enterprise", by="officer")
    made.done("violation", "verify", violation, *proof, by="reviewer")
    made.done("violation", "close", violation, *proof, by="reviewer")
    (listed,) = made.done("violation", "list", by="leader")
    assert (listed["state"], listed["overdue"]) == ("closed", False)


def _compare_figures(made: Installation) -> None:
    report = made.done("statistics", "2024Q2", by="officer")
    assert report["position"] == made.done("ledger", "show")["stored"] - 1
    total = report["total"]
    figures = ("frame", "drawn", "inspected", "pending", "findings", "orders_closed", "published_on_time")
    assert [total[name] for name in figures] == [8, 2, 2, 0, 1, 1, 2]
    assert total["coverage"] == {"numerator": 1, "denominator": 4, "of_nothing": False}
    year = made.done("statistics", "2024", by="officer")
    assert year["total"]["drawn"] == 2


def _verify(made: Installation) -> None:
    report = made.done("ledger", "verify")
    assert report["sound"]
    assert report["covered"] == report["size"]


def test_a_draw_takes_its_steps_in_order_only(planned: Installation) -> None:
    draw = quarter.announce(planned, _plan(planned))
    assert planned.refused("draw", "seal", draw, by="officer")["code"] == "draw-status-wrong"
    quarter.commit(planned, draw)
    assert planned.refused("draw", "complete", draw, by="officer")["code"] == "draw-status-wrong"
    planned.done("draw", "seal", draw, by="officer")
    again = ("draw", "commit", draw, "--party", "agency", "--commitment", "0" * 64)
    assert planned.refused(*again, by="officer")["code"] == "draw-status-wrong"


def test_a_secret_is_kept_in_a_file_of_its_owner_and_never_shown(planned: Installation) -> None:
    file = planned.folder / "a.secret"
    result = planned.run("draw", "secret", file, "--party", "agency", "--draw-no", 1)
    secret = _secret(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret not in result.output
    words = ("draw", "secret", file, "--party", "agency", "--draw-no", 1)
    assert planned.refused(*words, status=2)["code"] == "file-exists"
    assert _secret(file) == secret


def _secret(file: Path) -> str:
    """The secret in a file."""
    return str(json.loads(file.read_text())["secret"])


def test_a_reveal_needs_the_right_secret_and_the_receipt_of_the_seal(planned: Installation) -> None:
    draw = quarter.announce(planned, _plan(planned))
    quarter.commit(planned, draw)
    planned.done("draw", "seal", draw, by="officer")
    receipt, wrong = planned.folder / "r.tlog-proof", planned.file("x.tlog-proof", b"no receipt")
    planned.done("draw", "receipt", draw, "--out", receipt, by="officer")
    agency, other = planned.folder / "agency.secret", planned.folder / "discipline.secret"
    base = ("draw", "reveal", draw, "--party", "agency")
    refusal = planned.refused(*base, "--secret-file", agency, "--receipt", wrong, by="officer")
    assert refusal["code"] == "receipt-wrong"
    refusal = planned.refused(*base, "--secret-file", other, "--receipt", receipt, by="officer")
    assert refusal["code"] == "secret-wrong"
    refusal = planned.refused(*base, "--secret-file", agency, "--receipt", receipt, by="discipline")
    assert refusal["code"] == "not-contributor"
    planned.done(*base, "--secret-file", agency, "--receipt", receipt, by="officer")


def test_a_file_that_holds_no_secret_is_not_repeated(planned: Installation) -> None:
    draw = quarter.announce(planned, _plan(planned))
    file = planned.file("half.secret", b'{"secret":"c0ffee"')
    words = ("draw", "commit", draw, "--party", "agency", "--secret-file", file)
    result = planned.run(*words, by="officer")
    assert result.exit_code == 2
    assert "c0ffee" not in result.output


def test_a_void_needs_a_ground_and_two_people(planned: Installation) -> None:
    draw = quarter.announce(planned, _plan(planned))
    assert planned.refused("draw", "void", draw, by="leader", status=2)["code"] == "void-how"
    planned.done("draw", "void", draw, "--ground", "公告有误", by="leader")
    again = planned.refused("draw", "void", draw, "--confirm", by="leader")
    assert again["code"] == "second-person-needed"
    planned.done("draw", "void", draw, "--confirm", by="discipline")
    (listed,) = planned.done("draw", "list", by="officer")
    assert listed["status"] == "voided"


def test_an_attempt_ends_when_a_party_does_not_reveal(planned: Installation) -> None:
    draw = quarter.announce(
        planned, _plan(planned), source="lottery:福彩3D:2024098:2024-04-09T21:15:00+08:00"
    )
    quarter.commit(planned, draw)
    planned.done("draw", "seal", draw, by="officer")
    assert planned.refused("draw", "end", draw, by="officer")["code"] == "source-early"
    planned.clock.advance(days=2)
    planned.done("draw", "end", draw, by="officer")
    (listed,) = planned.done("draw", "list", by="officer")
    assert "missing-reveal" in listed["warnings"]


def test_a_lottery_value_is_typed_by_every_party_and_then_observed(planned: Installation) -> None:
    draw = quarter.announce(
        planned, _plan(planned), source="lottery:福彩3D:2024098:2024-04-09T21:15:00+08:00"
    )
    quarter.commit(planned, draw)
    planned.done("draw", "seal", draw, by="officer")
    quarter.reveal(planned, draw)
    planned.clock.advance(days=2)
    observe = ("draw", "observe", draw, "--value", "571", "--reference", "公报")
    assert planned.refused(*observe, by="officer")["code"] == "values-differ"
    for party, who in PARTIES.items():
        planned.done("draw", "type-value", draw, "--party", party, "--value", "571", by=who)
    planned.done(*observe, by="officer")
    planned.done("draw", "complete", draw, by="officer")


@pytest.mark.parametrize("source", ["coin", "dice:many", "lottery:福彩3D", "lottery:福彩3D:1:noon"])
def test_a_source_that_is_none_is_wrong_usage(planned: Installation, source: str) -> None:
    words = ("draw", "announce", _plan(planned), "01", "--contributor=agency=a", "--source", source)
    assert planned.run(*words, by="officer").exit_code == 2


def test_a_sealed_draw_is_read_only_with_a_reason_and_the_right(drawn: Installation) -> None:
    draw, folder = _draw(drawn), drawn.folder / "sealed"
    assert drawn.refused("draw", "bundle", draw, folder, by="auditor")["code"] == "draw-sealed"
    assert drawn.done("assignment", "list", "--draw", draw, by="officer") == []
    assert drawn.refused("replay", draw, by="auditor")["code"] == "reading-reason-missing"
    reason = ("--reason", "监督检查")
    assert drawn.done("replay", draw, *reason, by="auditor")["kind"] == "draw"
    refusal = drawn.refused("draw", "bundle", draw, folder, *reason, by="officer")
    assert refusal["code"] == "permission-missing"
    stored = drawn.done("ledger", "show")["stored"]
    files = drawn.done("draw", "bundle", draw, folder, *reason, by="auditor")["files"]
    assert {"pool.jsonl", "teams.jsonl"} <= set(files)
    assert stat.S_IMODE((folder / "teams.jsonl").stat().st_mode) == 0o600
    assert drawn.done("ledger", "show")["stored"] == stored + 1, "the reading was not recorded"
    again = drawn.refused("draw", "bundle", draw, folder, *reason, by="auditor", status=2)
    assert again["code"] == "folder-used"


def test_a_granted_recusal_fills_the_seat_and_a_refused_one_does_not(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    lead, other = quarter.seat(drawn, first)
    base = ("recusal", "declare", first["id"], "--ground", "near-relative")
    declared = drawn.done(*base, by=lead)["also"]["recusal"]
    words = (first["id"], declared, "--reason", "有近亲属关系")
    assert drawn.refused("recusal", "grant", *words, by="officer")["code"] == "permission-missing"
    drawn.done("recusal", "grant", *words, by="leader")
    refused = drawn.done(*base, by=other)["also"]["recusal"]
    drawn.done("recusal", "refuse", first["id"], refused, "--reason", "查无此事", by="leader")
    team = [holding["inspector"] for holding in assignments(drawn, _draw(drawn))[0]["team"]]
    assert lead not in team
    assert other in team
    mine = drawn.done("assignment", "mine", by=other)
    assert first["id"] in {task["assignment"] for task in mine}


def test_a_site_that_is_gone_is_replaced_from_its_reserve(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    base = ("assignment", "ask-void", first["id"], "--ground", "closed", "--evidence")
    assert drawn.refused(*base, "0" * 64, by="officer")["code"] == "blob-unknown"
    evidence = drawn.file("gone.pdf", LETTER)
    drawn.done(*base, evidence, by="officer")
    assert drawn.refused("assignment", "void", first["id"], by="officer")["code"] == "void-needs-two"
    replacement = drawn.done("assignment", "void", first["id"], by="leader")["also"]["replacement"]
    assert replacement in {one["id"] for one in assignments(drawn, _draw(drawn))}


def test_evidence_of_a_kind_that_is_not_allowed_is_refused(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    program = drawn.file("gone.pdf", b"MZ\x90\x00program")
    words = ("assignment", "ask-void", first["id"], "--ground", "closed", "--evidence", program)
    assert drawn.refused(*words, by="officer")["code"] == "media-refused"


def test_an_inspection_takes_its_steps_in_order_and_by_its_own_people(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    lead, _ = quarter.seat(drawn, first)
    assert drawn.refused("inspection", "open", first["id"], by="officer")["code"] == "permission-missing"
    id = drawn.done("inspection", "open", first["id"], by=lead)["id"]
    found = ("--item", "TY-01", "--category", "permit", "--description", "无", "--disposal", "case")
    assert drawn.refused("inspection", "finding", id, *found, by=lead)["code"] == "identity-not-shown"
    drawn.done("inspection", "approve", id, "--approval-no", "1", by="leader")
    drawn.done("inspection", "notify", id, "--urgent", "--reason", "举报", by=lead)
    told = drawn.refused("inspection", "identity", id, "--purpose-told", by=lead)
    assert told["code"] == "rights-not-told"
    drawn.done("inspection", "identity", id, "--rights-told", "--purpose-told", by=lead)
    no = drawn.done("inspection", "finding", id, *found, by=lead)
    assert no["version"] > 4
    drawn.done("inspection", "withdraw-finding", id, 1, "--reason", "误记", by=lead)
    assert drawn.refused("inspection", "publish", id, "--channel", "website", by=lead)["code"].endswith(
        "status-wrong"
    )


def test_a_record_is_returned_reviewed_and_may_be_withheld(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    reviewed = visit(drawn, first)
    late = drawn.refused("inspection", "return", reviewed["id"], "--reason", "笔录不全", by="reviewer")
    assert late["code"] == "inspection-status-wrong"
    wrong = ("inspection", "withhold", reviewed["id"], "--reason", "涉密", "--ground")
    assert drawn.refused(*wrong, "secret", by="leader")["code"] == "withhold-ground-wrong"
    drawn.done(*wrong, "trade-secret", by="leader")


def test_a_violation_of_another_department_is_referred(drawn: Installation) -> None:
    first, _ = assignments(drawn, _draw(drawn))
    (violation,) = visit(drawn, first, disposal="case")["also"]["violations"]
    letter = drawn.file("letter.pdf", LETTER)
    words = ("--number", "并环移〔2024〕1号", "--addressee", "太原市水务局", "--reason", "属水务职责")
    send = ("referral", "send", violation, "--document", letter, *words)
    assert drawn.refused(*send, by="officer")["code"] == "permission-missing"
    referral = drawn.done(*send, by="leader")["id"]
    early = drawn.refused("referral", "reply", referral, "--accepted", "--note", "受理", by="officer")
    assert early["code"] == "referral-status-wrong"
    drawn.done("referral", "receive", referral, "--receipt", letter, by="officer")
    drawn.done("referral", "reply", referral, "--accepted", "--note", "受理", by="officer")
    disposed = ("violation", "dispose", violation, "--disposal", "referred", "--reason", "重复")
    assert drawn.refused(*disposed, by="officer")["code"] == "disposal-wrong"


def test_the_planner_does_not_approve_the_plan(staffed: Installation) -> None:
    staffed.open_account("both", "city-officer")
    staffed.done("account", "grant", staffed.accounts["both"], "leader", "--region", TAIYUAN, by="admin")
    base = ("plan", "draft", "--region", TAIYUAN, "--department", "生态环境局", "--title", "计划")
    plan = staffed.done(*base, "--year", 2024, by="both")["id"]
    assert staffed.refused("plan", "submit", plan, by="both")["code"] == "plan-empty"
    shown = staffed.done("plan", "show", plan, by="both")
    assert (shown["status"], shown["rows"]) == ("draft", [])
    assert staffed.refused(*base, "--year", 2024, by="both")["code"] == "claim-taken"
