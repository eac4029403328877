"""Frame and pool of a re-check formed again from the raw events of violations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from domain.drawing.lines import Inspector, Site
from domain.ledger.entry import Entry
from domain.verifying.errors import WrongHistory
from domain.verifying.log import CHINA, Logged
from domain.verifying.registries import READ, RegistryFold, State, compare_lines, lies_within

CLOSED: Final = "closed"
READ_OF_CLOSINGS: Final = (*READ, "violation.", "inspection.", "account.linked.", "recheck.drawn.", "draw.")
RECORDED: Final = frozenset(
    f"inspection.{step}.v1"
    for step in (
        "opened",
        "identity-shown",
        "evidence-added",
        "finding-recorded",
        "finding-withdrawn",
        "concluded",
    )
)
"""The steps of a visit whose doer had to do with what was found."""


@dataclass(slots=True)
class _Violation:
    matter: State
    disposal: str
    persons: set[str]
    closings: int = 0
    closed_on: date | None = None
    rechecked: bool = False


@dataclass(slots=True)
class _Visit:
    inspectors: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)


class ClosingFold(RegistryFold):
    """As `RegistryFold`, for a draw among closed violations."""

    def __init__(self, draw_no: int, as_of: int) -> None:
        super().__init__(draw_no, as_of)
        self._violations: dict[str, _Violation] = {}
        self._visits_made: dict[str, _Visit] = {}
        self._linked: dict[str, str] = {}
        self._redrawn: set[tuple[str, int]] = set()
        self._begun: State = {}

    def follow(self, events: Iterable[Logged]) -> Iterator[Logged]:
        """The events as they come, each taken on the way."""
        for event in events:
            if event.entry.topic.startswith(READ_OF_CLOSINGS):
                self.take(event)
            yield event

    def take(self, event: Logged) -> None:
        """Fold one event; only those up to `as_of`, but of the draw itself."""
        super().take(event)
        entry, state = event
        if entry.idx > self.as_of and not entry.topic.startswith("draw."):
            return
        if state is None:
            self.untold = True
        else:
            self._fold(entry, state)

    @property
    def applies(self) -> bool:
        """Whether the log tells of its announcement."""
        return bool(self._begun)

    def check_frame(self, frame: Sequence[Site]) -> None:
        """Raises WrongHistory frame-not-of-registry for the first line that differs, salts aside."""
        formed = [self._line(id, one) for id, one in sorted(self._chosen().items())]
        compare_lines("frame-not-of-registry", "frame.jsonl", frame, formed)

    def check_pool(self, frame: Sequence[Site], pool: Sequence[Inspector], pool_jsonl: bytes) -> None:
        """Raises WrongHistory pool-not-of-registry for the first line that differs, salts aside."""
        day = self._pooled.get(sha256(pool_jsonl).hexdigest())
        if day is None:
            raise WrongHistory("pool-not-of-registry", "no seal names this pool", file="pool.jsonl")
        terms = self._begun["terms"]
        row = {
            "areas": [self._begun["region"]],
            "period": self._begun["period"],
            "seats_each": terms["seats_each"],
        }
        formed = [self._apart(one) for one in self._pool(row, frame, day)]
        compare_lines("pool-not-of-registry", "pool.jsonl", pool, sorted(formed, key=lambda one: one.ref))

    def _chosen(self) -> dict[str, _Violation]:
        """The violations whose last closing was recorded on a day of the terms, in the region."""
        terms, region = self._begun["terms"], self._begun["region"]
        first, last = date.fromisoformat(terms["first_day"]), date.fromisoformat(terms["last_day"])
        return {
            id: one
            for id, one in self._violations.items()
            if one.closed_on and first <= one.closed_on <= last
            if lies_within([region], one.matter["region"])
        }

    def _line(self, id: str, one: _Violation) -> Site:
        site = self._sites.get(one.matter["site"])
        known = site is not None and lies_within([self._begun["region"]], site.facts["region"])
        drawn = (id, one.closings) in self._redrawn
        reason = (
            "referred"
            if one.disposal == "referred"
            else "rechecked"
            if one.rechecked
            else "drawn"
            if drawn
            else ""
        )
        return Site(
            id=id,
            stratum=CLOSED,
            area=site.facts["region"] if site and known else one.matter["region"],
            salt="",
            weight=1,
            eligible=not reason,
            reason=reason,
            needs=tuple(sorted(site.facts["needs"])) if site and known else (),
        )

    def _apart(self, officer: Inspector) -> Inspector:
        """In conflict is who had to do with the violation, or has a relation to its enterprise."""
        related = {one["uscc"] for one in self._inspectors[officer.ref].facts["relations"]}
        barred = {
            id
            for id, one in self._chosen().items()
            if officer.ref in self._involved(one) or related & self._owners(one)
        }
        return officer._replace(conflicts=tuple(sorted(barred)))

    def _owners(self, one: _Violation) -> set[str]:
        site = self._sites.get(one.matter["site"])
        known = site is not None and lies_within([self._begun["region"]], site.facts["region"])
        return {one.matter["uscc"], *([site.facts["uscc"]] if site and known else [])}

    def _involved(self, one: _Violation) -> set[str]:
        visit = self._visits_made.get(one.matter["inspection"], _Visit())
        accounts = one.persons | visit.persons
        return visit.inspectors | {self._linked[name] for name in accounts if name in self._linked}

    def _fold(self, entry: Entry, state: State) -> None:
        kind = entry.topic.partition(".")[0]
        if kind == "violation":
            self._violated(entry, state)
        elif kind == "inspection":
            self._visited(entry, state)
        elif entry.topic == "account.linked.v1":
            self._linked[entry.stream] = state["inspector"]
        elif entry.topic == "recheck.drawn.v1":
            self._redrawn.add((state["task"]["violation"], state["task"]["closing"]))
        elif entry.topic == "draw.recheck-announced.v1" and state["draw_no"] == self.draw_no:
            self._begun = state

    def _violated(self, entry: Entry, state: State) -> None:
        if entry.topic == "violation.opened.v1":
            self._violations[entry.stream] = _Violation(state["matter"], state["disposal"], set())
        one = self._violations[entry.stream]
        one.persons |= _persons(state)
        if entry.topic == "violation.closed.v1":
            one.closings, one.rechecked = one.closings + 1, False
            one.closed_on = datetime.fromisoformat(state["timestamp"]).astimezone(CHINA).date()
        elif entry.topic == "violation.recheck-recorded.v1":
            one.rechecked, one.disposal = True, state["disposal"]
            if state["outcome"] == "reopened":
                one.closed_on = None
        elif entry.topic == "violation.disposed.v1":
            one.disposal = state["disposal"]

    def _visited(self, entry: Entry, state: State) -> None:
        visit = self._visits_made.setdefault(entry.stream, _Visit())
        if entry.topic in RECORDED:
            visit.persons |= _persons(state)
        if entry.topic == "inspection.opened.v1":
            visit.inspectors |= {one["inspector"] for one in state["team"] if one["inspector"]}
        elif entry.topic == "inspection.approved.v1":
            visit.inspectors |= set(state["experts"])
        elif entry.topic == "inspection.seat-changed.v1" and state["inspector"]:
            visit.inspectors.add(state["inspector"])


def _persons(state: Mapping[str, Any]) -> set[str]:
    return {name for name in (state["by"], state["on_behalf_of"]) if name}
