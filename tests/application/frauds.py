"""Cheats with a real draw: each one change, and what it takes along; `Fraud` makes all else fit again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from domain.drawing.bundle import draw
from domain.drawing.lines import read_frame, read_pool, write_sample, write_teams
from domain.drawing.rules import read_rules
from domain.drawing.succession import succession_key
from tests.application.fraud import Event, Fraud, later
from tests.domain.drawing.cheats import repeating, setting

FRAME, POOL, RULES, SEED = "frame.jsonl", "pool.jsonl", "rules.json", "seed.json"
SAMPLE, TEAMS, CHANGES, SUMS = "sample.jsonl", "teams.jsonl", "changes.jsonl", "SHA256SUMS"
Cheat = Callable[[Fraud], object]
Line = dict[str, Any]


# --- changes to lines -------------------------------------------------------------------------------------


def adding(file: str, **values: object) -> Cheat:
    """One line more, like the last one."""

    def add(fraud: Fraud) -> None:
        number = len(fraud.lines(file))
        repeating(file, number)(fraud)
        setting(file, number + 1, **values)(fraud)

    return add


def last(cheat: Callable[[str, int], Callable[[Fraud], None]], file: str) -> Cheat:
    return lambda fraud: cheat(file, len(fraud.lines(file)))(fraud)


def refitted(cheat: Cheat) -> Cheat:
    """Root and counts in rules.json fit again, and the seed follows; the result does not."""

    def refit(fraud: Fraud) -> None:
        cheat(fraud)
        fraud.refit_rules()
        fraud.reseed()

    return refit


def ruling(**values: object) -> Cheat:
    return lambda fraud: fraud.edit(RULES, 1, lambda rules: rules.update(values))


def in_stratum(field: str, by: int) -> Cheat:
    """A figure of the first stratum."""

    def change(rules: Line) -> None:
        rules["strata"][0][field] += by

    return lambda fraud: fraud.edit(RULES, 1, change)


def listed(list: str, field: str, value: object) -> Cheat:
    return lambda fraud: fraud.edit(RULES, 1, lambda rules: rules[list].update({field: value}))


# --- chance -----------------------------------------------------------------------------------------------


def other_secret(fraud: Fraud) -> None:
    fraud.edit(SEED, 1, lambda seed: seed["reveals"][0].update(secret="00" * 32))
    fraud.event("draw.revealed.v1").state["secret"] = "00" * 32
    fraud.reseed()


def other_value(fraud: Fraud) -> None:
    """Digits that suit better: typed, observed and in the file, but the seed is the old one's."""
    fraud.edit(SEED, 1, lambda seed: seed.update(public_value="9999999999"))
    fraud.event("draw.public-value-observed.v1").state["value"] = "9999999999"


# --- who was drawn ----------------------------------------------------------------------------------------


def swap_site(fraud: Fraud) -> None:
    """The friend's factory leaves; the next one comes in with its own true ticket, in sample and teams."""
    drawn = fraud.value(SAMPLE)
    ids = {json.loads(line)["id"] for line in fraud.lines(SAMPLE)}
    sites = [json.loads(line) for line in fraud.lines(FRAME)]
    other = next(
        one["id"]
        for one in sites
        if one["stratum"] == drawn["stratum"] and one["eligible"] and one["id"] not in ids
    )
    prefix = b"sunlot-object-v1\0" + bytes.fromhex(fraud.value(SEED)["seed"]) + drawn["stratum"].encode()
    ticket = sha256(prefix + b"\0" + other.encode()).hexdigest()
    setting(SAMPLE, 1, id=other, ticket=ticket)(fraud)
    lines = fraud.lines(TEAMS)
    fraud.put(TEAMS, [line.replace(drawn["id"].encode(), other.encode()) for line in lines])


def people(fraud: Fraud) -> list[Line]:
    return [json.loads(line) for line in fraud.lines(POOL)]


def site_of(fraud: Fraud, id: str) -> Line:
    return next(one for line in fraud.lines(FRAME) if (one := json.loads(line))["id"] == id)


def seating(place: int, choose: Callable[[Fraud, Line], str | None]) -> Cheat:
    """Somebody else in a seat of the last team."""

    def seat(fraud: Fraud) -> None:
        number = len(fraud.lines(TEAMS))

        def change(team: Line) -> None:
            team["seats"][place]["inspector"] = choose(fraud, team)

        fraud.edit(TEAMS, number, change)

    return seat


def no_leader(fraud: Fraud, team: Line) -> str:
    return next(str(one["ref"]) for one in people(fraud) if not one["lead"])


def colleague(fraud: Fraud, team: Line) -> str:
    """Somebody who may sit there, but is not the one that follows."""
    taken = {seat["inspector"] for seat in team["seats"]}
    return next(str(one["ref"]) for one in people(fraud) if one["lead"] and one["ref"] not in taken)


# --- what came after --------------------------------------------------------------------------------------


def other_substitute(fraud: Fraud) -> None:
    """Of those who may take the seat, the second in its succession, not the first."""
    change, seed = fraud.value(CHANGES), bytes.fromhex(fraud.value(SEED)["seed"])
    away = {change["recused"], change["substitute"]}
    refs = [str(one["ref"]) for one in people(fraud) if one["lead"] and one["ref"] not in away]
    second = min(refs, key=lambda ref: succession_key(seed, change["id"], change["seat"], ref))
    setting(CHANGES, 1, substitute=second)(fraud)


def other_replacement(fraud: Fraud) -> None:
    """A site further down the reserve."""
    change = fraud.value(CHANGES, 2)
    away = {json.loads(line)["id"] for line in fraud.lines(SAMPLE)} | {change["replacement"]}
    stratum = site_of(fraud, change["id"])["stratum"]
    sites = [json.loads(line) for line in fraud.lines(FRAME)]
    other = next(one["id"] for one in sites if one["stratum"] == stratum and one["id"] not in away)
    setting(CHANGES, 2, replacement=other)(fraud)


def wrong_sums(fraud: Fraud) -> None:
    fraud.files[SUMS] = fraud.files[SUMS].replace(sha256(fraud.files[SEED]).hexdigest().encode(), b"0" * 64)


# --- the log ------------------------------------------------------------------------------------------------


def hide_voided(fraud: Fraud) -> None:
    """The voided draw never was: its events tell of something else now."""
    other = fraud.other()
    for one in fraud.log:
        if one.stream == other:
            one.topic = one.topic.replace("draw.", "note.")


def announcing(**facts: object) -> Cheat:
    """Another draw of the same row, announced in silence."""

    def announce(fraud: Fraud) -> None:
        own = fraud.event("draw.announced.v1")
        told = {**own.state, "draw_no": 3, "attempt": 2, "public_source": {"kind": "dice", "rolls": 20}}
        fraud.log.append(Event(f"draw-{'f' * 32}", own.topic, fraud.log[-1].at, {**told, **facts}))

    return announce


def same_source(fraud: Fraud) -> None:
    told = fraud.event("draw.announced.v1", stream=fraud.other())
    told.state["public_source"] = fraud.event("draw.announced.v1").state["public_source"]


def seal_late(fraud: Fraud) -> None:
    fraud.delay("draw.sealed.v1", datetime(2024, 4, 2, 13, 30, tzinfo=UTC))


def reveal_late(fraud: Fraud) -> None:
    fraud.delay("draw.revealed.v1", datetime(2024, 4, 2, 13, 30, tzinfo=UTC))


def observe_early(fraud: Fraud) -> None:
    for one in fraud.log:
        one.at = min(one.at, datetime(2024, 4, 2, 13, 0, tzinfo=UTC))


def void_late(fraud: Fraud) -> None:
    """The voided draw's source had given its value when it was voided, and no warning was shown."""
    told = fraud.event("draw.announced.v1", stream=fraud.other())
    told.state["public_source"]["at"] = told.at.isoformat()


def void_with_value(fraud: Fraud) -> None:
    """A draw whose value was seen is voided all the same."""
    void = fraud.event("draw.voided.v1", stream=fraud.other())
    seen = Event(void.stream, "draw.public-value-observed.v1", void.at, {"value": "1", "evidence": {}})
    fraud.insert(void, seen)


def complete_late(fraud: Fraud) -> None:
    fraud.delay("draw.completed.v1", later(fraud.event("draw.public-value-observed.v1"), days=7))


def register_before_the_seal(fraud: Fraud) -> None:
    """A site slipped into the registry after the frame was read."""
    seal = fraud.event("draw.sealed.v1")
    site = next(one for one in fraud.log if one.topic == "site.registered.v1")
    fraud.insert(seal, Event(f"site-{'f' * 32}", site.topic, seal.at, site.state))


def remade(cheat: Cheat, *, honest_receipts: bool) -> Cheat:
    """A sealed list is exchanged and all made anew: rules, seed, sample, teams, the events, the whole log.

    Only what the parties kept may stay as it was, if they are honest.
    """

    def remake(fraud: Fraud) -> None:
        refitted(cheat)(fraud)
        made = draw(
            read_rules(fraud.files[RULES]),
            bytes.fromhex(fraud.value(SEED)["seed"]),
            read_frame(fraud.files[FRAME]),
            read_pool(fraud.files[POOL]),
        )
        fraud.files |= {SAMPLE: write_sample(made.sample), TEAMS: write_teams(made.teams), CHANGES: b""}
        fraud.sum()
        changed = (fraud.stream, "draw.changed.v1")
        fraud.log = [one for one in fraud.log if (one.stream, one.topic) != changed]
        fraud.retell()
        fraud.honest_receipts = honest_receipts

    return remake


def forget_event(fraud: Fraud) -> None:
    """The bundle is of a log without the recusal, the exported one has it."""
    fraud.log.append(Event(fraud.stream, "draw.changed.v1", fraud.log[-1].at, {"change": {}}))
