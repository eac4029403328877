"""A site's line of the frame, judged in the visitor's browser: as the first implementation judges it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain.drawing.errors import DrawingError
from domain.drawing.frame_line import LineProof, proof_json, read_proof, verify_absence, verify_line
from tests.api.web.node import Judge, judging
from tests.domain.drawing.test_frame_line import Drum, absent_ids
from tests.domain.drawing.vectors import NAMES, load_files

Told = dict[str, Any]


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as found:
        yield found


def told(
    site: str, line: LineProof | None, before: LineProof | None = None, after: LineProof | None = None
) -> Told:
    """As the service answers."""
    shown = {"line": line, "before": before, "after": after}
    return {"site": site, **{name: one and proof_json(one) for name, one in shown.items()}}


def judged_here(drum: Drum, one: Told) -> Told:
    line, before, after = (one[name] and read_proof(one[name]) for name in ("line", "before", "after"))
    try:
        if line:
            return {"site": json.loads(line.line) if verify_line(drum.rules, line) else None}
        verify_absence(drum.rules, one["site"], before, after)
    except DrawingError as error:
        return {"rule": error.rule}
    return {"site": None}


def agree(judge: Judge, name: str, drum: Drum, one: Told) -> Told:
    files = {"rules.json": load_files(name)["rules.json"], "line.json": json.dumps(one).encode()}
    there = judge(files)
    assert there == judged_here(drum, one)
    return there


@pytest.mark.parametrize("name", NAMES)
def test_lines_and_absences_are_proved(judge: Judge, name: str) -> None:
    drum = Drum(name)
    for site in drum.sites[:: max(1, len(drum.sites) // 20)]:
        assert agree(judge, name, drum, told(site.id, drum.find(site.id)))["site"]["id"] == site.id
    for id in absent_ids(drum):
        neighbours = drum.index.neighbours(id, drum.read)
        assert agree(judge, name, drum, told(id, None, *neighbours)) == {"site": None}


def moved(one: Told) -> None:
    one["line"]["index"] += 1


def reworded(one: Told) -> None:
    one["line"]["line"] = one["line"]["line"].replace('"weight":', '"weight":1')


def shortened(one: Told) -> None:
    one["line"]["path"].pop()


def denied(one: Told) -> None:
    one["line"] = None


@pytest.mark.parametrize("cheat", [moved, reworded, shortened, denied])
def test_what_is_not_so_is_not_proved(judge: Judge, cheat: Callable[[Told], None]) -> None:
    drum = Drum("weighted")
    one = told(drum.sites[7].id, drum.find(drum.sites[7].id))
    cheat(one)
    assert agree(judge, "weighted", drum, one)["rule"] in ("line-not-in-frame", "absence-not-proved")
