"""Nothing of a sealed draw leaks: what outsiders can fetch before the opening is fetched and searched.

The draw is completed, not opened; one inspector was recused, one site is void. Who may see what is written in
docs/explanation/sealed-results.md. The strongest test lets two installations live through the same, but for
the dice: whatever an outsider can fetch must be the same in both.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import structlog

from tests.api.rest.crawl import Crawl, Seen
from tests.api.rest.sealed_story import NARROW, SITES, Sealed, digest_of
from tests.api.rest.service import API, Person, Service, serving
from tests.api.rest.story import DICE, SECRETS, Story, done
from tests.api.rest.test_transcript import refused
from tests.engines import sqlite_url
from tests.fakes import FakeClock
from tests.office import TAIYUAN
from tests.usccs import uscc

OTHER_DICE: Final = "99887766554433221100"
ENTERPRISES: Final = tuple(uscc(number) for number in range(SITES))
SEARCHED: Final = ("stranger", "bystander", "officer")
"""Whose answers are searched; what the others see is compared below."""


def crawled(story: Sealed, person: Person) -> dict[str, Seen]:
    """What the person can fetch."""
    return Crawl(story.service, person, usccs=ENTERPRISES).run()


def test_outsiders_find_nothing_by_which_the_result_is_known(service: Service) -> None:
    with structlog.testing.capture_logs() as logs:
        story = Sealed(service)
        secrets = story.secrets()
    people = {name: one for name, one in story.outsiders().items() if name in SEARCHED}
    corpora = {name: crawled(story, person) for name, person in people.items()}
    drawn = {made["task"]["site"] for made in story.made().values()}
    assert len(drawn) == 4
    for name, corpus in corpora.items():
        assert len(corpus) > 200, name
        assert not [address for address, seen in corpus.items() if seen.status >= 500]
        for address, seen in corpus.items():
            text = seen.body.decode("utf-8", "replace") + str(seen.headers)
            assert not [word for word in secrets if word in text], (name, address)
            assert not _link(story, text), (name, address)
    told = json.dumps(logs, default=str, ensure_ascii=False) + service.nobody.page("/metrics").text
    assert not [word for word in {*secrets, *ENTERPRISES, "王"} if word in told]
    assert not _link(story, told)
    for file in (service.system.settings.data_dir / "ledger").rglob("*"):
        content = file.read_bytes().decode("latin-1") if file.is_file() else ""
        assert not [word for word in secrets if word in f"{file.name}{content}"]


def _link(story: Sealed, text: str) -> bool:
    """Whether a text names an assignment together with its site, its enterprise or one of its team."""
    for stream, made in story.made().items():
        if stream in text:
            team = [one["inspector"] for one in made["team"]]
            # A list of the log's streams names all of them, drawn or not.
            others = [one for one in _sites(story) if one in text]
            if set(others) != set(_sites(story)) and {made["task"]["site"], made["task"]["uscc"]} & {*others}:
                return True
            if any(one in text for one in team) and not all(one in text for one in story.inspectors):
                return True
    return False


def _sites(story: Sealed) -> list[str]:
    return [
        row.stream for row in story.service.system.store.recorder.rows() if row.topic == "site.registered.v1"
    ]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Sealed, Sealed]]:
    """Two installations with the same chance and clock, and different dice."""
    with (
        sqlite_url(tmp_path / "one") as first,
        sqlite_url(tmp_path / "two") as second,
        serving(first, tmp_path / "a", FakeClock()) as one,
        serving(second, tmp_path / "b", FakeClock()) as other,
    ):
        yield Sealed(one), Sealed(other, OTHER_DICE)


def test_other_dice_change_nothing_that_an_outsider_can_see(two: tuple[Sealed, Sealed]) -> None:
    one, other = two
    teams = [{made["task"]["site"]: made["team"] for made in story.made().values()} for story in two]
    assert teams[0] != teams[1]
    assert one.made().keys() == other.made().keys()
    people = zip(one.outsiders().items(), other.outsiders().values(), strict=True)
    for (name, here), there in people:
        seen, seen_there = crawled(one, here), crawled(other, there)
        assert seen.keys() == seen_there.keys(), name
        for address, answer in seen.items():
            assert _masked(answer) == _masked(seen_there[address]), (name, address)


def _masked(seen: Seen) -> tuple[Any, ...]:
    """An answer without the hashes, signatures and the dice themselves, which are public."""
    text = seen.body.decode("latin-1")
    headers = str([one for one in seen.headers if one[0] != "content-length"])
    if "gzip" in headers:  # an archive of what is fetched one by one, too
        return (seen.status,)
    if "octet-stream" in headers and not text.startswith(("{", "\0")):
        return (seen.status, len(text))
    return seen.status, _mask(headers), _mask(text)


_MASKS: Final = (
    (r" [A-Za-z0-9+/=]{60,}\n", " S"),
    (r"[0-9a-f]{64}", "H"),
    (rf"{DICE}|{OTHER_DICE}", "D"),
    (r'"[0-9a-f]{32}"', '"E"'),
    (r'"correlation_id":"[^"]*"', ""),
    (r"[A-Za-z0-9+/]{43}=", "B"),
    (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+", "K"),
    (r'"lag":[0-9]+', ""),
)


def _mask(text: str) -> str:
    for pattern, word in _MASKS:
        text = re.sub(pattern, word, text)
    return text


def test_refusals_are_the_same_whatever_the_assignment_is(small: Service) -> None:
    story = Sealed(small)
    district = small.hire("city-officer", login="district", region="140105")
    abroad = small.hire("inspector", login="abroad", region=NARROW)
    streams = sorted(story.made())
    person = next(iter(story.inspectors))
    recusal = {"inspector": person, "ground": "near-relative", "origin": "agency"}
    void = {"ground": "closed", "evidence": ["0" * 64]}
    for who in (*story.outsiders().values(), district, abroad):
        if who is not small.officer:
            assert _answers(who, "POST", [f"/assignments/{one}/recusals" for one in streams], recusal) == 1
            assert _answers(who, "POST", [f"/assignments/{one}/void-request" for one in streams], void) == 1
        for path in ("/assignments/{}", "/timeline/{}", "/streams/{}", "/replay/{}", "/states/{}"):
            assert _answers(who, "GET", [path.format(one) for one in streams]) == 1, path
        for path in ("readings", "recusals/recusal-0/grant", "recusals/recusal-0/refusal"):
            body = {"reason": "好奇", **({"decided_as": "head"} if path != "readings" else {})}
            assert _answers(who, "POST", [f"/assignments/{one}/{path}" for one in streams], body) == 1, path
        for mode in ("on-site", "off-site"):
            told = {_said(who.post("/inspections", {"assignment": one, "mode": mode})) for one in streams}
            assert len(told) == 1, told


def _answers(who: Person, method: str, paths: list[str], body: Any = None) -> int:
    """How many different answers there are to the same question about each."""
    more = {} if body is None else {"json": body, "headers": {"If-Match": '"v999"'}}
    return len({_said(who.send(method, path, **more)) for path in paths})


def _said(answer: Any) -> tuple[Any, ...]:
    """A refusal, but for the id asked about and the length of its stream, which the log makes public."""
    told = answer.json()
    assert answer.status_code >= 400
    facts = {name: value for name, value in told.get("facts", {}).items() if name != "actual"}
    said = json.dumps([facts, told.get("errors")])
    return answer.status_code, told["code"], re.sub(r"assignment-[0-9a-f]{32}", "A", said)


def test_a_city_officer_who_names_one_of_a_team_is_recorded(small: Service) -> None:
    story = Sealed(small)
    [assignment, made] = min(story.made().items())
    sitting = {one["inspector"] for one in made["team"]}
    stranger = next(one for one in story.inspectors if one not in sitting)
    body = {"inspector": stranger, "ground": "near-relative", "origin": "agency", "detail": "举报"}
    version = sum(row.stream == assignment for row in small.system.store.recorder.rows())
    size = small.size()
    small.officer.post(f"/assignments/{assignment}/recusals", body, match=f'"v{version}"')
    assert small.topics(size)[0] == "access.recorded.v1"
    [first, *_] = _readings(small, small.auditor, small.officer, 1)
    assert (first["subjects"], first["reason"]) == ([story.draw], "near-relative: 举报")


def _readings(service: Service, who: Person, by: Person, least: int) -> list[dict[str, Any]]:
    """The readings of an account, the latest first, as soon as so many are told."""
    for _ in range(100):
        told: list[dict[str, Any]] = who.get("/accesses", by=by.account).json()["items"]
        if len(told) >= least:
            break
        time.sleep(0.05)
    return told


def test_the_teams_of_a_small_draw_cannot_be_guessed_by_theirdigest_of(small: Service) -> None:
    story = Sealed(small)
    files = small.auditor.post(f"/draws/{story.draw}/readings", {"reason": "检查保密"}).json()["files"]
    assignment, team = min(story.tasks().items())
    tag = team[0].etag(f"/assignments/{assignment}")
    told = []
    for digest in (digest_of(files["teams.jsonl"]), "0" * 64):
        body = {"ground": "closed", "evidence": [digest]}
        told.append(
            refused(
                small.officer.post(f"/assignments/{assignment}/void-request", body, match=tag),
                422,
                "blob-unknown",
            )
        )
    assert small.system.office.blobs.has(digest_of(files["teams.jsonl"]))


def test_a_secret_is_not_read_without_a_reason_before_the_other_party_revealed(small: Service) -> None:
    story = Story(small)
    draw = story.announced_draw()
    story.commit(draw)
    story.seal(draw)
    leader = small.leader
    receipt = leader.get(f"/draws/{draw}/seal/receipt").text
    body = {"party": "agency", "secret": SECRETS["agency"], "receipt": receipt}
    done(leader.post(f"/draws/{draw}/reveals", body, match=leader.etag(f"/draws/{draw}")))
    for person in (small.discipline, small.auditor):
        refused(person.get(f"/streams/{draw}"), 422, "reading-reason-missing")
        for path in ("replay", "states", "timeline"):
            assert SECRETS["agency"] not in person.get(f"/{path}/{draw}").text
    size = small.size()
    assert SECRETS["agency"] in small.discipline.get(f"/streams/{draw}", reason="核对").text
    assert small.topics(size) == ["access.recorded.v1"]


def test_looking_for_what_waits_is_recorded_even_if_nothing_does(small: Service) -> None:
    story = Sealed(small)
    size = small.size()
    body = {"region": NARROW, "reason": "看看有没有"}
    assert small.leader.post("/worklist/readings", body).json()["items"] == []
    assert small.topics(size) == ["access.recorded.v1"]
    district = small.hire("leader", login="district-leader", region="140105")
    told = [district.post("/worklist/readings", {"region": "140105", "reason": "x"}).json() for _ in "ab"]
    assert told[0]["items"] == []
    assert [
        one["draw"]
        for one in small.leader.post("/worklist/readings", {**body, "region": TAIYUAN}).json()["items"]
    ] == [story.draw] * 3


def test_the_record_of_a_search_does_not_tell_what_was_found(small: Service) -> None:
    story = Sealed(small)
    drawn = {made["task"]["site"] for made in story.made().values()}
    for id in _sites(story):
        assert small.auditor.get(f"/replay/{id}", reason="专项检查").status_code == 200
    log = _readings(small, small.discipline, small.auditor, SITES)
    subjects = [one["subjects"] for one in log if one["reason"] == "专项检查"]
    assert sorted(subjects) == sorted([story.draw, id] for id in _sites(story))
    assert 0 < len(drawn) < SITES


def test_figures_count_sealed_assignments_and_do_not_name_them(small: Service) -> None:
    story = Sealed(small)
    report = small.officer.get("/statistics/2024Q2", region=TAIYUAN).json()
    assert report["total"]["figures"]["drawn"] == 4
    for figure in ("drawn", "void", "replacements", "pending"):
        assert small.officer.page(report["lists"][figure]).json()["items"] == []
    assert story.made()


def test_an_assigned_inspector_sees_his_own_task_and_nothing_of_the_others(service: Service) -> None:
    story = Sealed(service)
    secrets = story.secrets()
    mine: dict[str, set[str]] = {}
    for assignment, team in story.tasks().items():
        for person in team:
            mine.setdefault(person.account, set()).add(assignment)
    person = next(one for one in story.inspectors.values() if one.account in mine)
    own = mine[person.account]
    shown = person.get("/assignments", mine=True).json()["items"]
    assert own <= {one["id"] for one in shown}
    for seen in Crawl(service, person, usccs=ENTERPRISES).run().values():
        assert not [word for word in secrets if word.encode() in seen.body]
    for assignment in story.made().keys() - {one["id"] for one in shown}:
        refused(person.get(f"/assignments/{assignment}"), 403, "draw-sealed")
    assert API
