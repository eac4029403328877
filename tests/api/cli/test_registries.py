"""Items, sites and inspectors one at a time, plans by hand, and lists within one's own regions."""

from typing import Any

import msgspec
import pytest

from tests.api.cli.installation import TAIYUAN, Installation
from tests.builders import USCC, expert_facts, inspector_facts, item_facts, plan_row, site_facts

ORIGIN = ("--source", "排污许可平台", "--reason", "新建", "--effective-from", "2024-04-01")


def _facts(made: Installation, facts: Any) -> tuple[object, ...]:
    return ("--facts", made.file("facts.json", msgspec.to_builtins(facts)))


def test_a_site_is_entered_changed_and_removed(staffed: Installation) -> None:
    id = staffed.done("site", "register", *_facts(staffed, site_facts()), *ORIGIN, by="officer")["id"]
    twice = staffed.refused("site", "register", *_facts(staffed, site_facts()), *ORIGIN, by="officer")
    assert (twice["code"], twice["facts"]["holder"]) == ("claim-taken", id)
    changed = _facts(staffed, site_facts(name="晴川化工股份有限公司"))
    staffed.done("site", "change", id, *changed, *ORIGIN, "--expected", 1, by="officer")
    assert staffed.refused("site", "change", id, *changed, *ORIGIN, by="officer")["code"] == "site-unchanged"
    (listed,) = staffed.done("site", "list", "--text", "晴川", by="officer")
    assert (listed["name"], listed["uscc"], listed["version"]) == ("晴川化工股份有限公司", USCC, 2)
    staffed.done("site", "remove", id, "--ground", "closed", *ORIGIN, by="officer")
    assert staffed.done("site", "list", by="officer") == []


def test_facts_that_are_not_as_they_must_be_are_named(staffed: Installation) -> None:
    wrong = staffed.file("facts.json", {"uscc": USCC})
    refusal = staffed.refused("site", "register", "--facts", wrong, *ORIGIN, by="officer", status=2)
    assert refusal["code"] == "json-wrong"
    assert "code" in refusal["detail"]
    code = _facts(staffed, site_facts(uscc="911302307808371260", code=""))
    assert staffed.refused("site", "register", *code, *ORIGIN, by="officer")["code"] == "uscc-wrong"


def test_a_persons_name_goes_to_the_vault_and_comes_in_no_list(staffed: Installation) -> None:
    person = ("--region", TAIYUAN, "--name", "李建国", "--certificate-no", "140100-0001")
    facts = _facts(staffed, inspector_facts())
    id = staffed.done("inspector", "register", *facts, *person, *ORIGIN, by="officer")["id"]
    again = staffed.refused("inspector", "register", *facts, *person, *ORIGIN, by="officer")
    assert (again["code"], again["facts"]["kind"]) == ("claim-taken", "vault")
    staffed.done(
        "inspector", "change", id, *_facts(staffed, inspector_facts(lead=False)), *ORIGIN, by="officer"
    )
    listed = staffed.run("inspector", "list", "--json", by="officer").stdout
    assert id in listed
    assert "李建国" not in listed + staffed.run("replay", id, "--full", by="auditor").stdout
    staffed.done("inspector", "remove", id, *ORIGIN, by="officer")
    assert staffed.done("inspector", "list", by="officer") == []


def test_an_expert_who_leads_is_refused(staffed: Installation) -> None:
    facts = _facts(staffed, expert_facts(lead=True))
    person = ("--region", TAIYUAN, "--name", "王教授")
    refusal = staffed.refused("inspector", "register", *facts, *person, *ORIGIN, by="officer")
    assert (refusal["code"], refusal["pointer"]) == ("inspector-fact-wrong", "/lead")


def test_an_item_is_drafted_published_revised_and_repealed(staffed: Installation) -> None:
    draft = ("item", "draft", "SX-01", "--region", TAIYUAN)
    id = staffed.done(*draft, *_facts(staffed, item_facts()), by="officer")["id"]
    staffed.done("catalogue", "publish", "--region", TAIYUAN, by="leader")
    same = ("--region", TAIYUAN)
    assert staffed.refused("catalogue", "publish", *same, by="officer")["code"] == "permission-missing"
    revised = _facts(staffed, item_facts(content="按证排污与台账记录"))
    staffed.done("item", "revise", id, *revised, "--reason", "修订", by="officer")
    (listed,) = staffed.done("item", "list", by="officer")
    assert (listed["code"], listed["number"]) == ("SX-01", 2)
    (edition,) = staffed.done("catalogue", "list", by="officer")
    assert (edition["edition"], edition["items"]) == (1, 1)
    staffed.done("item", "repeal", id, "--from", "2024-07-01", "--reason", "取消", by="officer")
    again = ("item", "repeal", id, "--from", "2024-07-01", "--reason", "取消")
    assert staffed.refused(*again, by="officer")["code"] == "item-repealed"


def test_a_plan_is_made_by_hand_returned_and_approved(staffed: Installation) -> None:
    for code in ("SX-01", "SX-02"):
        draft = ("item", "draft", code, "--region", TAIYUAN)
        staffed.done(*draft, *_facts(staffed, item_facts()), by="officer")
    base = ("plan", "draft", "--region", TAIYUAN, "--year", 2024, "--department", "生态环境局")
    plan = staffed.done(*base, "--title", "计划", by="officer")["id"]
    row = _facts(staffed, plan_row())
    assert staffed.refused("plan", "set-row", plan, *row, by="officer")["code"] == "not-found"
    staffed.done("catalogue", "publish", "--region", TAIYUAN, by="leader")
    staffed.done("plan", "set-row", plan, *row, by="officer")
    staffed.done("plan", "set-row", plan, *_facts(staffed, plan_row(no="02")), by="officer")
    staffed.done("plan", "drop-row", plan, "02", by="officer")
    staffed.done("plan", "submit", plan, by="officer")
    staffed.done("plan", "return", plan, "--reason", "比例偏低", by="leader")
    staffed.done("plan", "submit", plan, by="officer")
    staffed.done("plan", "approve", plan, by="leader")
    assert [one["no"] for one in staffed.done("plan", "show", plan, by="officer")["rows"]] == ["01"]
    told = staffed.run("plan", "show", plan, by="officer").stdout
    assert "general 5/100" in told


def test_a_list_shows_ones_own_regions_only(staffed: Installation) -> None:
    staffed.open_account("datong", "city-officer", region="140200")
    staffed.done("site", "register", *_facts(staffed, site_facts()), *ORIGIN, by="officer")
    assert staffed.done("site", "list", by="datong") == []
    refusal = staffed.refused("site", "list", "--region", TAIYUAN, by="datong")
    assert refusal["code"] == "permission-missing"


@pytest.mark.parametrize("kind", ["site", "inspector", "item", "plan", "draw", "violation", "assignment"])
def test_who_may_read_nothing_gets_a_refusal_and_no_empty_list(founded: Installation, kind: str) -> None:
    assert founded.refused(kind, "list", by="admin")["code"] == "permission-missing"
