"""A quarter's supervision step by step, each step a command by the person whose step it is."""

import json
from datetime import timedelta
from typing import Any

from domain.act import CHINA
from tests.api.cli.installation import TAIYUAN, Installation
from tests.application.intake_files import item, officer, plan_row, site

PARTIES = {"agency": "officer", "discipline": "discipline"}
DICE = "31415926535897932384"
PHOTO = b"\x89PNG\r\n\x1a\n" + b"photo"
LETTER = b"%PDF-1.7\nletter"
SITES = 8


def import_registries(made: Installation) -> None:
    """Items published, then sites and inspectors, all from files."""
    for kind, rows in {
        "items": [item(1), item(2)],
        "sites": [site(number) for number in range(1, SITES + 1)],
        "inspectors": [officer(number, relations=()) for number in range(1, 6)],
    }.items():
        made.done("import", kind, made.table(kind, *rows), "--region", TAIYUAN, by="officer")
        if kind == "items":
            made.done("catalogue", "publish", "--region", TAIYUAN, by="leader")


def publish_plan(made: Installation) -> str:
    """One row: a quarter of the key units, approved by the leader and published."""
    row = plan_row(special_ratio="", general_ratio="", confidential=())
    made.done("import", "plan", made.table("plan", row), "--region", TAIYUAN, by="officer")
    (plan,) = made.done("plan", "list", by="officer")
    made.done("plan", "submit", plan["id"], by="officer")
    made.done("plan", "approve", plan["id"], "--opinion", "同意", by="leader")
    made.done("plan", "publish", plan["id"], by="officer")
    return str(plan["id"])


def announce(made: Installation, plan: str, *, source: str = "dice:20") -> str:
    """The draw of the plan's row."""
    named = [f"--contributor={party}={made.accounts[who]}" for party, who in PARTIES.items()]
    return str(made.done("draw", "announce", plan, "01", *named, "--source", source, by="officer")["id"])


def commit(made: Installation, draw: str) -> None:
    """Every party's secret, made and committed."""
    for party, who in PARTIES.items():
        secret = made.folder / f"{party}.secret"
        made.done("draw", "secret", secret, "--party", party, "--draw-no", 1)
        made.done("draw", "commit", draw, "--party", party, "--secret-file", secret, by=who)


def reveal(made: Installation, draw: str) -> None:
    """Every party keeps the seal's receipt, and reveals with it."""
    for party, who in PARTIES.items():
        receipt, secret = made.folder / f"{party}.tlog-proof", made.folder / f"{party}.secret"
        made.done("draw", "receipt", draw, "--out", receipt, by=who)
        words = ("--party", party, "--secret-file", secret, "--receipt", receipt)
        made.done("draw", "reveal", draw, *words, by=who)


def draw_teams(made: Installation, plan: str) -> str:
    """A whole draw by dice."""
    draw = announce(made, plan)
    commit(made, draw)
    made.done("draw", "seal", draw, by="officer")
    reveal(made, draw)
    for party, who in PARTIES.items():
        made.done("draw", "type-value", draw, "--party", party, "--value", DICE, by=who)
    made.done("draw", "complete", draw, by="officer")
    return draw


def assignments(made: Installation, draw: str) -> list[dict[str, Any]]:
    """The drawn tasks, read by discipline for a reason that is recorded."""
    words = ("--draw", draw, "--reason", "核对抽取")
    return list(made.done("assignment", "list", *words, by="discipline"))


def seat(made: Installation, assignment: dict[str, Any]) -> list[str]:
    """Names of the team's accounts, each made when it is first needed."""
    team = [holding["inspector"] for holding in assignment["team"]]
    for inspector in team:
        if inspector not in made.accounts:
            account = made.open_account(inspector, "inspector")
            made.done("account", "link", account, inspector, by="admin")
    return team


def visit(made: Installation, assignment: dict[str, Any], *, disposal: str = "") -> dict[str, Any]:
    """A visit up to its review, with one finding if there is a disposal for it; the review's answer."""
    lead, other = seat(made, assignment)
    id = made.done("inspection", "open", assignment["id"], by=lead)["id"]
    made.done("inspection", "approve", id, "--approval-no", "并环检批〔2024〕1号", by="leader")
    made.done("inspection", "notify", id, by=lead)
    made.done("inspection", "identity", id, "--rights-told", "--purpose-told", by=lead)
    if disposal:
        _find(made, id, lead, disposal)
    made.clock.advance(hours=3)
    record = _record(made, [lead, other], found=bool(disposal))
    made.done("inspection", "conclude", id, "--facts", record, by=lead)
    answer: dict[str, Any] = made.done("inspection", "review", id, "--opinion", "属实", by="reviewer")
    return answer


def _find(made: Installation, id: str, lead: str, disposal: str) -> None:
    photo = made.file("photo.png", PHOTO)
    taken = ("--kind", "photo", "--place", "厂区", "--taken-at", made.clock.now().isoformat())
    made.done("inspection", "evidence", id, photo, *taken, by=lead)
    found = ("--item", "TY-01", "--category", "permit", "--description", "监测频次不足")
    made.done("inspection", "finding", id, *found, "--disposal", disposal, by=lead)


def _record(made: Installation, team: list[str], *, found: bool) -> object:
    ended = made.clock.now()
    code = "pending" if found else "none"
    facts = {
        "primary": code,
        "lines": [{"item": "TY-01", "code": code}],
        "place": "厂区",
        "weather": "晴",
        "started_at": (ended - timedelta(hours=2)).astimezone(CHINA).isoformat(),
        "ended_at": ended.isoformat(),
        "present": "环保专员",
        "opinion": "无异议",
        "signed_by": team,
        "party_signed": True,
        "refusal": "",
    }
    return made.file("record.json", json.loads(json.dumps(facts)))
