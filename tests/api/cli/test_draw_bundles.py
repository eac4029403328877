"""`draw bundle`, `draw verify`, `draw line`: taken from one machine, judged on another that has nothing."""

import json
import stat
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from tests.api.cli import quarter
from tests.api.cli.installation import Installation
from tests.api.cli.quarter import assignments, visit

REASON = ("--reason", "年度核查")


@pytest.fixture(scope="session")
def _opened(_staffed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A draw of two sites whose visits are over, opened; the trust policy was taken from elsewhere."""
    made = _staffed.copied(tmp_path_factory.mktemp("opened"))
    quarter.import_registries(made)
    draw = quarter.draw_teams(made, quarter.publish_plan(made))
    for one in assignments(made, draw):
        reviewed = visit(made, one)
        made.done("inspection", "publish", reviewed["id"], "--channel", "website", by="officer")
    made.done("draw", "open", draw, by="officer")
    policy = (made.data / "ledger" / "trust-policy").read_bytes()
    made.file("trust-policy", policy)
    return made


@pytest.fixture
def opened(_opened: Installation, tmp_path: Path) -> Installation:
    return _opened.copied(tmp_path / "agency")


@pytest.fixture
def outside(opened: Installation, tmp_path: Path) -> Installation:
    """An auditor's own machine: no store, no key, no settings; the agency's clock, so that times agree."""
    made = Installation(tmp_path / "auditor", clock=opened.clock)
    made.folder.mkdir()
    return made


def the_draw(made: Installation) -> str:
    (draw,) = made.done("draw", "list", by="officer")
    return str(draw["id"])


def test_a_bundle_and_the_ledger_are_verified_on_a_machine_that_has_nothing(
    opened: Installation, outside: Installation
) -> None:
    draw, archive, ledger = the_draw(opened), outside.folder / "draw.tar.gz", outside.folder / "ledger"
    taken = opened.done("draw", "bundle", draw, archive, *REASON, by="auditor")
    assert taken["sha256"] == sha256(archive.read_bytes()).hexdigest()
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    opened.open_account("province-auditor", "auditor", region="140000")
    opened.done("ledger", "export", ledger, "--states", *REASON, by="province-auditor")
    policy = ("--trust-policy", opened.folder / "trust-policy")
    found = outside.done("draw", "verify", archive, *policy, "--ledger", ledger)
    assert found["sound"]
    assert {"teams", "changes", "proofs", "kept-receipts", "log"} <= set(found["checked"])
    assert not outside.data.exists()
    told = outside.run("draw", "verify", archive, *policy, lang="zh").stdout
    assert "✓ 检查组由种子重算一致" in told
    assert "未证明：封存先于随机" in told


def test_a_public_bundle_as_a_folder_and_one_line_of_the_frame(
    opened: Installation, outside: Installation
) -> None:
    draw, folder = the_draw(opened), outside.folder / "public"
    opened.done("draw", "bundle", draw, folder, by="officer")
    assert not (folder / "teams.jsonl").exists()
    site = json.loads((folder / "frame.jsonl").read_bytes().splitlines()[0])["id"]
    line = outside.folder / "line.json"
    shown = opened.done("draw", "line", draw, "--site", site, "--out", line, by="officer")
    assert shown == json.loads(line.read_bytes())
    found = outside.done("draw", "verify", folder, "--line", line)
    assert found["checked"][-1] == "frame-line"
    assert {"check": "signatures", "reason": "no-trust-policy"} in found["unchecked"]
    line.write_bytes(line.read_bytes().replace(b'"index":0', b'"index":1'))
    result = outside.run("draw", "verify", folder, "--line", line)
    assert result.exit_code == 1
    assert "line-not-in-frame" in result.stdout


def test_a_cheat_is_named_with_its_file_and_line(opened: Installation, outside: Installation) -> None:
    folder = outside.folder / "public"
    opened.done("draw", "bundle", the_draw(opened), folder, by="officer")
    sample = folder / "sample.jsonl"
    sample.write_bytes(sample.read_bytes().replace(b'"rank":2', b'"rank":7'))
    result = outside.run("draw", "verify", folder)
    assert result.exit_code == 1
    assert "sample.jsonl:2: the rank is wrong (wrong-rank)" in result.stdout
    assert json.loads(outside.run("draw", "verify", folder, "--json").stdout)["broken"]["line"] == 2


def test_what_cannot_be_read_is_no_finding(opened: Installation, outside: Installation) -> None:
    folder = outside.folder
    cut = folder / "cut.tar.gz"
    opened.done("draw", "bundle", the_draw(opened), folder / "whole.tar.gz", by="officer")
    cut.write_bytes((folder / "whole.tar.gz").read_bytes()[:-2000])
    (folder / "empty").mkdir()
    for place in (cut, folder / "empty"):
        assert outside.refused("draw", "verify", place, status=2)["code"] == "bundle-unreadable"
    refusal = outside.refused("draw", "verify", folder / "empty", "--ledger", folder, status=2)
    assert refusal["code"] == "ledger-untrusted"


def test_an_archive_holds_one_folder_and_nothing_of_this_machine(
    opened: Installation, outside: Installation
) -> None:
    draw, files = the_draw(opened), [outside.folder / name for name in ("one.tar.gz", "two.tar.gz")]
    for file in files:
        opened.done("draw", "bundle", draw, file, by="officer")
    assert files[0].read_bytes() == files[1].read_bytes()
    with tarfile.open(files[0]) as archive:
        assert {member.name.split("/")[0] for member in archive} == {"draw-1-public"}
    refusal = opened.refused("draw", "bundle", draw, files[0], by="officer", status=2)
    assert refusal["code"] == "folder-used"


def test_an_enterprise_is_looked_up_by_its_code(opened: Installation) -> None:
    draw = the_draw(opened)
    (site, *_) = opened.done("site", "list", by="officer")
    told = opened.run("draw", "line", draw, "--uscc", site["uscc"], by="officer", lang="en").stdout
    assert "%)" in told
    assert opened.refused("draw", "line", draw, by="officer", status=2)["code"] == "line-which"
