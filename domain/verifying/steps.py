"""The steps of a draw as its events tell them, held against the files of its bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from domain.drawing.canonical import decode_lines, encode_lines
from domain.drawing.narrow import NARROW_FILE
from domain.drawing.source import source_json, source_time
from domain.drawing.verify import Files
from domain.ledger.entry import parse_at
from domain.verifying.errors import WrongStep
from domain.verifying.proofs import Proved

ANNOUNCED: Final = "draw.announced.v1"
RECHECK: Final = "draw.recheck-announced.v1"
"""What begins a draw of closed violations, in the place of `ANNOUNCED`."""
SUPPLEMENT: Final = "draw.supplement-announced.v1"
"""What begins a draw for seats that an earlier one left unfilled, in the place of `ANNOUNCED`."""
COMMITTED: Final = "draw.committed.v1"
SEALED: Final = "draw.sealed.v1"
REVEALED: Final = "draw.revealed.v1"
OBSERVED: Final = "draw.public-value-observed.v1"
COMPLETED: Final = "draw.completed.v1"
CHANGED: Final = "draw.changed.v1"
OPENED: Final = "draw.opened.v1"
NARROW_FOUND: Final = "draw.narrow-seats-found.v1"
NARROW_APPROVED: Final = "draw.narrow-seats-approved.v1"
VOIDED: Final = "draw.voided.v1"
ENDED: Final = "draw.attempt-ended.v1"
NEEDED: Final = (ANNOUNCED, COMMITTED, SEALED, REVEALED, OBSERVED, COMPLETED)
"""The steps that every completed draw has, in this order."""

BEGINNINGS: Final = (RECHECK, SUPPLEMENT)
"""What a draw may begin with instead of the first of them."""

_FILES: Final = {"frame": "frame.jsonl", "pool": "pool.jsonl", "rules": "rules.json"}
_SEAT: Final = ("seat", "lead", "skilled")
_REPORTS: Final = {
    "narrow-seats": NARROW_FILE,
    "registry-changes": "reports/registry-changes.jsonl",
}
_RESULT: Final = {
    "seed": "seed.json",
    "sample": "sample.jsonl",
    "teams": "teams.jsonl",
    "sums": "SHA256SUMS",
}


@dataclass(frozen=True, slots=True)
class Step:
    """An event of the draw whose state is at hand."""

    event: Proved
    state: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        """When it was recorded, UTC."""
        return parse_at(self.event.entry.at)

    def fact(self, *path: str) -> Any:
        """What the event says under these names. Raises WrongStep state-malformed."""
        value: Any = self.state
        for name in path:
            if not isinstance(value, dict) or name not in value:
                raise WrongStep("state-malformed", f"no {'.'.join(path)}", file=self.event.file)
            value = value[name]
        return value


class Steps:
    """The steps of one draw by topic. A public bundle tells only some of them."""

    def __init__(self, events: Sequence[Proved]) -> None:
        self.events = events
        self._told: dict[str, list[Step]] = {}
        for event in events:
            if event.state is not None:
                self._told.setdefault(event.entry.topic, []).append(Step(event, event.state))

    def all(self, topic: str) -> list[Step]:
        """The steps of a topic, in order."""
        return self._told.get(topic, [])

    def one(self, topic: str) -> Step:
        """The one step of a topic. Raises WrongStep step-missing or step-repeated."""
        found = self.all(topic)
        if not found:
            raise WrongStep("step-missing", topic)
        if len(found) > 1:
            raise WrongStep("step-repeated", topic, file=found[1].event.file)
        return found[0]

    def has(self, topic: str) -> bool:
        """Whether the stream has an event of the topic, told or not."""
        return any(event.entry.topic == topic for event in self.events)


def check_steps(steps: Steps, files: Files) -> None:
    """Raises WrongStep for the first step that is out of order or does not say what the files do."""
    _check_order(steps)
    for step, field, said, found in _claims(steps, files):
        if said != found:
            raise WrongStep(f"step-differs-{field}", f"{said} instead of {found}", file=step.event.file)
    _check_changes(steps, files)
    _check_narrow(steps, files)


def check_times(steps: Steps, files: Files) -> None:
    """Raises WrongStep unless seal and reveals were recorded before the source's own time, the value after.

    By the log's own clock; what an outside shows is another question. The time of dice is when all have
    revealed.
    """
    sealed, revealed = steps.one(SEALED), steps.all(REVEALED)
    observed = steps.one(OBSERVED)
    time = chance_time(steps, files)
    if source_time(files.rules.public_source) is not None:
        for rule, step in (
            ("seal-after-source", sealed),
            *(("reveal-after-source", one) for one in revealed),
        ):
            if step.at >= time:
                raise WrongStep(rule, f"{step.at.isoformat()}, the source {time}", file=step.event.file)
    if observed.at < time:
        raise WrongStep("value-before-source", f"{observed.at.isoformat()}", file=observed.event.file)


def chance_time(steps: Steps, files: Files) -> datetime:
    """When chance came: the source's own time, for dice when the last party's reveal was recorded."""
    time = source_time(files.rules.public_source)
    return time if time is not None else max(step.at for step in steps.all(REVEALED))


def _check_order(steps: Steps) -> None:
    needed = (_begun(steps), *NEEDED[1:])
    place = {topic: number for number, topic in enumerate(needed)}
    last = 0
    for event in steps.events:
        number = place.get(event.entry.topic)
        if event.entry.topic in (VOIDED, ENDED):
            raise WrongStep("draw-ended", event.entry.topic, file=event.file)
        if number is None:
            continue
        if number < last:
            raise WrongStep("step-out-of-order", event.entry.topic, file=event.file)
        last = number
    for topic in needed:
        if not steps.has(topic):
            raise WrongStep("step-missing", topic)


def _begun(steps: Steps) -> str:
    """The topic with which the draw begins."""
    return next((topic for topic in BEGINNINGS if steps.has(topic)), ANNOUNCED)


def _claims(steps: Steps, files: Files) -> Iterator[tuple[Step, str, Any, Any]]:
    """What each step says beside what the files say: (step, field, said, found)."""
    yield from _announcement(steps.one(_begun(steps)), files)
    yield from _by_party(
        steps.all(COMMITTED),
        "commitment",
        {one.party: one.commitment for one in files.rules.contributors},
        lambda step: step.fact("commitment"),
    )
    yield from _seal(steps.one(SEALED), files)
    yield from _by_party(
        steps.all(REVEALED),
        "secret",
        {one.party: one.secret.hex() for one in files.seed.reveals},
        lambda step: step.fact("secret"),
    )
    observed = steps.one(OBSERVED)
    yield observed, "value", observed.fact("value"), files.seed.public_value
    yield observed, "evidence", observed.fact("evidence"), files.seed.evidence
    completed = steps.one(COMPLETED)
    yield from _hashes(completed, "result", _RESULT, files)


def _announcement(step: Step, files: Files) -> Iterator[tuple[Step, str, Any, Any]]:
    rules = files.rules
    for field in ("log", "draw_no", "attempt", "plan_row"):
        yield step, field, step.fact(field), getattr(rules, field)
    yield step, "public_source", step.fact("public_source"), source_json(rules.public_source)
    parties = [Step(step.event, one).fact("party") for one in _list(step, "contributors")]
    yield step, "contributors", parties, [one.party for one in rules.contributors]
    supplements = step.fact("supplements") if step.event.entry.topic == SUPPLEMENT else None
    yield step, "supplements", supplements, rules.supplements
    if supplements is not None:
        yield step, "seats", step.fact("missing", "seats"), [one.seat for one in rules.team]
    if step.event.entry.topic == RECHECK:
        yield from _terms(step, files)


def _terms(step: Step, files: Files) -> Iterator[tuple[Step, str, Any, Any]]:
    """What a plan's row says of another draw, a re-check announces itself."""
    rate = [step.fact("terms", "num"), step.fact("terms", "den")]
    yield step, "terms", [rate], [list(one.rate) for one in files.rules.strata]
    seats = [[Step(step.event, seat).fact(name) for name in _SEAT] for seat in _list(step, "terms", "team")]
    yield step, "terms", seats, [[one.seat, one.lead, one.skilled] for one in files.rules.team]


def _seal(step: Step, files: Files) -> Iterator[tuple[Step, str, Any, Any]]:
    yield (
        step,
        "rules_hash",
        step.fact("seal", "rules_hash"),
        sha256(files.raw["rules.json"][:-1]).hexdigest(),
    )
    yield step, "as_of", step.fact("seal", "as_of"), files.rules.as_of
    yield from _hashes(step, "seal", _FILES, files)
    named = step.state["seal"].get("reports")
    for report, file in _REPORTS.items():
        if file in files.raw:
            said = named.get(report) if isinstance(named, dict) else None
            yield step, "reports", said, sha256(files.raw[file]).hexdigest()


def _hashes(
    step: Step, part: str, names: Mapping[str, str], files: Files
) -> Iterator[tuple[Step, str, Any, Any]]:
    for field, name in names.items():
        if name in files.raw:
            yield step, field, step.fact(part, field), sha256(files.raw[name]).hexdigest()


def _by_party(
    steps: Sequence[Step], field: str, expected: Mapping[str, str], read: Callable[[Step], str]
) -> Iterator[tuple[Step, str, Any, Any]]:
    said = {str(step.fact("party")): step for step in steps}
    if len(said) != len(steps) or said.keys() != expected.keys():
        raise WrongStep("parties-differ", f"{field}: {sorted(said)} instead of {sorted(expected)}")
    for party, step in said.items():
        yield step, field, read(step), expected[party]


def _check_changes(steps: Steps, files: Files) -> None:
    changes = files.raw.get("changes.jsonl")
    if changes is None:
        return
    told = steps.all(CHANGED)
    if encode_lines(step.fact("change") for step in told) != changes:
        raise WrongStep("step-differs-changes", f"the events tell {len(told)}", file="changes.jsonl")
    for step in steps.all(OPENED):
        if step.fact("changes") != sha256(changes).hexdigest():
            raise WrongStep("step-differs-changes", "the opening names another file", file=step.event.file)


def _check_narrow(steps: Steps, files: Files) -> None:
    """Narrow seats are told as many as the report lists, and approved by a second person before a reveal."""
    if (listed := files.raw.get(NARROW_FILE)) is not None:
        told = [[one.fact("sites"), one.fact("seats")] for one in steps.all(NARROW_FOUND)]
        lines = decode_lines(listed, NARROW_FILE, lambda line: line)
        sites = {line["id"] for line in lines if isinstance(line, dict)}
        if told != ([[len(sites), len(lines)]] if lines else []):
            raise WrongStep("step-differs-narrow_seats", f"the events tell {told}", file=NARROW_FILE)
    found = approved = False
    for event in steps.events:
        found |= event.entry.topic == NARROW_FOUND
        approved |= event.entry.topic == NARROW_APPROVED
        if event.entry.topic == REVEALED and found and not approved:
            raise WrongStep("narrow-unapproved", file=event.file)
    for step in steps.all(NARROW_APPROVED):
        sealer = {step.fact("by") for step in steps.all(SEALED)}
        if step.fact("by") in sealer:
            raise WrongStep("narrow-unapproved", "by who sealed it", file=step.event.file)


def _list(step: Step, *path: str) -> list[Any]:
    found = step.fact(*path)
    if not isinstance(found, list):
        raise WrongStep("state-malformed", f"{'.'.join(path)} is no list", file=step.event.file)
    return found
