"""Each cheat that a bundle alone can show: one change to a good bundle, made to fit, and its own message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.drawing.errors import MissingFile
from domain.drawing.verify import Verdict, verify_bundle
from tests.domain.drawing.cheats import (
    CHANGES,
    CONFIDENTIAL,
    FORMAT,
    LISTED,
    LISTS,
    PUBLIC,
    SAMPLES,
    SEATS,
    TEAM_LINES,
    Cheat,
    first_change,
    other_secret,
    other_secret_and_commitment,
    recounting,
    refitted,
    reseeded,
    reserve_site,
    setting,
    stratum,
)
from tests.domain.drawing.forging import Forgery, Line, spell
from tests.domain.drawing.vectors import NAMES


def verdict(cheat: Cheat, name: str = "weighted") -> Verdict:
    forgery = Forgery(name)
    cheat(forgery)
    return verify_bundle(forgery)


def broken(cheat: Cheat, name: str = "weighted") -> tuple[str, int, str]:
    found = verdict(cheat, name).broken
    assert found is not None, "the cheat was not found"
    return found.file, found.line, found.rule


@pytest.mark.parametrize("name", NAMES)
def test_a_good_bundle_is_sound_and_says_what_was_checked(name: str) -> None:
    found = verify_bundle(Forgery(name))
    assert found.sound
    assert found.checked == ("format", "frame", "pool", "seed", "sample", "teams", "changes", "sums")
    assert found.unchecked == (("public-value", "typed-in"), ("narrow-seats", "no-report"))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_bundle_says_that_the_teams_were_not_checked(name: str) -> None:
    bundle = Forgery(name)
    for file in PUBLIC:
        del bundle.files[file]
    found = verify_bundle(bundle)
    assert found.sound
    assert found.checked == ("format", "frame", "seed", "sample", "sums")
    assert ("teams", "public-bundle") in found.unchecked


def test_without_the_frame_only_tickets_ranks_and_numbers_are_checked() -> None:
    bundle = Forgery("weighted")
    for file in (*PUBLIC, "frame.jsonl"):
        del bundle.files[file]
    found = verify_bundle(bundle)
    assert found.sound
    assert "tickets" in found.checked
    assert ("sample", "frame-confidential") in found.unchecked


@pytest.mark.parametrize("file", ["rules.json", "seed.json", "sample.jsonl", "SHA256SUMS"])
def test_what_is_not_there_cannot_be_judged(file: str) -> None:
    bundle = Forgery("equal")
    del bundle.files[file]
    with pytest.raises(MissingFile) as refused:
        verify_bundle(bundle)
    assert refused.value.file == file


@pytest.mark.parametrize(("cheat", "file", "line", "rule"), FORMAT)
def test_a_line_that_is_not_of_the_format(cheat: Cheat, file: str, line: int, rule: str) -> None:
    assert broken(cheat) == (file, line, rule)


@pytest.mark.parametrize(("cheat", "file", "line", "rule"), LISTS)
def test_a_list_that_is_not_the_sealed_one(cheat: Cheat, file: str, line: int, rule: str) -> None:
    assert broken(cheat) == (file, line, rule)


@pytest.mark.parametrize("cheat", LISTED)
def test_a_list_and_rules_that_fit_each_other_give_another_seed(cheat: Cheat) -> None:
    assert broken(refitted(cheat)) == ("seed.json", 1, "wrong-seed")


@pytest.mark.parametrize("field", ["sample", "eligible"])
def test_counts_that_do_not_follow(field: str) -> None:
    file, _, rule = broken(recounting(field))
    assert file == "rules.json"
    assert rule in (f"stratum-{field}", "stratum-sample")


def test_a_rate_that_was_changed_afterwards() -> None:
    def raise_rate(bundle: Forgery) -> None:
        stratum(0, rate=[1, 1])(bundle)
        bundle.refit_rules()

    assert broken(raise_rate) == ("seed.json", 1, "wrong-seed")


def test_a_secret_that_does_not_open_its_commitment() -> None:
    assert broken(other_secret) == ("seed.json", 1, "commitment-does-not-open")


def test_a_secret_changed_with_its_commitment() -> None:
    assert broken(other_secret_and_commitment) == ("seed.json", 1, "wrong-seed")


def test_a_seed_that_does_not_follow() -> None:
    assert broken(setting("seed.json", 1, seed="00" * 32)) == ("seed.json", 1, "wrong-seed")


def test_another_public_value() -> None:
    assert broken(setting("seed.json", 1, public_value="0" * 20)) == ("seed.json", 1, "wrong-seed")


@pytest.mark.parametrize(
    "cheat", [setting("seed.json", 1, public_value="0" * 20), other_secret_and_commitment]
)
def test_another_seed_that_fits_gives_another_sample(cheat: Cheat) -> None:
    file, line, rule = broken(reseeded(cheat))
    assert (file, line) == ("sample.jsonl", 1)
    assert rule in ("site-swapped", "line-left-out", "line-moved", "wrong-ticket")


@pytest.mark.parametrize(("cheat", "line", "rule"), SAMPLES)
def test_a_sample_that_is_not_the_one_that_follows(cheat: Cheat, line: int, rule: str) -> None:
    assert broken(cheat) == ("sample.jsonl", line, rule)


def test_a_site_added_at_the_end_of_the_sample() -> None:
    def add(bundle: Forgery) -> None:
        last = bundle.value("sample.jsonl", 55)
        added = {**last, "id": reserve_site(bundle, last["stratum"]), "rank": last["rank"] + 1}
        bundle.put("sample.jsonl", [*bundle.lines("sample.jsonl"), spell(added)])

    assert broken(add) == ("sample.jsonl", 56, "line-added")


@pytest.mark.parametrize(("cheat", "line", "rule"), SAMPLES)
def test_a_public_bundle_shows_the_same(cheat: Cheat, line: int, rule: str) -> None:
    def public(bundle: Forgery) -> None:
        cheat(bundle)
        for file in PUBLIC:
            bundle.files.pop(file)

    assert broken(public) == ("sample.jsonl", line, rule)


@pytest.mark.parametrize(("cheat", "line", "rule"), CONFIDENTIAL)
def test_what_a_sample_shows_without_its_frame(cheat: Cheat, line: int, rule: str) -> None:
    def confidential(bundle: Forgery) -> None:
        cheat(bundle)
        for file in (*PUBLIC, "frame.jsonl"):
            bundle.files.pop(file)

    assert broken(confidential) == ("sample.jsonl", line, rule)


@pytest.mark.parametrize(("cheat", "rule"), SEATS)
def test_a_team_that_is_not_the_one_that_follows(cheat: Cheat, rule: str) -> None:
    assert broken(cheat) == ("teams.jsonl", 3, rule)


@pytest.mark.parametrize(("cheat", "line", "rule"), TEAM_LINES)
def test_lines_of_the_teams(cheat: Cheat, line: int, rule: str) -> None:
    assert broken(cheat) == ("teams.jsonl", line, rule)


def test_seats_in_another_order() -> None:
    def reverse(team: Line) -> None:
        team["seats"].reverse()

    assert broken(lambda bundle: bundle.edit("teams.jsonl", 3, reverse)) == (
        "teams.jsonl",
        3,
        "wrong-seats",
    )


@pytest.mark.parametrize(("kind", "field", "choose", "rule"), CHANGES)
def test_a_change_that_is_not_the_one_that_follows(
    kind: str, field: str, choose: Callable[[Forgery], str], rule: str
) -> None:
    lines: list[int] = []

    def change(bundle: Forgery) -> None:
        lines.append(first_change(bundle, kind))
        setting("changes.jsonl", lines[0], **{field: choose(bundle)})(bundle)

    assert broken(change) == ("changes.jsonl", lines[0], rule)


def test_a_file_that_differs_from_its_sum() -> None:
    def keep_sums(bundle: Forgery) -> None:
        bundle.files["SHA256SUMS"] = bundle.files["SHA256SUMS"].replace(b"a", b"b", 1)

    file, _, rule = broken(keep_sums)
    assert (file, rule) == ("SHA256SUMS", "sum-differs")


@pytest.mark.parametrize(
    "sums",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[0]],
        lambda lines: lines[::-1],
        lambda lines: [lines[0].replace(b"  ", b" *"), *lines[1:]],
    ],
)
def test_sums_that_are_not_as_sha256sum_writes_them(
    sums: Callable[[list[bytes]], list[bytes]],
) -> None:
    def change(bundle: Forgery) -> None:
        lines = bundle.lines("SHA256SUMS")
        bundle.files["SHA256SUMS"] = b"".join(line + b"\n" for line in sums(lines))

    file, _, rule = broken(change)
    assert (file, rule) == ("SHA256SUMS", "sums-malformed")
