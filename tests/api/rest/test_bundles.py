"""Bundles and lines of the frame over HTTP, of real draws on both engines: whole, and verified outside."""

import re
import subprocess
import sys
import tarfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest

from api.draw_offline import judge
from api.rest import bundles
from domain.drawing.frame_line import check_told
from domain.drawing.lines import read_sample
from domain.drawing.rules import read_rules
from domain.ledger.policy import TrustPolicy
from tests.api.rest import story as story_module
from tests.api.rest.service import Service
from tests.api.rest.story import Story, done
from tests.api.rest.story import site as site_facts
from tests.api.rest.test_transcript import refused
from tests.api.rest.test_witnessed import watched
from tests.fakes import FakeClock
from tests.infrastructure.outsiders import Answer
from tests.usccs import uscc

FILES = {"SHA256SUMS", "VERIFY.md", "frame.jsonl", "rules.json", "sample.jsonl", "seed.json", "verify.py"}


def opened(story: Story) -> str:
    """A draw whose visits are over."""
    draw = story.completed_draw()
    for assignment, team in story.tasks().items():
        story.published(assignment, team)
    officer = story.service.officer
    done(officer.post(f"/draws/{draw}/opening", match=officer.etag(f"/draws/{draw}")))
    return draw


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of an archive, without the folder around them."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
            found[member.name.partition("/")[2]] = file.read()
    return found


def trust_of(service: Service) -> TrustPolicy:
    return TrustPolicy.parse(service.nobody.page("/ledger/trust-policy").content)


def keep(folder: Path, content: bytes) -> Path:
    file = folder / "bundle.tar.gz"
    file.write_bytes(content)
    return file


def test_the_public_bundle_is_verified_by_a_stranger(service: Service, tmp_path: Path) -> None:
    story = Story(service)
    draw = opened(story)
    answer = service.nobody.get(f"/public/draws/{draw}/bundle")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="draw-1-public.tar.gz"'
    files = unpacked(answer.content)
    assert {name for name in files if "/" not in name} == FILES
    assert {name for name in files if name.startswith("kept/")} == {
        "kept/agency.tlog-proof",
        "kept/discipline.tlog-proof",
    }
    untold = [name for name in files if name.endswith(".entry") and f"{name[:-6]}.state" not in files]
    assert [b'"draw.opened.v1"' in files[name] for name in untold] == [True]
    verdict = judge(keep(tmp_path, answer.content), policy=trust_of(service), now=service.clock.now())
    assert verdict.broken is None
    assert {"frame", "seed", "sample", "sums", "proofs", "kept-receipts"} <= set(verdict.checked)


def test_a_bundle_is_the_same_each_time_and_not_sent_twice(small: Service) -> None:
    draw = opened(Story(small))
    path = f"/public/draws/{draw}/bundle"
    first = small.nobody.get(path)
    done(small.officer.post("/sites", site_facts(77)))
    small.system.publisher.publish_once()
    again = small.nobody.get(path)
    assert sha256(first.content).digest() == sha256(again.content).digest()
    tag = first.headers["etag"]
    same = small.nobody.send("GET", path, headers={"If-None-Match": tag})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == tag


def test_nobody_gets_a_bundle_before_the_opening(small: Service) -> None:
    story = Story(small)
    draw = story.completed_draw()
    site = small.officer.get("/sites").json()["items"][0]["id"]
    for path in ("bundle", f"frame/{site}"):
        refused(small.nobody.get(f"/public/draws/{draw}/{path}"), 403, "draw-sealed")
    refused(small.nobody.get(f"/public/draws/{draw}/frame", uscc=uscc(0)), 403, "draw-sealed")
    refused(small.officer.get(f"/draws/{draw}/frame/{site}"), 403, "draw-sealed")


def test_the_auditors_bundle_is_recorded_and_whole(service: Service, tmp_path: Path) -> None:
    story = Story(service)
    draw = opened(story)
    path, auditor = f"/draws/{draw}/bundles", service.auditor
    refused(service.officer.post(path, {"reason": "好奇"}), 403, "permission-missing")
    size = service.size()
    answer = auditor.post(path, {"reason": "年度核查"})
    assert answer.status_code == 200
    assert service.topics(size) == ["access.recorded.v1"]
    files = unpacked(answer.content)
    assert {"pool.jsonl", "teams.jsonl", "changes.jsonl", *FILES} <= files.keys()
    verdict = judge(keep(tmp_path, answer.content), policy=trust_of(service), now=service.clock.now())
    assert verdict.broken is None
    assert {"pool", "teams", "changes", "proofs"} <= set(verdict.checked)


def test_a_sealed_draw_is_taken_along_by_who_may_read_it(small: Service, tmp_path: Path) -> None:
    story = Story(small)
    draw = story.completed_draw()
    answer = small.discipline.post(f"/draws/{draw}/bundles", {"reason": "核对"})
    verdict = judge(keep(tmp_path, answer.content), policy=trust_of(small), now=small.clock.now())
    assert verdict.broken is None
    page = unpacked(answer.content)["VERIFY.md"].decode()
    assert "审计材料包" in page
    assert "{{" not in page
    assert "<!--" not in page


def test_as_many_bundles_as_allowed_are_packed_at_a_time(
    small: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        def acquire(self, *, blocking: bool) -> bool:
            return blocking

    monkeypatch.setattr(bundles, "_PACKING", Full())
    refused(small.nobody.get("/public/draws/draw-1/bundle"), 503, "bundles-busy")


def test_each_enterprise_sees_its_line_its_chance_and_its_place(service: Service) -> None:
    story = Story(service)
    draw = opened(story)
    files = unpacked(service.nobody.get(f"/public/draws/{draw}/bundle").content)
    rules = read_rules(files["rules.json"])
    ranks = {one.id: one.rank for one in read_sample(files["sample.jsonl"])}
    reserve = []
    for number in range(4):
        told = service.nobody.get(f"/public/draws/{draw}/frame", uscc=uscc(number)).json()
        (line,) = told["lines"]
        assert service.nobody.get(f"/public/draws/{draw}/frame/{line['site']}").json() == line
        check_told(rules, ranks, line)
        assert line["chance"] == {"numerator": 1, "denominator": 2, "percent": "50.00"}
        assert line["rules_hash"].encode() in files[f"proofs/{line['sealed']}.state"]
        assert (line["drawn"] is None) == (line["site"] not in ranks)
        reserve.append(line["reserve"])
    assert sorted(one for one in reserve if one) == [1, 2]


def test_a_site_that_came_later_is_proved_not_to_have_been_in_the_drum(small: Service) -> None:
    draw = opened(Story(small))
    files = unpacked(small.nobody.get(f"/public/draws/{draw}/bundle").content)
    late = done(small.officer.post("/sites", site_facts(55)))["id"]
    told = small.nobody.get(f"/public/draws/{draw}/frame/{late}").json()
    assert told["line"] is None
    assert told["chance"] is None
    assert told["before"] or told["after"]
    check_told(read_rules(files["rules.json"]), {}, told)
    assert small.nobody.get(f"/public/draws/{draw}/frame", uscc=uscc(99)).json()["lines"] == []


def hidden_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan row's stratum is confidential."""
    strata = [{"code": "key", "num": 1, "den": 2, "confidential": True}]
    monkeypatch.setattr(story_module, "ROW", {**story_module.ROW, "strata": strata})


def test_a_confidential_line_is_for_the_enterprise_and_who_reads_draws(
    small: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden_row(monkeypatch)
    draw = opened(Story(small))
    own, other = (small.officer.get("/sites", uscc=uscc(n)).json()["items"][0]["id"] for n in (0, 1))
    enterprise = small.hire("enterprise")
    path = f"/accounts/{enterprise.account}"
    tag = small.administrator.etag(path)
    done(small.administrator.put(f"{path}/enterprise", {"uscc": uscc(0)}, match=tag))
    refused(small.nobody.get(f"/public/draws/{draw}/frame/{own}"), 403, "frame-confidential")
    refused(enterprise.get(f"/draws/{draw}/frame/{other}"), 403, "frame-confidential")
    told = enterprise.get(f"/draws/{draw}/frame/{own}").json()
    answer = small.nobody.get(f"/public/draws/{draw}/bundle")
    files = unpacked(answer.content)
    assert "frame.jsonl" not in files
    assert "只有审计人员能核对" in files["VERIFY.md"].decode()
    ranks = {one.id: one.rank for one in read_sample(files["sample.jsonl"])}
    check_told(read_rules(files["rules.json"]), ranks, told)
    assert small.officer.get(f"/draws/{draw}/frame/{other}").json()["line"]
    verdict = judge(keep(tmp_path, answer.content), policy=trust_of(small), now=small.clock.now())
    assert verdict.broken is None
    assert ("sample", "frame-confidential") in verdict.unchecked


def test_a_witness_proves_that_the_seal_came_first(tmp_path: Path, clock: FakeClock) -> None:
    """The quorum's cosignature stands in every receipt, and the strict policy is met."""
    with watched(tmp_path, clock) as one:
        story = Story(one.service)
        draw = story.announced_draw()
        story.commit(draw)
        done(one.seal(draw))
        clock.advance(minutes=5)
        for step in (story.reveal, story.roll, story.complete):
            step(draw)
        for assignment, team in story.tasks().items():
            story.published(assignment, team)
        done(
            one.service.officer.post(
                f"/draws/{draw}/opening", match=one.service.officer.etag(f"/draws/{draw}")
            )
        )
        bundle = keep(tmp_path, one.service.nobody.get(f"/public/draws/{draw}/bundle").content)
        assert one.policy.quorum != "none"
        verdict = judge(bundle, policy=one.policy, now=clock.now())
        assert verdict.broken is None
        assert verdict.checked[-1] == "sealed-before-chance: witness.example/1"


def test_without_the_quorum_no_bundle_is_made_and_the_next_one_asks_again(
    tmp_path: Path, clock: FakeClock
) -> None:
    with watched(tmp_path, clock) as one:
        draw = opened(Story(one.service))
        one.witness.lie = lambda _: Answer(503, b"")
        path = f"/public/draws/{draw}/bundle"
        refused(one.service.nobody.get(path), 503, "not-witnessed")
        one.witness.lie = None
        assert one.service.nobody.get(path).status_code == 200


def test_the_page_in_the_bundle_can_be_followed_word_by_word(small: Service, tmp_path: Path) -> None:
    """Each block of commands that needs nothing of ours runs as written, and finds a changed byte."""
    draw = opened(Story(small))
    content = small.nobody.get(f"/public/draws/{draw}/bundle").content
    with tarfile.open(fileobj=BytesIO(content), mode="r:gz") as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "draw-1-public"
    (tmp_path / "trust-policy").write_bytes(small.nobody.page("/ledger/trust-policy").content)
    blocks = re.findall(r"```bash\n(.*?)```", (folder / "VERIFY.md").read_text(), re.DOTALL)
    whole = [block for block in blocks if "sunlot" not in block and "--ledger" not in block]
    first = [line for line in blocks[0].splitlines() if "--ledger" not in line]
    commands = [*first, *whole]
    assert len(commands) == 4
    assert [bash(command, folder).returncode for command in commands] == [0, 0, 0, 0]
    rules = folder / "rules.json"
    rules.write_bytes(rules.read_bytes().replace(b'"attempt":1', b'"attempt":2'))
    assert 0 not in [bash(command, folder).returncode for command in commands]


def bash(command: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """Commands as somebody types them; `python3` is ours."""
    typed = command.replace("python3 ", f"{sys.executable} -I -S ")
    return subprocess.run(["bash", "-c", typed], cwd=folder, capture_output=True, check=False, timeout=60)
