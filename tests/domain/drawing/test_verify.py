"""Each cheat that a bundle alone can show: one change to a good bundle, made to fit, and its own message."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest

from domain.drawing.errors import MissingFile
from domain.drawing.rules import read_rules
from domain.drawing.seed import Reveal, commit, derive_seed
from domain.drawing.verify import Verdict, verify_bundle
from tests.domain.drawing.forging import Forgery, Line, spell
from tests.domain.drawing.vectors import NAMES

Cheat = Callable[[Forgery], None]
PUBLIC = ("pool.jsonl", "teams.jsonl", "changes.jsonl")


def verdict(cheat: Cheat, name: str = "weighted") -> Verdict:
    forgery = Forgery(name)
    cheat(forgery)
    return verify_bundle(forgery)


def broken(cheat: Cheat, name: str = "weighted") -> tuple[str, int, str]:
    found = verdict(cheat, name).broken
    assert found is not None, "the cheat was not found"
    return found.file, found.line, found.rule


def setting(file: str, number: int, **values: object) -> Cheat:
    return lambda bundle: bundle.edit(file, number, lambda line: line.update(values))


def swapping(file: str, one: int, other: int) -> Cheat:
    def swap(bundle: Forgery) -> None:
        lines = bundle.lines(file)
        lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
        bundle.put(file, lines)

    return swap


def repeating(file: str, number: int) -> Cheat:
    def repeat(bundle: Forgery) -> None:
        lines = bundle.lines(file)
        bundle.put(file, [*lines[:number], lines[number - 1], *lines[number:]])

    return repeat


def dropping(file: str, number: int) -> Cheat:
    def drop(bundle: Forgery) -> None:
        lines = bundle.lines(file)
        bundle.put(file, lines[: number - 1] + lines[number:])

    return drop


def refitted(cheat: Cheat) -> Cheat:
    def refit(bundle: Forgery) -> None:
        cheat(bundle)
        bundle.refit_rules()

    return refit


def respelling(file: str, number: int, old: bytes, new: bytes) -> Cheat:
    def respell(bundle: Forgery) -> None:
        lines = bundle.lines(file)
        assert old in lines[number - 1]
        lines[number - 1] = lines[number - 1].replace(old, new, 1)
        bundle.put(file, lines)

    return respell


@pytest.mark.parametrize("name", NAMES)
def test_a_good_bundle_is_sound_and_says_what_was_checked(name: str) -> None:
    found = verify_bundle(Forgery(name))
    assert found.sound
    assert found.checked == ("format", "frame", "pool", "seed", "sample", "teams", "changes", "sums")
    assert found.unchecked == (("public-value", "typed-in"),)


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


FORMAT = [
    (respelling("frame.jsonl", 7, b'{"area"', b'{ "area"'), "frame.jsonl", 7, "not-canonical"),
    (respelling("frame.jsonl", 7, b'"weight":', b'"weight":1.'), "frame.jsonl", 7, "float"),
    (respelling("pool.jsonl", 3, b'{"areas"', b'{"cap":1,"areas"'), "pool.jsonl", 3, "duplicate-key"),
    (repeating("frame.jsonl", 9), "frame.jsonl", 10, "repeated"),
    (swapping("frame.jsonl", 4, 5), "frame.jsonl", 5, "unsorted"),
    (swapping("pool.jsonl", 4, 5), "pool.jsonl", 5, "unsorted"),
    (setting("frame.jsonl", 2, weight=101), "frame.jsonl", 2, "not-in-range"),
    (setting("frame.jsonl", 2, extra=1), "frame.jsonl", 2, "wrong-fields"),
]


@pytest.mark.parametrize(("cheat", "file", "line", "rule"), FORMAT)
def test_a_line_that_is_not_of_the_format(cheat: Cheat, file: str, line: int, rule: str) -> None:
    assert broken(cheat) == (file, line, rule)


LISTS = [
    (setting("frame.jsonl", 2, weight=99), "frame.jsonl", 0, "frame-root"),
    (dropping("frame.jsonl", 2), "frame.jsonl", 0, "frame-size"),
    (setting("pool.jsonl", 2, cap=0), "pool.jsonl", 0, "pool-root"),
    (dropping("pool.jsonl", 2), "pool.jsonl", 0, "pool-size"),
    (setting("frame.jsonl", 2, stratum="nobody"), "frame.jsonl", 2, "stratum-without-a-rule"),
]


@pytest.mark.parametrize(("cheat", "file", "line", "rule"), LISTS)
def test_a_list_that_is_not_the_sealed_one(cheat: Cheat, file: str, line: int, rule: str) -> None:
    assert broken(cheat) == (file, line, rule)


LISTED = [
    setting("frame.jsonl", 2, weight=99),
    dropping("frame.jsonl", 2),
    setting("pool.jsonl", 2, cap=0),
    dropping("pool.jsonl", 2),
]


@pytest.mark.parametrize("cheat", LISTED)
def test_a_list_and_rules_that_fit_each_other_give_another_seed(cheat: Cheat) -> None:
    assert broken(refitted(cheat)) == ("seed.json", 1, "wrong-seed")


def stratum(number: int, **values: object) -> Cheat:
    return lambda bundle: bundle.edit("rules.json", 1, lambda rules: rules["strata"][number].update(values))


def recounting(field: str) -> Cheat:
    def recount(bundle: Forgery) -> None:
        count = bundle.value("rules.json")["strata"][0][field]
        stratum(0, **{field: count - 1})(bundle)

    return recount


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


def other_secret(bundle: Forgery) -> None:
    def change(seed: Line) -> None:
        seed["reveals"][0]["secret"] = "00" * 32

    bundle.edit("seed.json", 1, change)


def other_secret_and_commitment(bundle: Forgery) -> None:
    """Whoever changes a secret has to change its commitment, and with it the rules and the seed."""
    other_secret(bundle)

    def file(rules: Line) -> None:
        party = rules["contributors"][0]["party"]
        made = commit(rules["log"], rules["draw_no"], rules["attempt"], party, bytes(32))
        rules["contributors"][0]["commitment"] = made.hex()

    bundle.edit("rules.json", 1, file)


def reseeded(cheat: Cheat) -> Cheat:
    def reseed(bundle: Forgery) -> None:
        cheat(bundle)
        rules, seed = read_rules(bundle.files["rules.json"]), bundle.value("seed.json")
        reveals = [Reveal(one["party"], bytes.fromhex(one["secret"])) for one in seed["reveals"]]
        made = derive_seed(rules, reveals, seed["public_value"])
        setting("seed.json", 1, seed=made.hex())(bundle)

    return reseed


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


def reserve_site(bundle: Forgery, code: str) -> str:
    """The first eligible site of the stratum that was not drawn."""
    drawn = {line["id"] for line in map(bundle.value, ["sample.jsonl"] * 55, range(1, 56))}
    return next(
        str(site["id"])
        for site in map(bundle.value, ["frame.jsonl"] * 400, range(1, 401))
        if site["stratum"] == code and site["eligible"] and site["id"] not in drawn
    )


def swap_site(bundle: Forgery) -> None:
    """The friend's factory leaves, another comes in, with its own true ticket, in sample and teams."""
    drawn = bundle.value("sample.jsonl", 3)
    other = reserve_site(bundle, drawn["stratum"])
    seed = bytes.fromhex(bundle.value("seed.json")["seed"])
    prefix = b"sunlot-object-v1\0" + seed + drawn["stratum"].encode() + b"\0"
    ticket = sha256(prefix + other.encode()).hexdigest()
    setting("sample.jsonl", 3, id=other, ticket=ticket)(bundle)
    lines = bundle.lines("teams.jsonl")
    bundle.put("teams.jsonl", [line.replace(drawn["id"].encode(), other.encode()) for line in lines])


SAMPLES = [
    (swap_site, 3, "site-swapped"),
    (setting("sample.jsonl", 2, ticket="00" * 32), 2, "wrong-ticket"),
    (setting("sample.jsonl", 2, rank=3), 2, "wrong-rank"),
    (setting("sample.jsonl", 2, stratum="special"), 2, "wrong-stratum"),
    (dropping("sample.jsonl", 5), 5, "line-left-out"),
    (dropping("sample.jsonl", 55), 55, "line-left-out"),
    (repeating("sample.jsonl", 5), 6, "line-duplicated"),
    (swapping("sample.jsonl", 5, 6), 5, "line-moved"),
]


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


CONFIDENTIAL = [
    (setting("sample.jsonl", 2, ticket="00" * 32), 2, "wrong-ticket"),
    (setting("sample.jsonl", 2, rank=3), 2, "wrong-rank"),
    (dropping("sample.jsonl", 55), 0, "stratum-sample"),
    (repeating("sample.jsonl", 5), 6, "line-duplicated"),
]


@pytest.mark.parametrize(("cheat", "line", "rule"), CONFIDENTIAL)
def test_what_a_sample_shows_without_its_frame(cheat: Cheat, line: int, rule: str) -> None:
    def confidential(bundle: Forgery) -> None:
        cheat(bundle)
        for file in (*PUBLIC, "frame.jsonl"):
            bundle.files.pop(file)

    assert broken(confidential) == ("sample.jsonl", line, rule)


def seating(place: int, choose: Callable[[Forgery, Line], str | None]) -> Cheat:
    """Put somebody else into a seat of the third team."""

    def seat(bundle: Forgery) -> None:
        def change(team: Line) -> None:
            team["seats"][place]["inspector"] = choose(bundle, team)

        bundle.edit("teams.jsonl", 3, change)

    return seat


def pool_lines(bundle: Forgery) -> list[Line]:
    return [bundle.value("pool.jsonl", number) for number in range(1, len(bundle.lines("pool.jsonl")) + 1)]


def area_of(bundle: Forgery, id: str) -> str:
    frame = [bundle.value("frame.jsonl", number) for number in range(1, 401)]
    return next(str(site["area"]) for site in frame if site["id"] == id)


def from_elsewhere(bundle: Forgery, team: Line) -> str:
    area = area_of(bundle, team["id"])
    return next(str(one["ref"]) for one in pool_lines(bundle) if area not in one["areas"])


def colleague(bundle: Forgery, team: Line) -> str:
    """Somebody who may sit there, but is not the one that follows."""
    area, seats = area_of(bundle, team["id"]), [seat["inspector"] for seat in team["seats"]]
    return next(
        str(one["ref"])
        for one in reversed(pool_lines(bundle))
        if area in one["areas"]
        and one["cap"] > 5
        and one["ref"] not in seats
        and team["id"] not in one["conflicts"]
    )


SEATS = [
    (seating(1, from_elsewhere), "inspector-may-not-sit"),
    (seating(1, colleague), "inspector-not-next"),
    (seating(1, lambda bundle, team: "inspector-of-mine"), "inspector-unknown"),
    (seating(1, lambda bundle, team: None), "seat-left-empty"),
    (seating(1, lambda bundle, team: str(team["seats"][0]["inspector"])), "inspector-may-not-sit"),
]


@pytest.mark.parametrize(("cheat", "rule"), SEATS)
def test_a_team_that_is_not_the_one_that_follows(cheat: Cheat, rule: str) -> None:
    assert broken(cheat) == ("teams.jsonl", 3, rule)


TEAM_LINES = [
    (dropping("teams.jsonl", 5), 5, "line-left-out"),
    (repeating("teams.jsonl", 5), 6, "line-duplicated"),
    (swapping("teams.jsonl", 5, 6), 5, "line-moved"),
]


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


def first_change(bundle: Forgery, kind: str) -> int:
    lines = range(1, len(bundle.lines("changes.jsonl")) + 1)
    return next(number for number in lines if bundle.value("changes.jsonl", number)["kind"] == kind)


CHANGES = [
    ("recusal", "substitute", lambda bundle: pool_lines(bundle)[0]["ref"], "wrong-substitute"),
    ("void", "replacement", lambda bundle: reserve_site(bundle, "general"), "wrong-replacement"),
    ("recusal", "recused", lambda bundle: "inspector-of-mine", "not-on-the-team"),
    ("void", "id", lambda bundle: "site-of-mine", "not-drawn"),
]


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
