from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from domain.drawing.bundle import seal_draw
from domain.drawing.errors import DrawingError, NotCanonical, WrongFigure, WrongOrder, WrongShape
from domain.drawing.lines import Site, read_frame, read_pool, read_sample, read_teams, write_frame
from domain.drawing.rules import Contributor, check_frame, read_rules, write_rules
from domain.drawing.seed import read_seed
from domain.drawing.source import Dice
from tests.domain.drawing.candidates import SALT, TEAM
from tests.domain.drawing.vectors import load_files


def spell(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def change(*path: Any, to: Any) -> Callable[[Any], None]:
    def apply(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = to

    return apply


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (change("algorithm", to="sunlot-draw-v2"), "unknown-algorithm"),
        (change("extra", to=1), "wrong-fields"),
        (change("attempt", to=0), "not-in-range"),
        (change("attempt", to=True), "not-in-range"),
        (change("draw_no", to=2**32), "not-in-range"),
        (change("log", to=""), "empty-text"),
        (change("log", to="a\0b"), "empty-text"),
        (change("contributors", 1, "party", to="agency"), "repeated"),
        (change("contributors", 1, "party", to="press"), "contributor-missing"),
        (change("contributors", 0, "party", to="an agency"), "not-a-word"),
        (change("contributors", 0, "commitment", to="A" * 64), "not-hex"),
        (change("contributors", 0, "commitment", to="a" * 62), "not-hex"),
        (change("frame", "size", to=59), "frame-size"),
        (change("public_source", to={"kind": "coin"}), "unknown-source"),
        (change("public_source", "rolls", to=19), "not-in-range"),
        (change("strata", 0, "sample", to=4), "stratum-sample"),
        (change("strata", 0, "eligible", to=44), "stratum-eligible"),
        (change("strata", 0, "rate", to=[1, 0]), "not-in-range"),
        (change("strata", 0, "rate", to=[1, 2, 3]), "wrong-rate"),
        (change("strata", 0, "code", to="zzz"), "unsorted-list"),
        (change("strata", 0, "code", to="key"), "repeated"),
        (change("supplements", to=46), "supplement-rate"),
        (change("team", 1, "seat", to="lead"), "repeated"),
        (change("team", 1, "lead", to=1), "not-a-flag"),
        (change("team", to={}), "not-a-list"),
    ],
)
def test_rules_outside_the_format_are_refused_by_name(edit: Callable[[Any], None], rule: str) -> None:
    value = json.loads(load_files("equal")["rules.json"])
    edit(value)
    with pytest.raises(DrawingError) as refused:
        read_rules(spell(value))
    assert (refused.value.rule, refused.value.file) == (rule, "rules.json")


@pytest.mark.parametrize("ending", [b"", b"\n\n", b"\r\n", b" \n"])
def test_a_document_ends_with_one_newline(ending: bytes) -> None:
    files = load_files("equal")
    for name, read in (("rules.json", read_rules), ("seed.json", read_seed)):
        with pytest.raises(NotCanonical):
            read(files[name][:-1] + ending)


@pytest.mark.parametrize(
    ("edit", "rule"),
    [
        (change("id", to="a b"), "not-a-word"),
        (change("id", to="煤矿"), "not-a-word"),
        (change("id", to=""), "not-a-word"),
        (change("id", to="line\n"), "not-a-word"),
        (change("salt", to="0" * 31), "not-hex"),
        (change("salt", to="٣" * 32), "not-hex"),
        (change("weight", to=0), "not-in-range"),
        (change("weight", to=101), "not-in-range"),
        (change("weight", to=True), "not-in-range"),
        (change("eligible", to=1), "not-a-flag"),
        (change("eligible", to=False), "reason"),
        (change("reason", to="closed"), "reason"),
        (change("reason", to=None), "not-text"),
        (change("needs", to=["water", "air"]), "unsorted-list"),
        (change("needs", to=["air", "air"]), "unsorted-list"),
        (change("needs", to="air"), "not-a-list"),
        (change("owner", to=""), "wrong-fields"),
    ],
)
def test_a_line_of_the_frame_outside_the_format_is_named(edit: Callable[[Any], None], rule: str) -> None:
    first, *rest = load_files("equal")["frame.jsonl"].splitlines(keepends=True)
    value = json.loads(first)
    edit(value)
    with pytest.raises(WrongShape) as refused:
        read_frame(b"".join([*rest, spell(value)]))
    assert (refused.value.rule, refused.value.file, refused.value.line) == (
        rule,
        "frame.jsonl",
        len(rest) + 1,
    )


@pytest.mark.parametrize(("name", "read"), [("frame.jsonl", read_frame), ("pool.jsonl", read_pool)])
def test_unsorted_and_repeated_lines_are_named(name: str, read: Callable[[bytes], Any]) -> None:
    lines = load_files("equal")[name].splitlines(keepends=True)
    for changed, rule in ((lines[1:2] + lines[:1], "unsorted"), ([lines[0], lines[0]], "repeated")):
        with pytest.raises(WrongOrder) as refused:
            read(b"".join(changed))
        assert (refused.value.rule, refused.value.file, refused.value.line) == (rule, name, 2)


@pytest.mark.parametrize(
    ("read", "line"),
    [
        (read_pool, b'{"areas":[],"cap":-1,"conflicts":[],"lead":true,"ref":"a","salt":"00","skills":[]}'),
        (read_pool, b'{"ref":"a"}'),
        (read_pool, b"[]"),
        (read_sample, b'{"id":"a","rank":0,"stratum":"b","ticket":"00"}'),
        (read_teams, b'{"id":"a","seats":[{"inspector":1,"seat":"lead"}]}'),
        (read_teams, b'{"id":"a","seats":[{"inspector":null}]}'),
    ],
)
def test_other_lines_outside_the_format_are_refused(read: Callable[[bytes], Any], line: bytes) -> None:
    with pytest.raises(DrawingError) as refused:
        read(line + b"\n")
    assert refused.value.line == 1


def seal(frame: list[Site], **changes: Any) -> Any:
    told: dict[str, Any] = {
        "log": "sunlot.example/140100",
        "draw_no": 1,
        "attempt": 1,
        "plan_row": "plan-1/01",
        "as_of": 9,
        "contributors": [Contributor("agency", "a" * 64), Contributor("discipline", "b" * 64)],
        "public_source": Dice(20),
        "rates": {"general": (1, 2)},
        "team": TEAM,
        "frame": frame,
        "pool": [],
    }
    return seal_draw(**{**told, **changes})


def test_sealing_refuses_what_could_not_be_read_back() -> None:
    site = Site("site-1", "general", "140105", SALT)
    assert seal([site]).rules.strata[0].sample == 1
    with pytest.raises(WrongOrder):
        seal([site, site])
    with pytest.raises(WrongShape):
        seal([site._replace(weight=101)])
    with pytest.raises(WrongFigure):
        seal([site._replace(stratum="key")])
    with pytest.raises(WrongShape):
        seal([site], rates={"general": (1, 0)})
    with pytest.raises(WrongShape):
        seal([site], contributors=[Contributor("agency", "a" * 64)])
    with pytest.raises(WrongShape):
        seal([site], contributors=[Contributor("agency", "a" * 64), Contributor("discipline", "a" * 64)])


def test_a_supplementary_draw_takes_all_its_sites() -> None:
    sealed = seal([Site("site-1", "general", "140105", SALT)], rates={"general": (1, 1)}, supplements=7)
    assert read_rules(sealed.rules_json) == sealed.rules
    assert sealed.rules.supplements == 7


def test_an_empty_frame_and_pool_can_be_sealed() -> None:
    sealed = seal([], rates={})
    assert (sealed.frame_jsonl, sealed.pool_jsonl) == (b"", b"")
    assert write_rules(read_rules(sealed.rules_json)) == sealed.rules_json


def test_a_line_of_a_stratum_that_has_no_rule_is_named() -> None:
    sealed = seal([Site("site-1", "general", "140105", SALT)])
    frame = [Site("site-1", "general", "140105", SALT), Site("site-2", "key", "140105", SALT)]
    with pytest.raises(WrongFigure) as refused:
        check_frame(sealed.rules, write_frame(frame), frame)
    assert (refused.value.rule, refused.value.line) == ("stratum-without-a-rule", 2)
