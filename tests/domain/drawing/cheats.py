"""Cheats with the bundle `weighted`: each a change to one file, made to fit where anybody could."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from domain.drawing.rules import read_rules
from domain.drawing.seed import Reveal, commit, derive_seed
from tests.domain.drawing.forging import Forgery, Line

Cheat = Callable[[Forgery], None]


PUBLIC = ("pool.jsonl", "teams.jsonl", "changes.jsonl")


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


LISTS = [
    (setting("frame.jsonl", 2, weight=99), "frame.jsonl", 0, "frame-root"),
    (dropping("frame.jsonl", 2), "frame.jsonl", 0, "frame-size"),
    (setting("pool.jsonl", 2, cap=0), "pool.jsonl", 0, "pool-root"),
    (dropping("pool.jsonl", 2), "pool.jsonl", 0, "pool-size"),
    (setting("frame.jsonl", 2, stratum="nobody"), "frame.jsonl", 2, "stratum-without-a-rule"),
]


LISTED = [
    setting("frame.jsonl", 2, weight=99),
    dropping("frame.jsonl", 2),
    setting("pool.jsonl", 2, cap=0),
    dropping("pool.jsonl", 2),
]


def stratum(number: int, **values: object) -> Cheat:
    return lambda bundle: bundle.edit("rules.json", 1, lambda rules: rules["strata"][number].update(values))


def recounting(field: str) -> Cheat:
    def recount(bundle: Forgery) -> None:
        count = bundle.value("rules.json")["strata"][0][field]
        stratum(0, **{field: count - 1})(bundle)

    return recount


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


CONFIDENTIAL = [
    (setting("sample.jsonl", 2, ticket="00" * 32), 2, "wrong-ticket"),
    (setting("sample.jsonl", 2, rank=3), 2, "wrong-rank"),
    (dropping("sample.jsonl", 55), 0, "stratum-sample"),
    (repeating("sample.jsonl", 5), 6, "line-duplicated"),
]


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


TEAM_LINES = [
    (dropping("teams.jsonl", 5), 5, "line-left-out"),
    (repeating("teams.jsonl", 5), 6, "line-duplicated"),
    (swapping("teams.jsonl", 5, 6), 5, "line-moved"),
]


def first_change(bundle: Forgery, kind: str) -> int:
    lines = range(1, len(bundle.lines("changes.jsonl")) + 1)
    return next(number for number in lines if bundle.value("changes.jsonl", number)["kind"] == kind)


CHANGES = [
    ("recusal", "substitute", lambda bundle: pool_lines(bundle)[0]["ref"], "wrong-substitute"),
    ("void", "replacement", lambda bundle: reserve_site(bundle, "general"), "wrong-replacement"),
    ("recusal", "recused", lambda bundle: "inspector-of-mine", "not-on-the-team"),
    ("void", "id", lambda bundle: "site-of-mine", "not-drawn"),
]
